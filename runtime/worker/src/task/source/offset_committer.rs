//! Commits the offsets of a source task (`SourceTaskOffsetCommitter`,
//! `OffsetStorageWriter`).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indexmap::IndexMap;
use tether_api::offset::{OffsetMap, SourceOffset};
use tether_api::source::{CommittedOffsets, SourcePosition};
use tether_api::{ConnectError, ErrorKind, Result};
use tether_storage::{OffsetEntry, OffsetWriter, TaskId};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::deliveries::Deliveries;
use super::failed_records::SourceErrors;
use super::source_metrics::SourceMetrics;
use crate::task::spans;
use crate::task::submitted_records::{Outcome, SubmittedRecords};
use crate::task::topic_tracker::TopicTracker;
use crate::traces::within;

/// What has to be written, in the order in which partitions first came.
pub(super) type PendingOffsets = IndexMap<Arc<OffsetMap>, SourceOffset>;

/// Keeps what was sent and commits offsets of what arrived.
///
/// **At least once.** An offset gets here only after Kafka has acknowledged its
/// record and all earlier ones of its source partition, and it is stored only
/// after that. A worker that is killed between the acknowledgement and the
/// store's answer starts again from an older offset and sends those records a
/// second time; it never starts behind a record that Kafka does not have.
///
/// An exactly-once task takes the offsets ([`OffsetCommitter::take_offsets`]) and
/// commits them together with their records.
pub(super) struct OffsetCommitter {
    id: TaskId,
    writer: OffsetWriter,
    deliveries: Arc<Deliveries>,
    errors: SourceErrors,
    book: Mutex<Book>,
    committed: watch::Sender<CommittedOffsets>,
    metrics: Arc<SourceMetrics>,
    flush: FlushTimes,
}

/// How often offsets are committed, and how long that may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct FlushTimes {
    pub(super) interval: Duration,
    pub(super) timeout: Duration,
}

/// The bookkeeping of a task. Its send loop and its commits run in the same
/// tokio task, so the lock is never contended and never held across an await.
pub(super) struct Book {
    pub(super) submitted: SubmittedRecords,
    pub(super) topics: TopicTracker,
    pending: PendingOffsets,
    outcomes: Vec<(usize, Outcome)>,
    failed: bool,
    /// How many records the producer has taken since the last transaction.
    sent: usize,
    metrics: Arc<SourceMetrics>,
}

impl OffsetCommitter {
    /// For a task, with the settings of its worker.
    pub(super) fn new(
        id: &TaskId,
        writer: OffsetWriter,
        deliveries: Arc<Deliveries>,
        errors: SourceErrors,
        topics: TopicTracker,
        metrics: SourceMetrics,
        flush: FlushTimes,
    ) -> Self {
        let metrics = Arc::new(metrics);
        Self {
            id: id.clone(),
            writer,
            deliveries,
            errors,
            book: Mutex::new(Book {
                submitted: SubmittedRecords::default(),
                topics,
                pending: PendingOffsets::new(),
                outcomes: Vec::new(),
                failed: false,
                sent: 0,
                metrics: Arc::clone(&metrics),
            }),
            committed: watch::Sender::default(),
            metrics,
            flush,
        }
    }

    /// Tells what has been committed.
    pub(super) fn committed(&self) -> watch::Receiver<CommittedOffsets> {
        self.committed.subscribe()
    }

    /// What is counted of the task.
    pub(super) fn metrics(&self) -> &SourceMetrics {
        &self.metrics
    }

    /// The bookkeeping.
    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        // A panic of plugin code while the lock is held fails the task; what
        // is acknowledged stays so.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what the producer reported.
    ///
    /// # Errors
    /// Other, with the reference's text, if a record did not get to Kafka.
    pub(super) fn settle(&self) -> Result<()> {
        if !self.settled().failed {
            return Ok(());
        }
        self.deliveries.failure().map_or(Ok(()), Err)
    }

    /// Waits until the producer may have reported something.
    pub(super) async fn reported(&self) {
        self.deliveries.arrived().await;
    }

    /// Commits in the interval of the worker until `end` fires. A commit that
    /// is under way then is finished.
    pub(super) async fn run(&self, end: &CancellationToken) {
        loop {
            tokio::select! {
                () = end.cancelled() => return,
                () = sleep(self.flush.interval) => {}
            }
            self.commit().await;
        }
    }

    /// Commits what is acknowledged, waits for records in flight and commits
    /// again. The first commit is for the case that the brokers are away and
    /// the worker has no time for the second.
    pub(super) async fn finish(&self) {
        self.commit().await;
        if self.in_flight() == 0 && self.book().pending.is_empty() {
            return;
        }
        let landed = async {
            while self.in_flight() > 0 {
                self.reported().await;
            }
        };
        if timeout(self.flush.timeout, landed).await.is_err() {
            tracing::warn!(
                task = %self.id,
                records = self.book().submitted.in_flight(),
                "Records are still on their way to Kafka; their offsets are not committed, so the next \
                 run sends them again"
            );
        }
        self.commit().await;
    }

    /// Takes the offsets of what has been acknowledged.
    pub(super) fn take_offsets(&self) -> PendingOffsets {
        std::mem::take(&mut self.book().pending)
    }

    /// The entries that store these offsets.
    ///
    /// # Errors
    /// Data, if they cannot be stored.
    pub(super) fn entries(&self, offsets: &PendingOffsets) -> Result<Vec<OffsetEntry>> {
        let offsets = offsets
            .iter()
            .map(|(partition, offset)| (partition.clone(), offset.clone()));
        self.writer.entries(offsets)
    }

    /// The number of records in flight after what the producer reported.
    pub(super) fn in_flight(&self) -> usize {
        self.settled().submitted.in_flight()
    }

    /// The bookkeeping after what the producer reported.
    fn settled(&self) -> MutexGuard<'_, Book> {
        let mut book = self.book();
        for (token, error) in self.deliveries.take(&mut book.outcomes) {
            self.errors.passed_over(book.submitted.origin(token), error);
        }
        book.settle();
        book
    }

    /// Writes the offsets of what has been acknowledged. After a failure or
    /// timeout they stay for the next attempt, under newer ones of their
    /// partitions. Failures never end the task.
    async fn commit(&self) {
        let offsets = {
            let mut book = self.settled();
            tracing::debug!(
                task = %self.id,
                offsets = book.pending.len(),
                held_back = book.submitted.pending(),
                held_back_partitions = book.submitted.partitions(),
                "Committing offsets"
            );
            std::mem::take(&mut book.pending)
        };
        let begun = Instant::now();
        let outcome = match offsets.is_empty() {
            true => Ok(()),
            false => within(spans::commit(&self.id), self.write(&offsets)).await,
        };
        self.metrics.commit_ended(&outcome, begun.elapsed());
        match outcome {
            Ok(()) if offsets.is_empty() => {}
            Ok(()) => self.publish(offsets),
            Err(error) => {
                log_failure(&self.id, &error);
                let mut book = self.book();
                let newer = std::mem::replace(&mut book.pending, offsets);
                book.pending.extend(newer);
            }
        }
    }

    async fn write(&self, offsets: &PendingOffsets) -> Result<()> {
        let offsets = offsets
            .iter()
            .map(|(partition, offset)| (partition.clone(), offset.clone()));
        timeout(self.flush.timeout, self.writer.write(offsets))
            .await
            .unwrap_or_else(|_| {
                Err(ConnectError::retriable(
                    "Timed out waiting to flush offsets to storage; will try again on next flush interval \
                     with latest offsets",
                ))
            })
    }

    /// Tells the connector what has been committed.
    pub(super) fn publish(&self, offsets: PendingOffsets) {
        self.committed.send_modify(|committed| {
            committed.sequence += 1;
            committed.offsets = offsets.into_iter().collect();
        });
    }
}

impl Book {
    /// Notes positions without records, behind all records so far.
    pub(super) fn pass(&mut self, positions: impl Iterator<Item = SourcePosition>) {
        for (partition, offset) in positions {
            self.submitted.pass(&partition, offset);
        }
    }

    /// Notes that the producer has taken records.
    pub(super) fn note_sent(&mut self, records: usize) {
        self.sent += records;
    }

    /// Notes records that were dropped before the producer saw them.
    pub(super) fn note_dropped(&self, records: usize) {
        self.metrics.source.done(0, records);
    }

    /// How many records the producer has taken since the last call.
    pub(super) fn take_sent(&mut self) -> usize {
        std::mem::take(&mut self.sent)
    }

    fn settle(&mut self) {
        let in_flight = self.submitted.in_flight();
        let (mut dropped, mut lost) = (0, 0);
        for (token, outcome) in &self.outcomes {
            self.submitted.resolve(*token, *outcome);
            match outcome {
                Outcome::Acknowledged => self.topics.acknowledged(*token),
                Outcome::PassedOver => {
                    dropped += 1;
                    self.topics.withdrawn(*token);
                }
                Outcome::Failed => {
                    lost += 1;
                    self.failed = true;
                }
            }
        }
        // There are acknowledgements, too, of what is no record of the task.
        let resolved = in_flight - self.submitted.in_flight();
        let written = resolved.saturating_sub(dropped + lost);
        self.metrics.source.done(written, dropped);
        for (partition, offset) in self.submitted.take_committable() {
            self.pending.insert(partition, offset);
        }
    }
}

fn log_failure(id: &TaskId, error: &ConnectError) {
    if error.kind() == ErrorKind::Data {
        tracing::error!(
            task = %id,
            %error,
            "CRITICAL: Failed to serialize offset data, making it impossible to commit offsets under \
             namespace {}. This likely won't recover unless the unserializable partition or offset \
             information is overwritten",
            id.connector
        );
    } else {
        tracing::error!(task = %id, %error, "Failed to flush offsets to storage");
    }
}
