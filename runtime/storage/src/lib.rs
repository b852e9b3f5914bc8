//! Stores of connector configurations, source offsets and statuses: three
//! traits, and an implementation of each on Kafka's compacted topics, in memory
//! and (offsets) in a file.

mod config;
mod offset;
mod status;

pub use config::{
    ConfigSnapshot, ConfigStore, ConfigUpdate, ConnectorEntry, RestartRequest, TargetState,
};
pub use offset::OffsetStore;
pub use status::{ConnectorStatus, State, StatusStore, TaskStatus, TopicStatus};

/// A task of a connector.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId {
    /// The connector.
    pub connector: String,
    /// The task's number, from 0.
    pub task: u32,
}

impl TaskId {
    /// A task of a connector.
    pub fn new(connector: impl Into<String>, task: u32) -> Self {
        Self {
            connector: connector.into(),
            task,
        }
    }
}

impl std::fmt::Display for TaskId {
    /// `connector-task`, as Connect names tasks.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.connector, self.task)
    }
}
