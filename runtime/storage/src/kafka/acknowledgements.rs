//! Who waits for which record to be written.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tether_kafka::{DeliveryHandler, KafkaError, RecordMetadata};
use tokio::sync::watch;

/// What became of a record.
pub(crate) type Outcome = Result<RecordMetadata, KafkaError>;

/// Called once with the outcome, on a thread of the client.
pub(crate) type Acknowledge = Box<dyn FnOnce(Outcome) + Send>;

/// Hands each outcome to whoever waits for it.
pub(crate) struct Acknowledgements {
    waiting: Mutex<Waiting>,
    /// Changes with each outcome.
    changed: watch::Sender<()>,
    /// The highest partition that was written to.
    highest_partition: AtomicI32,
}

#[derive(Default)]
struct Waiting {
    next: usize,
    by_token: BTreeMap<usize, Acknowledge>,
}

impl Default for Acknowledgements {
    fn default() -> Self {
        Self {
            waiting: Mutex::default(),
            changed: watch::Sender::new(()),
            highest_partition: AtomicI32::new(-1),
        }
    }
}

impl Acknowledgements {
    /// A token for a record that is about to be sent.
    pub(crate) fn expect(&self, acknowledge: Acknowledge) -> usize {
        let mut waiting = self.lock();
        let token = waiting.next;
        waiting.next += 1;
        waiting.by_token.insert(token, acknowledge);
        token
    }

    /// The record was not taken after all. Returns who waited.
    pub(crate) fn forget(&self, token: usize) -> Option<Acknowledge> {
        let found = self.lock().by_token.remove(&token);
        self.changed.send_replace(());
        found
    }

    /// Waits until the outcome of every record sent so far is known.
    pub(crate) async fn settled(&self) {
        let next = self.lock().next;
        let mut changed = self.changed.subscribe();
        while self.oldest() < next {
            if changed.changed().await.is_err() {
                return;
            }
        }
    }

    /// Waits until an outcome arrives.
    pub(crate) async fn next(&self) {
        // It ends with an error when there is nobody to send any more.
        let _ = self.changed.subscribe().changed().await;
    }

    /// The highest partition that was written to; -1 before the first.
    pub(crate) fn highest_partition(&self) -> i32 {
        self.highest_partition.load(Ordering::Relaxed)
    }

    fn oldest(&self) -> usize {
        let waiting = self.lock();
        match waiting.by_token.first_key_value() {
            Some((token, _)) => *token,
            None => waiting.next,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // No code that can panic runs while the lock is held.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DeliveryHandler for Acknowledgements {
    fn delivered(&self, token: usize, outcome: Outcome) {
        if let Ok(metadata) = &outcome {
            self.highest_partition
                .fetch_max(metadata.partition, Ordering::Relaxed);
        }
        let acknowledge = self.lock().by_token.remove(&token);
        // Not under the lock: it may send again.
        if let Some(acknowledge) = acknowledge {
            acknowledge(outcome);
        }
        self.changed.send_replace(());
    }
}
