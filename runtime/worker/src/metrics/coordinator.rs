//! A worker's dealings with the broker that keeps its group together
//! (`WorkerCoordinatorMetrics`, `AbstractCoordinator.GroupCoordinatorMetrics`).

use std::time::Duration;

use tether_group::member::{Facts, Member, MemberState};
use tether_metrics::{Group, GroupBuilder};
use tokio::time::Instant;

use super::{DOMAIN, WorkerMetrics};

/// The group of a member's metrics, which are computed when somebody asks.
pub(crate) struct CoordinatorMetrics {
    _group: Group,
}

impl CoordinatorMetrics {
    /// Registers the metrics of a member, whose connection has this `client.id`.
    pub(crate) fn register(worker: &WorkerMetrics, client_id: &str, member: &Member) -> Self {
        let metrics = worker.registry();
        let mut group = metrics.group(DOMAIN, "connect-coordinator-metrics");
        group.tag("client-id", client_id.to_owned());
        worker.add_assigned(&mut group);
        let state = member.state();
        group.computed(
            "member",
            "1 while the worker is in its group, else 0: its place is lost or not found yet.",
            move || match &*state.borrow() {
                MemberState::Stable { .. } => 1.0,
                MemberState::Joining | MemberState::Unreachable { .. } | MemberState::Left => 0.0,
            },
        );
        for (name, help, compute) in NUMBERS {
            add(&mut group, member, name, help, compute);
        }
        Self {
            _group: group.register(),
        }
    }
}

/// Computes a number from facts.
type Compute = fn(&Facts) -> f64;

const NUMBERS: [(&str, &str, Compute); 9] = [
    (
        "heartbeat-total",
        "The number of heartbeats that were sent.",
        |facts| facts.heartbeats as f64,
    ),
    (
        "heartbeat-response-time-max",
        "The longest time that an answer to a heartbeat took since the start, in milliseconds.",
        |facts| millis(facts.heartbeat_times.longest),
    ),
    (
        "last-heartbeat-seconds-ago",
        "The time since the latest heartbeat was sent, in seconds; -1 before the first.",
        |facts| seconds_since(facts.last_heartbeat),
    ),
    ("join-total", "How often the worker joined.", |facts| {
        facts.join_times.count as f64
    }),
    (
        "sync-total",
        "How often the worker got an assignment.",
        |facts| facts.sync_times.count as f64,
    ),
    (
        "rebalance-total",
        "The number of rebalances that the worker has completed.",
        |facts| facts.rebalance_times.count as f64,
    ),
    (
        "rebalance-latency-total",
        "The time that all completed rebalances took together, in milliseconds.",
        |facts| millis(facts.rebalance_times.total),
    ),
    (
        "failed-rebalance-total",
        "The number of attempts at a rebalance that failed.",
        |facts| facts.failed_rebalances as f64,
    ),
    (
        "last-rebalance-seconds-ago",
        "The time since the latest rebalance was completed, in seconds; -1 before the first.",
        |facts| seconds_since(facts.last_rebalance),
    ),
];

fn add(
    group: &mut GroupBuilder,
    member: &Member,
    name: &'static str,
    help: &'static str,
    compute: Compute,
) {
    let member = member.clone();
    group.computed(name, help, move || compute(&member.facts()));
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn seconds_since(moment: Option<Instant>) -> f64 {
    moment.map_or(-1.0, |moment| moment.elapsed().as_secs_f64())
}
