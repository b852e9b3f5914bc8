//! Fetching records: what a consumer reads, over connections of its own to the
//! leaders of its partitions.
//!
//! A task in the background asks each leader for all of its partitions at once,
//! one request at a time, and keeps the answers as they came. Whoever polls
//! reads records out of them, see [`crate::records`]; meanwhile, the next
//! request is under way. What is fetched ahead is bounded by bytes: while more
//! than [`AHEAD`] bytes wait to be read, nothing is asked for, and all requests
//! together ask for at most [`AT_ONCE`] bytes, unless a single batch is larger.
//!
//! Nothing is lost or comes twice: an answer counts only if it begins where the
//! partition's next fetch has to begin, whatever has happened since it was asked
//! for.

mod answers;
mod chunks;
mod leaders;
mod node;
mod partitions;
mod settings;
mod task;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tether_api::offset::TopicPartition;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::broker::Brokers;
use crate::records::Names;
use crate::{ConsumedRecord, KafkaError, KafkaErrorKind, Result};

use chunks::Chunks;
use partitions::Partitions;
pub(crate) use partitions::{OutOfRange, Unplaced};
pub(crate) use settings::FetchSettings;
use task::FetchTask;

/// While so many bytes wait to be read, nothing is fetched.
const AHEAD: usize = 1024 * 1024;

/// All requests together ask for at most so many bytes.
const AT_ONCE: usize = 4 * 1024 * 1024;

/// Memory for so many records at most is taken before they are there.
const RESERVED: usize = 1000;

/// Under which name fetches are logged, Java's.
const LOG: &str = "org.apache.kafka.clients.consumer";

/// Fetches the partitions of one consumer.
pub(crate) struct Fetcher {
    shared: Arc<Shared>,
    /// The task, until it is started.
    task: Mutex<Option<FetchTask>>,
    running: OnceLock<AbortHandle>,
}

/// What the consumer and the task share.
struct Shared {
    state: Mutex<State>,
    settings: FetchSettings,
    /// Tells the task that there may be more to fetch.
    changed: Notify,
    /// Tells the consumer that there is something to read.
    arrived: Arc<Notify>,
}

#[derive(Default)]
struct State {
    partitions: Partitions,
    chunks: Chunks,
    /// Partitions whose next offset the broker does not have.
    out_of_range: Vec<OutOfRange>,
    /// An error that the consumer has not heard of.
    error: Option<KafkaError>,
    names: Names,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // The state is whole after every statement that holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fetcher {
    /// Fetches nothing yet, and tells `arrived` when something can be read.
    pub(crate) fn new(
        brokers: Arc<dyn Brokers>,
        settings: FetchSettings,
        arrived: Arc<Notify>,
    ) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            settings,
            changed: Notify::new(),
            arrived,
        });
        Self {
            task: Mutex::new(Some(FetchTask::new(Arc::clone(&shared), brokers))),
            shared,
            running: OnceLock::new(),
        }
    }

    /// Begins to fetch, on the runtime of the caller, unless that has begun.
    ///
    /// # Errors
    /// Fatal, if fetching has ended.
    pub(crate) fn start(&self) -> Result<()> {
        let running = self.running.get_or_init(|| {
            let task = self
                .task
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            tokio::spawn(async move {
                if let Some(task) = task {
                    task.run().await;
                }
            })
            .abort_handle()
        });
        match running.is_finished() {
            false => Ok(()),
            true => Err(KafkaError::new(
                KafkaErrorKind::Fatal,
                "Records are not fetched any more: the runtime that did has ended",
            )),
        }
    }

    /// Reads this partition too, once it is placed.
    pub(crate) fn add(&self, partition: TopicPartition) {
        self.change(|state| {
            state.chunks.drop_of(&partition);
            state.partitions.add(partition);
        });
    }

    /// Reads this partition no more, and drops what was fetched of it.
    pub(crate) fn remove(&self, partition: &TopicPartition) {
        self.change(|state| {
            state.partitions.remove(partition);
            state.chunks.drop_of(partition);
        });
    }

    /// Goes on at this offset, and drops what was fetched before.
    pub(crate) fn seek(&self, partition: &TopicPartition, offset: i64) {
        self.change(|state| {
            state.partitions.seek(partition, offset);
            state.chunks.drop_of(partition);
        });
    }

    /// Those partitions of which it is not known where to go on.
    pub(crate) fn unplaced(&self) -> Vec<Unplaced> {
        self.shared.state().partitions.unplaced()
    }

    /// Goes on at this offset, unless something else has happened to the
    /// partition since.
    pub(crate) fn place(&self, unplaced: &Unplaced, offset: i64) {
        self.change(|state| state.partitions.place(unplaced, offset));
    }

    pub(crate) fn pause(&self, partitions: &[TopicPartition]) {
        self.change(|state| state.partitions.pause(partitions, true));
    }

    pub(crate) fn resume(&self, partitions: &[TopicPartition]) {
        self.change(|state| state.partitions.pause(partitions, false));
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.shared.state());
        self.shared.changed.notify_one();
    }

    /// The offset of the next record to return; `None` while it is not placed.
    pub(crate) fn position(&self, partition: &TopicPartition) -> Option<i64> {
        let state = self.shared.state();
        let fetched = state.chunks.position(partition);
        fetched.or_else(|| state.partitions.next_offset(partition))
    }

    /// The offset after the last record that a reader can get, as of the last
    /// fetch (`SubscriptionState.partitionLag`).
    pub(crate) fn end_offset(&self, partition: &TopicPartition) -> Option<i64> {
        self.shared.state().partitions.end_offset(partition)
    }

    /// Partitions whose next offset the broker does not have. They are not
    /// placed any more.
    pub(crate) fn take_out_of_range(&self) -> Vec<OutOfRange> {
        std::mem::take(&mut self.shared.state().out_of_range)
    }

    /// Takes what was fetched and is not paused, at most so many records, and
    /// none after so many bytes of keys and values.
    ///
    /// # Errors
    /// What kept a partition from being fetched: `NotAuthorized`; Fatal, if
    /// what was fetched is damaged. Records are not lost by it.
    pub(crate) fn read(&self, most: usize, enough_bytes: usize) -> Result<Vec<ConsumedRecord>> {
        let mut state = self.shared.state();
        let state = &mut *state;
        if let Some(error) = state.error.take() {
            return Err(error);
        }
        let before = state.chunks.unread(&state.partitions);
        let mut records = match state.chunks.is_empty() {
            true => return Ok(Vec::new()),
            false => Vec::with_capacity(most.min(RESERVED)),
        };
        let outcome = state.chunks.read(
            &state.partitions,
            most,
            enough_bytes,
            &mut state.names,
            &mut records,
        );
        if before >= AHEAD && state.chunks.unread(&state.partitions) < AHEAD {
            self.shared.changed.notify_one();
        }
        match outcome {
            // It comes again with the next call.
            Err(error) if records.is_empty() => Err(error),
            _ => Ok(records),
        }
    }
}

impl Drop for Fetcher {
    fn drop(&mut self) {
        if let Some(running) = self.running.get() {
            running.abort();
        }
    }
}

#[cfg(test)]
mod tests;
