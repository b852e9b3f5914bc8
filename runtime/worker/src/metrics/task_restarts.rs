//! Automatic restarts of tasks, an extension to Connect.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tether_metrics::Counter;
use tether_storage::TaskId;

/// How often tasks were restarted without anybody asking. Unlike other counters
/// of a task these outlive its instances.
#[derive(Debug, Default)]
pub(crate) struct TaskRestarts(Mutex<BTreeMap<TaskId, Arc<Counter>>>);

impl TaskRestarts {
    /// The restarts of a task.
    pub(crate) fn of(&self, id: &TaskId) -> Arc<Counter> {
        Arc::clone(self.counters().entry(id.clone()).or_default())
    }

    /// The tasks of this connector are gone.
    pub(crate) fn forget(&self, connector: &str) {
        self.counters().retain(|id, _| id.connector != connector);
    }

    fn counters(&self) -> MutexGuard<'_, BTreeMap<TaskId, Arc<Counter>>> {
        // The map is whole after every statement that holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
