//! Partitions and offsets in the order in which a JVM writes them.

use tether_api::data;
use tether_api::offset::OffsetMap;

/// The entries in the order in which a `java.util.HashMap` of them iterates
/// ([`data::java_hash_order`]).
///
/// Most JVM connectors build their partition and offset maps in one, and the
/// offsets topic is looked up by the bytes that came of it. A connector that
/// takes over their offsets calls this on maps of two or more entries.
///
/// `map` is in the order of insertion. It does not fit maps made by
/// `Collections.singletonMap` (nothing to order) either.
pub fn java_hash_order(map: OffsetMap) -> OffsetMap {
    let entries: Vec<_> = map.iter().cloned().collect();
    data::java_hash_order(entries, |(name, _)| name)
        .into_iter()
        .collect()
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
}
