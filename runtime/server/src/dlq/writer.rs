//! Writes dead letters back to the topics that they came from.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tether_kafka::{
    Admin, DeliveryHandler, KafkaError, KafkaErrorKind, OutgoingRecord, Producer, RecordMetadata,
};
use tether_worker::dead_letters::partitions;

use super::letter::Letter;

/// How long brokers may take to acknowledge everything that is under way.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(60);

/// Counts what became of records.
#[derive(Default)]
pub(super) struct Deliveries {
    written: AtomicU64,
    failure: Mutex<Option<KafkaError>>,
}

impl DeliveryHandler for Deliveries {
    fn delivered(&self, _: usize, outcome: Result<RecordMetadata, KafkaError>) {
        match outcome {
            Ok(_) => {
                self.written.fetch_add(1, Ordering::AcqRel);
            }
            Err(error) => {
                // One is enough to tell.
                let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
                failure.get_or_insert(error);
            }
        }
    }
}

impl Deliveries {
    /// The number of records that Kafka has.
    pub(super) fn written(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }

    fn check(&self) -> Result<()> {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        match &*failure {
            Some(error) => Err(error.clone()).context("A dead letter could not be written back"),
            None => Ok(()),
        }
    }
}

pub(super) struct LetterWriter {
    admin: Arc<dyn Admin>,
    producer: Arc<dyn Producer>,
    deliveries: Arc<Deliveries>,
    /// The number of partitions of the topics seen.
    partitions: BTreeMap<String, i32>,
}

impl LetterWriter {
    pub(super) fn new(
        admin: Arc<dyn Admin>,
        producer: Arc<dyn Producer>,
        deliveries: Arc<Deliveries>,
    ) -> Self {
        Self {
            admin,
            producer,
            deliveries,
            partitions: BTreeMap::new(),
        }
    }

    /// Writes a letter to a topic, key, value, headers and timestamp as they
    /// were. It goes to the partition that it came from if it goes to the topic
    /// that it came from and that has the partition still, so that it meets the
    /// records of its key even if their producer chose partitions its own way.
    ///
    /// # Errors
    /// If there is no such topic, or Kafka refuses this or an earlier letter.
    pub(super) async fn write(&mut self, letter: &Letter, topic: &str) -> Result<()> {
        let count = self.partitions_of(topic).await?;
        let partition = letter
            .partition
            .filter(|partition| letter.topic.as_deref() == Some(topic) && *partition < count);
        let headers = letter.original_headers();
        let record = OutgoingRecord {
            topic,
            partition,
            key: letter.record.key.as_deref(),
            value: letter.record.value.as_deref(),
            timestamp: letter.record.timestamp,
            headers: &headers,
        };
        loop {
            self.deliveries.check()?;
            match self.producer.send(&record, 0) {
                Ok(()) => return Ok(()),
                Err(error) if error.kind == KafkaErrorKind::QueueFull => self.flush().await?,
                Err(error) => {
                    return Err(error).with_context(|| {
                        format!("A dead letter could not be written to topic '{topic}'")
                    });
                }
            }
        }
    }

    /// Waits until Kafka has everything.
    ///
    /// # Errors
    /// If it refused a record, or takes too long.
    pub(super) async fn flush(&self) -> Result<()> {
        self.producer.flush(FLUSH_TIMEOUT).await?;
        self.deliveries.check()
    }

    async fn partitions_of(&mut self, topic: &str) -> Result<i32> {
        if let Some(count) = self.partitions.get(topic) {
            return Ok(*count);
        }
        let Some(count) = partitions(self.admin.as_ref(), topic).await? else {
            bail!(
                "There is no topic '{topic}' to write dead letters to: create it, or choose another with --to"
            );
        };
        self.partitions.insert(topic.to_owned(), count);
        Ok(count)
    }
}
