//! The order in which a Java `HashMap` gives its entries.
//!
//! It shows in the texts of `hstore` columns and in the list of tables at the
//! end of a transaction.

/// Java's `String.hashCode`: of the UTF-16 units, as a polynomial of 31.
pub fn string_hash(text: &str) -> i32 {
    text.encode_utf16().fold(0_i32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(i32::from(unit))
    })
}

/// Sorts distinct keys in the order of insertion into the order of a `HashMap`
/// that they were put into one by one. Buckets that Java turns into trees, of
/// eight and more, keep the order of insertion here.
pub fn sort_by_hash<T>(entries: &mut [T], key: impl Fn(&T) -> &str) {
    let buckets = buckets_for(entries.len());
    // The sort is stable: a bucket and, after growth, its halves keep their order.
    entries.sort_by_cached_key(|entry| {
        let hash = string_hash(key(entry)).cast_unsigned();
        (hash ^ (hash >> 16)) & (buckets - 1)
    });
}

/// The size of the table with so many entries: it starts with 16 buckets and
/// doubles when more than three quarters of them would be taken.
fn buckets_for(entries: usize) -> u32 {
    let mut buckets = 16_u32;
    while entries as u64 > u64::from(buckets) * 3 / 4 && buckets < 1 << 30 {
        buckets *= 2;
    }
    buckets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_javas() {
        assert_eq!(string_hash(""), 0);
        assert_eq!(string_hash("a"), 97);
        assert_eq!(string_hash("hello world"), 1_794_106_052);
        assert_eq!(string_hash("😀"), 1_772_899);
    }

    #[test]
    fn the_order_is_that_of_the_buckets() {
        // "d" and "b c" share a bucket.
        for (keys, sorted) in [
            (["d", "b c", "a"], ["a", "d", "b c"]),
            (["b c", "d", "a"], ["a", "b c", "d"]),
        ] {
            let mut keys = keys;
            sort_by_hash(&mut keys, |key| key);
            assert_eq!(keys, sorted);
        }
        let mut keys: Vec<String> = (0..13).map(|n| format!("k{n}")).collect();
        sort_by_hash(&mut keys, |key| key);
        assert_eq!(keys.len(), 13);
        assert_eq!((buckets_for(12), buckets_for(13)), (16, 32));
    }
}
