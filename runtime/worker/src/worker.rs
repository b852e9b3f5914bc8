//! The worker: it starts and stops connectors and tasks and owns everything
//! that runs for them. Herders command it; it decides nothing by itself.
//!
//! Configurations come in as they are stored, with their variables; the worker
//! resolves them where a connector or task starts.

mod connectors;
mod tasks;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use tether_api::config::ConfigMap;
use tether_api::{ConnectError, Result};
use tether_group::member::Member;
use tether_group::protocol::Protocol;
use tether_kafka::{Clients, fence_producers};
use tether_metrics::{Clock, Metrics};
use tether_storage::{OffsetStore, StatusStore, TargetState, TaskId};
use tokio::sync::mpsc;

pub use self::connectors::TaskConfigsError;
use crate::client_properties::{ClientProperties, OverridePolicy};
use crate::config::WorkerConfig;
use crate::config_provider::VariableResolver;
use crate::connector::ConnectorHandle;
use crate::conversion::SharedConverters;
use crate::metrics::{CoordinatorMetrics, RebalanceMetrics, TaskRestarts, WorkerMetrics};
use crate::plugins::Plugins;
use crate::source_offsets::SourceOffsets;
use crate::statuses::StatusOrigin;
use crate::task::TaskHandle;

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
    /// The generation of the group, which statuses carry
    /// ([`Worker::set_generation`]). 0 standalone.
    pub generation: Arc<AtomicI32>,
    /// Where the requests of connectors go. The herder may end: requests are
    /// dropped then.
    pub requests: mpsc::UnboundedSender<WorkerRequest>,
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
    metrics: WorkerMetrics,
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
            metrics: WorkerMetrics::register(&Metrics::new(
                context.config.metrics_sampling,
                Clock::system(),
            )),
            context: Arc::new(context),
            connectors: Mutex::default(),
            tasks: Mutex::default(),
            converters: SharedConverters::default(),
        })
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

    /// Stops all connectors and tasks and waits for them as
    /// [`Worker::stop_connector`] and [`Worker::stop_tasks`] do.
    pub async fn shutdown(&self) {
        let connectors = self.connectors();
        join_all(connectors.iter().map(|name| self.stop_connector(name))).await;
        self.stop_tasks(&self.tasks()).await;
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

    /// What the worker and everything that runs on it count and measure.
    pub fn metrics(&self) -> &Metrics {
        self.metrics.registry()
    }

    /// Registers what the worker tells of rebalances; a group that has not agreed
    /// on anything yet speaks this protocol.
    pub(crate) fn rebalance_metrics(&self, protocol: Protocol) -> RebalanceMetrics {
        let generation = Arc::clone(&self.context.generation);
        RebalanceMetrics::register(&self.metrics, protocol, generation)
    }

    /// Registers what a member of the group tells, whose connection has this
    /// `client.id`.
    pub(crate) fn coordinator_metrics(
        &self,
        client_id: &str,
        member: &Member,
    ) -> CoordinatorMetrics {
        CoordinatorMetrics::register(&self.metrics, client_id, member)
    }

    /// Writes the statuses of a connector and its tasks, as far as they are here,
    /// once more where another worker wrote over them that had them before.
    pub(crate) fn insist_on_statuses(&self, connector: &str) {
        if let Some(entry) = self.connectors_here().get(connector) {
            entry.handle.insist_on_status();
        }
        let all = TaskId::new(connector, 0)..=TaskId::new(connector, u32::MAX);
        for (_, entry) in self.tasks_here().range(all) {
            entry.handle.insist_on_status();
        }
    }

    /// Statuses carry this generation of the group from now on.
    pub fn set_generation(&self, generation: i32) {
        self.context.generation.store(generation, Ordering::Release);
    }

    /// Writes no statuses until there is another generation: the worker has lost
    /// its place in the group.
    pub(crate) fn lose_generation(&self) {
        self.set_generation(crate::statuses::NO_PLACE);
    }

    /// The generation that statuses carry.
    pub(crate) fn generation(&self) -> i32 {
        self.context.generation.load(Ordering::Acquire)
    }

    /// Counts automatic restarts of tasks.
    pub(crate) fn task_restarts(&self) -> &TaskRestarts {
        &self.metrics.task_restarts
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
