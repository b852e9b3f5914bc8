//! Under which key each source partition of a connector is stored.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tether_api::Result;
use tether_api::offset::OffsetMap;

use crate::{OffsetStore, offset_bytes};

/// The keys of one connector's partitions, shared by its reader and its writer.
///
/// A key is the bytes that the connector's own order of entries makes, and
/// look-up is by bytes. If nothing is stored there, an entry whose partition is
/// equal but was written in another order is taken, and from then on written
/// to, too.
///
/// The reference would not find such an entry. It is there to resume what a JVM
/// worker stored even if a connector errs about the order of the JVM's map
/// (see [`crate::java_hash_order`]): starting over would cost the user a second
/// snapshot. Writing to the key that was found keeps one entry per partition,
/// so that a JVM worker finds the newest position when it takes over again. If
/// several such entries exist the choice would be a guess, and none is taken.
#[derive(Debug)]
pub struct PartitionKeys {
    connector: String,
    /// Partitions that are stored in another order than the connector's.
    found: Mutex<HashMap<OffsetMap, Bytes>>,
}

impl PartitionKeys {
    /// The keys of a connector.
    pub fn new(connector: impl Into<String>) -> Arc<Self> {
        Arc::new(Self {
            connector: connector.into(),
            found: Mutex::default(),
        })
    }

    /// The connector.
    pub fn connector(&self) -> &str {
        &self.connector
    }

    /// The key of a partition.
    ///
    /// # Errors
    /// Data, if a value of the partition is not primitive.
    pub(crate) fn key(&self, partition: &OffsetMap) -> Result<Bytes> {
        offset_bytes::check(partition)?;
        match self.found().get(partition) {
            Some(key) => Ok(key.clone()),
            None => offset_bytes::key(&self.connector, partition),
        }
    }

    /// Looks for partitions that nothing is stored for in their own order:
    /// returns the value of each that is stored in another order.
    ///
    /// # Errors
    /// Retriable, if the store cannot be read now.
    #[allow(
        clippy::mutable_key_type,
        reason = "what is mutable in a value is a cache of its schema, which equality ignores"
    )]
    pub(crate) async fn find(
        &self,
        store: &dyn OffsetStore,
        partitions: &[&OffsetMap],
    ) -> Result<Vec<Option<Bytes>>> {
        let mut stored: HashMap<OffsetMap, Vec<(Bytes, Bytes)>> = HashMap::new();
        // A map of one entry has one order only.
        if partitions.iter().any(|partition| partition.len() > 1) {
            for (key, value) in store.connector_entries(&self.connector).await? {
                if let Ok(Some((_, partition))) = offset_bytes::parse_key(&key) {
                    stored.entry(partition).or_default().push((key, value));
                }
            }
        }
        let mut found = self.found();
        Ok(partitions
            .iter()
            .map(|partition| match stored.get(*partition)?.as_slice() {
                [(key, value)] => {
                    tracing::info!(
                        connector = self.connector,
                        stored = %String::from_utf8_lossy(key),
                        "source offset was stored with its partition in another order; going on with it"
                    );
                    found.insert((*partition).clone(), key.clone());
                    Some(value.clone())
                }
                several => {
                    tracing::warn!(
                        connector = self.connector,
                        entries = several.len(),
                        "several source offsets are stored for one partition, none in the \
                         connector's order; ignoring them"
                    );
                    None
                }
            })
            .collect())
    }

    fn found(&self) -> MutexGuard<'_, HashMap<OffsetMap, Bytes>> {
        // No code that can panic runs while the lock is held.
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
