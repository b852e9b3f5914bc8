//! Source offsets in a topic (`KafkaOffsetBackingStore`): the worker's, or one
//! connector's.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use tether_api::Result;
use tether_api::config::ConfigMap;
use tether_kafka::{Admin, Clients, ConsumedRecord};

use super::InternalTopic;
use super::log::{KafkaBasedLog, LogParts};
use super::topic::Purpose;
use crate::offset_index::{OffsetIndex, is_of};
use crate::{OffsetEntry, OffsetStore};

const PURPOSE: Purpose = Purpose {
    property: "offset.storage.topic",
    content: "source connector offsets",
};

/// An offset store of a distributed worker.
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

/// The clients with which a connector's own offsets are stored.
pub struct ConnectorClients {
    /// The connector.
    pub connector: String,
    /// The properties of the producer; `None` for a store that is only read, or
    /// whose records are written in the transactions of a task.
    pub producer: Option<ConfigMap>,
    /// The properties of the consumer.
    pub consumer: ConfigMap,
}

impl KafkaOffsetStore {
    /// The worker's store on this topic.
    pub fn new(clients: Arc<dyn Clients>, admin: Arc<dyn Admin>, topic: InternalTopic) -> Self {
        let producer = topic.producer_properties(("delivery.timeout.ms", "2147483647"));
        let consumer = topic.consumer_properties();
        Self::on_log(clients, admin, topic, (Some(producer), consumer), |_| true)
    }

    /// A store of one connector's offsets on this topic, which may have those of
    /// others, too. Of `topic.properties` only the admin client's time limits
    /// count.
    pub fn of_connector(
        clients: Arc<dyn Clients>,
        admin: Arc<dyn Admin>,
        topic: InternalTopic,
        own: ConnectorClients,
    ) -> Self {
        let ConnectorClients {
            connector,
            producer,
            consumer,
        } = own;
        Self::on_log(clients, admin, topic, (producer, consumer), move |key| {
            is_of(key, &connector)
        })
    }

    /// A store that keeps the entries whose keys pass the filter.
    fn on_log(
        clients: Arc<dyn Clients>,
        admin: Arc<dyn Admin>,
        topic: InternalTopic,
        (producer, consumer): (Option<ConfigMap>, ConfigMap),
        keeps: impl Fn(&[u8]) -> bool + Send + Sync + 'static,
    ) -> Self {
        let entries = Arc::new(Mutex::new(OffsetIndex::default()));
        let index = entries.clone();
        let log = KafkaBasedLog::new(LogParts {
            clients,
            admin,
            topic,
            purpose: PURPOSE,
            single: false,
            producer,
            consumer,
            consumed: Arc::new(move |record: ConsumedRecord| match record.key {
                Some(key) if keeps(&key) => lock(&index).set(key, record.value),
                Some(_) => {}
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
