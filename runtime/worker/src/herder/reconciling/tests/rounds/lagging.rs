//! A config store whose reader is behind.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tether_api::config::ConfigMap;
use tether_api::{ConnectError, Result};
use tether_storage::{
    ConfigSnapshot, ConfigStore, ConfigUpdate, MemoryConfigStore, RestartRequest, SessionKey,
    TargetState,
};
use tokio::sync::mpsc;

/// Connectors that others have written are seen when the store is read to its
/// end, which may fail.
#[derive(Default)]
pub(super) struct Lagging {
    read: MemoryConfigStore,
    unread: Mutex<Vec<(String, ConfigMap)>>,
    to_refuse: AtomicUsize,
    refused: AtomicUsize,
}

impl Lagging {
    /// Another worker writes a connector. Returns the offset after it.
    pub(super) fn write_unread(&self, connector: &str, config: &ConfigMap) -> i64 {
        let mut unread = self.unread.lock().unwrap();
        unread.push((connector.to_owned(), config.clone()));
        self.snapshot().offset.max(0) + i64::try_from(unread.len()).unwrap()
    }

    /// Lets reading fail so many times.
    pub(super) fn refuse(&self, times: usize) {
        self.to_refuse.store(times, Ordering::SeqCst);
    }

    /// How often it has failed.
    pub(super) fn refused(&self) -> usize {
        self.refused.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl ConfigStore for Lagging {
    async fn start(&self) -> Result<()> {
        self.read.start().await
    }

    async fn stop(&self) {
        self.read.stop().await;
    }

    fn snapshot(&self) -> Arc<ConfigSnapshot> {
        self.read.snapshot()
    }

    fn take_updates(&self) -> Option<mpsc::UnboundedReceiver<ConfigUpdate>> {
        self.read.take_updates()
    }

    async fn put_connector_config(
        &self,
        connector: &str,
        config: &ConfigMap,
        initial_state: Option<TargetState>,
    ) -> Result<()> {
        let read = &self.read;
        read.put_connector_config(connector, config, initial_state)
            .await
    }

    async fn remove_connector(&self, connector: &str) -> Result<()> {
        self.read.remove_connector(connector).await
    }

    async fn put_task_configs(&self, connector: &str, configs: &[ConfigMap]) -> Result<()> {
        self.read.put_task_configs(connector, configs).await
    }

    async fn put_target_state(&self, connector: &str, state: TargetState) -> Result<()> {
        self.read.put_target_state(connector, state).await
    }

    async fn put_restart_request(&self, request: &RestartRequest) -> Result<()> {
        self.read.put_restart_request(request).await
    }

    async fn put_task_count_record(&self, connector: &str, tasks: usize) -> Result<()> {
        self.read.put_task_count_record(connector, tasks).await
    }

    async fn put_session_key(&self, key: &SessionKey) -> Result<()> {
        self.read.put_session_key(key).await
    }

    async fn put_logger_level(&self, logger: &str, level: &str) -> Result<()> {
        self.read.put_logger_level(logger, level).await
    }

    async fn refresh(&self, _: Duration) -> Result<()> {
        let left = &self.to_refuse;
        let refuses = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
            left.checked_sub(1)
        });
        if refuses.is_ok() {
            self.refused.fetch_add(1, Ordering::SeqCst);
            return Err(ConnectError::retriable("the topic cannot be read"));
        }
        let unread = std::mem::take(&mut *self.unread.lock().unwrap());
        for (connector, config) in unread {
            self.read
                .put_connector_config(&connector, &config, None)
                .await?;
        }
        Ok(())
    }
}
