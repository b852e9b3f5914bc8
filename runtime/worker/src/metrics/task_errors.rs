//! What went wrong in a task (`ErrorHandlingMetrics`, the group
//! `task-error-metrics`).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Counters of one task since it was started. They are touched only when
/// something fails; a record that is fine costs nothing.
#[derive(Debug, Default)]
pub struct TaskErrorMetrics {
    record_failures: AtomicU64,
    record_errors: AtomicU64,
    records_skipped: AtomicU64,
    retries: AtomicU64,
    errors_logged: AtomicU64,
    dead_letter_requests: AtomicU64,
    dead_letter_failures: AtomicU64,
    last_error: AtomicU64,
}

impl TaskErrorMetrics {
    /// All of them, by the names that the reference gives them. The last one is
    /// a time in milliseconds since the epoch, 0 if there was no error.
    pub fn values(&self) -> [(&'static str, u64); 8] {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        [
            ("total-record-failures", get(&self.record_failures)),
            ("total-record-errors", get(&self.record_errors)),
            ("total-records-skipped", get(&self.records_skipped)),
            ("total-retries", get(&self.retries)),
            ("total-errors-logged", get(&self.errors_logged)),
            (
                "deadletterqueue-produce-requests",
                get(&self.dead_letter_requests),
            ),
            (
                "deadletterqueue-produce-failures",
                get(&self.dead_letter_failures),
            ),
            ("last-error-timestamp", get(&self.last_error)),
        ]
    }

    /// An attempt at a step failed.
    pub(crate) fn record_failed(&self) {
        count(&self.record_failures);
    }

    /// A record could not be processed.
    pub(crate) fn record_error(&self) {
        count(&self.record_errors);
    }

    /// A record was passed over.
    pub(crate) fn record_skipped(&self) {
        count(&self.records_skipped);
    }

    /// A step was tried again.
    pub(crate) fn retried(&self) {
        count(&self.retries);
    }

    /// An error was logged as `errors.log.enable` wants it.
    pub(crate) fn error_logged(&self) {
        count(&self.errors_logged);
    }

    /// A dead letter was to be written.
    pub(crate) fn dead_letter_requested(&self) {
        count(&self.dead_letter_requests);
    }

    /// A dead letter could not be written.
    pub(crate) fn dead_letter_failed(&self) {
        count(&self.dead_letter_failures);
    }

    /// A step failed for good just now.
    pub(crate) fn error_now(&self) {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let millis = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        self.last_error.store(millis, Ordering::Relaxed);
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
