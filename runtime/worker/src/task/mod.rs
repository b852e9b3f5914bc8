//! Tasks: what is common to both kinds, and starting one (`WorkerTask`, spec
//! sections 4.5, 5.1 and 6.2).
//!
//! A task knows clients, stores, converters and transformations as traits; it
//! has not heard of REST, herders or groups.
//!
//! # What survives a kill -9
//!
//! Delivery is at least once: a crash repeats records, it never loses one. Sources
//! of a worker with `exactly.once.source.support=enabled` have a loop of their own,
//! which says what holds there ([`source::ExactlyOnceSourceTask`]).
//!
//! | the worker dies after | and before | then |
//! |---|---|---|
//! | a source's `poll` | the acknowledgement of Kafka | the offset is not stored; the next run polls the record again |
//! | the acknowledgement | the commit of the offset | Kafka has the record; the next run sends it a second time |
//! | the commit | the connector learns of it | `committed` is only a promise to the source that it may forget; the next run reads the offset itself |
//! | the consumer's `poll` | the return of `put` | the offset is not committed; the next member reads the record again |
//! | `put` | the commit of its offset | the sink gets the record a second time |
//! | a record was refused | its dead letter is acknowledged | the offset is not committed; the record is refused again |
//!
//! What ensures it: [`submitted_records`] releases an offset only when every
//! earlier record of its source partition is acknowledged; the source's
//! `OffsetCommitter` stores nothing else; the sink commits only what `put` took
//! and `pre_commit` named.

mod error_handling;
mod sink;
mod source;
mod spans;
mod submitted_records;
#[cfg(test)]
mod tests;
mod topic_tracker;
mod transformation_chain;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use tether_api::config::ConfigMap;
use tether_api::connector::Task;
use tether_api::{ConnectError, Result};
use tether_metrics::Metrics;
use tether_storage::{State, StatusStore, TargetState, TaskId};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, Span};

use crate::client_properties::{ClientProperties, OverridePolicy};
use crate::config_provider::Redaction;
use crate::conversion::Converters;
use crate::metrics::{
    SinkTaskMetrics, SourceTaskMetrics, TaskErrorMetrics, TaskGroups, TaskMetrics, TaskPlugins,
    WorkerMetrics,
};
use crate::plugin_call::guarded;
use crate::preflight::Preflight;
use crate::source_offsets::SourceOffsets;
use crate::statuses::InstanceStatuses;
use crate::topic_creation::TopicCreation;
use crate::traces::within;
use crate::worker::{WorkerContext, WorkerRequest};

use error_handling::{DeadLetterSettings, ErrorHandling};
use sink::WorkerSinkTask;
use source::{ExactlyOnceSourceTask, TopicCreator, WorkerSourceTask};
use transformation_chain::TransformationChain;

/// A converter that is not ready after this many preparations for one record
/// never will be.
const MAX_PREPARATIONS: u32 = 3;

/// What to start a task with. Variables are resolved.
pub(crate) struct TaskSetup<'a> {
    pub(crate) context: &'a WorkerContext,
    pub(crate) policy: &'a OverridePolicy,
    pub(crate) metrics: &'a WorkerMetrics,
    /// What it is made of, for metrics.
    pub(crate) plugins: TaskPlugins,
    pub(crate) id: &'a TaskId,
    /// The configuration of the connector.
    pub(crate) connector: &'a ConfigMap,
    /// The configuration of the task itself.
    pub(crate) config: ConfigMap,
    pub(crate) converters: Arc<Converters>,
    pub(crate) state: TargetState,
    /// What exactly-once sources ask for before they start.
    pub(crate) preflight: Option<Arc<dyn Preflight>>,
    pub(crate) statuses: Arc<InstanceStatuses>,
    /// Keeps the values of variables out of statuses and logs.
    pub(crate) redaction: Arc<Redaction>,
}

/// A running, or ended, task as the worker sees it.
pub(crate) struct TaskHandle {
    state: watch::Sender<TargetState>,
    stopping: CancellationToken,
    statuses: Arc<InstanceStatuses>,
    failure: Arc<OnceLock<String>>,
    _metrics: TaskGroups,
    running: JoinHandle<()>,
    abandon: Box<dyn FnOnce() + Send>,
}

/// Starts a task: makes its transformations and client, and lets it run by
/// itself.
///
/// # Errors
/// Config, if something of these is wrong; other, if a client override is not
/// allowed.
pub(crate) fn start(task: Task, setup: TaskSetup<'_>) -> Result<TaskHandle> {
    let TaskSetup {
        context,
        policy,
        metrics,
        plugins,
        id,
        connector,
        config,
        converters,
        state,
        preflight,
        statuses,
        redaction,
    } = setup;
    let initial = match state {
        TargetState::Paused => State::Paused,
        TargetState::Started | TargetState::Stopped => State::Running,
    };
    let (task_metrics, group) = TaskMetrics::register(metrics, id, &plugins, initial);
    let mut groups = TaskGroups::new(Arc::clone(&task_metrics), group);
    let registry = metrics.registry();
    let (state, receiver) = watch::channel(state);
    let stopping = CancellationToken::new();
    let control = TaskControl {
        id: id.clone(),
        state: receiver,
        stopping: stopping.clone(),
        statuses: statuses.clone(),
    };
    let (errors, group) = TaskErrorMetrics::register(registry, id);
    groups.extend([group]);
    let chain = TransformationChain::new(&context.plugins, connector)?;
    groups.extend(chain.register(registry, id));
    let mut tools = TaskTools {
        control: control.clone(),
        config,
        converters,
        chain,
        statuses: context.statuses.clone(),
        topic_tracking: context.config.topic_tracking,
        flush_interval: context.config.offset_flush_interval,
        flush_timeout: context.config.offset_flush_timeout,
        errors: ErrorHandling::new(id, connector, errors, redaction.clone(), stopping.clone())?,
        dead_letters: None,
        metrics: registry.clone(),
        task_metrics: Arc::clone(&task_metrics),
    };
    let properties = ClientProperties {
        worker: &context.config,
        kafka_cluster_id: &context.kafka_cluster_id,
        policy,
    };
    let clients = &*context.clients;
    let (task, abandon): (Box<dyn WorkerTask>, Box<dyn FnOnce() + Send>) = match task {
        Task::Source(task) => {
            tools.dead_letters = DeadLetterSettings::for_source(id, connector, &properties)?;
            let topics = TopicCreation::new(connector, context.config.topic_creation)?
                .map(|groups| {
                    let admin = properties.task_admin(id, connector)?;
                    TopicCreator::new(id, groups, clients, &admin)
                })
                .transpose()?;
            let offsets = SourceOffsets {
                properties,
                clients: &context.clients,
                worker_store: &context.offsets,
            };
            let exactly_once = context.config.exactly_once_sources();
            let (source_metrics, group) = SourceTaskMetrics::register(registry, id, exactly_once);
            groups.extend([group]);
            let task = (task, source_metrics);
            if exactly_once {
                let preflight = preflight.ok_or_else(|| {
                    ConnectError::illegal_state("An exactly-once source task needs a herder")
                })?;
                let producer = properties.exactly_once_producer(id, connector)?;
                let offsets = offsets.exactly_once_task(id, connector, &producer)?;
                let clients = (clients, &producer);
                let task = ExactlyOnceSourceTask::new(
                    task, tools, connector, clients, topics, offsets, preflight,
                )?;
                let abandon = task.abandon();
                (Box::new(task), Box::new(abandon))
            } else {
                let producer = properties.source_producer(id, connector)?;
                let offsets = offsets.task(id, connector, &producer)?;
                let task = WorkerSourceTask::new(task, tools, clients, &producer, topics, offsets)?;
                let abandon = task.abandon();
                (Box::new(task), Box::new(abandon))
            }
        }
        Task::Sink(task) => {
            let consumer = properties.sink_consumer(id, connector)?;
            tools.dead_letters = DeadLetterSettings::for_sink(id, connector, &properties)?;
            let (sink_metrics, group) = SinkTaskMetrics::register(registry, id);
            groups.extend([group]);
            let task = WorkerSinkTask::new((task, sink_metrics), tools, clients, &consumer)?;
            let abandon = task.abandon();
            (Box::new(task), Box::new(abandon))
        }
    };
    // Not before it is sure that the task runs: the caller reports why it does not.
    statuses.listen(task_metrics);
    // Not within what starts it, which ends long before the task does.
    let span = tracing::info_span!(parent: None, "task", task = %id);
    let starting = spans::start(id);
    let failure = Arc::<OnceLock<String>>::default();
    let on_failure = {
        let (id, failure) = (id.clone(), failure.clone());
        let requests = context.requests.clone();
        move |error: &ConnectError| {
            // Set before anybody is told to look.
            let _ = failure.set(error.trace());
            // Without a herder there is nobody to tell.
            let _ = requests.send(WorkerRequest::TaskFailed(id));
        }
    };
    Ok(TaskHandle {
        state,
        stopping,
        statuses,
        failure,
        _metrics: groups,
        running: tokio::spawn(
            run((task, starting), control, redaction, on_failure).instrument(span),
        ),
        abandon,
    })
}

impl TaskHandle {
    /// Pauses or resumes the task; it follows by itself. A task has no state
    /// STOPPED: it ends then.
    pub(crate) fn set_target_state(&self, state: TargetState) {
        if state == TargetState::Stopped {
            self.stopping.cancel();
        } else {
            self.state.send_replace(state);
        }
    }

    /// The trace of its failure, once it has failed.
    pub(crate) fn failure(&self) -> Option<String> {
        self.failure.get().cloned()
    }

    /// See [`InstanceStatuses::insist`].
    pub(crate) fn insist_on_status(&self) {
        self.statuses.insist();
    }

    /// Asks the task to end.
    pub(crate) fn request_stop(&self) {
        self.stopping.cancel();
    }

    /// Waits for the end of the task; false if it did not come in time.
    pub(crate) async fn ended(&mut self, deadline: Instant) -> bool {
        timeout_at(deadline, &mut self.running).await.is_ok()
    }

    /// Gives the task up. It writes no status and commits nothing after this,
    /// and its client lets go of what it holds, so that another instance can
    /// take over. A call of the connector that does not return keeps its
    /// thread.
    pub(crate) fn abandon(self) {
        self.statuses.silence();
        self.running.abort();
        (self.abandon)();
    }
}

/// What a task loop has to heed.
#[derive(Clone)]
struct TaskControl {
    id: TaskId,
    state: watch::Receiver<TargetState>,
    stopping: CancellationToken,
    statuses: Arc<InstanceStatuses>,
}

impl TaskControl {
    fn is_stopping(&self) -> bool {
        self.stopping.is_cancelled()
    }

    fn should_pause(&self) -> bool {
        *self.state.borrow() == TargetState::Paused
    }

    /// Writes that the task was paused or resumed.
    fn report_pause(&self, paused: bool) {
        if paused {
            self.statuses.paused();
        } else {
            self.statuses.resumed();
        }
    }

    /// Waits until the task may go on; false if it is to stop instead.
    async fn resumed(&self) -> bool {
        let mut state = self.state.clone();
        tokio::select! {
            biased;
            () = self.stopping.cancelled() => false,
            resumed = state.wait_for(|state| *state != TargetState::Paused) => resumed.is_ok(),
        }
    }

    /// Waits, unless the task is to stop.
    async fn pause_for(&self, duration: Duration) {
        tokio::select! {
            () = self.stopping.cancelled() => {}
            () = sleep(duration) => {}
        }
    }
}

/// What both kinds of task are built from.
struct TaskTools {
    control: TaskControl,
    config: ConfigMap,
    converters: Arc<Converters>,
    chain: TransformationChain,
    statuses: Arc<dyn StatusStore>,
    topic_tracking: bool,
    flush_interval: Duration,
    flush_timeout: Duration,
    errors: ErrorHandling,
    /// Present if records that cannot be processed go to a topic.
    dead_letters: Option<DeadLetterSettings>,
    /// Where the connector's task registers metrics of its own.
    metrics: Metrics,
    task_metrics: Arc<TaskMetrics>,
}

/// The parts of a task's life. Plugin code is called within; a panic in it
/// becomes an error.
#[async_trait]
trait WorkerTask: Send {
    /// Starts the connector's task.
    async fn start(&mut self) -> Result<()>;

    /// Moves records until the task is to stop or fails, and commits a last
    /// time.
    async fn execute(&mut self) -> Result<()>;

    /// Stops the connector's task, if it was started, and the client.
    async fn close(&mut self);
}

async fn run(
    (mut task, starting): (Box<dyn WorkerTask>, Span),
    control: TaskControl,
    redaction: Arc<Redaction>,
    on_failure: impl FnOnce(&ConnectError),
) {
    let result = live(&mut *task, &control, starting)
        .await
        .map_err(|error| redaction.error(error));
    let closed = guarded(async {
        task.close().await;
        Ok(())
    });
    if let Err(error) = closed.await {
        let error = redaction.error(error);
        tracing::error!(task = %control.id, %error, "The task could not be closed properly");
    }
    match result {
        Ok(()) => control.statuses.unassigned(),
        Err(error) if control.is_stopping() => {
            tracing::warn!(
                task = %control.id,
                %error,
                "After being scheduled for shutdown, task threw an uncaught exception"
            );
            control.statuses.unassigned();
        }
        Err(error) => {
            tracing::error!(
                task = %control.id,
                %error,
                "Task threw an uncaught and unrecoverable exception. Task is being killed and will not \
                 recover until manually restarted"
            );
            control.statuses.failed(&error);
            on_failure(&error);
        }
    }
}

async fn live(task: &mut dyn WorkerTask, control: &TaskControl, mut starting: Span) -> Result<()> {
    if control.is_stopping() {
        return Ok(());
    }
    if control.should_pause() {
        // It is not started before it is resumed.
        drop(starting);
        control.statuses.paused();
        if !control.resumed().await {
            return Ok(());
        }
        starting = spans::start(&control.id);
    }
    within(starting, guarded(task.start())).await?;
    tracing::info!(task = %control.id, "Task finished initialization and start");
    control.statuses.running();
    guarded(task.execute()).await
}
