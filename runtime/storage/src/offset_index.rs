//! The entries of an offset store, by the bytes of their keys.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// Keys and values in the order of the keys' bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct OffsetIndex(BTreeMap<Bytes, Bytes>);

impl OffsetIndex {
    /// Sets or, with `None`, deletes an entry.
    pub(crate) fn set(&mut self, key: Bytes, value: Option<Bytes>) {
        match value {
            Some(value) => self.0.insert(key, value),
            None => self.0.remove(&key),
        };
    }

    pub(crate) fn get(&self, keys: &[Bytes]) -> Vec<Option<Bytes>> {
        keys.iter().map(|key| self.0.get(key).cloned()).collect()
    }

    /// The entries whose keys are a connector's. Keys that are none at all are
    /// passed over, as the reference does.
    pub(crate) fn connector_entries(&self, connector: &str) -> Vec<(Bytes, Bytes)> {
        self.0
            .iter()
            .filter(|(key, _)| is_of(key, connector))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (&Bytes, &Bytes)> {
        self.0.iter()
    }
}

/// Whether a key is `["<connector>",{…}]`; a null partition counts as none.
pub(crate) fn is_of(key: &[u8], connector: &str) -> bool {
    type Key = (String, HashMap<String, IgnoredAny>);
    let mut json = serde_json::Deserializer::from_slice(key);
    Key::deserialize(&mut json).is_ok_and(|(name, _)| name == connector)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_belong_to_the_connector_in_their_key() {
        let mut index = OffsetIndex::default();
        let keys = [
            r#"["c",{"b":1}]"#,
            r#"["c",{"a":1,"b":[1,{"x":null}]}]"#,
            r#" [ "\u0063" , { } ] trailing"#,
            r#"["cc",{"a":1}]"#,
            r#"["c",null]"#,
            r#"["c",{},1]"#,
            r#"["c"]"#,
            r#"{"c":{}}"#,
            "",
            "[",
        ];
        for key in keys {
            index.set(Bytes::from(key), Some(Bytes::from_static(b"v")));
        }
        let found: Vec<Bytes> = index
            .connector_entries("c")
            .into_iter()
            .map(|(key, _)| key)
            .collect();
        assert_eq!(found, [keys[2], keys[1], keys[0]]);
    }
}
