//! The loop of a sink task (`WorkerSinkTask`, spec sections 6.2 and 6.3): poll,
//! convert, transform, put; commit what the task says is safe.

mod dead_letters;
mod decoder;
mod errant_records;
mod failed_records;
mod offset_commit;
mod partitions;
mod rebalance;
mod reports;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tether_api::config::ConfigMap;
use tether_api::record::SinkRecord;
use tether_api::sink::{ErrantRecordReporter, SinkRequests, SinkTask, SinkTaskContext};
use tether_api::{ConnectError, Result};
use tether_kafka::{
    Clients, ConsumedRecord, Consumer, ConsumerEvent, KafkaErrorKind, Subscription,
    TopicPartitionOffset,
};
use tether_storage::TargetState;
use tokio::time::Instant;
use tracing::Span;

use super::spans::{self, Polling};
use super::topic_tracker::TopicTracker;
use super::{TaskControl, TaskTools, WorkerTask};
use crate::conversion::Converters;
use crate::metrics::{ConsumerLags, SinkTaskMetrics, TaskMetrics};
use crate::plugin_call::{caught, guarded};
use crate::traces::within;

use dead_letters::SinkDeadLetters;
use decoder::{Processed, RecordDecoder};
use errant_records::ErrantRecords;
use failed_records::FailedRecords;
use offset_commit::CommitInFlight;
use partitions::Partitions;

/// The default of `max.poll.records`.
const MAX_POLL_RECORDS: usize = 500;

/// A sink task and what it needs to run.
///
/// **At least once.** An offset is committed only after `put` has taken the
/// record and `pre_commit` has said that it is durable. A worker that is killed
/// after a `put` and before the commit reads those records again.
pub(super) struct WorkerSinkTask {
    task: Box<dyn SinkTask>,
    config: ConfigMap,
    control: TaskControl,
    consumer: Arc<dyn Consumer>,
    subscription: Subscription,
    max_poll_records: usize,
    flush_interval: Duration,
    flush_timeout: Duration,
    context: SinkTaskContext,
    converters: Arc<Converters>,
    decoder: RecordDecoder,
    dead_letters: Option<Arc<SinkDeadLetters>>,
    /// Present if the task's reports lead to something.
    errant_records: Option<Arc<ErrantRecords>>,
    partitions: Partitions,
    metrics: SinkTaskMetrics,
    lags: ConsumerLags,
    task_metrics: Arc<TaskMetrics>,
    /// What the next `put` gets. It stays over a retriable failure.
    batch: Vec<SinkRecord>,
    /// The records of the batch as they were consumed, if the task can have
    /// dead letters written.
    consumed: Vec<ConsumedRecord>,
    /// The batch was refused for now: nothing else is read until it is taken.
    redelivering: bool,
    /// The user paused the connector.
    paused: bool,
    /// When the batch comes again, if the task said.
    redeliver_at: Option<Instant>,
    commit_requested: bool,
    next_commit: Instant,
    commit: Option<CommitInFlight>,
    start_called: bool,
}

impl WorkerSinkTask {
    /// Makes the consumer and everything else for a task. `consumer` are the
    /// consumer's properties.
    ///
    /// # Errors
    /// Config, if a property is wrong or the task has no topics.
    pub(super) fn new(
        (task, metrics): (Box<dyn SinkTask>, SinkTaskMetrics),
        tools: TaskTools,
        clients: &dyn Clients,
        consumer: &ConfigMap,
    ) -> Result<Self> {
        let TaskTools {
            control,
            config,
            converters,
            chain,
            statuses,
            topic_tracking,
            flush_interval,
            flush_timeout,
            errors,
            dead_letters,
            metrics: registry,
            task_metrics,
        } = tools;
        let subscription = subscription(&config)?;
        let max_poll_records = max_poll_records(consumer)?;
        let client_id = consumer.get("client.id").map_or("", String::as_str);
        let lags = ConsumerLags::new(registry.clone(), client_id);
        let consumer = clients.consumer(consumer)?;
        let dead_letters = dead_letters
            .map(|settings| SinkDeadLetters::new(&control.id, settings, clients, &errors))
            .transpose()?
            .map(Arc::new);
        let errant_records = (errors.logs() || dead_letters.is_some())
            .then(|| Arc::new(ErrantRecords::new(errors.clone(), dead_letters.is_some())));
        let reporter = errant_records
            .clone()
            .map(|reporter| reporter as Arc<dyn ErrantRecordReporter>);
        let failed = FailedRecords::new(errors, dead_letters.clone());
        let topics = TopicTracker::new(statuses, &control.id, topic_tracking);
        Ok(Self {
            task,
            config,
            consumer,
            subscription,
            max_poll_records,
            flush_interval,
            flush_timeout,
            context: SinkTaskContext::new(control.stopping.child_token(), reporter)
                .with_metrics(registry),
            decoder: RecordDecoder::new(converters.clone(), chain, failed, topics),
            converters,
            dead_letters,
            errant_records,
            partitions: Partitions::default(),
            metrics,
            lags,
            task_metrics,
            batch: Vec::new(),
            consumed: Vec::new(),
            redelivering: false,
            paused: false,
            redeliver_at: None,
            commit_requested: false,
            next_commit: Instant::now() + flush_interval,
            commit: None,
            start_called: false,
            control,
        })
    }

    /// What to do when the task is abandoned: its partitions must become free
    /// for others.
    pub(super) fn abandon(&self) -> impl FnOnce() + Send + use<> {
        let consumer = self.consumer.clone();
        let letters = self.dead_letters.as_ref().map(|letters| letters.give_up());
        move || {
            if let Some(give_up) = letters {
                give_up();
            }
            tokio::spawn(async move { consumer.close().await });
        }
    }

    async fn iterations(&mut self) -> Result<()> {
        while !self.control.is_stopping() {
            self.iteration().await?;
            // A busy task must not keep a thread for itself.
            tokio::task::coop::consume_budget().await;
        }
        Ok(())
    }

    async fn iteration(&mut self) -> Result<()> {
        if let Some(letters) = &self.dead_letters {
            letters.check()?;
        }
        self.apply_target_state()?;
        self.heed_requests().await?;
        self.drop_late_commit();
        if self.commit.is_none() && (self.commit_requested || Instant::now() >= self.next_commit) {
            self.commit_requested = false;
            self.next_commit = Instant::now() + self.flush_interval;
            self.begin_commit().await?;
            self.heed_requests().await?;
        }
        let polling = Polling::sink(&self.control.id);
        let polled = self.poll().await;
        let span = polling.ended(match &polled {
            // With what is to be delivered again.
            Ok(Some(ConsumerEvent::Records(records))) => Ok(records.len() + self.batch.len()),
            Ok(_) => Ok(0),
            Err(_) => Err(()),
        });
        match polled? {
            None => Ok(()),
            Some(ConsumerEvent::Records(records)) => {
                self.metrics.read(records.len());
                // The consumer's next request waits on this thread until it is
                // free: so it is under way while these records are converted.
                tokio::task::yield_now().await;
                let converting = spans::convert(&span, records.len());
                if within(converting, self.convert(records)).await? {
                    self.deliver(&span).await?;
                }
                Ok(())
            }
            Some(ConsumerEvent::Assigned(partitions)) => self.assigned(&partitions).await,
            Some(ConsumerEvent::Revoked(partitions)) => self.taken(&partitions, false).await,
            Some(ConsumerEvent::Lost(partitions)) => self.taken(&partitions, true).await,
        }
    }

    /// Waits for the consumer; `None` if something else needs attention first.
    /// The consumer keeps what it has when its future is dropped.
    async fn poll(&mut self) -> Result<Option<ConsumerEvent>> {
        let commit = self
            .commit
            .as_ref()
            .map_or(self.next_commit, CommitInFlight::deadline);
        let wake = self.redeliver_at.map_or(commit, |at| at.min(commit));
        let wait = wake.saturating_duration_since(Instant::now());
        let paused = self.paused;
        let mut state = self.control.state.clone();
        let polled = tokio::select! {
            biased;
            () = self.control.stopping.cancelled() => return Ok(None),
            _ = state.wait_for(|state| (*state == TargetState::Paused) != paused) => return Ok(None),
            result = CommitInFlight::ended(&mut self.commit) => {
                self.commit_ended(result);
                return Ok(None);
            }
            polled = self.consumer.poll(wait, self.max_poll_records) => polled,
        };
        match polled {
            Ok(event) => Ok(Some(event)),
            Err(error) if error.kind == KafkaErrorKind::Retriable => {
                tracing::warn!(task = %self.control.id, %error, "The consumer met a passing problem");
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Adds records to the batch; false if the task is to stop before all are
    /// processed. Nothing of them is delivered then, and no offset moves.
    async fn convert(&mut self, records: Vec<ConsumedRecord>) -> Result<bool> {
        self.decoder.begin_batch();
        self.batch.reserve(records.len());
        for record in &records {
            let known = self
                .partitions
                .read(&record.topic, record.partition, record.offset);
            let Some(original) = known else {
                // Another member reads it, or this one will again.
                tracing::warn!(
                    task = %self.control.id,
                    topic = &*record.topic,
                    partition = record.partition,
                    offset = record.offset,
                    "Ignoring a record of a partition that is not assigned"
                );
                continue;
            };
            let batch = &mut self.batch;
            if let Err(obstacle) = self.decoder.process(record, original, batch) {
                let overcome = self.decoder.overcome(obstacle, record, original, batch);
                if overcome.await? == Processed::Stopped {
                    return Ok(false);
                }
            }
        }
        if self.dead_letters.is_some() {
            self.consumed.extend(records);
        }
        self.count_active();
        Ok(true)
    }

    fn count_active(&self) {
        self.metrics.active(self.partitions.uncommitted());
    }

    /// Gives the batch to the task, even an empty one.
    async fn deliver(&mut self, span: &Span) -> Result<()> {
        self.redeliver_at = None;
        if self.task.stores_offsets() && !self.batch.is_empty() && !self.letters_written().await? {
            self.redelivering = true;
            self.redeliver_at = Some(Instant::now());
            return self.apply_pauses();
        }
        let begun = Instant::now();
        let records = self.batch.len();
        let putting = spans::put(span, records);
        let put = within(putting, self.task.put_batch(&mut self.batch)).await;
        let time = begun.elapsed();
        // Also after a failure: what the task has reported is to be found in
        // the dead letter queue.
        self.send_reports().await?;
        let put = match (put, &self.errant_records) {
            // A task that goes on in spite of a report does not decide about
            // the connector's tolerance.
            (Ok(()), Some(reporter)) => reporter.check(),
            (put, _) => put,
        };
        match put {
            Ok(()) => {
                self.task_metrics.batch(records);
                self.metrics.put(records, time);
                self.partitions.delivered();
                self.batch.clear();
                self.consumed.clear();
                if self.redelivering {
                    self.redelivering = false;
                    self.apply_pauses()?;
                }
                Ok(())
            }
            Err(error) if error.is_retriable() => {
                tracing::error!(
                    task = %self.control.id,
                    %error,
                    records = self.batch.len(),
                    "The sink task asks for the same records again later"
                );
                self.redelivering = true;
                // The consumer is polled on, so that the member stays in the
                // group, but nothing may come on top of the batch.
                self.apply_pauses()
            }
            Err(error) => Err(ConnectError::other(
                "Exiting WorkerSinkTask due to unrecoverable exception.",
            )
            .caused_by(error)),
        }
    }

    /// Waits for the dead letters of all partitions, as long as a commit may
    /// take; false if some are still on their way.
    async fn letters_written(&mut self) -> Result<bool> {
        if self.dead_letters.is_none() {
            return Ok(true);
        }
        let all = self.partitions.all();
        Ok(self.reported(&all).await?.len() == all.len())
    }

    fn apply_target_state(&mut self) -> Result<()> {
        let pause = self.control.should_pause();
        if pause == self.paused {
            return Ok(());
        }
        self.paused = pause;
        self.apply_pauses()?;
        self.control.report_pause(pause);
        self.commit_requested |= pause;
        Ok(())
    }

    /// Tells the consumer which partitions to read: none while the connector is
    /// paused or a batch waits, else all but those that the task wants paused.
    fn apply_pauses(&self) -> Result<()> {
        let (paused, read) = if self.paused || self.redelivering {
            (self.partitions.all(), Vec::new())
        } else {
            (self.partitions.paused(true), self.partitions.paused(false))
        };
        if !paused.is_empty() {
            self.consumer.pause(&paused)?;
        }
        if !read.is_empty() {
            self.consumer.resume(&read)?;
        }
        Ok(())
    }

    /// Does what the task asked for through its context.
    async fn heed_requests(&mut self) -> Result<()> {
        let SinkRequests {
            rewind,
            retry_after,
            commit,
            paused,
        } = self.context.take_requests();
        self.commit_requested |= commit;
        if let Some(delay) = retry_after {
            self.redeliver_at = Some(Instant::now() + delay);
        }
        if !paused.is_empty() {
            for partition in self.partitions.set_paused(paused) {
                tracing::warn!(
                    task = %self.control.id,
                    %partition,
                    "SinkTasks may not pause or resume partitions that are not currently assigned to them"
                );
            }
            self.apply_pauses()?;
        }
        let mut seek = Vec::new();
        for (partition, offset) in rewind {
            if self.partitions.contains(&partition) {
                self.partitions.rewind(&partition, offset);
                seek.push(TopicPartitionOffset { partition, offset });
            } else {
                tracing::warn!(
                    task = %self.control.id,
                    %partition,
                    offset,
                    "Ignoring a rewind of a partition that is not assigned"
                );
            }
        }
        if !seek.is_empty() {
            self.consumer.seek(&seek).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl WorkerTask for WorkerSinkTask {
    async fn start(&mut self) -> Result<()> {
        if let Some(letters) = &self.dead_letters {
            letters.create_topic().await?;
        }
        self.consumer.subscribe(&self.subscription)?;
        self.start_called = true;
        let config = std::mem::take(&mut self.config);
        self.task.start(self.context.clone(), config).await
    }

    async fn execute(&mut self) -> Result<()> {
        let result = caught(self.iterations()).await;
        match result {
            // Also after a failure: what `put` took before is committed, and
            // need not come again.
            Ok(result) => {
                let all = self.partitions.all();
                let closed = guarded(self.close_partitions(&all, false)).await;
                result.and(closed)
            }
            // What a panic left behind is not asked what it made durable; the
            // records since the last commit come again.
            Err(panic) => Err(panic),
        }
    }

    async fn close(&mut self) {
        if self.start_called
            && let Err(error) = guarded(self.task.stop()).await
        {
            tracing::warn!(task = %self.control.id, %error, "Could not stop task");
        }
        if let Some(letters) = &self.dead_letters {
            letters.give_up()();
        }
        self.consumer.close().await;
        // Whatever it failed to give up.
        self.metrics.partitions(0);
    }
}

/// What a sink task reads (`SinkConnectorConfig.validate`).
fn subscription(config: &ConfigMap) -> Result<Subscription> {
    let mut topics: Vec<String> = Vec::new();
    for topic in config.get("topics").map_or("", String::as_str).split(',') {
        let topic = topic.trim();
        if !topic.is_empty() && !topics.iter().any(|known| known == topic) {
            topics.push(topic.to_owned());
        }
    }
    let pattern = config
        .get("topics.regex")
        .map(|pattern| pattern.trim())
        .filter(|pattern| !pattern.is_empty());
    match (topics.is_empty(), pattern) {
        (false, Some(_)) => Err(ConnectError::config(
            "topics and topics.regex are mutually exclusive options, but both are set.",
        )),
        (false, None) => Ok(Subscription::Topics(topics)),
        (true, Some(pattern)) => Ok(Subscription::Pattern(pattern.to_owned())),
        (true, None) => Err(ConnectError::config(
            "Must configure one of topics or topics.regex",
        )),
    }
}

fn max_poll_records(consumer: &ConfigMap) -> Result<usize> {
    match consumer.get("max.poll.records") {
        None => Ok(MAX_POLL_RECORDS),
        Some(text) => text
            .trim()
            .parse()
            .ok()
            .filter(|records| *records >= 1)
            .ok_or_else(|| {
                ConnectError::config(format!(
                    "Invalid value {text} for configuration max.poll.records: Value must be at least 1"
                ))
            }),
    }
}
