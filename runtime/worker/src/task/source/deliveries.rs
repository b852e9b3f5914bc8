//! Carries what became of records from the producer's threads to the task.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tether_kafka::{DeliveryHandler, KafkaError, RecordMetadata};
use tokio::sync::Notify;

use crate::task::submitted_records::Outcome;

/// Outcomes that the task has not looked at yet.
///
/// A producer's thread appends one outcome per record and wakes the task only
/// if there was none before; the task takes all at once. So the threads meet
/// at a short critical section, nearly always without contention, and the
/// bookkeeping itself needs no synchronisation at all. The list is bounded by
/// the number of records in flight, which the task bounds.
#[derive(Default)]
pub(super) struct Deliveries {
    inbox: Mutex<Inbox>,
    arrived: Notify,
}

#[derive(Default)]
struct Inbox {
    outcomes: Vec<(usize, Outcome)>,
    /// The first failure.
    failure: Option<KafkaError>,
}

impl Deliveries {
    /// Exchanges the outcomes for an empty list, whose memory is used again.
    pub(super) fn take(&self, into: &mut Vec<(usize, Outcome)>) {
        into.clear();
        std::mem::swap(&mut self.inbox().outcomes, into);
    }

    /// The first failure of a record.
    pub(super) fn failure(&self) -> Option<KafkaError> {
        self.inbox().failure.clone()
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

impl DeliveryHandler for Deliveries {
    fn delivered(&self, token: usize, outcome: Result<RecordMetadata, KafkaError>) {
        let was_empty = {
            let mut inbox = self.inbox();
            let was_empty = inbox.outcomes.is_empty();
            let outcome = match outcome {
                Ok(_) => Outcome::Acknowledged,
                Err(error) => {
                    inbox.failure.get_or_insert(error);
                    Outcome::Failed
                }
            };
            inbox.outcomes.push((token, outcome));
            was_empty
        };
        if was_empty {
            self.arrived.notify_one();
        }
    }
}
