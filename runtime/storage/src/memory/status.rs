//! Statuses in memory (`MemoryStatusBackingStore`).

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tether_api::Result;

use crate::status_bytes::Status;
use crate::status_state::{StatusState, StatusWrite};
use crate::{ConnectorStatus, StatusStore, TaskId, TaskStatus, TopicStatus};

/// A status store that lasts as long as the process: the one of a standalone
/// worker. Every write is durable at once.
#[derive(Default)]
pub struct MemoryStatusStore {
    state: Mutex<StatusState>,
}

impl MemoryStatusStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, StatusState> {
        // No code that can panic runs while the lock is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, put: impl FnOnce(&mut StatusState) -> Option<StatusWrite>) {
        let mut state = self.lock();
        if let Some(write) = put(&mut state) {
            state.written(&write, -1);
        }
    }
}

#[async_trait]
impl StatusStore for MemoryStatusStore {
    async fn start(&self) -> Result<()> {
        Ok(())
    }

    async fn stop(&self) {}

    async fn flush(&self) {}

    fn put_connector(&self, status: ConnectorStatus) {
        self.write(|state| state.put(Status::Connector(status), false));
    }

    fn put_connector_safe(&self, status: ConnectorStatus) {
        self.write(|state| state.put(Status::Connector(status), true));
    }

    fn put_task(&self, status: TaskStatus) {
        self.write(|state| state.put(Status::Task(status), false));
    }

    fn put_task_safe(&self, status: TaskStatus) {
        self.write(|state| state.put(Status::Task(status), true));
    }

    fn connector(&self, connector: &str) -> Option<ConnectorStatus> {
        self.lock().connector(connector)
    }

    fn connectors(&self) -> Vec<String> {
        self.lock().connectors()
    }

    fn task(&self, id: &TaskId) -> Option<TaskStatus> {
        self.lock().task(id)
    }

    fn tasks(&self, connector: &str) -> Vec<TaskStatus> {
        self.lock().tasks(connector)
    }

    fn put_topic(&self, status: TopicStatus) {
        self.write(|state| state.put(Status::Topic(status), false));
    }

    fn has_topic(&self, connector: &str, topic: &str) -> bool {
        self.lock().has_topic(connector, topic)
    }

    fn topics(&self, connector: &str) -> Vec<TopicStatus> {
        self.lock().topics(connector)
    }

    fn reset_topics(&self, connector: &str) {
        let mut state = self.lock();
        for write in state.reset_topics(connector) {
            state.written(&write, -1);
        }
    }
}
