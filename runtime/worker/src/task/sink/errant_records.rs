//! Records that a sink task could not write and reports
//! (`WorkerErrantRecordReporter`, KIP-610).

use std::sync::{Mutex, MutexGuard, PoisonError};

use std::error::Error as _;

use tether_api::record::SinkRecord;
use tether_api::sink::ErrantRecordReporter;
use tether_api::{ConnectError, Result};

use super::failed_records::named;
use crate::task::error_handling::{ErrorHandling, Failure, Stage, exceeded};

/// What the reference names where a sink task failed.
const SINK_TASK: &str = "org.apache.kafka.connect.sink.SinkTask";

/// Takes the reports of a sink task. Their dead letters are written by the
/// task's loop, after the call that reported and before offsets are committed.
pub(super) struct ErrantRecords {
    errors: ErrorHandling,
    /// Whether there is a dead letter queue.
    letters: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    reported: Vec<Errant>,
    /// The failure that the connector does not tolerate.
    exceeded: Option<ConnectError>,
}

/// A record with what the task said about it.
pub(super) struct Errant {
    pub(super) record: SinkRecord,
    pub(super) failure: Failure,
}

impl ErrantRecords {
    /// `letters` says whether there is a dead letter queue.
    pub(super) fn new(errors: ErrorHandling, letters: bool) -> Self {
        Self {
            errors,
            letters,
            state: Mutex::default(),
        }
    }

    /// Takes the records that are to get a dead letter.
    pub(super) fn take(&self) -> Vec<Errant> {
        std::mem::take(&mut self.state().reported)
    }

    /// Looks whether there was a report that the connector does not tolerate.
    ///
    /// # Errors
    /// If so, even if the task itself went on.
    pub(super) fn check(&self) -> Result<()> {
        self.state().exceeded.take().map_or(Ok(()), Err)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The data is whole after every statement that holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ErrantRecordReporter for ErrantRecords {
    fn report(&self, record: &SinkRecord, error: &ConnectError) -> Result<()> {
        let failure = Failure::new(Stage::TaskPut, SINK_TASK, restated(error));
        let failure = self.errors.redact(failure);
        let SinkRecord {
            record: content,
            timestamp_type,
            original,
        } = record;
        let name = named(
            &original.topic,
            original.partition,
            record.offset(),
            content.timestamp,
            *timestamp_type,
        );
        self.errors.metrics().record_failed();
        self.errors.report(&failure, &name);
        let error = restated(&failure.error);
        let mut state = self.state();
        if self.letters {
            state.reported.push(Errant {
                record: record.clone(),
                failure,
            });
        }
        if self.errors.is_tolerant() {
            return Ok(());
        }
        self.errors.metrics().record_error();
        let located = Failure::new(Stage::TaskPut, SINK_TASK, error).located(&name.position);
        state.exceeded = Some(exceeded().caused_by(restated(&located)));
        Err(exceeded().caused_by(located))
    }
}

/// The same error once more: kind, class, message and the texts of its causes.
fn restated(error: &ConnectError) -> ConnectError {
    let copy = ConnectError::new(error.kind(), error.message()).with_class(error.java_class());
    match error.source() {
        None => copy,
        Some(cause) => match cause.downcast_ref::<ConnectError>() {
            Some(cause) => copy.caused_by(restated(cause)),
            None => copy.caused_by(cause.to_string()),
        },
    }
}
