//! Stores of connector configurations, source offsets and statuses: three
//! traits, and an implementation of each on Kafka's compacted topics, in memory
//! and (offsets) in a file.
//!
//! What the records amount to is decided by pure state machines
//! (`config_state`, `status_state`), what they look like by `*_bytes`; both are
//! those of the JVM worker, so that the two can take over from each other.

mod config;
mod config_bytes;
mod config_state;
mod config_view;
mod connector_locks;
mod connector_offset;
mod file;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod java_hash_map;
mod java_order;
mod json_text;
mod kafka;
mod memory;
mod offset;
pub mod offset_bytes;
mod offset_index;
mod offset_reader;
mod offset_writer;
mod partition_keys;
mod status;
mod status_bytes;
mod status_entry;
mod status_state;
#[cfg(any(test, feature = "test-util"))]
pub mod suite;

pub use config::{
    ConfigSnapshot, ConfigStore, ConfigUpdate, ConnectorEntry, RestartRequest, SessionKey,
    TargetState,
};
pub use connector_locks::ConnectorLocks;
pub use connector_offset::ConnectorOffsetStore;
pub use file::FileOffsetStore;
pub use java_order::java_hash_order;
pub use kafka::{
    ConnectorClients, InternalTopic, KafkaConfigStore, KafkaOffsetStore, KafkaStatusStore,
};
pub use memory::{MemoryConfigStore, MemoryOffsetStore, MemoryStatusStore};
pub use offset::{OffsetEntry, OffsetStore};
pub use offset_reader::StoredOffsetReader;
pub use offset_writer::OffsetWriter;
pub use partition_keys::PartitionKeys;
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
