//! What the reader has made and the worker has not yet taken.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tether_api::record::SourceRecord;
use tether_api::source::SourcePosition;
use tether_api::{ConnectError, Result};
use tokio::sync::Notify;

use crate::metrics::QueueGauge;
use crate::snapshot::RecordSink;

/// The most records that a batch takes memory for in advance.
const READY_FOR: usize = 256;

/// How much waits at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    /// Records (`max.queue.size`).
    pub(super) records: usize,
    /// Bytes (`max.queue.size.in.bytes`).
    pub(super) bytes: usize,
    /// Records that are taken at once (`max.batch.size`).
    pub(super) batch: usize,
}

/// Records and about how much memory they hold.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) records: Vec<SourceRecord>,
    pub(super) bytes: usize,
    /// How far the source has been read behind them, if that is further than the
    /// last of them tells. No record may be added then.
    pub(super) end: Option<SourcePosition>,
}

/// What the worker takes at once.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) records: Vec<SourceRecord>,
    /// As in a batch.
    pub(super) end: Option<SourcePosition>,
}

/// A queue between the reader and the worker, bounded in records and bytes. A
/// batch is taken in while neither bound is reached, so the queue holds at most
/// one batch more than its bounds say; a record that is larger than the bound
/// passes when the queue is empty.
///
/// Clones are the same queue.
#[derive(Debug, Clone)]
pub(super) struct Queue {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    limits: Limits,
    state: Mutex<State>,
    /// Someone may put in a batch.
    space: Notify,
    /// Someone may take one out.
    filled: Notify,
}

#[derive(Debug, Default)]
struct State {
    batches: VecDeque<Batch>,
    records: usize,
    bytes: usize,
    failure: Option<ConnectError>,
}

impl Queue {
    pub(super) fn new(limits: Limits) -> Self {
        let shared = Shared {
            limits,
            state: Mutex::default(),
            space: Notify::new(),
            filled: Notify::new(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    pub(super) fn limits(&self) -> Limits {
        self.shared.limits
    }

    /// Puts in a batch if there is space, and leaves an empty one in its place.
    /// Whether nothing is left to put in.
    pub(super) fn try_put(&self, batch: &mut Batch) -> bool {
        if batch.records.is_empty() && batch.end.is_none() {
            return true;
        }
        let limits = self.shared.limits;
        let mut state = self.state();
        if batch.records.is_empty()
            && let Some(last) = state.batches.back_mut()
        {
            last.end = std::mem::take(batch).end;
            return true;
        }
        if state.records >= limits.records || state.bytes >= limits.bytes {
            return false;
        }
        let next = Batch {
            // The next one may have as many.
            records: Vec::with_capacity(batch.records.len().min(READY_FOR)),
            ..Batch::default()
        };
        let batch = std::mem::replace(batch, next);
        state.records += batch.records.len();
        state.bytes += batch.bytes;
        state.batches.push_back(batch);
        drop(state);
        self.shared.filled.notify_one();
        true
    }

    /// Waits until a batch was taken out. Safe to be dropped and called again;
    /// for one caller only.
    pub(super) async fn space(&self) {
        self.shared.space.notified().await;
    }

    /// Says that nothing more will come, and why.
    pub(super) fn fail(&self, error: ConnectError) {
        self.state().failure.get_or_insert(error);
        self.shared.filled.notify_one();
    }

    /// Waits for records and takes them, at most as many as a batch may have.
    /// Safe to be dropped and called again; for one caller only.
    ///
    /// # Errors
    /// What the reader failed with, once all records are taken.
    pub(super) async fn take(&self) -> Result<Taken> {
        loop {
            if let Some(taken) = self.try_take() {
                return taken;
            }
            self.shared.filled.notified().await;
        }
    }

    fn try_take(&self) -> Option<Result<Taken>> {
        let most = self.shared.limits.batch;
        let mut state = self.state();
        let Some(batch) = state.batches.pop_front() else {
            return state.failure.take().map(Err);
        };
        let Batch {
            mut records,
            bytes,
            mut end,
        } = batch;
        let mut freed = bytes;
        if records.len() > most {
            let rest = records.split_off(most);
            // Which of them holds how much is not known; the last one frees all.
            freed = 0;
            state.batches.push_front(Batch {
                records: rest,
                bytes,
                end: end.take(),
            });
        }
        while end.is_none()
            && let Some(next) = state.batches.front()
            && records.len() + next.records.len() <= most
            && let Some(next) = state.batches.pop_front()
        {
            records.extend(next.records);
            freed += next.bytes;
            end = next.end;
        }
        state.records -= records.len();
        state.bytes -= freed;
        drop(state);
        self.shared.space.notify_one();
        Some(Ok(Taken { records, end }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs while the lock is held.
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl QueueGauge for Queue {
    fn usage(&self) -> (usize, usize) {
        let state = self.state();
        (state.records, state.bytes)
    }

    fn capacity(&self) -> (usize, usize) {
        let limits = self.shared.limits;
        (limits.records, limits.bytes)
    }
}

/// Puts the records of a snapshot into a queue.
pub(super) struct QueueSink<'a>(pub(super) &'a Queue);

impl RecordSink for QueueSink<'_> {
    async fn put(&mut self, records: Vec<SourceRecord>, bytes: usize) {
        let mut batch = Batch {
            records,
            bytes,
            end: None,
        };
        while !self.0.try_put(&mut batch) {
            self.0.space().await;
        }
    }
}

#[cfg(test)]
mod tests;
