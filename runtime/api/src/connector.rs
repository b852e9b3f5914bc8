//! Connectors: they validate a configuration, split the work into tasks and
//! make the tasks.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::mpsc;

use crate::config::{ConfigDef, ConfigMap, ConfigValue};
use crate::offset::{OffsetMap, OffsetReader, TopicPartition};
use crate::sink::SinkTask;
use crate::source::SourceTask;
use crate::{ConnectError, Result};

/// A task of either kind.
pub enum Task {
    /// Reads from the outside into Kafka.
    Source(Box<dyn SourceTask>),
    /// Writes from Kafka to the outside.
    Sink(Box<dyn SinkTask>),
}

/// What a running connector can ask of its worker.
#[derive(Clone)]
pub struct ConnectorContext {
    requests: mpsc::UnboundedSender<ConnectorRequest>,
    offsets: Option<Arc<dyn OffsetReader>>,
}

/// A request of a connector to its worker.
#[derive(Debug)]
pub enum ConnectorRequest {
    /// The task configurations have to be made anew.
    ReconfigureTasks,
    /// The connector failed.
    Fail(ConnectError),
}

impl ConnectorContext {
    /// A context whose requests go to this channel. `offsets` is present for
    /// source connectors.
    pub fn new(
        requests: mpsc::UnboundedSender<ConnectorRequest>,
        offsets: Option<Arc<dyn OffsetReader>>,
    ) -> Self {
        Self { requests, offsets }
    }

    /// Asks the worker to make the task configurations anew and to restart the
    /// tasks if they changed.
    pub fn request_task_reconfiguration(&self) {
        // A worker that no longer listens has stopped the connector.
        let _ = self.requests.send(ConnectorRequest::ReconfigureTasks);
    }

    /// Reports that the connector cannot go on; its state becomes FAILED.
    pub fn raise_error(&self, error: ConnectError) {
        let _ = self.requests.send(ConnectorRequest::Fail(error));
    }

    /// The offsets that the connector's tasks committed; source connectors
    /// only.
    pub fn offsets(&self) -> Option<&Arc<dyn OffsetReader>> {
        self.offsets.as_ref()
    }
}

/// New source offsets by partition; `None` deletes one.
pub type SourceOffsets = Vec<(OffsetMap, Option<OffsetMap>)>;

/// New consumer offsets by partition; `None` deletes one.
pub type SinkOffsets = BTreeMap<TopicPartition, Option<i64>>;

/// Offsets that a user asks to set (KIP-875).
#[derive(Debug, Clone, PartialEq)]
pub enum AlteredOffsets {
    /// Of a source connector.
    Source(SourceOffsets),
    /// Of a sink connector.
    Sink(SinkOffsets),
}

/// Whether a connector can deliver exactly once (KIP-618).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ExactlyOnceSupport {
    Supported,
    Unsupported,
}

/// Whether the tasks of a connector can define where transactions end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ConnectorTransactionBoundaries {
    Supported,
    Unsupported,
}

/// A connector: it lives while the connector is started and makes task
/// configurations. Data flows through its tasks only.
///
/// The worker calls one method at a time.
#[async_trait]
pub trait Connector: Send + Sync {
    /// The connector's own keys.
    fn config_def(&self) -> Arc<ConfigDef>;

    /// Checks a configuration; every error at once, on the key that it belongs
    /// to. May do I/O, within a few seconds. The default applies
    /// [`Connector::config_def`].
    async fn validate(&self, config: &ConfigMap) -> Vec<ConfigValue> {
        self.config_def().validate(config)
    }

    /// Starts with a configuration whose variables are resolved.
    ///
    /// # Errors
    /// Any error makes the connector FAILED.
    async fn start(&mut self, context: ConnectorContext, config: ConfigMap) -> Result<()>;

    /// One configuration per task, at most `max_tasks` (`tasks.max`, at least 1).
    ///
    /// # Errors
    /// Are repeated with backoff by the worker.
    async fn task_configs(&mut self, max_tasks: usize) -> Result<Vec<ConfigMap>>;

    /// A new task; it gets one of the task configurations when it starts.
    fn new_task(&self) -> Task;

    /// The Java class of the tasks, which stands as `task.class` in the stored
    /// task configurations.
    fn task_class(&self) -> &'static str;

    /// Stops. Also called when [`Connector::start`] failed.
    ///
    /// # Errors
    /// Are logged.
    async fn stop(&mut self) -> Result<()> {
        Ok(())
    }

    /// Checks offsets that a user wants to set while the connector is stopped,
    /// and sets those that it keeps outside of Kafka Connect itself. `Ok(true)`
    /// says that nothing is left to do by hand (KIP-875).
    ///
    /// # Errors
    /// Refuse the request.
    async fn alter_offsets(&self, _config: &ConfigMap, _offsets: &AlteredOffsets) -> Result<bool> {
        Ok(false)
    }

    /// The same for a request to forget all offsets of the connector. `offsets`
    /// are those that Kafka Connect knows of; the connector may keep more.
    ///
    /// # Errors
    /// Refuse the request.
    async fn reset_offsets(&self, config: &ConfigMap, offsets: &AlteredOffsets) -> Result<bool> {
        self.alter_offsets(config, offsets).await
    }

    /// Whether a source with this configuration delivers exactly once on a
    /// worker that supports it: after a restart it has to find the same records
    /// after an offset. `None` says that nobody has thought about it.
    ///
    /// # Errors
    /// If the configuration is too wrong to tell.
    fn exactly_once_support(&self, _config: &ConfigMap) -> Result<Option<ExactlyOnceSupport>> {
        Ok(None)
    }

    /// Whether the tasks of a source with this configuration can say where
    /// transactions end (`transaction.boundary=connector`).
    ///
    /// # Errors
    /// As above.
    fn can_define_transaction_boundaries(
        &self,
        _config: &ConfigMap,
    ) -> Result<ConnectorTransactionBoundaries> {
        Ok(ConnectorTransactionBoundaries::Unsupported)
    }
}
