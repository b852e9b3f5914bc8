//! The worker: it starts and stops connectors and tasks and owns everything
//! that runs for them. Herders command it; it decides nothing by itself.
//!
//! Configurations come in as they are stored, with their variables; the worker
//! resolves them where a connector or task starts.

use std::sync::Arc;
use std::sync::atomic::AtomicI32;

use tether_api::config::ConfigMap;
use tether_api::{ConnectError, Result};
use tether_kafka::Clients;
use tether_storage::{OffsetStore, StatusStore, TargetState, TaskId};
use tokio::sync::mpsc;

use crate::config::WorkerConfig;
use crate::config_provider::VariableResolver;
use crate::plugins::Plugins;

/// What a connector asks of the herder while it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkerRequest {
    /// The tasks of this connector have to be configured anew.
    ReconfigureTasks(String),
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
/// All methods can be called at the same time, also for the same connector:
/// calls that concern one connector wait for each other.
pub struct Worker {
    context: Arc<WorkerContext>,
}

impl Worker {
    /// A worker that runs nothing yet.
    ///
    /// # Errors
    /// Config, if a worker property is wrong that only the worker reads
    /// (`connector.client.config.override.policy`).
    pub fn new(context: WorkerContext) -> Result<Self> {
        Ok(Self {
            context: Arc::new(context),
        })
    }

    /// Starts a connector and brings it to a state. Returns when it is there,
    /// its status written, or failed. Takes as long as the connector does: let
    /// it run in a task of its own if the caller must not wait.
    ///
    /// # Errors
    /// `AlreadyExists` if it runs already; else the error of its start. Its
    /// status is FAILED then, and it stays known to the worker so that it can be
    /// stopped.
    pub async fn start_connector(
        &self,
        connector: &str,
        config: &ConfigMap,
        state: TargetState,
    ) -> Result<()> {
        let _ = (connector, config, state);
        Err(ConnectError::other("not started"))
    }

    /// Stops a connector instance, not its tasks; UNASSIGNED is written unless
    /// it had failed. False if it was not here. A connector that takes longer
    /// than five seconds to stop is abandoned.
    pub async fn stop_connector(&self, connector: &str) -> bool {
        let _ = connector;
        false
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
        let _ = (connector, config);
        Ok(Vec::new())
    }

    /// Starts a task with the configurations of its connector and its own, as
    /// they are stored. Returns when the task has what it needs and runs by
    /// itself; its own start comes after.
    ///
    /// # Errors
    /// `AlreadyExists` if it runs already; else what is wrong with a plugin,
    /// client or variable. Its status is FAILED then.
    pub async fn start_task(
        &self,
        id: &TaskId,
        connector_config: &ConfigMap,
        task_config: &ConfigMap,
        state: TargetState,
    ) -> Result<()> {
        let _ = (id, connector_config, task_config, state);
        Ok(())
    }

    /// Stops tasks, failed ones too, and waits at most
    /// `task.shutdown.graceful.timeout.ms` for all of them together. Those that
    /// take longer are abandoned: they write no status and commit nothing any
    /// more. Tasks that are not here are passed over.
    pub async fn stop_tasks(&self, ids: &[TaskId]) {
        let _ = ids;
    }

    /// Brings a connector and its tasks, as far as they are here, to a state.
    /// Returns when the connector instance is there; tasks follow by themselves.
    /// STOPPED concerns the instance only: the herder stops the tasks.
    ///
    /// # Errors
    /// The error of the connector, which is FAILED then.
    pub async fn set_target_state(&self, connector: &str, state: TargetState) -> Result<()> {
        let _ = (connector, state);
        Ok(())
    }

    /// Whether a connector instance is here and started: not paused, stopped
    /// or failed.
    pub fn is_running(&self, connector: &str) -> bool {
        let _ = connector;
        false
    }

    /// The connector instances that are here, whatever their state, sorted.
    pub fn connectors(&self) -> Vec<String> {
        Vec::new()
    }

    /// The tasks that are here, whatever their state, sorted.
    pub fn tasks(&self) -> Vec<TaskId> {
        Vec::new()
    }

    /// The version of a connector that is here.
    pub fn connector_version(&self, connector: &str) -> Option<String> {
        let _ = connector;
        None
    }

    /// The version of a task that is here.
    pub fn task_version(&self, id: &TaskId) -> Option<String> {
        let _ = id;
        None
    }

    /// Stops all connectors and tasks and waits for them as
    /// [`Worker::stop_connector`] and [`Worker::stop_tasks`] do.
    pub async fn shutdown(&self) {
        let _ = &self.context;
    }
}
