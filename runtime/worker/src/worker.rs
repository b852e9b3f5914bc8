//! The worker: it starts and stops connectors and tasks and owns everything
//! that runs for them. Herders command it; it decides nothing by itself.
//!
//! Configurations come in as they are stored, with their variables; the worker
//! resolves them where a connector or task starts.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicI32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use tether_api::config::ConfigMap;
use tether_api::offset::OffsetReader;
use tether_api::plugin::PluginKind;
use tether_api::{ConnectError, Result};
use tether_kafka::{Clients, fence_producers};
use tether_storage::{
    OffsetStore, PartitionKeys, StatusStore, StoredOffsetReader, TargetState, TaskId,
};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::client_properties::{ClientProperties, OverridePolicy};
use crate::config::WorkerConfig;
use crate::config_provider::{Resolved, VariableResolver};
use crate::connector::{self, ConnectorHandle, ConnectorSetup, TaskLimit};
use crate::conversion::SharedConverters;
use crate::metrics::{TaskErrorMetrics, TaskRestartMetrics};
use crate::plugins::Plugins;
use crate::preflight::Preflight;
use crate::source_offsets::SourceOffsets;
use crate::statuses::{InstanceStatuses, StatusOrigin};
use crate::task::{self, TaskHandle, TaskSetup};
use crate::topic_creation::TopicCreation;

#[cfg(test)]
mod tests;

/// How long a connector instance may take to stop
/// (`CONNECTOR_GRACEFUL_SHUTDOWN_TIMEOUT_MS`).
const CONNECTOR_STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// How long fencing the producers of a connector's tasks may take.
const FENCE_TIMEOUT: Duration = Duration::from_secs(90);

/// What a connector asks of the herder while it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkerRequest {
    /// The tasks of this connector have to be configured anew.
    ReconfigureTasks(String),
    /// This task has failed by itself; [`Worker::task_failure`] says why.
    TaskFailed(TaskId),
}

/// Everything that a worker needs of the process around it.
pub struct WorkerContext {
    /// The worker's address as statuses show it, `host:port`.
    pub worker_id: String,
    /// The worker's configuration.
    pub config: WorkerConfig,
    /// The id of the Kafka cluster, for the metrics context of clients.
    pub kafka_cluster_id: String,
    /// The plugins.
    pub plugins: Arc<Plugins>,
    /// Resolves variables.
    pub variables: Arc<VariableResolver>,
    /// Makes Kafka clients.
    pub clients: Arc<dyn Clients>,
    /// The source offsets; started.
    pub offsets: Arc<dyn OffsetStore>,
    /// The statuses; started.
    pub statuses: Arc<dyn StatusStore>,
    /// The generation of the group, which statuses carry; the herder sets it.
    /// 0 standalone.
    pub generation: Arc<AtomicI32>,
    /// Where the requests of connectors go. The herder may end: requests are
    /// dropped then.
    pub requests: mpsc::UnboundedSender<WorkerRequest>,
}

/// Why there are no task configurations.
#[derive(Debug)]
pub enum TaskConfigsError {
    /// Asking again is useless: the connector does not run here, or it made too
    /// many tasks and is FAILED now.
    Final(ConnectError),
    /// The connector could not tell; ask again later.
    Repeat(ConnectError),
}

/// Runs connectors and tasks.
///
/// All methods can be called at the same time. For one connector or task the
/// caller waits for one call before it makes the next, or an instance may be
/// stopped before it has started.
pub struct Worker {
    context: Arc<WorkerContext>,
    policy: OverridePolicy,
    connectors: Mutex<BTreeMap<String, Entry<ConnectorHandle>>>,
    tasks: Mutex<BTreeMap<TaskId, Entry<TaskHandle>>>,
    converters: SharedConverters,
    task_restarts: TaskRestartMetrics,
}

/// Something that is here, with the version of its plugin.
struct Entry<T> {
    handle: T,
    version: &'static str,
}

impl Worker {
    /// A worker that runs nothing yet.
    ///
    /// # Errors
    /// Config, if a worker property is wrong that only the worker reads
    /// (`connector.client.config.override.policy`).
    pub fn new(context: WorkerContext) -> Result<Self> {
        let policy = OverridePolicy::from_worker(&context.config.properties)?;
        policy.warn_if_deprecated();
        Ok(Self {
            policy,
            context: Arc::new(context),
            connectors: Mutex::default(),
            tasks: Mutex::default(),
            converters: SharedConverters::default(),
            task_restarts: TaskRestartMetrics::default(),
        })
    }

    /// Starts a connector and brings it to a state. Returns when it is there,
    /// its status written, or failed. Takes as long as the connector does: let
    /// it run in a task of its own if the caller must not wait.
    ///
    /// # Errors
    /// `AlreadyExists` if it is here already. Else what is wrong with its
    /// plugin or variables, or the error of its start; its status is FAILED
    /// then. After a failed start it is still here, until it is stopped.
    pub async fn start_connector(
        &self,
        connector: &str,
        config: &ConfigMap,
        state: TargetState,
    ) -> Result<()> {
        let transition = {
            let mut connectors = self.connectors_here();
            if connectors.contains_key(connector) {
                return Err(ConnectError::already_exists(format!(
                    "Connector with name {connector} already exists"
                )));
            }
            let entry = self.new_connector(connector, config).inspect_err(|error| {
                tracing::error!(connector, %error, "Failed to start connector");
                let statuses =
                    InstanceStatuses::connector(self.origin(), connector, self.version(config));
                statuses.failed(error);
            })?;
            let transition = entry.handle.transition_to(state);
            connectors.insert(connector.to_owned(), entry);
            transition
        };
        transition.await
    }

    /// Stops a connector instance, not its tasks, and writes UNASSIGNED. False
    /// if it was not here. A connector that takes longer than five seconds to
    /// stop is abandoned.
    pub async fn stop_connector(&self, connector: &str) -> bool {
        let entry = self.connectors_here().remove(connector);
        let Some(entry) = entry else {
            return false;
        };
        let deadline = Instant::now() + CONNECTOR_STOP_TIMEOUT;
        entry.handle.stop(connector, deadline).await;
        true
    }

    /// The configurations of a connector's tasks, ready to be stored: with
    /// `task.class`, sinks with `topics` or `topics.regex`, and the variables of
    /// the connector's configuration put back.
    ///
    /// # Errors
    /// See [`TaskConfigsError`].
    pub async fn connector_task_configs(
        &self,
        connector: &str,
        config: &ConfigMap,
    ) -> Result<Vec<ConfigMap>, TaskConfigsError> {
        let limit = TaskLimit::new(config).map_err(TaskConfigsError::Final)?;
        let asked = match self.connectors_here().get(connector) {
            Some(entry) => entry.handle.task_configs(limit),
            None => {
                return Err(TaskConfigsError::Final(ConnectError::other(format!(
                    "Connector {connector} not found in this worker."
                ))));
            }
        };
        Ok(asked.await?.stored(config))
    }

    /// Starts a task with the configurations of its connector and its own, as
    /// they are stored; `count` is how many tasks the connector has. Returns when
    /// the task has what it needs and runs by itself; its own start comes after.
    /// `preflight` is for sources on a worker with exactly-once support.
    ///
    /// # Errors
    /// `AlreadyExists` if it is here already; else what is wrong with a plugin,
    /// client property or variable, or that there are too many tasks. Its status
    /// is FAILED then.
    pub async fn start_task(
        &self,
        id: &TaskId,
        count: usize,
        connector_config: &ConfigMap,
        task_config: &ConfigMap,
        state: TargetState,
        preflight: Option<Arc<dyn Preflight>>,
    ) -> Result<()> {
        let mut tasks = self.tasks_here();
        if tasks.contains_key(id) {
            return Err(ConnectError::already_exists(format!(
                "Task already exists in this worker: {id}"
            )));
        }
        let version = self.version(connector_config);
        let statuses = Arc::new(InstanceStatuses::task(self.origin(), id, version));
        let handle = self
            .new_task(
                id,
                count,
                (connector_config, task_config),
                state,
                preflight,
                statuses.clone(),
            )
            .inspect_err(|error| {
                tracing::error!(task = %id, %error, "Failed to start task");
                statuses.failed(error);
            })?;
        tasks.insert(
            id.clone(),
            Entry {
                handle,
                version: version.unwrap_or_default(),
            },
        );
        Ok(())
    }

    /// Stops tasks, failed ones too, and waits at most
    /// `task.shutdown.graceful.timeout.ms` for all of them together. Those that
    /// take longer are abandoned: they write no status and commit nothing any
    /// more. Tasks that are not here are passed over.
    pub async fn stop_tasks(&self, ids: &[TaskId]) {
        let mut stopped: Vec<(&TaskId, TaskHandle)> = {
            let mut tasks = self.tasks_here();
            ids.iter()
                .filter_map(|id| Some((id, tasks.remove(id)?.handle)))
                .collect()
        };
        let deadline = Instant::now() + self.context.config.task_shutdown_timeout;
        for (_, handle) in &stopped {
            handle.request_stop();
        }
        let ended = join_all(stopped.iter_mut().map(|(_, handle)| handle.ended(deadline))).await;
        for ((id, handle), ended) in stopped.into_iter().zip(ended) {
            if !ended {
                tracing::error!(
                    task = %id,
                    "Graceful stop of task failed. It is abandoned: its connector did not return in time"
                );
                handle.abandon();
            }
        }
    }

    /// Brings a connector and its tasks, as far as they are here, to a state.
    /// Returns when the connector instance is there; tasks follow by themselves.
    /// STOPPED concerns the instance only: the herder stops the tasks.
    ///
    /// # Errors
    /// The error of the connector, which is FAILED then or was before.
    pub async fn set_target_state(&self, connector: &str, state: TargetState) -> Result<()> {
        self.set_target_state_of_tasks(connector, state);
        let transition = self
            .connectors_here()
            .get(connector)
            .map(|entry| entry.handle.transition_to(state));
        match transition {
            Some(transition) => transition.await,
            None => Ok(()),
        }
    }

    /// Brings the tasks of a connector, as far as they are here, to a state; they
    /// follow by themselves. STOPPED does not concern them.
    pub fn set_target_state_of_tasks(&self, connector: &str, state: TargetState) {
        if state == TargetState::Stopped {
            return;
        }
        for (id, entry) in self.tasks_here().iter() {
            if id.connector == connector {
                entry.handle.set_target_state(state);
            }
        }
    }

    /// Whether a connector instance is here and started: not paused, stopped
    /// or failed.
    pub fn is_running(&self, connector: &str) -> bool {
        self.connectors_here()
            .get(connector)
            .is_some_and(|entry| entry.handle.is_running())
    }

    /// The connector instances that are here, whatever their state, sorted.
    pub fn connectors(&self) -> Vec<String> {
        self.connectors_here().keys().cloned().collect()
    }

    /// The tasks that are here, whatever their state, sorted.
    pub fn tasks(&self) -> Vec<TaskId> {
        self.tasks_here().keys().cloned().collect()
    }

    /// What went wrong in each task that is here, failed ones too, sorted.
    pub fn task_errors(&self) -> Vec<(TaskId, Arc<TaskErrorMetrics>)> {
        self.tasks_here()
            .iter()
            .map(|(id, entry)| (id.clone(), entry.handle.errors().clone()))
            .collect()
    }

    /// The version of a connector that is here.
    pub fn connector_version(&self, connector: &str) -> Option<String> {
        Some(self.connectors_here().get(connector)?.version.to_owned())
    }

    /// The version of a task that is here.
    pub fn task_version(&self, id: &TaskId) -> Option<String> {
        Some(self.tasks_here().get(id)?.version.to_owned())
    }

    /// Counts automatic restarts of tasks.
    pub fn task_restarts(&self) -> &TaskRestartMetrics {
        &self.task_restarts
    }

    /// The trace of a task that is here and has failed; `None` if it has not.
    pub fn task_failure(&self, id: &TaskId) -> Option<String> {
        self.tasks_here().get(id)?.handle.failure()
    }

    /// Writes that a task has failed once more, with a trace that says what
    /// follows.
    pub fn report_task_failure(&self, id: &TaskId, connector_config: &ConfigMap, trace: String) {
        let version = self.version(connector_config);
        InstanceStatuses::task(self.origin(), id, version).failed_with(trace);
    }

    /// Stops all connectors and tasks and waits for them as
    /// [`Worker::stop_connector`] and [`Worker::stop_tasks`] do.
    pub async fn shutdown(&self) {
        let connectors = self.connectors();
        join_all(connectors.iter().map(|name| self.stop_connector(name))).await;
        self.stop_tasks(&self.tasks()).await;
    }

    fn new_connector(&self, name: &str, config: &ConfigMap) -> Result<Entry<ConnectorHandle>> {
        let resolved = self.context.variables.resolved(config)?;
        let redaction = resolved.redaction.clone();
        self.connector_of(name, resolved)
            .map_err(|error| redaction.error(error))
    }

    fn connector_of(&self, name: &str, resolved: Resolved) -> Result<Entry<ConnectorHandle>> {
        let context = &self.context;
        let Resolved { config, redaction } = resolved;
        let class = class(&config)?;
        let plugin = context.plugins.connector(class)?;
        let offsets = match plugin.kind() {
            PluginKind::Source => {
                // Tasks read it again; a mistake shows before there are any.
                TopicCreation::new(&config, context.config.topic_creation)?;
                let store = self.source_offsets().read(name, &config)?.store();
                let reader = StoredOffsetReader::new(store, PartitionKeys::new(name));
                Some(Arc::new(reader) as Arc<dyn OffsetReader>)
            }
            _ => None,
        };
        Ok(Entry {
            version: plugin.version,
            handle: connector::spawn(ConnectorSetup {
                name: name.to_owned(),
                connector: context.plugins.new_connector(class)?,
                statuses: Arc::new(InstanceStatuses::connector(
                    self.origin(),
                    name,
                    Some(plugin.version),
                )),
                config,
                redaction,
                offsets,
                requests: context.requests.clone(),
            }),
        })
    }

    fn new_task(
        &self,
        id: &TaskId,
        count: usize,
        (connector, task): (&ConfigMap, &ConfigMap),
        state: TargetState,
        preflight: Option<Arc<dyn Preflight>>,
        statuses: Arc<InstanceStatuses>,
    ) -> Result<TaskHandle> {
        let connector = self.context.variables.resolved(connector)?;
        let task = self.context.variables.resolved(task)?;
        let mut redaction = connector.redaction;
        redaction.extend(task.redaction);
        let redaction = Arc::new(redaction);
        let start = || {
            let context = &*self.context;
            // Who set the limit lower has the old tasks until there are new ones.
            TaskLimit::new(&connector.config)?.check(&id.connector, count)?;
            let plugin = context.plugins.new_connector(class(&connector.config)?)?;
            task::start(
                plugin.new_task(),
                TaskSetup {
                    context,
                    policy: &self.policy,
                    id,
                    connector: &connector.config,
                    config: task.config,
                    converters: self.converters.of(
                        &id.connector,
                        &connector.config,
                        &context.plugins,
                        &context.config,
                    )?,
                    state,
                    preflight,
                    statuses,
                    redaction: redaction.clone(),
                },
            )
        };
        start().map_err(|error| redaction.error(error))
    }

    /// Makes sure that the producers of so many tasks of a connector write
    /// nothing any more (`Worker.fenceZombies`).
    ///
    /// # Errors
    /// If a producer may still write.
    pub async fn fence_producers(
        &self,
        connector: &str,
        tasks: u32,
        config: &ConfigMap,
    ) -> Result<()> {
        let config = self.context.variables.resolve(config)?;
        let properties = self.source_offsets().properties;
        let admin = properties.connector_admin(connector, &config)?;
        let ids = (0..tasks)
            .map(|task| properties.transactional_id(&TaskId::new(connector, task)))
            .collect();
        tracing::info!(
            connector,
            tasks,
            "Fencing out the producers of earlier tasks"
        );
        let clients = &*self.context.clients;
        Ok(fence_producers(clients, &admin, ids, FENCE_TIMEOUT).await?)
    }

    /// Makes the offset stores of source connectors.
    pub(crate) fn source_offsets(&self) -> SourceOffsets<'_> {
        SourceOffsets {
            properties: ClientProperties {
                worker: &self.context.config,
                kafka_cluster_id: &self.context.kafka_cluster_id,
                policy: &self.policy,
            },
            clients: &self.context.clients,
            worker_store: &self.context.offsets,
        }
    }

    fn origin(&self) -> StatusOrigin {
        StatusOrigin {
            statuses: self.context.statuses.clone(),
            worker_id: self.context.worker_id.clone(),
            generation: self.context.generation.clone(),
        }
    }

    /// The version of a connector's plugin, if that is known.
    fn version(&self, config: &ConfigMap) -> Option<&'static str> {
        let plugin = self.context.plugins.connector(class(config).ok()?).ok()?;
        Some(plugin.version)
    }

    fn connectors_here(&self) -> MutexGuard<'_, BTreeMap<String, Entry<ConnectorHandle>>> {
        // The map is whole after every statement that holds the lock.
        self.connectors
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn tasks_here(&self) -> MutexGuard<'_, BTreeMap<TaskId, Entry<TaskHandle>>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn class(config: &ConfigMap) -> Result<&str> {
    config
        .get("connector.class")
        .map(|class| class.trim())
        .ok_or_else(|| {
            ConnectError::config(
                "Missing required configuration \"connector.class\" which has no default value.",
            )
        })
}
