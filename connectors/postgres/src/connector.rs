//! The connector: it validates the configuration and has one task, as a slot
//! has one reader.

use std::sync::Arc;

use async_trait::async_trait;
use tether_api::Result;
use tether_api::config::{ConfigDef, ConfigMap, ConfigValue};
use tether_api::connector::{Connector, ConnectorContext, ExactlyOnceSupport, Task};

use crate::source_task::PostgresSourceTask;
use crate::{config, preflight};

/// `io.debezium.connector.postgresql.PostgresConnector`
#[derive(Debug, Default)]
pub(crate) struct PostgresConnector {
    config: ConfigMap,
}

#[async_trait]
impl Connector for PostgresConnector {
    fn config_def(&self) -> Arc<ConfigDef> {
        config::definition()
    }

    async fn validate(&self, config: &ConfigMap) -> Vec<ConfigValue> {
        preflight::validate(config).await
    }

    /// Reads nothing of the configuration: as in the reference, what validation
    /// has not found is found by the task.
    async fn start(&mut self, _context: ConnectorContext, config: ConfigMap) -> Result<()> {
        self.config = config;
        Ok(())
    }

    async fn task_configs(&mut self, _max_tasks: usize) -> Result<Vec<ConfigMap>> {
        Ok(vec![self.config.clone()])
    }

    fn new_task(&self) -> Task {
        Task::Source(Box::<PostgresSourceTask>::default())
    }

    fn task_class(&self) -> &'static str {
        "io.debezium.connector.postgresql.PostgresConnectorTask"
    }

    fn exactly_once_support(&self, _config: &ConfigMap) -> Result<Option<ExactlyOnceSupport>> {
        Ok(Some(ExactlyOnceSupport::Supported))
    }
}
