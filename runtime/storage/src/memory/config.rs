//! Configurations in memory (`MemoryConfigBackingStore`).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tether_api::config::ConfigMap;
use tether_api::{ConnectError, Result};
use tokio::sync::{Mutex, mpsc};

use crate::config_bytes::ConfigRecord;
use crate::config_view::ConfigView;
use crate::{ConfigSnapshot, ConfigStore, ConfigUpdate, RestartRequest, SessionKey, TargetState};

/// A configuration store that lasts as long as the process: the one of a
/// standalone worker, whose connectors come from files at each start.
///
/// It runs the records that [`crate::kafka::KafkaConfigStore`] would write
/// through the same state machine, so the two behave alike. In contrast to that
/// one it refuses tasks and target states of connectors that do not exist, as
/// the reference does.
#[derive(Default)]
pub struct MemoryConfigStore {
    view: ConfigView,
    /// Held while the records of one call are appended.
    writes: Mutex<()>,
}

impl MemoryConfigStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    async fn append(&self, records: impl IntoIterator<Item = ConfigRecord>) {
        let _write = self.writes.lock().await;
        for record in records {
            self.view.append(record);
        }
    }

    fn check_exists(&self, connector: &str, message: &str) -> Result<()> {
        match self.view.snapshot().connector(connector) {
            Some(_) => Ok(()),
            None => {
                Err(ConnectError::other(message).with_class("java.lang.IllegalArgumentException"))
            }
        }
    }
}

#[async_trait]
impl ConfigStore for MemoryConfigStore {
    async fn start(&self) -> Result<()> {
        self.view.caught_up();
        Ok(())
    }

    async fn stop(&self) {}

    fn snapshot(&self) -> Arc<ConfigSnapshot> {
        self.view.snapshot()
    }

    fn take_updates(&self) -> Option<mpsc::UnboundedReceiver<ConfigUpdate>> {
        self.view.take_updates()
    }

    async fn put_connector_config(
        &self,
        connector: &str,
        config: &ConfigMap,
        initial_state: Option<TargetState>,
    ) -> Result<()> {
        self.append(ConfigRecord::connector(connector, config, initial_state))
            .await;
        Ok(())
    }

    async fn remove_connector(&self, connector: &str) -> Result<()> {
        if self.view.snapshot().connector(connector).is_some() {
            self.append(ConfigRecord::removal(connector)).await;
        }
        Ok(())
    }

    async fn put_task_configs(&self, connector: &str, configs: &[ConfigMap]) -> Result<()> {
        self.check_exists(connector, "Cannot put tasks for non-existing connector")?;
        let (tasks, commit) = ConfigRecord::tasks(connector, configs)?;
        self.append(tasks.into_iter().chain([commit])).await;
        Ok(())
    }

    async fn put_target_state(&self, connector: &str, state: TargetState) -> Result<()> {
        self.check_exists(connector, &format!("No connector `{connector}` configured"))?;
        self.append([ConfigRecord::TargetState(connector.to_owned(), Some(state))])
            .await;
        Ok(())
    }

    async fn put_restart_request(&self, request: &RestartRequest) -> Result<()> {
        self.append([ConfigRecord::Restart(request.clone())]).await;
        Ok(())
    }

    async fn put_task_count_record(&self, connector: &str, tasks: usize) -> Result<()> {
        self.append([ConfigRecord::task_count(connector, tasks)?])
            .await;
        Ok(())
    }

    async fn put_session_key(&self, key: &SessionKey) -> Result<()> {
        self.append([ConfigRecord::SessionKey(key.clone())]).await;
        Ok(())
    }

    async fn put_logger_level(&self, logger: &str, level: &str) -> Result<()> {
        self.append([ConfigRecord::LoggerLevel(
            logger.to_owned(),
            level.to_owned(),
        )])
        .await;
        Ok(())
    }

    async fn refresh(&self, _timeout: Duration) -> Result<()> {
        Ok(())
    }
}
