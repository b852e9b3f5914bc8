//! The transaction of a source task: records and offsets, committed together.
//!
//! # What holds at each step
//!
//! | the worker dies after | and before | then |
//! |---|---|---|
//! | `begin` | the commit | the next task with this transactional id aborts it; no reader sees a record, and the offset is the one before |
//! | the commit was sent | its answer | the coordinator ends it one way or the other before the next task is let in; records and offset agree |
//! | the answer | the copies for the worker's topic | the connector's topic counts; the worker's is behind |
//!
//! A broker that restarts changes nothing of that: calls are repeated until they
//! have an outcome. A zombie, a task that runs on somewhere although another has
//! taken its place, is fenced: the coordinator takes neither records nor commits
//! of its producer any more.

use std::sync::Arc;
use std::time::Duration;

use tether_api::{ConnectError, Result};
use tether_kafka::{KafkaError, KafkaErrorKind, OutgoingRecord, TransactionalProducer};
use tether_storage::{ConnectorOffsetStore, OffsetEntry, TaskId};
use tokio::time::{Instant, sleep};
use tracing::Span;

use crate::task::source::BACKOFF;
use crate::task::source::offset_committer::OffsetCommitter;
use crate::task::spans;
use crate::traces::within;

/// How long one call waits for the brokers before that is logged.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long the end of a task waits for an abort. Without it the brokers abort
/// the transaction when its time is up.
const ABORT_TIMEOUT: Duration = Duration::from_secs(5);

/// Offsets need no bookkeeping: the commit tells what became of them.
const OFFSET_TOKEN: usize = usize::MAX;

/// Commits what a task has sent.
pub(super) struct Transaction {
    pub(super) id: TaskId,
    pub(super) producer: Arc<dyn TransactionalProducer>,
    pub(super) committer: Arc<OffsetCommitter>,
    pub(super) store: Arc<ConnectorOffsetStore>,
    pub(super) offsets_topic: Arc<str>,
    /// After this time the brokers abort a transaction
    /// (`transaction.timeout.ms`).
    pub(super) timeout: Duration,
    /// `None` while no transaction is open.
    pub(super) open_since: Option<Instant>,
}

impl Transaction {
    pub(super) fn is_open(&self) -> bool {
        self.open_since.is_some()
    }

    /// Opens a transaction unless one is open.
    ///
    /// # Errors
    /// If the producer was fenced, or cannot go on.
    pub(super) fn begin(&mut self) -> Result<()> {
        if self.open_since.is_none() {
            self.producer
                .begin_transaction()
                .map_err(|error| self.failure(error.into()))?;
            self.open_since = Some(Instant::now());
        }
        Ok(())
    }

    /// Commits what was sent since the last end, together with its offsets. Does
    /// nothing if there is nothing.
    ///
    /// # Errors
    /// If it is not committed; nothing of it ever will be.
    pub(super) async fn commit(&mut self) -> Result<()> {
        let begun = Instant::now();
        let span = match self.is_open() {
            true => spans::commit_transaction(&self.id),
            false => Span::none(),
        };
        let outcome = within(span, self.commit_what_there_is()).await;
        self.committer
            .metrics()
            .commit_ended(&outcome, begun.elapsed());
        outcome
    }

    async fn commit_what_there_is(&mut self) -> Result<()> {
        self.land().await?;
        let offsets = self.committer.take_offsets();
        if offsets.is_empty() && !self.is_open() {
            return Ok(());
        }
        let entries = self
            .committer
            .entries(&offsets)
            .map_err(|error| self.failure(error))?;
        // After an abort there are offsets, and no transaction.
        self.begin()?;
        // If the commit fails, the next run finds no offset where it should: it
        // reads again what the task wanted to be read again.
        self.store
            .delete_copies(&entries)
            .await
            .map_err(|error| self.failure(error))?;
        for entry in &entries {
            self.send_offset(entry).await?;
        }
        self.end_with_commit().await?;
        self.open_since = None;
        let records = self.committer.book().take_sent();
        self.committer.metrics().source.transaction(records);
        self.store.copy(entries);
        self.committer.publish(offsets);
        Ok(())
    }

    /// Aborts what was sent since the last end. Its offsets stay to be
    /// committed.
    ///
    /// # Errors
    /// If the producer cannot go on.
    pub(super) async fn abort(&mut self) -> Result<()> {
        if !self.is_open() {
            tracing::warn!(
                task = %self.id,
                "Ignoring request by task to abort transaction as the current transaction is empty"
            );
            return Ok(());
        }
        // Not before all records have arrived: an offset is taken for done with
        // its record.
        self.land().await?;
        loop {
            match self.producer.abort_transaction(PATIENCE).await {
                Ok(()) => break,
                Err(error) if error.kind == KafkaErrorKind::Retriable => self.still_waiting(&error),
                Err(error) => return Err(self.failure(error.into())),
            }
        }
        self.open_since = None;
        self.committer.book().take_sent();
        Ok(())
    }

    /// Ends without a commit: after a failure, and where nobody wants one.
    pub(super) async fn give_up(&mut self) {
        if self.open_since.take().is_none() {
            return;
        }
        if let Err(error) = self.producer.abort_transaction(ABORT_TIMEOUT).await {
            tracing::debug!(task = %self.id, %error, "The open transaction could not be aborted");
        }
    }

    /// The error of a record that did not get to Kafka, with what it began with
    /// if the producer knows.
    pub(super) fn lost_record(&self, error: ConnectError) -> ConnectError {
        // A transaction that has failed says why when another one is begun.
        let cause = match self.producer.begin_transaction() {
            Err(cause) if is_cause(cause.kind) => cause.into(),
            _ => error,
        };
        self.failure(cause)
    }

    /// Waits until every record that was sent is in Kafka, where no reader sees
    /// it yet.
    async fn land(&self) -> Result<()> {
        loop {
            let flushed = self.producer.flush(PATIENCE).await;
            self.committer
                .settle()
                .map_err(|error| self.lost_record(error))?;
            match flushed {
                // Dead letters have a producer of their own.
                Ok(()) if self.committer.in_flight() > 0 => self.committer.reported().await,
                Ok(()) => return Ok(()),
                Err(error) if error.kind == KafkaErrorKind::Retriable => self.still_waiting(&error),
                Err(error) => return Err(self.failure(error.into())),
            }
        }
    }

    async fn send_offset(&self, (key, value): &OffsetEntry) -> Result<()> {
        let record = OutgoingRecord {
            topic: &self.offsets_topic,
            partition: None,
            key: Some(key),
            value: value.as_deref(),
            timestamp: None,
            headers: &[],
        };
        loop {
            match self.producer.send(&record, OFFSET_TOKEN) {
                Ok(()) => return Ok(()),
                Err(error)
                    if matches!(
                        error.kind,
                        KafkaErrorKind::QueueFull | KafkaErrorKind::Retriable
                    ) =>
                {
                    sleep(BACKOFF).await;
                }
                Err(error) => return Err(self.failure(error.into())),
            }
        }
    }

    async fn end_with_commit(&self) -> Result<()> {
        loop {
            match self.producer.commit_transaction(PATIENCE).await {
                Ok(()) => return Ok(()),
                // Nobody knows yet whether it is committed; the same call waits
                // for the outcome.
                Err(error) if error.kind == KafkaErrorKind::Retriable => self.still_waiting(&error),
                Err(error) => return Err(self.failure(error.into())),
            }
        }
    }

    fn still_waiting(&self, error: &KafkaError) {
        tracing::warn!(task = %self.id, %error, "The transaction is still under way");
    }

    /// The error that ends the task. A transaction that was open for longer than
    /// it may be failed for that.
    fn failure(&self, cause: ConnectError) -> ConnectError {
        let id = &self.id;
        let expired = self
            .open_since
            .is_some_and(|since| since.elapsed() >= self.timeout);
        let message = if expired {
            format!(
                "The task {id} was unable to finish writing records to Kafka before its producer transaction expired. \
                 It may be necessary to reconfigure this connector in order for it to run healthily with exactly-once \
                 support. Options for this include: tune the connector's producer configuration for higher throughput, \
                 increase the transaction timeout for the connector's producers, decrease the offset commit interval \
                 (if using interval-based transaction boundaries), or use the 'poll' transaction boundary (if the \
                 connector is not already configured to use it)."
            )
        } else {
            format!("Failed to flush offsets and/or records for task {id}")
        };
        tracing::error!(task = %id, error = %cause, "Failed to commit producer transaction");
        ConnectError::other(message).caused_by(cause)
    }
}

fn is_cause(kind: KafkaErrorKind) -> bool {
    matches!(
        kind,
        KafkaErrorKind::Abortable
            | KafkaErrorKind::Fenced
            | KafkaErrorKind::NotAuthorized
            | KafkaErrorKind::Fatal
    )
}
