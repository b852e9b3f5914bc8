//! Automatic restarts of tasks, an extension to Connect.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tether_storage::TaskId;

/// How often tasks were restarted without anybody asking. Unlike other counters
/// of a task these outlive its instances.
#[derive(Debug, Default)]
pub struct TaskRestartMetrics {
    totals: Mutex<BTreeMap<TaskId, u64>>,
}

impl TaskRestartMetrics {
    /// The counts (`automatic-restarts-total`) of the tasks that have any.
    pub fn values(&self) -> Vec<(TaskId, u64)> {
        let totals = self.totals();
        totals
            .iter()
            .map(|(id, count)| (id.clone(), *count))
            .collect()
    }

    /// A task is restarted.
    pub(crate) fn restarted(&self, id: &TaskId) {
        *self.totals().entry(id.clone()).or_default() += 1;
    }

    /// The tasks of this connector are gone.
    pub(crate) fn forget(&self, connector: &str) {
        self.totals().retain(|id, _| id.connector != connector);
    }

    fn totals(&self) -> MutexGuard<'_, BTreeMap<TaskId, u64>> {
        // The map is whole after every statement that holds the lock.
        self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
