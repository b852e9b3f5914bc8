//! Events of whatever kind.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use tether_api::metrics::Counter;

use super::tally::Tally;
use crate::event::ProcessingTime;

/// No event yet.
const NEVER: i64 = -1;

/// Counts the events of one of the contexts.
#[derive(Debug)]
pub struct EventMeter {
    pub(super) seen: Arc<Counter>,
    pub(super) created: Arc<Counter>,
    pub(super) updated: Arc<Counter>,
    pub(super) deleted: Arc<Counter>,
    pub(super) filtered: Arc<Counter>,
    /// No event is so here: a table whose structure is not known fails the task.
    pub(super) erroneous: Arc<Counter>,
    last: Arc<LastEvent>,
}

/// When the latest event came, in milliseconds since 1970.
#[derive(Debug)]
pub(super) struct LastEvent(AtomicI64);

impl LastEvent {
    /// How many milliseconds ago that was; -1 without an event.
    pub(super) fn millis_since(&self) -> i64 {
        match self.0.load(Relaxed) {
            NEVER => NEVER,
            last => now().saturating_sub(last),
        }
    }

    fn set(&self) {
        self.0.store(now(), Relaxed);
    }
}

impl Default for EventMeter {
    fn default() -> Self {
        Self {
            seen: Arc::default(),
            created: Arc::default(),
            updated: Arc::default(),
            deleted: Arc::default(),
            filtered: Arc::default(),
            erroneous: Arc::default(),
            last: Arc::new(LastEvent(AtomicI64::new(NEVER))),
        }
    }
}

impl EventMeter {
    /// So many rows of a snapshot were sent.
    pub fn rows(&self, rows: u64) {
        if rows > 0 {
            self.seen.add(rows);
            self.last.set();
        }
    }

    /// How many milliseconds ago the latest event came; -1 without one.
    pub fn millis_since_last(&self) -> i64 {
        self.last.millis_since()
    }

    pub(super) fn last(&self) -> Arc<LastEvent> {
        Arc::clone(&self.last)
    }

    pub(super) fn add(&self, tally: &Tally) {
        self.seen.add(tally.seen());
        self.created.add(tally.created);
        self.updated.add(tally.updated);
        self.deleted.add(tally.deleted);
        self.filtered.add(tally.filtered);
        if tally.seen() > 0 {
            self.last.set();
        }
    }
}

fn now() -> i64 {
    ProcessingTime::now().millis()
}
