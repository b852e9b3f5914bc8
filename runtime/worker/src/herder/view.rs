//! What a herder answers.

use tether_api::config::{ConfigKey, ConfigMap, ConfigValue};
use tether_storage::{State, TaskId};

/// Which way a connector's records go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum ConnectorKind {
    Source,
    Sink,
    /// The class is not known to this worker.
    Unknown,
}

impl ConnectorKind {
    /// The word for `type` in REST answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Sink => "sink",
            Self::Unknown => "unknown",
        }
    }
}

/// A connector as it is configured.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectorInfo {
    /// The name.
    pub name: String,
    /// The configuration as posted, variables unresolved.
    pub config: ConfigMap,
    /// The tasks in order.
    pub tasks: Vec<TaskId>,
    /// Source or sink.
    pub kind: ConnectorKind,
}

/// A task as it is configured.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskInfo {
    /// The task.
    pub id: TaskId,
    /// The configuration as stored.
    pub config: ConfigMap,
}

/// The status of a connector or task as REST shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceState {
    /// What it is doing.
    pub state: State,
    /// Where, as `host:port`.
    pub worker_id: String,
    /// The plugin's version.
    pub version: Option<String>,
    /// Why it failed.
    pub trace: Option<String>,
}

/// The statuses of a connector and its tasks.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectorState {
    /// The name.
    pub name: String,
    /// The status of the connector instance.
    pub connector: InstanceState,
    /// The statuses of the tasks by number.
    pub tasks: Vec<(u32, InstanceState)>,
    /// Source or sink.
    pub kind: ConnectorKind,
}

/// Whether something was created or existed already.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Created<T> {
    New(T),
    Existing(T),
}

/// How a worker is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Health {
    Healthy,
    Starting,
    Unhealthy,
    /// The worker answers, but cannot reach its group.
    Unreachable {
        /// Why, for a person.
        reason: String,
    },
}

/// Who works together, as far as one worker knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Membership {
    /// This worker runs alone.
    Alone,
    /// This worker leads; the URLs of the REST APIs of all members, its own
    /// among them.
    Leader(Vec<String>),
    /// The worker whose REST API has this URL leads, and knows the others.
    Follower(String),
    /// A rebalance is under way, or the worker is not in its group.
    Unsettled,
}

/// One line of a validation's answer. Either part may be missing: a key that
/// is not defined has a value only.
#[derive(Clone)]
pub struct ConfigInfo {
    /// The definition of the key.
    pub definition: Option<ConfigKey>,
    /// What was found for it.
    pub value: Option<ConfigValue>,
}

/// The answer of a validation.
#[derive(Clone)]
pub struct ConfigInfos {
    /// The connector class as it was given.
    pub name: String,
    /// The number of errors as the reference counts them (spec section 1.6).
    pub error_count: usize,
    /// The groups of forms in order.
    pub groups: Vec<String>,
    /// All keys.
    pub configs: Vec<ConfigInfo>,
}

/// The level of a logger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggerLevel {
    /// The level in upper case.
    pub level: String,
    /// When it was set, in milliseconds since the epoch; `None` if it never was.
    pub last_modified: Option<i64>,
}
