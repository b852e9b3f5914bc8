//! Changes of the offsets of a stopped exactly-once connector.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tether_api::config::ConfigMap;
use tether_api::{ConnectError, Result};
use tether_kafka::{Clients, DeliveryHandler, OutgoingRecord, RecordMetadata};
use tether_storage::{OffsetEntry, OffsetStore};
use tokio::time::{Instant, sleep};

use super::ExactlyOnceOffsets;

/// How long a change may take.
const TIMEOUT: Duration = Duration::from_secs(90);

/// The pause after a queue that was full.
const BACKOFF: Duration = Duration::from_millis(100);

/// A store whose writes are transactions of the connector's first task: a zombie
/// of that task cannot write after them.
pub(super) struct TransactionalOffsets {
    pub(super) offsets: ExactlyOnceOffsets,
    pub(super) clients: Arc<dyn Clients>,
    /// The properties of the task's producer.
    pub(super) producer: ConfigMap,
}

#[async_trait]
impl OffsetStore for TransactionalOffsets {
    async fn start(&self) -> Result<()> {
        self.offsets.store.start().await
    }

    async fn stop(&self) {
        self.offsets.store.stop().await;
    }

    async fn get(&self, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>> {
        self.offsets.store.get(keys).await
    }

    async fn connector_entries(&self, connector: &str) -> Result<Vec<(Bytes, Bytes)>> {
        self.offsets.store.connector_entries(connector).await
    }

    async fn set(&self, entries: Vec<OffsetEntry>) -> Result<()> {
        let deadline = Instant::now() + TIMEOUT;
        let left = || deadline.saturating_duration_since(Instant::now());
        let producer = self
            .clients
            .transactional_producer(&self.producer, Arc::new(Unheard))?;
        producer.init_transactions(left()).await?;
        self.offsets.store.delete_copies(&entries).await?;
        producer.begin_transaction()?;
        for (token, (key, value)) in entries.iter().enumerate() {
            let record = OutgoingRecord {
                topic: &self.offsets.topic,
                partition: None,
                key: Some(key),
                value: value.as_deref(),
                timestamp: None,
                headers: &[],
            };
            while let Err(error) = producer.send(&record, token) {
                let error = ConnectError::from(error);
                if !error.is_retriable() || left().is_zero() {
                    return Err(error);
                }
                sleep(BACKOFF).await;
            }
        }
        producer.commit_transaction(left()).await?;
        self.offsets.store.copy(entries);
        Ok(())
    }
}

/// The commit tells what became of records.
struct Unheard;

impl DeliveryHandler for Unheard {
    fn delivered(&self, _token: usize, _outcome: tether_kafka::Result<RecordMetadata>) {}
}
