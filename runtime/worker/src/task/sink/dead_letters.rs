//! The dead letters of a sink task that are on their way, by the partition
//! whose offset waits for them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tether_api::offset::TopicPartition;
use tether_api::{ConnectError, Result};
use tether_kafka::{Clients, ConsumedRecord, DeliveryHandler, KafkaError, RecordMetadata};
use tether_storage::TaskId;

use crate::task::error_handling::{
    DeadLetterFailures, DeadLetterSettings, DeadLetters, ErrorHandling, Failure, Letter, Origin,
    Sent,
};

/// Writes the dead letters of a sink task.
///
/// **Nothing is lost.** An offset is not committed while a letter of an earlier
/// record of its partition is on its way, so a worker that is killed reads such
/// a record again and writes its letter a second time. A letter that Kafka
/// refuses fails the task.
pub(super) struct SinkDeadLetters {
    letters: DeadLetters,
    deliveries: Arc<Deliveries>,
}

struct Deliveries {
    failures: DeadLetterFailures,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next: usize,
    on_their_way: HashMap<usize, TopicPartition>,
    /// Partitions with a record that has no letter although it should.
    missing: Vec<TopicPartition>,
    /// Why, if that was not the end of the task.
    failed: Option<ConnectError>,
}

impl Deliveries {
    fn begin(&self, partition: TopicPartition) -> usize {
        let mut state = self.state();
        state.next += 1;
        let token = state.next;
        state.on_their_way.insert(token, partition);
        token
    }

    fn failed(&self, partition: TopicPartition, error: KafkaError) {
        let message = self.failures.report(&error);
        let error = ConnectError::other(message).caused_by(ConnectError::from(error));
        let mut state = self.state();
        state.missing.push(partition);
        state.failed.get_or_insert(error);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The data is whole after every statement that holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DeliveryHandler for Deliveries {
    fn delivered(&self, token: usize, outcome: Result<RecordMetadata, KafkaError>) {
        let partition = self.state().on_their_way.remove(&token);
        // It is gone if the partition was lost meanwhile.
        if let (Some(partition), Err(error)) = (partition, outcome) {
            self.failed(partition, error);
        }
    }
}

impl SinkDeadLetters {
    /// Makes the clients.
    ///
    /// # Errors
    /// Config, if a property of a client is wrong.
    pub(super) fn new(
        id: &TaskId,
        settings: DeadLetterSettings,
        clients: &dyn Clients,
        errors: &ErrorHandling,
    ) -> Result<Self> {
        let deliveries = Arc::new(Deliveries {
            failures: DeadLetterFailures::new(id, &settings, errors.metrics().clone()),
            state: Mutex::default(),
        });
        Ok(Self {
            letters: DeadLetters::new(id, settings, clients, deliveries.clone(), errors)?,
            deliveries,
        })
    }

    /// Creates the topic if it does not exist.
    ///
    /// # Errors
    /// Other, if it does not and cannot be created.
    pub(super) async fn create_topic(&self) -> Result<()> {
        self.letters.create_topic().await
    }

    /// Hands the letter of a record to the producer and waits while that has no
    /// room; false if the task is to stop before. What becomes of the letter
    /// shows later.
    pub(super) async fn send(&self, record: &ConsumedRecord, failure: &Failure) -> bool {
        let letter = Letter {
            key: record.key.as_deref(),
            value: record.value.as_deref(),
            timestamp: record.timestamp,
            headers: record
                .headers
                .iter()
                .map(|(name, value)| (&**name, value.as_deref()))
                .collect(),
            origin: Origin::Kafka {
                topic: &record.topic,
                partition: record.partition,
                offset: record.offset,
            },
            failure,
        };
        let partition = TopicPartition::new(record.topic.clone(), record.partition);
        let begin = || self.deliveries.begin(partition.clone());
        let withdraw = |token| {
            self.deliveries.state().on_their_way.remove(&token);
        };
        match self.letters.send(&letter, begin, withdraw).await {
            Sent::Taken => true,
            Sent::Refused(error) => {
                self.deliveries.failed(partition, error);
                true
            }
            Sent::Stopped => false,
        }
    }

    /// Notes that a record of this partition has no letter although it should.
    pub(super) fn hold_back(&self, partition: &TopicPartition) {
        self.deliveries.state().missing.push(partition.clone());
    }

    /// Waits for letters, at most this long, and returns those of the partitions
    /// whose records all have theirs.
    pub(super) async fn wait(
        &self,
        partitions: &[TopicPartition],
        timeout: Duration,
    ) -> Vec<TopicPartition> {
        if !self.deliveries.state().on_their_way.is_empty() {
            self.letters.flush(timeout).await;
        }
        let state = self.deliveries.state();
        let waits = |partition: &TopicPartition| {
            state.missing.contains(partition)
                || state.on_their_way.values().any(|other| other == partition)
        };
        partitions
            .iter()
            .filter(|partition| !waits(partition))
            .cloned()
            .collect()
    }

    /// Looks at what became of letters.
    ///
    /// # Errors
    /// Other, if one could not be written; told once.
    pub(super) fn check(&self) -> Result<()> {
        self.deliveries.state().failed.take().map_or(Ok(()), Err)
    }

    /// Forgets partitions that are not this task's any more.
    pub(super) fn forget(&self, partitions: &[TopicPartition]) {
        let mut state = self.deliveries.state();
        state
            .on_their_way
            .retain(|_, partition| !partitions.contains(partition));
        state
            .missing
            .retain(|partition| !partitions.contains(partition));
    }

    /// Gives up what is on its way: nothing was committed over it.
    pub(super) fn give_up(&self) -> impl FnOnce() + Send + use<> {
        let producer = self.letters.producer();
        move || producer.purge()
    }
}
