//! Writes to the config topic that only the leader of the group may make
//! (KIP-618, `exactly.once.source.support` preparing or enabled).
//!
//! Each goes through a producer whose transactional id all workers of the group
//! share. Who claims the right to write fences whoever had it: a worker that
//! still takes itself for the leader cannot write task configurations, or a
//! count of producers, after its successor has begun to.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tether_api::config::ConfigMap;
use tether_api::{ConnectError, Result};
use tether_kafka::{Clients, DeliveryHandler, OutgoingRecord, TransactionalProducer};
use tokio::time::{Instant, timeout_at};

/// How long claiming the right to write may take.
const CLAIM_TIMEOUT: Duration = Duration::from_secs(30);

/// A key and a value.
pub(super) type Record = (String, Option<Bytes>);

/// Writes groups of records, each in one transaction.
pub(super) struct LeaderWriter {
    clients: Arc<dyn Clients>,
    topic: String,
    properties: ConfigMap,
    /// `None` without the right to write.
    producer: Mutex<Option<Arc<dyn TransactionalProducer>>>,
    /// Held during a transaction: a producer has one at a time.
    transacting: tokio::sync::Mutex<()>,
}

impl LeaderWriter {
    /// A writer without the right to write. `properties` are all of the
    /// producer's.
    pub(super) fn new(clients: Arc<dyn Clients>, topic: &str, properties: ConfigMap) -> Self {
        Self {
            clients,
            topic: topic.to_owned(),
            properties,
            producer: Mutex::default(),
            transacting: tokio::sync::Mutex::default(),
        }
    }

    /// Claims the right to write, unless it is held.
    ///
    /// # Errors
    /// Those of the client.
    pub(super) async fn claim(&self) -> Result<()> {
        if self.held().is_some() {
            return Ok(());
        }
        let producer = self
            .clients
            .transactional_producer(&self.properties, Arc::new(Unheard))?;
        producer.init_transactions(CLAIM_TIMEOUT).await?;
        *self.producer.lock().unwrap_or_else(PoisonError::into_inner) = Some(producer);
        Ok(())
    }

    /// Writes records, all or none. After an error the right to write has to be
    /// claimed again; the records may be there nevertheless if nobody could tell
    /// whether they are.
    ///
    /// # Errors
    /// Other, with the reference's text.
    pub(super) async fn write(&self, records: &[Record], deadline: Instant) -> Result<()> {
        let _transacting = timeout_at(deadline, self.transacting.lock())
            .await
            .map_err(|_| {
                ConnectError::retriable("Other writes to the config topic take too long")
            })?;
        let result = match self.held() {
            Some(producer) => self.transact(&*producer, records, deadline).await,
            None => Err(ConnectError::other("This worker has no right to write now")),
        };
        result.map_err(|error| {
            // The next claim fences what is left of it.
            *self.producer.lock().unwrap_or_else(PoisonError::into_inner) = None;
            tracing::warn!(topic = self.topic, %error, "Failed to write to the config topic as leader");
            ConnectError::other(
                "Failed to write to config topic; this may be due to a transient error and the \
                 request can be safely retried",
            )
            .caused_by(error)
        })
    }

    async fn transact(
        &self,
        producer: &dyn TransactionalProducer,
        records: &[Record],
        deadline: Instant,
    ) -> Result<()> {
        producer.begin_transaction()?;
        for (token, (key, value)) in records.iter().enumerate() {
            let record = OutgoingRecord {
                topic: &self.topic,
                partition: None,
                key: Some(key.as_bytes()),
                value: value.as_deref(),
                timestamp: None,
                headers: &[],
            };
            producer.send(&record, token)?;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        Ok(producer.commit_transaction(left).await?)
    }

    fn held(&self) -> Option<Arc<dyn TransactionalProducer>> {
        self.producer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// The commit tells what became of records.
struct Unheard;

impl DeliveryHandler for Unheard {
    fn delivered(
        &self,
        _token: usize,
        _outcome: tether_kafka::Result<tether_kafka::RecordMetadata>,
    ) {
    }
}

#[cfg(test)]
mod tests;
