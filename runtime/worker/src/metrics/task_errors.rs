//! What went wrong in a task (`ErrorHandlingMetrics`).

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tether_metrics::{Counter, Gauge, Group, Metrics};
use tether_storage::TaskId;

use super::task_group;

/// Counters of one task since it was started. They are touched only when
/// something fails; a record that is fine costs nothing.
#[derive(Debug)]
pub(crate) struct TaskErrorMetrics {
    record_failures: Arc<Counter>,
    record_errors: Arc<Counter>,
    records_skipped: Arc<Counter>,
    retries: Arc<Counter>,
    errors_logged: Arc<Counter>,
    dead_letter_requests: Arc<Counter>,
    dead_letter_failures: Arc<Counter>,
    last_error: Arc<Gauge>,
}

impl TaskErrorMetrics {
    /// Registers the group of a task.
    pub(crate) fn register(metrics: &Metrics, id: &TaskId) -> (Arc<Self>, Group) {
        let mut group = task_group(metrics, "task-error-metrics", id);
        let task = Self {
            record_failures: group.counter(
                "total-record-failures",
                "The number of attempts at a step of a record that failed.",
            ),
            record_errors: group.counter(
                "total-record-errors",
                "The number of records that could not be processed.",
            ),
            records_skipped: group.counter(
                "total-records-skipped",
                "The number of records that were passed over because of errors.",
            ),
            retries: group.counter(
                "total-retries",
                "The number of steps that were tried again.",
            ),
            errors_logged: group.counter(
                "total-errors-logged",
                "The number of errors that were logged.",
            ),
            dead_letter_requests: group.counter(
                "deadletterqueue-produce-requests",
                "The number of dead letters that were to be written.",
            ),
            dead_letter_failures: group.counter(
                "deadletterqueue-produce-failures",
                "The number of dead letters that could not be written.",
            ),
            last_error: group.gauge(
                "last-error-timestamp",
                "The time of the last error, in milliseconds since the epoch; 0 without one.",
            ),
        };
        (Arc::new(task), group.register())
    }

    /// An attempt at a step failed.
    pub(crate) fn record_failed(&self) {
        self.record_failures.increment();
    }

    /// A record could not be processed.
    pub(crate) fn record_error(&self) {
        self.record_errors.increment();
    }

    /// A record was passed over.
    pub(crate) fn record_skipped(&self) {
        self.records_skipped.increment();
    }

    /// A step was tried again.
    pub(crate) fn retried(&self) {
        self.retries.increment();
    }

    /// An error was logged as `errors.log.enable` wants it.
    pub(crate) fn error_logged(&self) {
        self.errors_logged.increment();
    }

    /// A dead letter was to be written.
    pub(crate) fn dead_letter_requested(&self) {
        self.dead_letter_requests.increment();
    }

    /// A dead letter could not be written.
    pub(crate) fn dead_letter_failed(&self) {
        self.dead_letter_failures.increment();
    }

    /// A step failed for good just now.
    pub(crate) fn error_now(&self) {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        self.last_error
            .set(i64::try_from(now.as_millis()).unwrap_or(i64::MAX));
    }
}
