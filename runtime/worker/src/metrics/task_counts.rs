//! How many tasks of a connector there are in which state
//! (`Worker.ConnectorStatusMetricsGroup`).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tether_metrics::{Gauge, Group, Metrics};
use tether_storage::State;

use super::connector_group;

/// The counts of all connectors with tasks on this worker.
#[derive(Default)]
pub(crate) struct TaskCounts(Mutex<BTreeMap<String, Weak<ConnectorTasks>>>);

/// The counts of a connector; they vanish with the last task.
pub(super) struct ConnectorTasks {
    total: Arc<Gauge>,
    running: Arc<Gauge>,
    paused: Arc<Gauge>,
    failed: Arc<Gauge>,
    unassigned: Arc<Gauge>,
    destroyed: Arc<Gauge>,
    restarting: Arc<Gauge>,
    _group: Group,
}

impl TaskCounts {
    /// The counts of a connector.
    pub(super) fn of(&self, metrics: &Metrics, connector: &str) -> Arc<ConnectorTasks> {
        // The map is whole after every statement that holds the lock.
        let mut connectors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = connectors.get(connector).and_then(Weak::upgrade) {
            return known;
        }
        connectors.retain(|_, tasks| tasks.strong_count() > 0);
        let tasks = Arc::new(ConnectorTasks::register(metrics, connector));
        connectors.insert(connector.to_owned(), Arc::downgrade(&tasks));
        tasks
    }
}

impl ConnectorTasks {
    fn register(metrics: &Metrics, connector: &str) -> Self {
        let mut group = connector_group(metrics, "connect-worker-metrics", connector);
        Self {
            total: group.gauge(
                "connector-total-task-count",
                "The number of tasks of the connector on this worker.",
            ),
            running: group.gauge(
                "connector-running-task-count",
                "The number of running tasks of the connector on this worker.",
            ),
            paused: group.gauge(
                "connector-paused-task-count",
                "The number of paused tasks of the connector on this worker.",
            ),
            failed: group.gauge(
                "connector-failed-task-count",
                "The number of failed tasks of the connector on this worker.",
            ),
            unassigned: group.gauge(
                "connector-unassigned-task-count",
                "The number of tasks of the connector on this worker that do not run yet or any more.",
            ),
            destroyed: group.gauge(
                "connector-destroyed-task-count",
                "The number of deleted tasks of the connector on this worker.",
            ),
            restarting: group.gauge(
                "connector-restarting-task-count",
                "The number of tasks of the connector on this worker that are being restarted.",
            ),
            _group: group.register(),
        }
    }

    /// There is a task more, in this state.
    pub(super) fn added(&self, state: State) {
        self.total.add(1);
        self.add(state, 1);
    }

    /// There is a task less, which was in this state.
    pub(super) fn removed(&self, state: State) {
        self.total.add(-1);
        self.add(state, -1);
    }

    /// A task has gone from one state to another.
    pub(super) fn moved(&self, from: State, to: State) {
        self.add(from, -1);
        self.add(to, 1);
    }

    fn add(&self, state: State, count: i64) {
        let gauge = match state {
            State::Running => &self.running,
            State::Paused => &self.paused,
            State::Failed => &self.failed,
            State::Unassigned => &self.unassigned,
            State::Destroyed => &self.destroyed,
            State::Restarting => &self.restarting,
            // Tasks are never stopped, they end.
            State::Stopped => return,
        };
        gauge.add(count);
    }
}
