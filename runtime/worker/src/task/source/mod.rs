//! The loop of a source task (`WorkerSourceTask`, spec sections 5.1 to 5.3):
//! poll, transform, convert, send; commit offsets beside it.

mod dead_letters;
mod deliveries;
mod encoder;
mod exactly_once;
mod failed_records;
mod offset_committer;
mod readable_json;
mod sender;
mod source_metrics;
mod topic_creator;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tether_api::config::ConfigMap;
use tether_api::offset::OffsetReader;
use tether_api::record::SourceRecord;
use tether_api::source::{SourcePosition, SourceTask, SourceTaskContext};
use tether_api::{ConnectError, Result};
use tether_kafka::{Clients, Producer};
use tether_metrics::Metrics;
use tether_storage::{OffsetStore, OffsetWriter, PartitionKeys, StoredOffsetReader, TargetState};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::error_handling::Failure;
use super::spans::Polling;
use super::topic_tracker::TopicTracker;
use super::{TaskControl, TaskTools, WorkerTask};
use crate::metrics::SourceTaskMetrics;
use crate::plugin_call::guarded;
use crate::source_offsets::SourceOffsetStore;

use dead_letters::SourceDeadLetters;
use deliveries::Deliveries;
use encoder::RecordEncoder;
pub(super) use exactly_once::ExactlyOnceSourceTask;
use failed_records::SourceErrors;
use offset_committer::{FlushTimes, OffsetCommitter};
use sender::{InFlightLimit, Sender, Turn};
use source_metrics::SourceMetrics;
pub(super) use topic_creator::TopicCreator;

/// The wait before a refused record is sent again, and after a poll that
/// failed but may be repeated.
const BACKOFF: Duration = Duration::from_millis(100);

/// The most records in flight. Besides its bytes each takes up to a kilobyte,
/// for its offset and the producer's own account; so many more than a broker
/// acknowledges in some hundredths of a second would only take memory.
const MAX_IN_FLIGHT: usize = 16_384;

/// The default of `buffer.memory`, which bounds the bytes in flight.
const BUFFER_MEMORY: usize = 32 * 1024 * 1024;

/// A source task and what it needs to run.
pub(super) struct WorkerSourceTask {
    task: Box<dyn SourceTask>,
    config: ConfigMap,
    control: TaskControl,
    offset_store: SourceOffsetStore,
    offsets: Arc<dyn OffsetReader>,
    producer: Arc<dyn Producer>,
    committer: Arc<OffsetCommitter>,
    sender: Sender,
    dead_letters: Option<Arc<SourceDeadLetters>>,
    /// Where the task registers metrics of its own.
    registry: Metrics,
    flush_timeout: Duration,
    /// Positions that hold once the batch has been sent.
    positions: Vec<SourcePosition>,
    /// The user paused the connector.
    paused: bool,
    /// What the task sees as its stop signal. It fires when the task is to
    /// stop, and also when a record is lost, so that a `poll` that waits for
    /// data does not keep the failure hidden.
    interrupt: CancellationToken,
    start_called: bool,
}

impl WorkerSourceTask {
    /// Makes the producer and everything else for a task. `producer` are the
    /// producer's properties; `topics` creates topics that are missing.
    ///
    /// # Errors
    /// Config, if a property is wrong.
    pub(super) fn new(
        (task, metrics): (Box<dyn SourceTask>, SourceTaskMetrics),
        tools: TaskTools,
        clients: &dyn Clients,
        producer: &ConfigMap,
        topics: Option<TopicCreator>,
        offset_store: SourceOffsetStore,
    ) -> Result<Self> {
        let deliveries = Arc::new(Deliveries::new(tools.errors.is_tolerant()));
        let properties = producer;
        let producer = clients.producer(properties, deliveries.clone())?;
        let Sending {
            control,
            config,
            committer,
            sender,
            offsets,
            flush_timeout,
            dead_letters,
            registry,
        } = Sending::new(
            (tools, metrics),
            clients,
            (producer.clone(), properties),
            deliveries,
            topics,
            offset_store.store(),
        )?;
        Ok(Self {
            task,
            config,
            interrupt: control.stopping.child_token(),
            control,
            offsets,
            offset_store,
            producer,
            committer,
            sender,
            dead_letters,
            registry,
            flush_timeout,
            positions: Vec::new(),
            paused: false,
            start_called: false,
        })
    }

    /// What to do when the task is abandoned: the producer may hold records
    /// that a new instance sends again.
    pub(super) fn abandon(&self) -> impl FnOnce() + Send + use<> {
        let producer = self.producer.clone();
        let letters = self.dead_letters.as_ref().map(|letters| letters.producer());
        move || {
            producer.purge();
            if let Some(letters) = letters {
                letters.purge();
            }
        }
    }

    async fn send_loop(&mut self) -> Result<()> {
        while !self.control.is_stopping() {
            self.committer.settle()?;
            self.follow_target_state();
            if self.paused {
                self.control.resumed().await;
                continue;
            }
            if self.sender.is_empty() && self.positions.is_empty() {
                let polling = Polling::source(&self.control.id);
                let polled = self.poll().await;
                let span = polling.ended(polled.as_ref().map(Vec::len).map_err(|_| ()));
                let batch = polled?;
                self.committer.settle()?;
                self.positions = self.task.take_offsets();
                self.committer.book().topics.begin_batch();
                self.sender.load(batch, &span);
                if self.paused && !self.control.is_stopping() {
                    // It is sent after the pause.
                    continue;
                }
            }
            self.send_batch().await?;
            if self.sender.is_empty() {
                self.committer.book().pass(self.positions.drain(..));
            }
            // A task whose polls are always ready must not keep a thread for
            // itself.
            tokio::task::coop::consume_budget().await;
        }
        Ok(())
    }

    fn follow_target_state(&mut self) {
        let pause = self.control.should_pause();
        if pause != self.paused {
            self.paused = pause;
            self.control.report_pause(pause);
        }
    }

    /// One call of the task's `poll`, which is never dropped before it returns.
    /// A pause that comes meanwhile counts at once: a source may have nothing
    /// to tell for hours.
    async fn poll(&mut self) -> Result<Vec<SourceRecord>> {
        let mut state = self.control.state.clone();
        let begun = Instant::now();
        let polled = {
            let mut poll = std::pin::pin!(self.task.poll());
            loop {
                let paused = self.paused;
                tokio::select! {
                    biased;
                    polled = &mut poll => break polled,
                    () = self.committer.reported() => {
                        if self.committer.settle().is_err() {
                            self.interrupt.cancel();
                        }
                    }
                    Ok(_) = state.wait_for(|state| (*state == TargetState::Paused) != paused) => {
                        self.paused = !paused;
                        self.control.report_pause(!paused);
                    }
                }
            }
        };
        self.committer.metrics().polled(&polled, begun.elapsed());
        tolerate_retriable(&self.control, polled).await
    }

    /// Sends what is left of the batch. Returns early, with a remainder, if the
    /// producer refuses a record for now, so that a pause can take effect, and
    /// if the task is to stop.
    async fn send_batch(&mut self) -> Result<()> {
        loop {
            match self.sender.advance(&self.committer)? {
                Turn::Sent => return Ok(()),
                Turn::Yield => tokio::task::yield_now().await,
                Turn::Unprepared(side) => {
                    if let Err(failure) = self.sender.prepare(side).await
                        && !self.recover(failure).await?
                    {
                        return Ok(());
                    }
                }
                Turn::Failed(failure) => {
                    if !self.recover(failure).await? {
                        return Ok(());
                    }
                }
                Turn::NewTopic => {
                    // A topic that is being created when the task stops is
                    // found by the next run.
                    let created = tokio::select! {
                        () = self.control.stopping.cancelled() => return Ok(()),
                        created = self.sender.create_topic() => created?,
                    };
                    if !created {
                        self.control.pause_for(BACKOFF).await;
                        return Ok(());
                    }
                }
                Turn::Full => {
                    tokio::select! {
                        () = self.control.stopping.cancelled() => return Ok(()),
                        () = self.committer.reported() => {}
                        // A queue that is full of others' records reports
                        // nothing to us.
                        () = sleep(BACKOFF) => {}
                    }
                }
                Turn::Refused => {
                    self.control.pause_for(BACKOFF).await;
                    return Ok(());
                }
            }
            self.committer.settle()?;
        }
    }

    async fn recover(&mut self, failure: Failure) -> Result<bool> {
        self.sender.recover(failure, &self.committer).await
    }
}

#[async_trait]
impl WorkerTask for WorkerSourceTask {
    async fn start(&mut self) -> Result<()> {
        self.offset_store.start().await?;
        if let Some(letters) = &self.dead_letters {
            letters.create_topic().await?;
        }
        self.start_called = true;
        let context = SourceTaskContext {
            offsets: self.offsets.clone(),
            stopping: self.interrupt.clone(),
            committed: self.committer.committed(),
            transactions: None,
            metrics: self.registry.clone(),
        };
        let config = std::mem::take(&mut self.config);
        self.task.start(context, config).await
    }

    async fn execute(&mut self) -> Result<()> {
        let committer = self.committer.clone();
        let end = CancellationToken::new();
        // Commits go on while `poll` waits for data, in this same tokio task. A
        // commit that is under way when the loop ends is awaited, so that no
        // older offset is written after the last commit.
        let sending = async {
            let result = guarded(self.send_loop()).await;
            end.cancel();
            result
        };
        let (result, ()) = tokio::join!(sending, committer.run(&end));
        // Also after a failure: what was acknowledged is in Kafka, and need not
        // come again.
        let flush = self.producer.flush(self.flush_timeout);
        let letters = async {
            if let Some(letters) = &self.dead_letters {
                letters.flush(self.flush_timeout).await;
            }
        };
        let (flushed, (), ()) = tokio::join!(flush, letters, committer.finish());
        if let Err(error) = flushed {
            tracing::warn!(task = %self.control.id, %error, "The producer could not be flushed");
        }
        result
    }

    async fn close(&mut self) {
        if self.start_called
            && let Err(error) = guarded(self.task.stop()).await
        {
            tracing::warn!(task = %self.control.id, %error, "Could not stop task");
        }
        self.abandon()();
        self.offset_store.stop().await;
    }
}

/// What both kinds of source task are made of.
struct Sending {
    control: TaskControl,
    config: ConfigMap,
    committer: Arc<OffsetCommitter>,
    sender: Sender,
    offsets: Arc<dyn OffsetReader>,
    dead_letters: Option<Arc<SourceDeadLetters>>,
    /// Where the task registers metrics of its own.
    registry: Metrics,
    flush_timeout: Duration,
}

impl Sending {
    /// Puts it together around a producer of these properties, which reports to
    /// `deliveries`, and a store of offsets.
    ///
    /// # Errors
    /// Config, if a property is wrong.
    fn new(
        (tools, metrics): (TaskTools, SourceTaskMetrics),
        clients: &dyn Clients,
        (producer, properties): (Arc<dyn Producer>, &ConfigMap),
        deliveries: Arc<Deliveries>,
        topics: Option<TopicCreator>,
        store: Arc<dyn OffsetStore>,
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
        let limit = InFlightLimit {
            records: MAX_IN_FLIGHT,
            bytes: buffer_memory(properties)?,
        };
        let id = &control.id;
        let dead_letters = dead_letters
            .map(|letters| {
                SourceDeadLetters::new(id, letters, clients, deliveries.clone(), &errors)
            })
            .transpose()?
            .map(Arc::new);
        let errors = SourceErrors::new(errors, dead_letters.clone());
        let keys = PartitionKeys::new(&*id.connector);
        let committer = Arc::new(OffsetCommitter::new(
            id,
            OffsetWriter::new(store.clone(), keys.clone()),
            deliveries,
            errors.clone(),
            TopicTracker::new(statuses, id, topic_tracking),
            SourceMetrics {
                task: task_metrics,
                source: metrics,
            },
            FlushTimes {
                interval: flush_interval,
                timeout: flush_timeout,
            },
        ));
        let encoder = RecordEncoder::new(converters);
        let sender = Sender::new(id, chain, encoder, errors, topics, producer, limit);
        Ok(Self {
            config,
            committer,
            sender,
            offsets: Arc::new(StoredOffsetReader::new(store, keys)),
            dead_letters,
            registry,
            flush_timeout,
            control,
        })
    }
}

/// What a poll brought; nothing, after a moment, if it failed but may be
/// repeated.
async fn tolerate_retriable(
    control: &TaskControl,
    polled: Result<Vec<SourceRecord>>,
) -> Result<Vec<SourceRecord>> {
    match polled {
        Err(error) if error.is_retriable() => {
            tracing::warn!(
                task = %control.id,
                %error,
                "Failed to poll records from SourceTask. Will retry operation"
            );
            control.pause_for(BACKOFF).await;
            Ok(Vec::new())
        }
        polled => polled,
    }
}

/// The bound of bytes in flight, from the producer's properties.
fn buffer_memory(producer: &ConfigMap) -> Result<usize> {
    match producer.get("buffer.memory") {
        None => Ok(BUFFER_MEMORY),
        Some(text) => text.trim().parse().map_err(|_| {
            ConnectError::config(format!(
                "Invalid value {text} for configuration buffer.memory: Not a number of type LONG"
            ))
        }),
    }
}
