//! The order in which a `java.util.HashMap` or `HashSet` iterates.

/// The items in the order in which a `java.util.HashMap` with these keys
/// iterates.
///
/// `items` are in the order of insertion and have distinct keys, and the map is
/// one made by `new HashMap<>()`: 16 buckets for up to 12 entries, then
/// doubling. Entries are ordered by bucket and, within one, by insertion.
/// (Buckets of nine and more entries, which the JVM turns into trees, keep
/// that order for nearly all keys.) It does not fit maps made by `Map.of`,
/// whose order differs with each process. Maps that begin with another table
/// are those of [`java_hash_order_in`].
pub fn java_hash_order<T>(items: Vec<T>, key: impl Fn(&T) -> &str) -> Vec<T> {
    java_hash_order_in(BUCKETS, items, key)
}

/// How many buckets a table has unless it is told to have more or less.
const BUCKETS: u32 = 16;

/// How many buckets the table of `new HashMap<>(map)` has that copies a map
/// with so many entries.
pub fn java_copied_map(entries: usize) -> u32 {
    match entries {
        0 => BUCKETS,
        entries => table_size(entries),
    }
}

/// How many buckets the table of `new HashSet<>(collection)` has that copies so
/// many items.
pub fn java_copied_set(items: usize) -> u32 {
    table_size(items).max(BUCKETS)
}

/// The power of two that `entries / 0.75 + 1` fit in.
fn table_size(entries: usize) -> u32 {
    let needed = entries.saturating_mul(4) / 3 + 1;
    u32::try_from(needed)
        .ok()
        .and_then(u32::checked_next_power_of_two)
        .unwrap_or(1 << 30)
}

/// The items in the order in which a `java.util.HashMap` or `HashSet` iterates
/// whose table has so many buckets, a power of two, before the first one is put
/// in.
pub fn java_hash_order_in<T>(
    mut buckets: u32,
    mut items: Vec<T>,
    key: impl Fn(&T) -> &str,
) -> Vec<T> {
    while items.len() as u64 > u64::from(buckets) * 3 / 4 {
        buckets = buckets.saturating_mul(2);
    }
    // A stable sort keeps the order of insertion within a bucket.
    items.sort_by_key(|item| spread(java_hash(key(item)).cast_unsigned()) & (buckets - 1));
    items
}

/// `String.hashCode`: over UTF-16 units, wrapping.
pub fn java_hash(text: &str) -> i32 {
    text.encode_utf16().fold(0, |hash: i32, unit| {
        hash.wrapping_mul(31).wrapping_add(i32::from(unit))
    })
}

/// `HashMap.hash`: high bits take part in the choice of a bucket.
fn spread(hash: u32) -> u32 {
    hash ^ (hash >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order<'a>(names: &[&'a str]) -> Vec<&'a str> {
        java_hash_order(names.to_vec(), |name| name)
    }

    #[test]
    fn hashes_are_javas() {
        assert_eq!(java_hash(""), 0);
        assert_eq!(java_hash("hello"), 99_162_322);
        assert_eq!(java_hash("😀"), 1_772_899);
        assert_eq!(java_hash("polygenelubricants"), i32::MIN);
    }

    #[test]
    fn a_bucket_keeps_the_order_of_insertion() {
        // "Aa" and "BB" have one hash.
        assert_eq!(order(&["BB", "Aa"]), ["BB", "Aa"]);
        assert_eq!(order(&["Aa", "BB"]), ["Aa", "BB"]);
    }

    #[test]
    fn copies_have_tables_of_their_size() {
        assert_eq!(
            [0, 1, 2, 4, 5, 12].map(java_copied_map),
            [16, 2, 4, 8, 8, 32]
        );
        assert_eq!([0, 11, 12, 24].map(java_copied_set), [16, 16, 32, 64]);
        // The second entry of a copy of one makes its table grow to four.
        let names = vec!["data_collections", "connector_name"];
        assert_eq!(
            java_hash_order_in(2, names.clone(), |name| name),
            java_hash_order_in(4, names, |name| name)
        );
    }

    #[test]
    fn the_table_grows_past_twelve_entries() {
        // As printed by a JVM.
        let expected = [
            "21 7 77 56 35 14 49 28 0 70 63 42",
            "21 77 56 35 14 49 28 0 7 70 84 63 42",
            "21 77 35 126 49 168 133 70 84 161 42 98 119 56 14 105 147 28 0 7 112 91 154 140 63",
        ];
        for expected in expected {
            let expected: Vec<String> = expected
                .split(' ')
                .map(|number| format!("field{number}x"))
                .collect();
            let names: Vec<String> = (0..expected.len())
                .map(|index| format!("field{}x", index * 7))
                .collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            assert_eq!(order(&names), expected);
        }
    }
}
