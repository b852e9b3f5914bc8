//! Events of whatever kind.

use std::sync::Arc;

use tether_api::metrics::Counter;
use tether_api::record::SourceRecord;

use super::last_event::{LastEvent, latest};
use super::tally::Tally;
use crate::event::{Operation, ProcessingTime};

/// Counts the events of one of the contexts.
#[derive(Debug, Default)]
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

impl EventMeter {
    /// So many rows of a snapshot were sent.
    pub fn rows(&self, rows: u64) {
        if rows > 0 {
            self.seen.add(rows);
            self.last.came();
        }
    }

    /// The latest event of a snapshot is among these records, if there is one.
    pub fn told_rows(&self, records: &[SourceRecord]) {
        self.told(records, |operation| operation == Operation::Read);
    }

    /// The latest event of the stream is among these records, if there is one.
    pub(super) fn told_changes(&self, records: &[SourceRecord]) {
        self.told(records, |operation| {
            !matches!(operation, Operation::Read | Operation::Message)
        });
    }

    fn told(&self, records: &[SourceRecord], wanted: impl Fn(Operation) -> bool) {
        if let Some((event, key)) = latest(records, wanted) {
            self.last.set(event, key);
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
            self.last.came();
        }
    }
}

pub(super) fn now() -> i64 {
    ProcessingTime::now().millis()
}
