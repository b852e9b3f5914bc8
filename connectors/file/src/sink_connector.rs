//! The sink connector: every task appends to the same file.

use std::sync::Arc;

use async_trait::async_trait;
use tether_api::Result;
use tether_api::config::{ConfigDef, ConfigMap};
use tether_api::connector::{AlteredOffsets, Connector, ConnectorContext, Task};

use crate::config;
use crate::sink_task::FileStreamSinkTask;

/// `org.apache.kafka.connect.file.FileStreamSinkConnector`
#[derive(Default)]
pub(crate) struct FileStreamSinkConnector {
    config: ConfigMap,
}

#[async_trait]
impl Connector for FileStreamSinkConnector {
    fn config_def(&self) -> Arc<ConfigDef> {
        config::sink()
    }

    async fn start(&mut self, _context: ConnectorContext, config: ConfigMap) -> Result<()> {
        let path = config::sink_path(&config)?;
        tracing::info!(
            file = path.as_deref().unwrap_or("standard output"),
            "Starting file sink connector"
        );
        self.config = config;
        Ok(())
    }

    async fn task_configs(&mut self, max_tasks: usize) -> Result<Vec<ConfigMap>> {
        Ok(vec![self.config.clone(); max_tasks])
    }

    fn new_task(&self) -> Task {
        Task::Sink(Box::new(FileStreamSinkTask::default()))
    }

    fn task_class(&self) -> &'static str {
        "org.apache.kafka.connect.file.FileStreamSinkTask"
    }

    async fn alter_offsets(&self, _config: &ConfigMap, _offsets: &AlteredOffsets) -> Result<bool> {
        // All offsets of a sink are the consumer group's.
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn every_task_gets_the_whole_configuration() {
        let mut connector = FileStreamSinkConnector::default();
        let config = ConfigMap::from([("file".to_owned(), "/f".to_owned())]);
        let (requests, _receiver) = mpsc::unbounded_channel();
        connector
            .start(ConnectorContext::new(requests, None), config.clone())
            .await
            .unwrap();
        assert_eq!(
            connector.task_configs(2).await.unwrap(),
            [config.clone(), config]
        );
    }
}
