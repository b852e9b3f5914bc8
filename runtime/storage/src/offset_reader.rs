//! What a source task reads its offsets through (`OffsetStorageReaderImpl`).

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tether_api::offset::{OffsetMap, OffsetReader};
use tether_api::{ConnectError, Result};

use crate::{OffsetStore, PartitionKeys, offset_bytes};

/// Reads the offsets of one connector from a store.
///
/// In contrast to the reference, which logs "CRITICAL" and goes on as if there
/// were no offset, a stored offset that cannot be understood is an error: a task
/// that silently starts from the beginning is worse than one that says why it
/// does not start.
pub struct StoredOffsetReader {
    store: Arc<dyn OffsetStore>,
    keys: Arc<PartitionKeys>,
}

impl StoredOffsetReader {
    /// Reads the offsets of these keys' connector.
    pub fn new(store: Arc<dyn OffsetStore>, keys: Arc<PartitionKeys>) -> Self {
        Self { store, keys }
    }

    fn parse(&self, partition: &OffsetMap, value: Option<Bytes>) -> Result<Option<OffsetMap>> {
        let Some(value) = value else {
            return Ok(None);
        };
        offset_bytes::parse_value(&value).map_err(|error| {
            let key = offset_bytes::key(self.keys.connector(), partition).unwrap_or_default();
            ConnectError::data(format!(
                "The stored offset of {} cannot be read. Reset or alter the connector's offsets.",
                String::from_utf8_lossy(&key)
            ))
            .caused_by(error)
        })
    }
}

#[async_trait]
impl OffsetReader for StoredOffsetReader {
    async fn offsets(&self, partitions: &[OffsetMap]) -> Result<Vec<Option<OffsetMap>>> {
        let keys = partitions
            .iter()
            .map(|partition| self.keys.key(partition))
            .collect::<Result<Vec<_>>>()?;
        let mut values = self.store.get(&keys).await?;
        let missing: Vec<usize> = (0..partitions.len())
            .filter(|index| matches!(values.get(*index), Some(None)))
            .collect();
        if !missing.is_empty() {
            let wanted: Vec<&OffsetMap> = missing.iter().map(|index| &partitions[*index]).collect();
            let found = self.keys.find(self.store.as_ref(), &wanted).await?;
            for (index, value) in missing.into_iter().zip(found) {
                values[index] = value;
            }
        }
        partitions
            .iter()
            .zip(values)
            .map(|(partition, value)| self.parse(partition, value))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use tether_api::offset::SourceOffset;

    use super::*;
    use crate::{MemoryOffsetStore, OffsetWriter};

    fn partition() -> OffsetMap {
        OffsetMap::new().with("server", "s").with("database", "d")
    }

    fn reversed() -> OffsetMap {
        OffsetMap::new().with("database", "d").with("server", "s")
    }

    fn offset(position: i64) -> OffsetMap {
        OffsetMap::new().with("position", position)
    }

    struct Fixture {
        store: Arc<MemoryOffsetStore>,
        reader: StoredOffsetReader,
        writer: OffsetWriter,
    }

    fn fixture() -> Fixture {
        let store = Arc::new(MemoryOffsetStore::new());
        let keys = PartitionKeys::new("c");
        Fixture {
            reader: StoredOffsetReader::new(store.clone(), keys.clone()),
            writer: OffsetWriter::new(store.clone(), keys),
            store,
        }
    }

    fn position(offset: OffsetMap) -> (Arc<OffsetMap>, SourceOffset) {
        (Arc::new(partition()), Some(Arc::new(offset)))
    }

    async fn store(store: &dyn OffsetStore, partition: &OffsetMap, value: &'static [u8]) {
        let key = offset_bytes::key("c", partition).unwrap();
        store
            .set(vec![(key, Some(Bytes::from_static(value)))])
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn written_offsets_are_read() {
        let Fixture { reader, writer, .. } = fixture();
        let pair = position(offset(5));
        writer.write([&pair]).await.unwrap();
        let other = OffsetMap::new().with("server", "t").with("database", "d");
        assert_eq!(
            reader.offsets(&[other, partition()]).await.unwrap(),
            [None, Some(offset(5))]
        );
        writer.write([&(pair.0, None)]).await.unwrap();
        assert_eq!(reader.offsets(&[partition()]).await.unwrap(), [None]);
    }

    #[tokio::test]
    async fn another_order_is_found_and_kept() {
        let Fixture {
            store: backing,
            reader,
            writer,
        } = fixture();
        store(backing.as_ref(), &reversed(), b"{\"position\":1}").await;
        assert_eq!(
            reader.offsets(&[partition()]).await.unwrap(),
            [Some(offset(1))]
        );
        let pair = position(offset(2));
        writer.write([&pair]).await.unwrap();
        let entries = backing.connector_entries("c").await.unwrap();
        assert_eq!(
            entries,
            [(
                offset_bytes::key("c", &reversed()).unwrap(),
                Bytes::from_static(b"{\"position\":2}")
            )]
        );
        assert_eq!(
            reader.offsets(&[partition()]).await.unwrap(),
            [Some(offset(2))]
        );
    }

    #[tokio::test]
    async fn the_connectors_own_order_comes_first() {
        let Fixture {
            store: backing,
            reader,
            ..
        } = fixture();
        store(backing.as_ref(), &reversed(), b"{\"position\":1}").await;
        store(backing.as_ref(), &partition(), b"{\"position\":2}").await;
        assert_eq!(
            reader.offsets(&[partition()]).await.unwrap(),
            [Some(offset(2))]
        );
    }

    #[tokio::test]
    async fn what_cannot_be_understood_is_an_error() {
        let Fixture {
            store: backing,
            reader,
            ..
        } = fixture();
        store(backing.as_ref(), &partition(), b"[]").await;
        let error = reader.offsets(&[partition()]).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "The stored offset of [\"c\",{\"server\":\"s\",\"database\":\"d\"}] cannot be read. \
             Reset or alter the connector's offsets.: Source offset should be an object, but it \
             is an array"
        );
        let nested = OffsetMap::new().with("a", tether_api::data::Value::from(Vec::new()));
        assert!(reader.offsets(&[nested]).await.is_err());
    }
}
