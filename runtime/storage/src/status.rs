//! The store of statuses (`StatusBackingStore`).

use async_trait::async_trait;
use tether_api::Result;

use crate::TaskId;

/// What a connector or task is doing (`AbstractStatus.State`). Clients know
/// exactly these words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum State {
    Unassigned,
    Running,
    Paused,
    Failed,
    /// Deleted; stored as a tombstone and never shown.
    Destroyed,
    Restarting,
    /// Of connectors only.
    Stopped,
}

impl State {
    /// The word in upper case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unassigned => "UNASSIGNED",
            Self::Running => "RUNNING",
            Self::Paused => "PAUSED",
            Self::Failed => "FAILED",
            Self::Destroyed => "DESTROYED",
            Self::Restarting => "RESTARTING",
            Self::Stopped => "STOPPED",
        }
    }

    /// The state of this word.
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::Unassigned,
            Self::Running,
            Self::Paused,
            Self::Failed,
            Self::Destroyed,
            Self::Restarting,
            Self::Stopped,
        ]
        .into_iter()
        .find(|state| state.name() == name)
    }
}

/// The status of a connector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectorStatus {
    /// The connector.
    pub connector: String,
    /// What it is doing.
    pub state: State,
    /// Why it failed.
    pub trace: Option<String>,
    /// The worker, as `host:port`.
    pub worker_id: String,
    /// The generation of the group in which this was written; 0 standalone.
    pub generation: i32,
    /// The plugin's version (KIP-891).
    pub version: Option<String>,
}

/// The status of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskStatus {
    /// The task.
    pub id: TaskId,
    /// What it is doing.
    pub state: State,
    /// Why it failed.
    pub trace: Option<String>,
    /// The worker, as `host:port`.
    pub worker_id: String,
    /// The generation of the group in which this was written; 0 standalone.
    pub generation: i32,
    /// The plugin's version (KIP-891).
    pub version: Option<String>,
}

/// A topic that a connector uses (KIP-558).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicStatus {
    /// The topic.
    pub topic: String,
    /// The connector.
    pub connector: String,
    /// The task that used it first.
    pub task: u32,
    /// When, in milliseconds since the epoch.
    pub discovered: i64,
}

/// Stores statuses. Writes are queued and made durable in the background, the
/// newest first in the cache, so that a read sees one's own write.
#[async_trait]
pub trait StatusStore: Send + Sync {
    /// Reads everything there is.
    ///
    /// # Errors
    /// If the store cannot be opened or must not be used as it is.
    async fn start(&self) -> Result<()>;

    /// Makes queued writes durable and ends.
    async fn stop(&self);

    /// Waits until every write so far is durable.
    async fn flush(&self);

    /// Writes a connector's status.
    fn put_connector(&self, status: ConnectorStatus);

    /// Writes a connector's status unless another worker of a later generation
    /// wrote before ("safe" write, spec section 3.4).
    fn put_connector_safe(&self, status: ConnectorStatus);

    /// Writes a task's status.
    fn put_task(&self, status: TaskStatus);

    /// Writes a task's status unless another worker of a later generation wrote
    /// before.
    fn put_task_safe(&self, status: TaskStatus);

    /// A connector's status.
    fn connector(&self, connector: &str) -> Option<ConnectorStatus>;

    /// The connectors that have a status, sorted.
    fn connectors(&self) -> Vec<String>;

    /// A task's status.
    fn task(&self, id: &TaskId) -> Option<TaskStatus>;

    /// The statuses of a connector's tasks, by number.
    fn tasks(&self, connector: &str) -> Vec<TaskStatus>;

    /// Notes that a connector uses a topic; does nothing if that is known.
    fn put_topic(&self, status: TopicStatus);

    /// Whether it is known that a connector uses a topic.
    fn has_topic(&self, connector: &str, topic: &str) -> bool;

    /// The topics of a connector, by name.
    fn topics(&self, connector: &str) -> Vec<TopicStatus>;

    /// Forgets the topics of a connector.
    fn reset_topics(&self, connector: &str);
}
