//! Herders: they decide what a worker runs. The REST API talks to the
//! [`Herder`] trait only.

mod answered;
mod elsewhere;
mod internal;
pub mod reconciling;
mod request;
mod view;

use std::sync::Arc;

use async_trait::async_trait;
use tether_api::config::ConfigDef;
use tether_api::plugin::PluginDescriptor;
use tether_api::{ConnectError, Result};
use tether_metrics::Metrics;
use tether_storage::{ConnectorStatus, RestartRequest, TargetState, TaskId, TaskStatus};

use crate::dead_letters::DeadLetters;

pub use answered::{Answered, answered, answered_with_code, status_of};
pub use elsewhere::{Elsewhere, elsewhere, target_of};
pub use internal::{ALGORITHM_HEADER, InternalRequest, Peers, SIGNATURE_HEADER};
pub use request::{ConnectorOffset, CreateConnector, OffsetChange, RawConfig};
pub use view::{
    ConfigInfo, ConfigInfos, ConnectorInfo, ConnectorKind, ConnectorState, Created, Health,
    InstanceState, LoggerLevel, Membership, TaskInfo,
};

/// What REST may ask of a worker.
///
/// Errors carry the status in their kind: `NotFound` 404, `AlreadyExists` 409,
/// `Config` 400 (the request is wrong), `IllegalState` 409 (repeat it later),
/// everything else 500. Messages are the reference's where it has one (spec
/// section 1.4). [`elsewhere`] makes REST forward the request to another worker,
/// [`answered`] gives a status that no kind has.
#[async_trait]
pub trait Herder: Send + Sync {
    /// This worker as statuses call it, `host:port`.
    fn worker_id(&self) -> String;

    /// The id of the Kafka cluster.
    fn kafka_cluster_id(&self) -> String;

    /// Whether the worker has started and answers (KIP-1017).
    async fn health(&self) -> Health;

    /// Who works together with this worker.
    fn membership(&self) -> Membership;

    /// What the worker counts and measures.
    fn metrics(&self) -> &Metrics;

    /// What the herder is doing, as a sentence for errors of requests that took
    /// too long; `None` if it is not known.
    fn stage(&self) -> Option<String>;

    /// The names of all connectors, sorted.
    fn connectors(&self) -> Vec<String>;

    /// A connector with its configuration as posted and its tasks.
    ///
    /// # Errors
    /// `NotFound`.
    async fn connector_info(&self, connector: &str) -> Result<ConnectorInfo>;

    /// The statuses of a connector and its tasks.
    ///
    /// # Errors
    /// `NotFound`, if there is no status yet.
    fn connector_state(&self, connector: &str) -> Result<ConnectorState>;

    /// The status of a task.
    ///
    /// # Errors
    /// `NotFound`.
    fn task_state(&self, id: &TaskId) -> Result<TaskStatus>;

    /// The tasks of a connector and their configurations as stored.
    ///
    /// # Errors
    /// `NotFound`.
    async fn task_infos(&self, connector: &str) -> Result<Vec<TaskInfo>>;

    /// Creates a connector.
    ///
    /// # Errors
    /// `AlreadyExists`, `Config`.
    async fn create_connector(&self, request: CreateConnector) -> Result<ConnectorInfo>;

    /// Creates a connector or replaces its configuration.
    ///
    /// # Errors
    /// `Config`.
    async fn put_connector_config(
        &self,
        connector: &str,
        config: RawConfig,
    ) -> Result<Created<ConnectorInfo>>;

    /// Changes keys of a connector's configuration; null deletes one (KIP-477).
    ///
    /// # Errors
    /// `NotFound`, `Config`.
    async fn patch_connector_config(
        &self,
        connector: &str,
        patch: RawConfig,
    ) -> Result<ConnectorInfo>;

    /// Deletes a connector.
    ///
    /// # Errors
    /// `NotFound`.
    async fn delete_connector(&self, connector: &str) -> Result<()>;

    /// Pauses, resumes or stops a connector. Pausing and resuming return once
    /// the wish is stored; stopping also removes the tasks.
    ///
    /// # Errors
    /// `NotFound`.
    async fn set_target_state(&self, connector: &str, state: TargetState) -> Result<()>;

    /// Restarts the connector instance and waits for the outcome.
    ///
    /// # Errors
    /// `NotFound`; the error of the connector's start.
    async fn restart_connector(&self, connector: &str) -> Result<()>;

    /// Restarts a connector and tasks of it (KIP-745). The answer shows
    /// RESTARTING where something will be restarted, which happens later.
    ///
    /// # Errors
    /// `NotFound`.
    async fn restart_connector_and_tasks(&self, request: RestartRequest) -> Result<ConnectorState>;

    /// Restarts a task.
    ///
    /// # Errors
    /// `NotFound`.
    async fn restart_task(&self, id: &TaskId) -> Result<()>;

    /// The topics that a connector uses, sorted; none for an unknown one.
    ///
    /// # Errors
    /// None today; a store may become unreadable.
    fn topics(&self, connector: &str) -> Result<Vec<String>>;

    /// Forgets the topics that a connector uses.
    ///
    /// # Errors
    /// As above.
    fn reset_topics(&self, connector: &str) -> Result<()>;

    /// Whether topics are tracked, and whether they may be forgotten.
    fn topic_tracking(&self) -> (bool, bool);

    /// The committed offsets of a connector.
    ///
    /// # Errors
    /// `NotFound`.
    async fn connector_offsets(&self, connector: &str) -> Result<Vec<ConnectorOffset>>;

    /// Sets or deletes all offsets of a stopped connector. Returns the sentence
    /// for the user.
    ///
    /// # Errors
    /// `NotFound`; `Config`, if the connector is not stopped or the offsets
    /// don't fit.
    async fn change_offsets(&self, connector: &str, change: OffsetChange) -> Result<String>;

    /// The newest records that a connector has put aside in its dead letter topic,
    /// at most so many. They are read from the worker's own Kafka cluster.
    ///
    /// # Errors
    /// `NotFound`, if there is no such connector, it has no dead letter topic, or
    /// the topic is not there yet; those of Kafka.
    async fn dead_letters(&self, connector: &str, most: usize) -> Result<DeadLetters>;

    /// The plugins, in the order in which REST lists them.
    fn plugins(&self) -> Vec<PluginDescriptor>;

    /// The keys of a plugin of any kind, by class name or alias: for
    /// connectors the own ones first, then those of the framework.
    ///
    /// # Errors
    /// `NotFound`, `Config`.
    fn plugin_config(&self, plugin: &str, version: Option<&str>) -> Result<Arc<ConfigDef>>;

    /// Checks a connector configuration; errors in it are part of the answer.
    ///
    /// # Errors
    /// `Config`, if there is no connector class to check against.
    async fn validate(&self, config: RawConfig) -> Result<ConfigInfos>;

    /// The loggers with a level, sorted by name; the root logger is `root`.
    fn loggers(&self) -> Vec<(String, LoggerLevel)>;

    /// A logger.
    fn logger(&self, name: &str) -> Option<LoggerLevel>;

    /// Sets the level of a logger and all below it; the names that changed,
    /// sorted. The level is one of log4j's words in upper case: OFF, FATAL, ERROR,
    /// WARN, INFO, DEBUG, TRACE, ALL.
    fn set_logger_level(&self, name: &str, level: &str) -> Vec<String>;

    /// Sets the level of a logger on all workers (KIP-976).
    ///
    /// # Errors
    /// Other, if the wish cannot be stored.
    async fn set_cluster_logger_level(&self, name: &str, level: &str) -> Result<()>;

    /// Internal (spec section 1.9): whether a request comes from a worker of the
    /// group. It is asked before the content of a request is looked at.
    ///
    /// # Errors
    /// Those of the signature, with the status of the reference; where there are
    /// no other workers, no request is taken.
    fn verify_internal_request(&self, request: &InternalRequest) -> Result<()> {
        Err(unexpected(request))
    }

    /// Internal (spec section 1.9): takes task configurations from another
    /// worker. The request is verified.
    ///
    /// # Errors
    /// Other, where there are no other workers; [`elsewhere`], if another one
    /// leads.
    async fn put_task_configs(&self, _connector: &str, _configs: Vec<RawConfig>) -> Result<()> {
        Err(no_peers())
    }

    /// Internal (spec section 1.9): fences zombie producers of source tasks. The
    /// request is verified.
    ///
    /// # Errors
    /// As above.
    async fn fence_zombies(&self, _connector: &str) -> Result<()> {
        Err(no_peers())
    }
}

/// What a worker without a group says to an internal request.
fn unexpected(request: &InternalRequest) -> ConnectError {
    match (&request.signature, &request.algorithm) {
        (Some(_), Some(_)) => no_peers(),
        _ => ConnectError::config("Internal request missing required signature"),
    }
}

fn no_peers() -> ConnectError {
    ConnectError::other("This worker runs alone and takes no requests of other workers.")
}

/// Both kinds of status have the same parts; REST shows them alike.
impl From<ConnectorStatus> for view::InstanceState {
    fn from(status: ConnectorStatus) -> Self {
        Self {
            state: status.state,
            worker_id: status.worker_id,
            version: status.version,
            trace: status.trace,
        }
    }
}

impl From<TaskStatus> for view::InstanceState {
    fn from(status: TaskStatus) -> Self {
        Self {
            state: status.state,
            worker_id: status.worker_id,
            version: status.version,
            trace: status.trace,
        }
    }
}
