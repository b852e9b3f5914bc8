//! Spans of batches: of each batch and its steps, never of a record.

use tether_api::Result;
use tether_storage::TaskId;
use tracing::debug_span;
use tracing::field::Empty;
use tracing::span::Span;

use crate::traces::{self, TARGET};

/// A batch that is being polled. The trace of a batch begins with that.
pub(super) struct Polling {
    batch: Span,
    poll: Span,
}

impl Polling {
    /// For a source.
    pub(super) fn source(id: &TaskId) -> Self {
        Self::new(debug_span!(
            target: TARGET, parent: None, "source batch",
            connector = id.connector, task = id.task, idle = Empty,
        ))
    }

    /// For a sink.
    pub(super) fn sink(id: &TaskId) -> Self {
        Self::new(debug_span!(
            target: TARGET, parent: None, "sink batch",
            connector = id.connector, task = id.task, idle = Empty,
        ))
    }

    fn new(batch: Span) -> Self {
        let poll = debug_span!(
            target: TARGET, parent: &batch, "poll",
            records = Empty, idle = Empty, otel.status_code = Empty,
        );
        Self { batch, poll }
    }

    /// What came of it, a number of records: the span of the batch. A task that waits has none.
    pub(super) fn ended(self, polled: Result<usize, ()>) -> Span {
        match polled {
            Ok(0) => {
                traces::idle(&self.poll);
                traces::idle(&self.batch);
                return Span::none();
            }
            Ok(records) => {
                self.poll.record("records", records);
            }
            Err(()) => traces::failed(&self.poll),
        }
        self.batch
    }
}

/// The steps of a batch of a source, if it is traced. They take turns until the batch is sent: their time is that in which
/// they were busy.
pub(super) struct SourceSteps {
    pub(super) convert: Span,
    pub(super) produce: Span,
}

impl SourceSteps {
    /// Of no batch.
    pub(super) fn none() -> Self {
        Self {
            convert: Span::none(),
            produce: Span::none(),
        }
    }

    /// Of so many records of a batch.
    pub(super) fn of(batch: &Span, records: usize) -> Self {
        if batch.is_disabled() || records == 0 {
            return Self::none();
        }
        Self {
            convert: debug_span!(target: TARGET, parent: batch, "convert", records),
            produce: debug_span!(target: TARGET, parent: batch, "produce", records),
        }
    }
}

/// Conversion and transformation of records for a sink.
pub(super) fn convert(batch: &Span, records: usize) -> Span {
    if batch.is_disabled() {
        return Span::none();
    }
    debug_span!(target: TARGET, parent: batch, "convert", records, otel.status_code = Empty)
}

/// A call of a sink's `put`.
pub(super) fn put(batch: &Span, records: usize) -> Span {
    if batch.is_disabled() {
        return Span::none();
    }
    debug_span!(target: TARGET, parent: batch, "put", records, otel.status_code = Empty)
}

/// A commit of offsets, which is no part of a batch.
pub(super) fn commit(id: &TaskId) -> Span {
    debug_span!(
        target: TARGET, parent: None, "commit",
        connector = id.connector, task = id.task, idle = Empty, otel.status_code = Empty,
    )
}

/// A commit of records and offsets in one transaction, which may end in the middle of a batch.
pub(super) fn commit_transaction(id: &TaskId) -> Span {
    debug_span!(
        target: TARGET, "commit",
        connector = id.connector, task = id.task, otel.status_code = Empty,
    )
}

/// The start of a connector's task.
pub(super) fn start(id: &TaskId) -> Span {
    tracing::info_span!(
        target: TARGET, "start task",
        connector = id.connector, task = id.task, otel.status_code = Empty,
    )
}
