//! A producer that writes to memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tether_api::record::TimestampType;
use tokio::sync::mpsc;

use super::log::partition_for;
use super::transactions::Transaction;
use super::{FakeKafka, Fault, Operation, State, timed_out};
use crate::{
    ConsumedRecord, DeliveryHandler, KafkaError, KafkaErrorKind, OutgoingRecord, Producer,
    RecordMetadata, Result,
};

type Outcome = Result<RecordMetadata>;

/// A record that was taken and is to be written.
struct Queued {
    sequence: u64,
    topic: String,
    partition: i32,
    record: ConsumedRecord,
    fault: Fault,
}

/// The tokens of records whose fate the handler has not heard yet.
#[derive(Default)]
struct Outstanding {
    next: u64,
    tokens: HashMap<u64, usize>,
    /// Reports that are on their way to the handler.
    reporting: usize,
}

/// The part that the producer's tasks share.
#[derive(Clone)]
struct Shared {
    kafka: FakeKafka,
    /// Where records wait for a commit, if they do.
    transaction: Option<Arc<Transaction>>,
    outstanding: Arc<Mutex<Outstanding>>,
    reports: mpsc::UnboundedSender<(usize, Outcome)>,
}

/// Writes in the order of sending, one record after the other.
pub(super) struct FakeProducer {
    shared: Shared,
    queue: mpsc::UnboundedSender<Queued>,
}

impl FakeProducer {
    pub(super) fn new(
        kafka: FakeKafka,
        deliveries: Arc<dyn DeliveryHandler>,
        transaction: Option<Arc<Transaction>>,
    ) -> Self {
        let (reports, mut reported) = mpsc::unbounded_channel();
        let (queue, mut queued) = mpsc::unbounded_channel();
        let shared = Shared {
            kafka,
            transaction,
            outstanding: Arc::default(),
            reports,
        };
        let writer = shared.clone();
        tokio::spawn(async move {
            while let Some(record) = queued.recv().await {
                writer.write(record).await;
            }
        });
        let (kafka, outstanding) = (shared.kafka.clone(), shared.outstanding.clone());
        tokio::spawn(async move {
            while let Some((token, outcome)) = reported.recv().await {
                deliveries.delivered(token, outcome);
                lock(&outstanding).reporting -= 1;
                kafka.notify();
            }
        });
        Self { shared, queue }
    }

    /// Waits until the handler has heard of every record.
    pub(super) async fn drained(&self, timeout: Duration) -> Result<()> {
        let mut changed = self.shared.kafka.changed.subscribe();
        let drained =
            async { while self.shared.waiting() > 0 && changed.changed().await.is_ok() {} };
        tokio::time::timeout(timeout, drained)
            .await
            .map_err(|_| timed_out("records are still queued"))
    }
}

impl Shared {
    async fn write(&self, queued: Queued) {
        let Queued {
            sequence,
            topic,
            partition,
            record,
            fault,
        } = queued;
        if let Fault::Slow(delay) = &fault {
            tokio::time::sleep(*delay).await;
        }
        if !lock(&self.outstanding).tokens.contains_key(&sequence) {
            return;
        }
        if let Fault::Lose(error) = fault {
            if let Some(transaction) = &self.transaction {
                transaction.spoil(&error);
            }
            return self.report(sequence, Err(error));
        }
        let offset = match &self.transaction {
            Some(transaction) => match transaction.stage(&topic, partition, record) {
                Ok(()) => -1,
                Err(error) => return self.report(sequence, Err(error)),
            },
            None => self.kafka.append(&topic, partition, record),
        };
        let metadata = RecordMetadata { partition, offset };
        match fault {
            Fault::FailAfter(error) => self.report(sequence, Err(error)),
            Fault::Hold => {
                let shared = self.clone();
                self.kafka
                    .faults
                    .hold_then(Operation::Send, move |released| {
                        shared.report(sequence, released.map(|()| metadata));
                    });
                self.kafka.notify();
            }
            _ => self.report(sequence, Ok(metadata)),
        }
    }

    fn report(&self, sequence: u64, outcome: Outcome) {
        let mut outstanding = lock(&self.outstanding);
        if let Some(token) = outstanding.tokens.remove(&sequence) {
            outstanding.reporting += 1;
            // The receiver lives as long as its runtime.
            let _ = self.reports.send((token, outcome));
        }
    }

    fn waiting(&self) -> usize {
        let outstanding = lock(&self.outstanding);
        outstanding.tokens.len() + outstanding.reporting
    }

    fn purge(&self) {
        let sequences: BTreeMap<u64, usize> =
            lock(&self.outstanding).tokens.clone().into_iter().collect();
        for sequence in sequences.into_keys() {
            let error = KafkaError::new(KafkaErrorKind::Fatal, "The record was purged");
            self.report(sequence, Err(error));
        }
    }
}

fn lock(outstanding: &Mutex<Outstanding>) -> MutexGuard<'_, Outstanding> {
    // No code that can panic runs while the lock is held.
    outstanding.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The partition of a record, and the topic, created if allowed.
fn place(state: &mut State, record: &OutgoingRecord<'_>) -> Result<i32> {
    let unknown = || {
        KafkaError::new(
            KafkaErrorKind::NotFound,
            format!("Topic {} or its partition is not known", record.topic),
        )
    };
    let partitions = match (state.topics.get(record.topic), state.auto_create) {
        (Some(topic), _) => topic.partition_count(),
        (None, Some(partitions)) => {
            let count = state
                .topic_or_create(record.topic, partitions, BTreeMap::new())
                .partition_count();
            state.metadata_changed();
            count
        }
        (None, None) => return Err(unknown()),
    };
    match record.partition {
        Some(partition) if (0..partitions).contains(&partition) => Ok(partition),
        Some(_) => Err(unknown()),
        None => Ok(partition_for(record.key, partitions)),
    }
}

fn owned(record: &OutgoingRecord<'_>) -> ConsumedRecord {
    ConsumedRecord {
        topic: Arc::from(record.topic),
        partition: 0,
        offset: 0,
        timestamp: record.timestamp.or(Some(0)),
        timestamp_type: TimestampType::CreateTime,
        key: record.key.map(Bytes::copy_from_slice),
        value: record.value.map(Bytes::copy_from_slice),
        headers: record
            .headers
            .iter()
            .map(|(name, value)| (Arc::from(*name), value.map(Bytes::copy_from_slice)))
            .collect(),
    }
}

#[async_trait]
impl Producer for FakeProducer {
    fn send(&self, record: &OutgoingRecord<'_>, token: usize) -> Result<()> {
        let kafka = &self.shared.kafka;
        kafka.count(Operation::Send);
        if let Some(transaction) = &self.shared.transaction {
            transaction.check_open()?;
        }
        let fault = kafka.faults.next(Operation::Send);
        if let Fault::Reject(error) = fault {
            return Err(error);
        }
        if self.shared.waiting() >= kafka.read(|state| state.queue_limit) {
            return Err(KafkaError::new(
                KafkaErrorKind::QueueFull,
                "The producer's queue is full",
            ));
        }
        let partition = kafka.update(|state| place(state, record))?;
        let sequence = {
            let mut outstanding = lock(&self.shared.outstanding);
            outstanding.next += 1;
            let sequence = outstanding.next;
            outstanding.tokens.insert(sequence, token);
            sequence
        };
        self.queue
            .send(Queued {
                sequence,
                topic: record.topic.to_owned(),
                partition,
                record: owned(record),
                fault,
            })
            .map_err(|_| KafkaError::new(KafkaErrorKind::Fatal, "The runtime has ended"))
    }

    async fn flush(&self, timeout: Duration) -> Result<()> {
        let kafka = &self.shared.kafka;
        kafka.perform(Operation::Flush, |_| Ok(())).await?;
        self.drained(timeout).await
    }

    fn purge(&self) {
        self.shared.purge();
    }
}

impl Drop for FakeProducer {
    fn drop(&mut self) {
        self.shared.purge();
    }
}
