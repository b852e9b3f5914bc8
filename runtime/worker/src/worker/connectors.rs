//! Connector instances: started, asked for the configurations of their tasks,
//! and stopped.

use std::sync::Arc;
use std::time::Duration;

use tether_api::config::ConfigMap;
use tether_api::offset::OffsetReader;
use tether_api::plugin::PluginKind;
use tether_api::{ConnectError, Result};
use tether_storage::{PartitionKeys, StoredOffsetReader, TargetState};
use tokio::time::Instant;
use tracing::Instrument as _;
use tracing::field::Empty;

use super::{Entry, Worker, class};
use crate::config_provider::Resolved;
use crate::connector::{self, ConnectorHandle, ConnectorSetup, TaskLimit};
use crate::metrics::ConnectorMetrics;
use crate::statuses::InstanceStatuses;
use crate::topic_creation::TopicCreation;
use crate::traces::{TARGET, within};

/// How long a connector instance may take to stop
/// (`CONNECTOR_GRACEFUL_SHUTDOWN_TIMEOUT_MS`).
const CONNECTOR_STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// Why there are no task configurations.
#[derive(Debug)]
pub enum TaskConfigsError {
    /// Asking again is useless: the connector does not run here, or it made too
    /// many tasks and is FAILED now.
    Final(ConnectError),
    /// The connector could not tell; ask again later.
    Repeat(ConnectError),
}

impl Worker {
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
                self.metrics.connector_startups.failed();
            })?;
            let transition = entry.handle.transition_to(state);
            connectors.insert(connector.to_owned(), entry);
            self.metrics.connectors(connectors.len());
            transition
        };
        let span = tracing::info_span!(
            target: TARGET, "start connector", connector, otel.status_code = Empty,
        );
        within(span, transition).await
    }

    /// Stops a connector instance, not its tasks, and writes UNASSIGNED. False
    /// if it was not here. A connector that takes longer than five seconds to
    /// stop is abandoned.
    pub async fn stop_connector(&self, connector: &str) -> bool {
        let entry = {
            let mut connectors = self.connectors_here();
            let entry = connectors.remove(connector);
            self.metrics.connectors(connectors.len());
            entry
        };
        let Some(entry) = entry else {
            return false;
        };
        let deadline = Instant::now() + CONNECTOR_STOP_TIMEOUT;
        let span = tracing::info_span!(target: TARGET, "stop connector", connector);
        let stopped = entry.handle.stop(connector, deadline);
        stopped.instrument(span).await;
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
        let span = tracing::info_span!(
            target: TARGET, "configure tasks", connector, otel.status_code = Empty,
        );
        Ok(within(span, asked).await?.stored(config))
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

    /// The version of a connector that is here.
    pub fn connector_version(&self, connector: &str) -> Option<String> {
        Some(self.connectors_here().get(connector)?.version.to_owned())
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
        let statuses = Arc::new(InstanceStatuses::connector(
            self.origin(),
            name,
            Some(plugin.version),
        ));
        let startups = &self.metrics.connector_startups;
        let (metrics, group) =
            ConnectorMetrics::register(self.metrics.registry(), name, plugin, startups);
        statuses.listen(metrics);
        Ok(Entry {
            version: plugin.version,
            handle: connector::spawn(ConnectorSetup {
                name: name.to_owned(),
                connector: context.plugins.new_connector(class)?,
                statuses,
                metrics: group,
                config,
                redaction,
                offsets,
                requests: context.requests.clone(),
            }),
        })
    }
}
