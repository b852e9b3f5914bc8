//! A task as a worker runs it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tether_api::Result;
use tether_api::config::ConfigMap;
use tether_api::connector::{Connector, ConnectorContext, Task};
use tether_api::metrics::Metrics;
use tether_api::offset::{OffsetMap, OffsetReader};
use tether_api::plugin::PluginFactory;
use tether_api::record::SourceRecord;
use tether_api::source::{CommittedOffsets, SourceTask, SourceTaskContext};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

const DEADLINE: Duration = Duration::from_secs(30);

struct NoOffsets;

#[async_trait]
impl OffsetReader for NoOffsets {
    async fn offsets(&self, partitions: &[OffsetMap]) -> Result<Vec<Option<OffsetMap>>> {
        Ok(vec![None; partitions.len()])
    }
}

/// The connector of the crate, and its configurations for `max_tasks`.
pub(crate) async fn connector(
    config: ConfigMap,
    max_tasks: usize,
) -> (Box<dyn Connector>, Vec<ConfigMap>) {
    let plugin = tether_connector_rest::plugins().remove(0);
    let PluginFactory::Source(create) = plugin.factory else {
        panic!("{} is not a source", plugin.class);
    };
    let mut connector = create();
    let (requests, _) = mpsc::unbounded_channel();
    connector
        .start(ConnectorContext::new(requests, None), config)
        .await
        .unwrap();
    let configs = connector.task_configs(max_tasks).await.unwrap();
    (connector, configs)
}

pub(crate) struct Running {
    pub(crate) task: Box<dyn SourceTask>,
    pub(crate) stopping: CancellationToken,
}

impl Running {
    /// Starts a task on this URL. Polls follow each other quickly.
    pub(crate) async fn start(url: &str, more: &[(&str, &str)]) -> Self {
        let mut config = ConfigMap::from([
            ("rest.endpoint".to_owned(), url.to_owned()),
            ("poll.interval.ms".to_owned(), "20".to_owned()),
            ("topic".to_owned(), "users".to_owned()),
        ]);
        for (key, value) in more {
            config.insert((*key).to_owned(), (*value).to_owned());
        }
        let (connector, mut configs) = connector(config, 1).await;
        let Task::Source(mut task) = connector.new_task() else {
            panic!("not a source task");
        };
        let stopping = CancellationToken::new();
        let (_, committed) = watch::channel(CommittedOffsets::default());
        let context = SourceTaskContext {
            offsets: Arc::new(NoOffsets),
            stopping: stopping.clone(),
            committed,
            transactions: None,
            metrics: Metrics::default(),
        };
        task.start(context, configs.remove(0)).await.unwrap();
        Self { task, stopping }
    }

    /// Polls until there are this many records; errors fail the test.
    pub(crate) async fn records(&mut self, count: usize) -> Vec<SourceRecord> {
        self.poll_until(count).await.unwrap()
    }

    /// Polls until there is an error, and returns its text.
    pub(crate) async fn error(&mut self) -> String {
        let error = self.poll_until(usize::MAX).await.unwrap_err();
        assert!(error.is_retriable(), "{error}");
        error.to_string()
    }

    async fn poll_until(&mut self, count: usize) -> Result<Vec<SourceRecord>> {
        let all = async {
            let mut records = Vec::new();
            while records.len() < count {
                records.extend(self.task.poll().await?);
            }
            Ok(records)
        };
        tokio::time::timeout(DEADLINE, all)
            .await
            .expect("records in time")
    }
}
