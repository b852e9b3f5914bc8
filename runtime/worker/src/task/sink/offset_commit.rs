//! Committing the offsets of a sink task (spec section 6.3).

use std::time::Duration;

use tether_api::Result;
use tether_api::offset::TopicPartition;
use tether_api::sink::Offsets;
use tether_kafka::{KafkaError, KafkaErrorKind, TopicPartitionOffset};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::WorkerSinkTask;
use crate::task::spans;
use crate::traces::{self, within};

/// The wait before a commit that has to succeed is sent again.
const COMMIT_BACKOFF: Duration = Duration::from_millis(100);

/// A commit whose answer the loop does not wait for.
pub(super) struct CommitInFlight {
    offsets: Offsets,
    running: JoinHandle<Result<(), KafkaError>>,
    begun: Instant,
    deadline: Instant,
}

/// How a commit ended, with its offsets and its beginning.
pub(super) struct Ended {
    offsets: Offsets,
    begun: Instant,
    result: Result<(), KafkaError>,
}

impl CommitInFlight {
    /// When it is given up.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Waits for the end of the commit and takes it away; for ever if there is
    /// none.
    pub(super) async fn ended(slot: &mut Option<Self>) -> Ended {
        let Some(commit) = slot else {
            return std::future::pending().await;
        };
        let result = (&mut commit.running).await.unwrap_or_else(|_| {
            Err(KafkaError::new(
                KafkaErrorKind::Fatal,
                "The commit did not end properly",
            ))
        });
        let ended = Ended {
            offsets: std::mem::take(&mut commit.offsets),
            begun: commit.begun,
            result,
        };
        *slot = None;
        ended
    }
}

impl WorkerSinkTask {
    /// Starts a commit of what the task says is safe; the answer comes later.
    /// If the task cannot say, reading goes on at the last committed offsets:
    /// it gets those records again.
    pub(super) async fn begin_commit(&mut self) -> Result<()> {
        let all = self.partitions.all();
        let all = self.reported(&all).await?;
        let begun = Instant::now();
        let span = spans::commit(&self.control.id);
        let offsets = match within(span.clone(), self.committable(&all)).await {
            Ok(Some(offsets)) => offsets,
            Ok(None) => {
                traces::idle(&span);
                return Ok(());
            }
            Err(error) => {
                tracing::error!(
                    task = %self.control.id,
                    %error,
                    "Offset commit failed, rewinding to last committed offsets"
                );
                let seek = self.partitions.rewind_to_committed(&all);
                self.consumer.seek(&seek).await?;
                return Ok(());
            }
        };
        let consumer = self.consumer.clone();
        let entries = entries(&offsets);
        self.commit = Some(CommitInFlight {
            offsets,
            running: tokio::spawn(within(span, async move { consumer.commit(&entries).await })),
            begun,
            deadline: Instant::now() + self.flush_timeout,
        });
        Ok(())
    }

    /// Notes how a commit ended. A failure never ends the task: the next
    /// commit covers these offsets too.
    pub(super) fn commit_ended(&mut self, ended: Ended) {
        match ended.result {
            Ok(()) => {
                self.partitions.set_committed(&ended.offsets);
                self.count_commit(ended.begun);
                self.count_active();
            }
            Err(error) => {
                self.task_metrics.commit_failed();
                tracing::error!(
                    task = %self.control.id,
                    %error,
                    "Commit of offsets failed; the next one covers them"
                );
            }
        }
    }

    /// Counts a commit that succeeded, or that had nothing to do.
    fn count_commit(&self, begun: Instant) {
        self.task_metrics.committed(begun.elapsed());
        self.metrics.commit_completed();
    }

    /// Gives up a commit whose answer does not come.
    pub(super) fn drop_late_commit(&mut self) {
        let now = Instant::now();
        if let Some(commit) = self.commit.take_if(|commit| now >= commit.deadline) {
            commit.running.abort();
            self.metrics.commit_skipped();
            tracing::warn!(task = %self.control.id, "Commit of offsets timed out");
        }
    }

    /// Takes leave of partitions: commits what the task says is safe and waits
    /// for the answer, unless they are lost and belong to others already; then
    /// closes them.
    ///
    /// # Errors
    /// That of `close`. A failed commit only means that records come again.
    pub(super) async fn close_partitions(
        &mut self,
        partitions: &[TopicPartition],
        lost: bool,
    ) -> Result<()> {
        let partitions: Vec<TopicPartition> = partitions
            .iter()
            .filter(|partition| self.partitions.contains(partition))
            .cloned()
            .collect();
        if partitions.is_empty() {
            return Ok(());
        }
        if !lost {
            self.settle_commit().await;
            let reported = self.reported(&partitions).await.unwrap_or_else(|error| {
                tracing::error!(task = %self.control.id, %error, "Nothing is committed");
                Vec::new()
            });
            let begun = Instant::now();
            let span = spans::commit(&self.control.id);
            match within(span.clone(), self.committable(&reported)).await {
                Ok(Some(offsets)) => {
                    let result = within(span, self.commit_now(&offsets)).await;
                    self.commit_ended(Ended {
                        offsets,
                        begun,
                        result,
                    });
                }
                Ok(None) => traces::idle(&span),
                Err(error) => tracing::warn!(
                    task = %self.control.id,
                    %error,
                    "Offset commit failed during close"
                ),
            }
        }
        let closed = self.task.close(&partitions).await;
        self.partitions.remove(&partitions);
        self.metrics.partitions(self.partitions.count());
        self.count_active();
        closed
    }

    /// Waits for a commit that is under way: it could arrive after a later one
    /// and undo it.
    async fn settle_commit(&mut self) {
        let Some(commit) = &self.commit else {
            return;
        };
        let deadline = commit.deadline;
        match timeout_at(deadline, CommitInFlight::ended(&mut self.commit)).await {
            Ok(ended) => self.commit_ended(ended),
            Err(_) => self.drop_late_commit(),
        }
    }

    /// Commits and waits for the answer, again and again while it is worth it.
    async fn commit_now(&mut self, offsets: &Offsets) -> Result<(), KafkaError> {
        let entries = entries(offsets);
        let (consumer, id) = (&self.consumer, &self.control.id);
        let attempts = async {
            loop {
                match consumer.commit(&entries).await {
                    Err(error) if error.kind == KafkaErrorKind::Retriable => {
                        tracing::warn!(
                            task = %id,
                            %error,
                            "Commit of offsets failed and is repeated"
                        );
                        sleep(COMMIT_BACKOFF).await;
                    }
                    result => return result,
                }
            }
        };
        timeout(self.flush_timeout, attempts)
            .await
            .unwrap_or_else(|_| {
                Err(KafkaError::new(
                    KafkaErrorKind::Retriable,
                    "Commit of offsets timed out",
                ))
            })
    }

    /// Asks the task what may be committed of these partitions; `None` if that
    /// is nothing new.
    async fn committable(&mut self, partitions: &[TopicPartition]) -> Result<Option<Offsets>> {
        let current = self.partitions.current(partitions);
        if current.is_empty() {
            return Ok(None);
        }
        self.metrics.commit_begins();
        let begun = Instant::now();
        let provided = self.task.pre_commit(&current).await;
        let mut provided = provided.inspect_err(|_| self.task_metrics.commit_failed())?;
        if self.dead_letters.is_some() {
            // The task may have reported records just now.
            let reported = self.reported(partitions).await?;
            provided.retain(|partition, _| reported.contains(partition));
        }
        if provided.is_empty() {
            tracing::debug!(
                task = %self.control.id,
                "Skipping offset commit, task opted-out by returning no offsets from preCommit"
            );
            self.count_commit(begun);
            return Ok(None);
        }
        let committed = self.partitions.committed(partitions);
        let mut offsets = committed.clone();
        for (partition, offset) in provided {
            match current.get(&partition) {
                Some(current) if offset <= *current => {
                    offsets.insert(partition, offset);
                }
                Some(current) => tracing::warn!(
                    task = %self.control.id,
                    %partition,
                    offset,
                    current,
                    "Ignoring invalid task provided offset -- not yet consumed"
                ),
                None if self.partitions.contains(&partition) => {}
                None => tracing::warn!(
                    task = %self.control.id,
                    %partition,
                    offset,
                    "Ignoring invalid task provided offset -- partition not assigned"
                ),
            }
        }
        if offsets == committed {
            self.count_commit(begun);
            return Ok(None);
        }
        Ok(Some(offsets))
    }
}

fn entries(offsets: &Offsets) -> Vec<TopicPartitionOffset> {
    offsets
        .iter()
        .map(|(partition, offset)| TopicPartitionOffset {
            partition: partition.clone(),
            offset: *offset,
        })
        .collect()
}
