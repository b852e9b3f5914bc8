//! Carries what became of records from the producer's threads to the task.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tether_api::ConnectError;
use tether_kafka::{DeliveryHandler, KafkaError, KafkaErrorKind, RecordMetadata};
use tokio::sync::Notify;

use crate::task::submitted_records::Outcome;

/// Outcomes that the task has not looked at yet.
///
/// The producer appends the outcomes of a batch at once and wakes the task only
/// if there was none before. The task takes all at once, so the threads meet at
/// a short critical section, nearly always without contention, and the
/// bookkeeping itself needs no synchronisation at all. The list is bounded by
/// the number of records in flight, which the task bounds.
#[derive(Default)]
pub(super) struct Deliveries {
    /// The connector passes over records that Kafka refuses
    /// (`errors.tolerance=all`).
    tolerant: bool,
    inbox: Mutex<Inbox>,
    arrived: Notify,
}

#[derive(Default)]
struct Inbox {
    outcomes: Vec<(usize, Outcome)>,
    /// Why records were passed over.
    refusals: Vec<(usize, KafkaError)>,
    /// The first failure that ends the task, with its message.
    failure: Option<(String, KafkaError)>,
}

impl Deliveries {
    /// `tolerant` says whether records that Kafka refuses are passed over.
    pub(super) fn new(tolerant: bool) -> Self {
        Self {
            tolerant,
            ..Self::default()
        }
    }

    /// Exchanges the outcomes for an empty list, whose memory is used again.
    /// Returns why records among them were passed over.
    pub(super) fn take(&self, into: &mut Vec<(usize, Outcome)>) -> Vec<(usize, KafkaError)> {
        into.clear();
        let mut inbox = self.inbox();
        std::mem::swap(&mut inbox.outcomes, into);
        std::mem::take(&mut inbox.refusals)
    }

    /// The first failure that ends the task.
    pub(super) fn failure(&self) -> Option<ConnectError> {
        let (message, error) = self.inbox().failure.clone()?;
        Some(ConnectError::other(message).caused_by(ConnectError::from(error)))
    }

    /// Notes what became of a record.
    pub(super) fn resolved(&self, token: usize, outcome: Outcome) {
        self.note(|inbox| inbox.outcomes.push((token, outcome)));
    }

    /// Notes that a record is not in Kafka, which ends the task.
    pub(super) fn failed(&self, token: usize, message: &str, error: KafkaError) {
        self.note(|inbox| inbox.failed(token, message, error));
    }

    fn note(&self, note: impl FnOnce(&mut Inbox)) {
        let wakes = {
            let mut inbox = self.inbox();
            let wakes = inbox.outcomes.is_empty();
            note(&mut inbox);
            wakes
        };
        if wakes {
            self.arrived.notify_one();
        }
    }

    /// Waits until there may be outcomes to take. For one waiter at a time.
    pub(super) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        // The data is whole after every statement that holds the lock.
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inbox {
    /// Kafka has the record or refuses it, which ends the task unless it is
    /// `tolerant` of that.
    fn delivered(
        &mut self,
        token: usize,
        outcome: Result<RecordMetadata, KafkaError>,
        tolerant: bool,
    ) {
        match outcome {
            Ok(_) => self.outcomes.push((token, Outcome::Acknowledged)),
            Err(error) if tolerant && is_tolerable(&error) => {
                self.refusals.push((token, error));
                self.outcomes.push((token, Outcome::PassedOver));
            }
            Err(error) => self.failed(
                token,
                "Unrecoverable exception from producer send callback",
                error,
            ),
        }
    }

    fn failed(&mut self, token: usize, message: &str, error: KafkaError) {
        self.failure
            .get_or_insert_with(|| (message.to_owned(), error));
        self.outcomes.push((token, Outcome::Failed));
    }
}

impl DeliveryHandler for Deliveries {
    fn delivered(&self, token: usize, outcome: Result<RecordMetadata, KafkaError>) {
        self.note(|inbox| inbox.delivered(token, outcome, self.tolerant));
    }

    fn run_written(&self, tokens: &[usize], _first: RecordMetadata) {
        let acknowledged = tokens.iter().map(|token| (*token, Outcome::Acknowledged));
        self.note(|inbox| inbox.outcomes.extend(acknowledged));
    }
}

/// Whether a record can be passed over because of this. Errors that say nothing
/// about the record, such as that of a producer which is closed or was replaced
/// by another one, end the task whatever the connector tolerates: its records
/// are sent again.
pub(super) fn is_tolerable(error: &KafkaError) -> bool {
    !matches!(
        error.kind,
        KafkaErrorKind::Fatal | KafkaErrorKind::Fenced | KafkaErrorKind::Abortable
    )
}
