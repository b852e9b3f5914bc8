//! The store of connector configurations (`ConfigBackingStore`).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tether_api::Result;
use tether_api::config::ConfigMap;
use tokio::sync::mpsc;

use crate::TaskId;

/// What a user wants a connector to be (`TargetState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[allow(missing_docs)]
pub enum TargetState {
    #[default]
    Started,
    Paused,
    Stopped,
}

/// A request to restart a connector and tasks of it (KIP-745).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestartRequest {
    /// The connector.
    pub connector: String,
    /// Only instances that are FAILED.
    pub only_failed: bool,
    /// Tasks too.
    pub include_tasks: bool,
}

impl fmt::Display for RestartRequest {
    /// Java's text, which error messages contain.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "restart request for {{connectorName='{}', onlyFailed={}, includeTasks={}}}",
            self.connector, self.only_failed, self.include_tasks
        )
    }
}

/// What one connector's records in the store amount to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConnectorEntry {
    /// The configuration as it was posted, variables unresolved.
    pub config: ConfigMap,
    /// What the user wants it to be.
    pub target_state: TargetState,
    /// The committed task configurations by number. Empty while the records in
    /// the store are inconsistent.
    pub tasks: BTreeMap<u32, ConfigMap>,
    /// The number of tasks of the last commit.
    pub task_count: usize,
    /// Counts commits of task configurations; `None` before the first.
    pub task_generation: Option<u64>,
    /// The connector configuration at the last commit of tasks.
    pub applied_config: Option<ConfigMap>,
    /// The last commit was incomplete: some task records were missing.
    pub inconsistent: bool,
    /// How many producers of its tasks may exist (exactly-once); `None` if no
    /// record of it was read.
    pub task_count_record: Option<u32>,
    /// Task configurations were committed after that record, so that old
    /// producers have to be fenced off before tasks start (exactly-once).
    pub pending_fencing: bool,
}

/// The key with which workers sign requests to each other (KIP-507).
#[derive(Clone, PartialEq, Eq)]
pub struct SessionKey {
    /// The secret.
    pub key: Arc<[u8]>,
    /// What it is for, such as `HmacSHA256`.
    pub algorithm: String,
    /// When it was made, in milliseconds since the epoch.
    pub created: i64,
}

impl fmt::Debug for SessionKey {
    /// Never shows the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionKey")
            .field("algorithm", &self.algorithm)
            .field("created", &self.created)
            .finish_non_exhaustive()
    }
}

/// The whole store at one moment (`ClusterConfigState`).
#[derive(Debug, Clone, Default)]
pub struct ConfigSnapshot {
    /// The offset after the last record that is part of it; -1 if none is.
    pub offset: i64,
    /// The connectors by name.
    pub connectors: BTreeMap<String, Arc<ConnectorEntry>>,
    /// The key with which workers sign requests to each other.
    pub session_key: Option<SessionKey>,
}

impl ConfigSnapshot {
    /// A connector's entry.
    pub fn connector(&self, name: &str) -> Option<&Arc<ConnectorEntry>> {
        self.connectors.get(name)
    }

    /// The tasks of a connector, in order.
    pub fn tasks(&self, name: &str) -> Vec<TaskId> {
        self.connector(name)
            .map(|entry| {
                entry
                    .tasks
                    .keys()
                    .map(|task| TaskId::new(name, *task))
                    .collect()
            })
            .unwrap_or_default()
    }

    /// The configuration of a task.
    pub fn task_config(&self, id: &TaskId) -> Option<&ConfigMap> {
        self.connector(&id.connector)?.tasks.get(&id.task)
    }
}

/// A change that was read from the store, by this or another worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigUpdate {
    /// A connector was created or its configuration changed.
    ConnectorConfig(String),
    /// A connector was deleted.
    ConnectorRemoved(String),
    /// Task configurations were committed.
    Tasks(String),
    /// What the user wants a connector to be changed.
    TargetState(String),
    /// A restart was asked for.
    Restart(RestartRequest),
    /// There is a new key with which workers sign requests to each other; the
    /// snapshot has it.
    SessionKey,
    /// A logger's level was set for the whole cluster (KIP-976).
    LoggerLevel {
        /// The logger.
        logger: String,
        /// The level in upper case.
        level: String,
    },
}

/// Stores connector configurations. Every write returns after it has been read
/// back, so that a snapshot taken afterwards has it.
#[async_trait]
pub trait ConfigStore: Send + Sync {
    /// Reads everything there is. Updates are sent only for changes that come
    /// later.
    ///
    /// # Errors
    /// If the store cannot be opened or must not be used as it is.
    async fn start(&self) -> Result<()>;

    /// Ends reading.
    async fn stop(&self);

    /// The present state; cheap.
    fn snapshot(&self) -> Arc<ConfigSnapshot>;

    /// The stream of updates. Its first caller gets it.
    fn take_updates(&self) -> Option<mpsc::UnboundedReceiver<ConfigUpdate>>;

    /// Creates or changes a connector. An initial target state is written
    /// before the configuration (KIP-980).
    ///
    /// # Errors
    /// Other, with the reference's text, after 30 s.
    async fn put_connector_config(
        &self,
        connector: &str,
        config: &ConfigMap,
        initial_state: Option<TargetState>,
    ) -> Result<()>;

    /// Deletes a connector.
    ///
    /// # Errors
    /// As above.
    async fn remove_connector(&self, connector: &str) -> Result<()>;

    /// Replaces all task configurations of a connector, in one commit.
    ///
    /// # Errors
    /// As above.
    async fn put_task_configs(&self, connector: &str, configs: &[ConfigMap]) -> Result<()>;

    /// Sets what the user wants a connector to be.
    ///
    /// # Errors
    /// As above.
    async fn put_target_state(&self, connector: &str, state: TargetState) -> Result<()>;

    /// Asks all workers to restart a connector.
    ///
    /// # Errors
    /// As above.
    async fn put_restart_request(&self, request: &RestartRequest) -> Result<()>;

    /// Notes that this many producers of a connector's tasks may exist, and that
    /// those of earlier commits are fenced (KIP-618).
    ///
    /// # Errors
    /// As above.
    async fn put_task_count_record(&self, connector: &str, tasks: usize) -> Result<()>;

    /// Gives all workers a new key for signing requests to each other (KIP-507).
    ///
    /// # Errors
    /// As above.
    async fn put_session_key(&self, key: &SessionKey) -> Result<()>;

    /// Makes this worker the only one that can write what a leader writes:
    /// everything here but target states and levels of loggers. Does nothing if
    /// it is so already, or if the store makes no difference. A write that fails
    /// may have lost the right again; the next claim renews it.
    ///
    /// # Errors
    /// Those of the client.
    async fn claim_write_privileges(&self) -> Result<()> {
        Ok(())
    }

    /// Sets a logger's level on all workers.
    ///
    /// # Errors
    /// As above.
    async fn put_logger_level(&self, logger: &str, level: &str) -> Result<()>;

    /// Reads to the present end of the store.
    ///
    /// # Errors
    /// Retriable, if that takes longer than `timeout`.
    async fn refresh(&self, timeout: Duration) -> Result<()>;
}
