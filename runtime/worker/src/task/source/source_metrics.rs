//! What is counted of a source task, of both groups that it has.

use std::sync::Arc;
use std::time::Duration;

use tether_api::Result;
use tether_api::record::SourceRecord;

use crate::metrics::{SourceTaskMetrics, TaskMetrics};

/// The metrics of a source task.
pub(super) struct SourceMetrics {
    pub(super) task: Arc<TaskMetrics>,
    pub(super) source: SourceTaskMetrics,
}

impl SourceMetrics {
    /// A poll has returned. One that brought nothing counts as little as one of
    /// the reference that returns null.
    pub(super) fn polled(&self, polled: &Result<Vec<SourceRecord>>, time: Duration) {
        if let Ok(records) = polled
            && !records.is_empty()
        {
            self.source.polled(records.len(), time);
            self.task.batch(records.len());
        }
    }

    /// A commit has ended.
    pub(super) fn commit_ended<T>(&self, outcome: &Result<T>, time: Duration) {
        match outcome {
            Ok(_) => self.task.committed(time),
            Err(_) => self.task.commit_failed(),
        }
    }
}
