//! What happens to records that cannot be processed (KIP-298): some are tried
//! again, all are counted and, as the connector wants it, logged and written to
//! a dead letter queue; then they are passed over, or end the task.
//!
//! Every step here follows a failure. A record that is fine comes nowhere near.

mod attempts;
mod dead_letters;
mod failure;
mod settings;
mod stage;

use std::sync::Arc;

use tether_api::config::ConfigMap;
use tether_api::{ConnectError, Result};
use tether_storage::TaskId;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::config_provider::Redaction;
use crate::metrics::TaskErrorMetrics;

pub(super) use attempts::Attempts;
pub(super) use dead_letters::{DeadLetterFailures, DeadLetters, Letter, Origin, Sent};
pub(super) use failure::Failure;
pub(super) use settings::DeadLetterSettings;
pub(super) use stage::Stage;

use settings::ErrorSettings;

/// Decides about the failed records of a task
/// (`RetryWithToleranceOperator`).
#[derive(Clone)]
pub(super) struct ErrorHandling {
    id: TaskId,
    settings: ErrorSettings,
    metrics: Arc<TaskErrorMetrics>,
    redaction: Arc<Redaction>,
    stopping: CancellationToken,
}

/// How texts name a record. Neither shows its contents, which may be secret.
#[derive(Debug)]
pub(super) struct RecordName {
    /// For the error that ends the task: `topic='t', partition=0, offset=5`.
    pub(super) position: String,
    /// For `errors.log.include.messages`, after a comma.
    pub(super) logged: String,
}

/// Whether a step is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Retry {
    /// It is time for the next attempt.
    Again,
    /// The failure is for good.
    GiveUp,
    /// The task is to stop. The record is neither processed nor passed over: it
    /// comes again.
    Stopped,
}

/// What becomes of a record after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is tried again.
    Again,
    /// It is passed over.
    Skip,
    /// The task is to stop. The record is neither processed nor passed over: it
    /// comes again.
    Stopped,
}

impl ErrorHandling {
    /// For a task.
    ///
    /// # Errors
    /// Config, if a value of `errors.*` is wrong.
    pub(super) fn new(
        id: &TaskId,
        connector: &ConfigMap,
        metrics: Arc<TaskErrorMetrics>,
        redaction: Arc<Redaction>,
        stopping: CancellationToken,
    ) -> Result<Self> {
        Ok(Self {
            id: id.clone(),
            settings: ErrorSettings::new(connector)?,
            metrics,
            redaction,
            stopping,
        })
    }

    /// Whether records that fail are passed over.
    pub(super) fn is_tolerant(&self) -> bool {
        self.settings.tolerant
    }

    /// Whether a step can get a second attempt.
    pub(super) fn retries(&self) -> bool {
        self.settings
            .retry_timeout
            .is_none_or(|timeout| !timeout.is_zero())
    }

    /// Whether errors are logged as `errors.log.enable` wants it.
    pub(super) fn logs(&self) -> bool {
        self.settings.log
    }

    /// The task's counters.
    pub(super) fn metrics(&self) -> &Arc<TaskErrorMetrics> {
        &self.metrics
    }

    /// Counts a failed attempt and waits until the next one, if the error may
    /// pass and there is time left for another attempt.
    pub(super) async fn retry(&self, attempts: &mut Attempts, failure: &Failure) -> Retry {
        self.metrics.record_failed();
        if !failure.error.is_retriable() {
            return Retry::GiveUp;
        }
        let Some(delay) = attempts.next(failure, &self.settings) else {
            return Retry::GiveUp;
        };
        tracing::debug!(
            task = %self.id,
            stage = failure.stage.name(),
            error = %failure.error,
            ?delay,
            "Trying again after a pause"
        );
        tokio::select! {
            biased;
            () = self.stopping.cancelled() => Retry::Stopped,
            () = sleep(delay) => {
                self.metrics.retried();
                Retry::Again
            }
        }
    }

    /// Takes the values of variables out of a failure before anything is
    /// reported.
    pub(super) fn redact(&self, failure: Failure) -> Failure {
        let error = self.redaction.error(failure.error);
        Failure { error, ..failure }
    }

    /// Counts a record that cannot be processed, and logs it if that is wanted
    /// (`LogReporter`).
    pub(super) fn report(&self, failure: &Failure, record: &RecordName) {
        self.metrics.error_now();
        if !self.settings.log {
            return;
        }
        self.metrics.error_logged();
        let logged = match self.settings.log_records {
            true => &*record.logged,
            false => "",
        };
        tracing::error!(
            task = %self.id,
            error = %failure.error,
            "Error encountered in task {}. Executing stage '{}' with class '{}'{logged}.",
            self.id,
            failure.stage.name(),
            failure.class,
        );
    }

    /// Passes over a record that has been reported.
    ///
    /// # Errors
    /// With `errors.tolerance=none`, the error that ends the task.
    pub(super) fn skip(&self, failure: Failure, record: &RecordName) -> Result<()> {
        self.metrics.record_error();
        if !self.settings.tolerant {
            return Err(exceeded().caused_by(failure.located(&record.position)));
        }
        self.metrics.record_skipped();
        Ok(())
    }
}

/// The error of a task that tolerates none.
pub(super) fn exceeded() -> ConnectError {
    ConnectError::other("Tolerance exceeded in error handler")
}
