//! The loop of an exactly-once source task (`ExactlyOnceWorkerSourceTask`,
//! KIP-618, spec section 5.6): poll, transform, convert, send; commit records and
//! offsets in one transaction.
//!
//! **Exactly once.** A record is seen by readers of committed records if and only
//! if its offset is stored, because one transaction has both
//! ([`transaction`]). Who may write is settled before the first record: the herder
//! has fenced all producers of earlier sets of tasks, this task's producer has
//! fenced that of an earlier run, and then the config topic has said that the
//! task is still one of the present set. Whatever comes later fences this task
//! in the same way. Offsets are read after that, so nobody can commit behind
//! their back.
//!
//! Dead letters are no part of a transaction: they are written before the offset
//! of their record is committed, and once more if it was not.

mod boundary;
mod transaction;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tether_api::config::ConfigMap;
use tether_api::offset::OffsetReader;
use tether_api::record::SourceRecord;
use tether_api::source::{SourcePosition, SourceTask, SourceTaskContext};
use tether_api::{ConnectError, Result};
use tether_kafka::{Clients, KafkaErrorKind, TransactionalProducer};
use tether_metrics::Metrics;
use tether_storage::{OffsetStore as _, TargetState};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, Span};

use super::dead_letters::SourceDeadLetters;
use super::deliveries::Deliveries;
use super::offset_committer::OffsetCommitter;
use super::sender::{Sender, Turn};
use super::{BACKOFF, Sending, TopicCreator, tolerate_retriable};
use crate::metrics::SourceTaskMetrics;
use crate::plugin_call::guarded;
use crate::preflight::Preflight;
use crate::source_offsets::ExactlyOnceOffsets;
use crate::task::spans::Polling;
use crate::task::{TaskControl, TaskTools, WorkerTask};

use boundary::{Boundary, End, Part};
use transaction::Transaction;

/// How long one try to take the transactional id over may take.
const TAKE_OVER: Duration = Duration::from_secs(30);

/// The default of `transaction.timeout.ms`.
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(60);

/// A source task and what it needs to run.
pub(in crate::task) struct ExactlyOnceSourceTask {
    task: Box<dyn SourceTask>,
    config: ConfigMap,
    control: TaskControl,
    preflight: Arc<dyn Preflight>,
    offset_store: ExactlyOnceOffsets,
    offsets: Arc<dyn OffsetReader>,
    producer: Arc<dyn TransactionalProducer>,
    committer: Arc<OffsetCommitter>,
    sender: Sender,
    dead_letters: Option<Arc<SourceDeadLetters>>,
    /// Where the task registers metrics of its own.
    registry: Metrics,
    transaction: Transaction,
    boundary: Boundary,
    batch: Option<Batch>,
    /// The user paused the connector.
    paused: bool,
    /// What the task sees as its stop signal; see the other loop.
    interrupt: CancellationToken,
    start_called: bool,
}

/// What is left of a batch, beside what the sender has.
struct Batch {
    /// What it is in traces.
    span: Span,
    /// How the transaction ends after what the sender has.
    part_end: Option<End>,
    parts: VecDeque<Part>,
    /// Positions that hold once everything has been sent.
    positions: Vec<SourcePosition>,
    /// How it ends after the batch, if the task says so.
    end: Option<End>,
}

impl ExactlyOnceSourceTask {
    /// Makes the producer and everything else for a task of this connector.
    /// `producer` are the producer's properties.
    ///
    /// # Errors
    /// Config, if a property is wrong.
    pub(in crate::task) fn new(
        (task, metrics): (Box<dyn SourceTask>, SourceTaskMetrics),
        tools: TaskTools,
        connector: &ConfigMap,
        (clients, properties): (&dyn Clients, &ConfigMap),
        topics: Option<TopicCreator>,
        offset_store: ExactlyOnceOffsets,
        preflight: Arc<dyn Preflight>,
    ) -> Result<Self> {
        let boundary = Boundary::new(connector, tools.flush_interval)?;
        // A record that Kafka refuses spoils its transaction, whatever the
        // connector tolerates.
        let deliveries = Arc::new(Deliveries::new(false));
        let producer = clients.transactional_producer(properties, deliveries.clone())?;
        let sending = Sending::new(
            (tools, metrics),
            clients,
            (producer.clone(), properties),
            deliveries,
            topics,
            offset_store.store.clone(),
        )?;
        let Sending {
            control,
            config,
            committer,
            mut sender,
            offsets,
            dead_letters,
            registry,
            ..
        } = sending;
        sender.in_transactions(offset_store.topic.clone());
        let transaction = Transaction {
            id: control.id.clone(),
            producer: producer.clone(),
            committer: committer.clone(),
            store: offset_store.store.clone(),
            offsets_topic: offset_store.topic.clone(),
            timeout: transaction_timeout(properties),
            open_since: None,
        };
        Ok(Self {
            task,
            config,
            interrupt: control.stopping.child_token(),
            control,
            preflight,
            offset_store,
            offsets,
            producer,
            committer,
            sender,
            dead_letters,
            registry,
            transaction,
            boundary,
            batch: None,
            paused: false,
            start_called: false,
        })
    }

    /// What to do when the task is abandoned: its transaction is aborted by the
    /// next task of this name.
    pub(in crate::task) fn abandon(&self) -> impl FnOnce() + Send + use<> {
        let producer = self.producer.clone();
        let letters = self.dead_letters.as_ref().map(|letters| letters.producer());
        move || {
            producer.purge();
            if let Some(letters) = letters {
                letters.purge();
            }
        }
    }

    /// Waits until this task is the only one of its name that can write; false
    /// if it is to stop before.
    async fn take_over(&mut self) -> Result<bool> {
        let stopping = &self.control.stopping;
        let taken = async {
            self.preflight.fence_zombies().await?;
            loop {
                // Whoever is asked to stop must not fence the task that comes
                // after it.
                if stopping.is_cancelled() {
                    return Ok(());
                }
                match self.producer.init_transactions(TAKE_OVER).await {
                    Ok(()) => break,
                    Err(error) if error.kind == KafkaErrorKind::Retriable => {
                        tracing::warn!(task = %self.control.id, %error, "The producer is not ready yet");
                    }
                    Err(error) => return Err(ConnectError::from(error)),
                }
            }
            self.preflight.verify().await?;
            self.offset_store.store.start().await
        };
        tokio::select! {
            biased;
            () = stopping.cancelled() => Ok(false),
            taken = taken => taken.map(|()| !stopping.is_cancelled()),
        }
    }

    async fn send_loop(&mut self) -> Result<()> {
        self.boundary.restart();
        while !self.control.is_stopping() {
            self.settle()?;
            self.follow_target_state().await?;
            if self.paused {
                self.control.resumed().await;
                continue;
            }
            if self.batch.is_none() {
                let polling = Polling::source(&self.control.id);
                let polled = self.poll().await;
                let span = polling.ended(polled.as_ref().map(Vec::len).map_err(|_| ()));
                let polled = polled?;
                self.settle()?;
                self.committer.book().topics.begin_batch();
                let (parts, end) = self.boundary.cut(polled)?;
                self.batch = Some(Batch {
                    span,
                    part_end: None,
                    parts: parts.into(),
                    positions: self.task.take_offsets(),
                    end,
                });
                if self.paused && !self.control.is_stopping() {
                    // It is sent after the pause.
                    continue;
                }
            }
            let span = self.batch.as_ref().map(|batch| batch.span.clone());
            self.send_batch()
                .instrument(span.unwrap_or_else(Span::none))
                .await?;
            // A task whose polls are always ready must not keep a thread for
            // itself.
            tokio::task::coop::consume_budget().await;
        }
        Ok(())
    }

    /// Takes in what the producer reported.
    fn settle(&self) -> Result<()> {
        self.committer
            .settle()
            .map_err(|error| self.transaction.lost_record(error))
    }

    /// A pause commits what is open: the brokers would abort it after a while.
    async fn follow_target_state(&mut self) -> Result<()> {
        let pause = self.control.should_pause();
        if pause == self.paused {
            return Ok(());
        }
        self.paused = pause;
        self.control.report_pause(pause);
        if pause {
            self.end_between_batches().await
        } else {
            self.boundary.restart();
            Ok(())
        }
    }

    /// Ends the transaction as the boundary wants it where the task stops for a
    /// while or for good.
    async fn end_between_batches(&mut self) -> Result<()> {
        // Where the connector ends transactions, half of its batch is none.
        if self.batch.is_some() && self.boundary.is_connectors() {
            return Ok(());
        }
        match self.boundary.ends_with_the_task()? {
            Some(end) => self.end(end).await,
            None => Ok(()),
        }
    }

    async fn end(&mut self, end: End) -> Result<()> {
        if end == End::Abort {
            tracing::info!(task = %self.control.id, "Aborting transaction as requested by connector");
            self.transaction.abort().await?;
        }
        self.transaction.commit().await?;
        self.boundary.restart();
        Ok(())
    }

    /// One call of the task's `poll`, which is never dropped before it returns.
    /// A pause that comes meanwhile counts at once, and so does the end of an
    /// interval: a source may have nothing to tell for hours.
    async fn poll(&mut self) -> Result<Vec<SourceRecord>> {
        let mut state = self.control.state.clone();
        let mut failure = None;
        let begun = Instant::now();
        let polled = {
            let mut poll = std::pin::pin!(self.task.poll());
            loop {
                let paused = self.paused;
                let due = self.boundary.due().filter(|_| self.transaction.is_open());
                let commit = tokio::select! {
                    biased;
                    polled = &mut poll => break polled,
                    () = self.committer.reported() => {
                        if self.committer.settle().is_err() {
                            self.interrupt.cancel();
                        }
                        false
                    }
                    Ok(_) = state.wait_for(|state| (*state == TargetState::Paused) != paused) => {
                        self.paused = !paused;
                        self.control.report_pause(!paused);
                        !paused && !self.boundary.is_connectors()
                    }
                    () = at(due), if failure.is_none() => true,
                };
                if commit && failure.is_none() {
                    failure = self.transaction.commit().await.err();
                    self.boundary.restart();
                    if failure.is_some() {
                        self.interrupt.cancel();
                    }
                }
            }
        };
        self.committer.metrics().polled(&polled, begun.elapsed());
        match failure {
            Some(error) => Err(error),
            None => tolerate_retriable(&self.control, polled).await,
        }
    }

    /// Sends what is left of the batch and ends transactions where they end.
    /// Returns early, with a remainder, if the producer refuses a record for
    /// now, so that a pause can take effect, and if the task is to stop.
    async fn send_batch(&mut self) -> Result<()> {
        loop {
            if !self.sender.is_empty() {
                self.transaction.begin()?;
                if !self.send_part().await? {
                    return Ok(());
                }
            }
            let Some(batch) = &mut self.batch else {
                return Ok(());
            };
            if let Some(end) = batch.part_end.take() {
                self.end(end).await?;
                continue;
            }
            let Some(part) = batch.parts.pop_front() else {
                break;
            };
            batch.part_end = part.end;
            self.sender.load(part.records, &batch.span);
        }
        let Some(batch) = self.batch.take() else {
            return Ok(());
        };
        if !batch.positions.is_empty() {
            self.committer.book().pass(batch.positions.into_iter());
            if self.boundary.due().is_some() {
                // The interval commits only what is open.
                self.transaction.begin()?;
            }
        }
        match batch.end.or_else(|| self.boundary.after_batch()) {
            Some(end) => self.end(end).await,
            None => Ok(()),
        }
    }

    /// Sends what the sender has; false if something is left.
    ///
    /// A large transaction takes no more memory than a small one: what is in
    /// Kafka counts as sent, although nobody sees it yet, and makes room for
    /// more.
    async fn send_part(&mut self) -> Result<bool> {
        loop {
            match self.sender.advance(&self.committer)? {
                Turn::Sent => return Ok(true),
                Turn::Yield => tokio::task::yield_now().await,
                Turn::Unprepared(side) => {
                    if let Err(failure) = self.sender.prepare(side).await
                        && !self.sender.recover(failure, &self.committer).await?
                    {
                        return Ok(false);
                    }
                }
                Turn::Failed(failure) => {
                    if !self.sender.recover(failure, &self.committer).await? {
                        return Ok(false);
                    }
                }
                Turn::NewTopic => {
                    // A topic that is being created when the task stops is
                    // found by the next run.
                    let created = tokio::select! {
                        () = self.control.stopping.cancelled() => return Ok(false),
                        created = self.sender.create_topic() => created?,
                    };
                    if !created {
                        self.control.pause_for(BACKOFF).await;
                        return Ok(false);
                    }
                }
                Turn::Full => {
                    tokio::select! {
                        () = self.control.stopping.cancelled() => return Ok(false),
                        () = self.committer.reported() => {}
                        () = sleep(BACKOFF) => {}
                    }
                }
                Turn::Refused => {
                    self.control.pause_for(BACKOFF).await;
                    return Ok(false);
                }
            }
            self.settle()?;
        }
    }
}

#[async_trait]
impl WorkerTask for ExactlyOnceSourceTask {
    async fn start(&mut self) -> Result<()> {
        if !self.take_over().await? {
            return Ok(());
        }
        if let Some(letters) = &self.dead_letters {
            letters.create_topic().await?;
        }
        self.start_called = true;
        let context = SourceTaskContext {
            offsets: self.offsets.clone(),
            stopping: self.interrupt.clone(),
            committed: self.committer.committed(),
            transactions: self.boundary.context(),
            metrics: self.registry.clone(),
        };
        let config = std::mem::take(&mut self.config);
        self.task.start(context, config).await
    }

    async fn execute(&mut self) -> Result<()> {
        if !self.start_called {
            return Ok(());
        }
        // No commit after a failure: what is not committed comes again.
        guarded(self.send_loop()).await?;
        self.end_between_batches().await
    }

    async fn close(&mut self) {
        if self.start_called
            && let Err(error) = guarded(self.task.stop()).await
        {
            tracing::warn!(task = %self.control.id, %error, "Could not stop task");
        }
        self.transaction.give_up().await;
        self.abandon()();
        self.offset_store.store.stop().await;
    }
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// How long the brokers let a transaction stay open.
fn transaction_timeout(producer: &ConfigMap) -> Duration {
    producer
        .get("transaction.timeout.ms")
        .and_then(|text| text.trim().parse().ok())
        .map_or(TRANSACTION_TIMEOUT, Duration::from_millis)
}
