//! Connectors and tasks.

use std::collections::BTreeSet;

use tether_storage::TaskId;

/// What one worker runs, or is to run or to stop
/// (`WorkerCoordinator.ConnectorsAndTasks`). Both are in the order of their
/// names, so that what is decided by order is always decided alike.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Work {
    /// Instances of connectors.
    pub connectors: BTreeSet<String>,
    /// Tasks, which need not be on the worker of their connector.
    pub tasks: BTreeSet<TaskId>,
}

impl Work {
    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.connectors.is_empty() && self.tasks.is_empty()
    }

    /// Adds all of the other.
    pub fn add(&mut self, other: &Self) {
        self.connectors.extend(other.connectors.iter().cloned());
        self.tasks.extend(other.tasks.iter().cloned());
    }

    /// Removes all of the other.
    pub fn remove(&mut self, other: &Self) {
        self.connectors
            .retain(|connector| !other.connectors.contains(connector));
        self.tasks.retain(|task| !other.tasks.contains(task));
    }

    /// What is here and not in any of the others.
    #[must_use]
    pub fn without<'a>(&self, others: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut rest = self.clone();
        others.into_iter().for_each(|other| rest.remove(other));
        rest
    }

    /// What is both here and in the other.
    #[must_use]
    pub fn common(&self, other: &Self) -> Self {
        Self {
            connectors: &self.connectors & &other.connectors,
            tasks: &self.tasks & &other.tasks,
        }
    }
}
