//! The order in which a `java.util.HashMap` iterates.

use tether_api::offset::OffsetMap;

/// The entries in the order in which a `java.util.HashMap` of them iterates.
///
/// Most JVM connectors build their partition and offset maps in one, and the
/// offsets topic is looked up by the bytes that came of it. A connector that
/// takes over their offsets calls this on maps of two or more entries.
///
/// `map` is in the order of insertion, and the map is one made by
/// `new HashMap<>()`: 16 buckets for up to 12 entries, then doubling. Entries
/// are ordered by bucket and, within one, by insertion. (Buckets of nine and
/// more entries, which the JVM turns into trees, are beyond what names of a
/// partition do.) It does not fit maps made by `Map.of`, whose order differs
/// with each process, by `Collections.singletonMap` (nothing to order), or by
/// `new HashMap<>(n)` and `new HashMap<>(map)` with few entries, whose tables
/// are smaller.
pub fn java_hash_order(map: OffsetMap) -> OffsetMap {
    let mut buckets: u32 = 16;
    while map.len() as u64 > u64::from(buckets) / 4 * 3 {
        buckets = buckets.saturating_mul(2);
    }
    let mut entries: Vec<_> = map.iter().cloned().collect();
    // A stable sort keeps the order of insertion within a bucket.
    entries.sort_by_key(|(name, _)| spread(java_hash(name)) & (buckets - 1));
    entries.into_iter().collect()
}

/// `String.hashCode`: over UTF-16 units, wrapping.
fn java_hash(text: &str) -> u32 {
    text.encode_utf16().fold(0, |hash: u32, unit| {
        hash.wrapping_mul(31).wrapping_add(u32::from(unit))
    })
}

/// `HashMap.hash`: high bits take part in the choice of a bucket.
fn spread(hash: u32) -> u32 {
    hash ^ (hash >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(names: &[&str]) -> Vec<String> {
        let map: OffsetMap = names.iter().map(|name| (*name, 0i32)).collect();
        java_hash_order(map)
            .iter()
            .map(|(name, _)| name.to_string())
            .collect()
    }

    #[test]
    fn hashes_are_javas() {
        assert_eq!(java_hash(""), 0);
        assert_eq!(java_hash("hello"), 99_162_322);
        assert_eq!(java_hash("😀"), 1_772_899);
        assert_eq!(java_hash("polygenelubricants"), 0x8000_0000);
    }

    #[test]
    fn known_partitions_are_ordered_as_in_java() {
        assert_eq!(order(&["database", "server"]), ["server", "database"]);
        assert_eq!(
            order(&["database", "schema", "server"]),
            ["schema", "server", "database"]
        );
        assert_eq!(order(&["table", "protocol"]), ["protocol", "table"]);
        assert_eq!(
            order(&["topic", "partition", "cluster"]),
            ["cluster", "partition", "topic"]
        );
        assert_eq!(order(&["server_id", "rs"]), ["rs", "server_id"]);
    }

    #[test]
    fn a_bucket_keeps_the_order_of_insertion() {
        // "Aa" and "BB" have one hash.
        assert_eq!(order(&["BB", "Aa"]), ["BB", "Aa"]);
        assert_eq!(order(&["Aa", "BB"]), ["Aa", "BB"]);
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
