//! The order in which Java's hash maps keep text.
//!
//! The reference keeps the properties of a schema in such maps, so their order
//! is part of the text that it registers and of the fields that it reads.

/// The least number of buckets of a map that nothing is known about.
const DEFAULT_BUCKETS: usize = 16;

/// The number of buckets of a map that entries were added to one by one.
pub(super) fn grown(entries: usize) -> usize {
    grown_from(DEFAULT_BUCKETS, entries)
}

/// The same of a map that was made for this number of entries
/// (`new HashMap(entries)`).
pub(super) fn made_for(entries: usize) -> usize {
    grown_from(entries.next_power_of_two(), entries)
}

/// The number of buckets of a copy (`new HashMap(map)`).
pub(super) fn copied(entries: usize) -> usize {
    (entries * 4 / 3 + 1).next_power_of_two()
}

/// A map is doubled when more than three quarters of its buckets would be used.
fn grown_from(mut buckets: usize, entries: usize) -> usize {
    while entries * 4 > buckets * 3 {
        buckets *= 2;
    }
    buckets
}

/// Puts entries, which are in the order in which they were added, in the order
/// of a map with this number of buckets.
pub(super) fn sort<T>(entries: &mut [T], buckets: usize, key: impl Fn(&T) -> &str) {
    entries.sort_by_key(|entry| bucket(key(entry), buckets));
}

/// The same where a key may be null.
pub(super) fn bucket_of(key: Option<&str>, buckets: usize) -> usize {
    key.map_or(0, |key| bucket(key, buckets))
}

fn bucket(key: &str, buckets: usize) -> usize {
    let hash = key.encode_utf16().fold(0u32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(u32::from(unit))
    });
    (hash ^ (hash >> 16)) as usize & (buckets - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_grow_as_javas_do() {
        assert_eq!([0, 12, 13, 24, 25].map(grown), [16, 16, 32, 32, 64]);
        assert_eq!([1, 2, 3, 4, 7].map(made_for), [2, 4, 4, 8, 16]);
        assert_eq!([1, 2, 3, 4].map(copied), [2, 4, 8, 8]);
    }

    #[test]
    fn entries_of_a_bucket_keep_their_order() {
        // "Aa" and "BB" have the same hash.
        let mut keys = ["value", "key", "BB", "Aa"];
        sort(&mut keys, 16, |key| key);
        assert_eq!(
            keys.iter()
                .position(|key| *key == "BB")
                .map(|at| keys[at + 1]),
            Some("Aa")
        );
        assert_eq!(bucket_of(None, 16), 0);
    }
}
