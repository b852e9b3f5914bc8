//! Source offsets in the offsets topic (`KafkaOffsetBackingStore`).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use tether_api::Result;
use tether_kafka::{Admin, Clients};

use super::InternalTopic;
use super::log::{KafkaBasedLog, LogParts};
use super::topic::Purpose;
use crate::offset_index::OffsetIndex;
use crate::{OffsetEntry, OffsetStore};

const PURPOSE: Purpose = Purpose {
    property: "offset.storage.topic",
    content: "source connector offsets",
};

/// The offset store of a distributed worker.
///
/// # Faults
/// Entries are written one by one. A write that is cut off leaves some of them,
/// which is harmless: each offset by itself was fit to be committed, and a
/// task starts again from what is there. A record that a restarting broker
/// appended twice says the same twice.
pub struct KafkaOffsetStore {
    log: KafkaBasedLog,
    pub(super) entries: Arc<Mutex<OffsetIndex>>,
}

impl KafkaOffsetStore {
    /// A store on this topic.
    pub fn new(clients: Arc<dyn Clients>, admin: Arc<dyn Admin>, topic: InternalTopic) -> Self {
        let entries = Arc::new(Mutex::new(OffsetIndex::default()));
        let index = entries.clone();
        let log = KafkaBasedLog::new(LogParts {
            clients,
            admin,
            topic,
            purpose: PURPOSE,
            single: false,
            producer_property: ("delivery.timeout.ms", "2147483647"),
            consumed: Arc::new(move |record| match record.key {
                Some(key) => lock(&index).set(key, record.value),
                None => tracing::warn!(
                    topic = %record.topic,
                    partition = record.partition,
                    offset = record.offset,
                    "ignoring a record of the offsets topic: it has no key"
                ),
            }),
        });
        Self { log, entries }
    }
}

fn lock(entries: &Mutex<OffsetIndex>) -> MutexGuard<'_, OffsetIndex> {
    // No code that can panic runs while the lock is held.
    entries.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl OffsetStore for KafkaOffsetStore {
    async fn start(&self) -> Result<()> {
        self.log.start().await
    }

    async fn stop(&self) {
        self.log.stop().await;
    }

    async fn get(&self, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>> {
        self.log.read_to_end().await?;
        Ok(lock(&self.entries).get(keys))
    }

    async fn connector_entries(&self, connector: &str) -> Result<Vec<(Bytes, Bytes)>> {
        self.log.read_to_end().await?;
        Ok(lock(&self.entries).connector_entries(connector))
    }

    async fn set(&self, entries: Vec<OffsetEntry>) -> Result<()> {
        let mut receipts = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            receipts.push(self.log.send(&key, value.as_deref()).await?);
        }
        for receipt in receipts {
            receipt.acknowledged().await?;
        }
        Ok(())
    }
}
