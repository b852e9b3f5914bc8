//! The worker as a whole (`WorkerMetricsGroup`).

use std::sync::Arc;

use tether_metrics::{Gauge, Group, GroupBuilder, Metrics};

use super::{DOMAIN, Startups, TaskCounts, TaskRestarts};

/// Connectors and tasks of a worker, and how their starts went.
pub(crate) struct WorkerMetrics {
    registry: Metrics,
    connectors: Arc<Gauge>,
    tasks: Arc<Gauge>,
    /// Starts of connectors.
    pub(crate) connector_startups: Arc<Startups>,
    /// Starts of tasks.
    pub(crate) task_startups: Arc<Startups>,
    /// The tasks of each connector.
    pub(crate) task_counts: TaskCounts,
    /// Restarts of tasks without anybody asking.
    pub(crate) task_restarts: TaskRestarts,
    _group: Group,
}

impl WorkerMetrics {
    /// Registers the group of a worker.
    pub(crate) fn register(metrics: &Metrics) -> Self {
        let mut group = metrics.group(DOMAIN, "connect-worker-metrics");
        let connectors = group.gauge(
            "connector-count",
            "The number of connectors on this worker.",
        );
        let tasks = group.gauge("task-count", "The number of tasks on this worker.");
        let connector_startups = Startups::new(
            &mut group,
            [
                (
                    "connector-startup-attempts-total",
                    "The number of starts of connectors.",
                ),
                (
                    "connector-startup-success-total",
                    "The number of starts of connectors that succeeded.",
                ),
                (
                    "connector-startup-success-percentage",
                    "The part of the starts of connectors that succeeded, from 0 to 1.",
                ),
                (
                    "connector-startup-failure-total",
                    "The number of starts of connectors that failed.",
                ),
                (
                    "connector-startup-failure-percentage",
                    "The part of the starts of connectors that failed, from 0 to 1.",
                ),
            ],
        );
        let task_startups = Startups::new(
            &mut group,
            [
                (
                    "task-startup-attempts-total",
                    "The number of starts of tasks.",
                ),
                (
                    "task-startup-success-total",
                    "The number of starts of tasks that succeeded.",
                ),
                (
                    "task-startup-success-percentage",
                    "The part of the starts of tasks that succeeded, from 0 to 1.",
                ),
                (
                    "task-startup-failure-total",
                    "The number of starts of tasks that failed.",
                ),
                (
                    "task-startup-failure-percentage",
                    "The part of the starts of tasks that failed, from 0 to 1.",
                ),
            ],
        );
        Self {
            registry: metrics.clone(),
            connectors,
            tasks,
            connector_startups: Arc::new(connector_startups),
            task_startups: Arc::new(task_startups),
            task_counts: TaskCounts::default(),
            task_restarts: TaskRestarts::default(),
            _group: group.register(),
        }
    }

    /// Where all groups of the worker are.
    pub(crate) fn registry(&self) -> &Metrics {
        &self.registry
    }

    /// Adds how much of the group's work the worker has.
    pub(super) fn add_assigned(&self, group: &mut GroupBuilder) {
        for (name, help, count) in [
            (
                "assigned-connectors",
                "The number of connectors that this worker has.",
                &self.connectors,
            ),
            (
                "assigned-tasks",
                "The number of tasks that this worker has.",
                &self.tasks,
            ),
        ] {
            let count = Arc::clone(count);
            group.computed(name, help, move || count.get() as f64);
        }
    }

    /// There are so many connectors.
    pub(crate) fn connectors(&self, count: usize) {
        self.connectors
            .set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// There are so many tasks.
    pub(crate) fn tasks(&self, count: usize) {
        self.tasks.set(i64::try_from(count).unwrap_or(i64::MAX));
    }
}
