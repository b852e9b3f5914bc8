//! What a worker counts and measures while it runs: the groups of the reference
//! (`ConnectMetricsRegistry`, spec section 9). `docs/metrics.md` lists them.

mod connector;
mod coordinator;
mod partition_lag;
mod rebalance;
mod sink_task;
mod source_task;
mod startups;
mod state_times;
mod task;
mod task_counts;
mod task_errors;
mod task_restarts;
mod transformations;
mod worker;

pub(crate) use connector::ConnectorMetrics;
pub(crate) use coordinator::CoordinatorMetrics;
pub(crate) use partition_lag::{ConsumerLags, PartitionLag};
pub(crate) use rebalance::RebalanceMetrics;
pub(crate) use sink_task::SinkTaskMetrics;
pub(crate) use source_task::SourceTaskMetrics;
pub(crate) use startups::Startups;
pub(crate) use task::{TaskGroups, TaskMetrics, TaskPlugins};
pub(crate) use task_counts::TaskCounts;
pub(crate) use task_errors::TaskErrorMetrics;
pub(crate) use task_restarts::TaskRestarts;
pub(crate) use transformations::register_transformations;
pub(crate) use worker::WorkerMetrics;

use tether_metrics::{GroupBuilder, Metrics};
use tether_storage::{State, TaskId};

/// The domain of all groups of the reference.
const DOMAIN: &str = "kafka.connect";

/// A group of a connector.
fn connector_group(metrics: &Metrics, kind: &'static str, connector: &str) -> GroupBuilder {
    let mut group = metrics.group(DOMAIN, kind);
    group.tag("connector", connector);
    group
}

/// A group of a task.
fn task_group(metrics: &Metrics, kind: &'static str, id: &TaskId) -> GroupBuilder {
    let mut group = connector_group(metrics, kind, &id.connector);
    group.tag("task", id.task.to_string());
    group
}

/// A state as metrics have it.
fn word(state: State) -> &'static str {
    match state {
        State::Unassigned => "unassigned",
        State::Running => "running",
        State::Paused => "paused",
        State::Stopped => "stopped",
        State::Failed => "failed",
        State::Destroyed => "destroyed",
        State::Restarting => "restarting",
    }
}
