//! A topic for records that a source could not convert or transform. The
//! reference has none.

use std::sync::Arc;
use std::time::Duration;

use tether_api::data::Value;
use tether_api::{ConnectError, Result};
use tether_kafka::{Clients, DeliveryHandler, KafkaError, Producer, RecordMetadata};
use tether_storage::TaskId;

use super::deliveries::Deliveries;
use super::failed_records::Refused;
use super::offset_committer::OffsetCommitter;
use super::readable_json::readable_json;
use crate::task::error_handling::{
    DeadLetterFailures, DeadLetterSettings, DeadLetters, ErrorHandling, Failure, Letter, Origin,
    Sent,
};
use crate::task::submitted_records::Outcome;

/// The most bytes of a value; all parts of a letter together stay below what
/// brokers take by default.
const MAX_VALUE: usize = 512 * 1024;
const MAX_KEY: usize = 64 * 1024;
const MAX_HEADER: usize = 4 * 1024;
const MAX_HEADERS: usize = 16;

/// A token that belongs to no record: its letter moves no offset.
const NO_RECORD: usize = usize::MAX;

/// Writes the dead letters of a source task: the record as the connector gave
/// it, as JSON that a person can read.
///
/// **Nothing is lost.** A letter takes the place of its record: the offset of
/// the record is stored only after the letter is acknowledged, and after all
/// earlier records and letters of its source partition.
pub(super) struct SourceDeadLetters {
    letters: DeadLetters,
    failures: DeadLetterFailures,
}

/// Tells the task what became of letters.
struct LetterDeliveries {
    deliveries: Arc<Deliveries>,
    failures: DeadLetterFailures,
}

impl DeliveryHandler for LetterDeliveries {
    fn delivered(&self, token: usize, outcome: Result<RecordMetadata, KafkaError>) {
        match outcome {
            Ok(_) => self.deliveries.resolved(token, Outcome::PassedOver),
            Err(error) => {
                let message = self.failures.report(&error);
                self.deliveries.failed(token, &message, error);
            }
        }
    }
}

impl SourceDeadLetters {
    /// Makes the clients.
    ///
    /// # Errors
    /// Config, if a property of a client is wrong.
    pub(super) fn new(
        id: &TaskId,
        settings: DeadLetterSettings,
        clients: &dyn Clients,
        deliveries: Arc<Deliveries>,
        errors: &ErrorHandling,
    ) -> Result<Self> {
        let failures = DeadLetterFailures::new(id, &settings, errors.metrics().clone());
        let handler = Arc::new(LetterDeliveries {
            deliveries,
            failures: failures.clone(),
        });
        Ok(Self {
            letters: DeadLetters::new(id, settings, clients, handler, errors)?,
            failures,
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
    /// room; false if the task is to stop before. `moves_offset` says whether
    /// the record is done with once the letter is acknowledged.
    ///
    /// # Errors
    /// Other, if there will be no letter.
    pub(super) async fn send(
        &self,
        refused: &Refused,
        failure: &Failure,
        moves_offset: bool,
        committer: &OffsetCommitter,
    ) -> Result<bool> {
        let record = &refused.record;
        let json = |value: &Value, limit| {
            (!matches!(value, Value::Null)).then(|| readable_json(value, limit))
        };
        let key = json(&record.key, MAX_KEY);
        let value = json(&record.value, MAX_VALUE);
        let headers: Vec<_> = record
            .headers
            .iter()
            .take(MAX_HEADERS)
            .map(|header| (&*header.key, json(&header.value.value, MAX_HEADER)))
            .collect();
        let letter = Letter {
            key: key.as_deref().map(str::as_bytes),
            value: value.as_deref().map(str::as_bytes),
            timestamp: record.timestamp.filter(|timestamp| *timestamp >= 0),
            headers: headers
                .iter()
                .map(|(name, value)| (*name, value.as_deref().map(str::as_bytes)))
                .collect(),
            origin: Origin::Source {
                topic: &record.topic,
                partition: refused.partition_json(),
                offset: refused.offset_json(),
            },
            failure,
        };
        let size = key.as_ref().map_or(0, String::len) + value.as_ref().map_or(0, String::len);
        let begin = || match moves_offset {
            true => {
                committer
                    .book()
                    .submitted
                    .submit(&refused.partition, refused.offset.clone(), size)
            }
            false => NO_RECORD,
        };
        let withdraw = |token| committer.book().submitted.withdraw(token);
        match self.letters.send(&letter, begin, withdraw).await {
            Sent::Taken => Ok(true),
            Sent::Refused(error) => {
                let message = self.failures.report(&error);
                Err(ConnectError::other(message).caused_by(ConnectError::from(error)))
            }
            Sent::Stopped => Ok(false),
        }
    }

    /// Waits until nothing is on its way, at most this long.
    pub(super) async fn flush(&self, timeout: Duration) {
        self.letters.flush(timeout).await;
    }

    /// The producer, for one who gives it up.
    pub(super) fn producer(&self) -> Arc<dyn Producer> {
        self.letters.producer()
    }
}
