//! What a member counts and measures.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// Numbers about a member since it was started, behind the reference's
/// `connect-coordinator-metrics` and `connect-worker-rebalance-metrics`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Heartbeats that were sent (`heartbeat-total`).
    pub heartbeats: u64,
    /// When the latest one was (`last-heartbeat-seconds-ago`).
    pub last_heartbeat: Option<Instant>,
    /// How long the answers to heartbeats took (`heartbeat-response-time-max`).
    pub heartbeat_times: Times,
    /// How long it took to join (`join-time-avg`, `join-total`).
    pub join_times: Times,
    /// How long it took to get an assignment (`sync-time-avg`, `sync-total`).
    pub sync_times: Times,
    /// How long rounds took, from the first attempt to the assignment
    /// (`rebalance-latency-avg`, `rebalance-total`, `rebalance-avg-time-ms`,
    /// `completed-rebalances-total`).
    pub rebalance_times: Times,
    /// Attempts at a round that failed (`failed-rebalance-total`).
    pub failed_rebalances: u64,
    /// Since when a round is being formed (`rebalancing`).
    pub rebalancing_since: Option<Instant>,
    /// When the latest round was complete (`time-since-last-rebalance-ms`,
    /// `last-rebalance-seconds-ago`).
    pub last_rebalance: Option<Instant>,
    /// The number of the latest round (`epoch`).
    pub epoch: Option<i32>,
    /// Where the leader's REST API is (`leader-name`).
    pub leader_url: Option<String>,
    /// The connectors that this worker is to run (`assigned-connectors`).
    pub assigned_connectors: usize,
    /// The tasks that this worker is to run (`assigned-tasks`).
    pub assigned_tasks: usize,
}

/// How long something took that happens again and again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Times {
    /// How often it happened.
    pub count: u64,
    /// All together.
    pub total: Duration,
    /// The longest.
    pub longest: Duration,
    /// The latest.
    pub latest: Duration,
}

impl Times {
    fn record(&mut self, time: Duration) {
        self.count += 1;
        self.total = self.total.saturating_add(time);
        self.longest = self.longest.max(time);
        self.latest = time;
    }
}

/// Writes facts down.
#[derive(Debug, Clone)]
pub(super) struct FactSheet(watch::Sender<Facts>);

impl FactSheet {
    pub(super) fn new() -> (Self, watch::Receiver<Facts>) {
        let (facts, read) = watch::channel(Facts::default());
        (Self(facts), read)
    }

    pub(super) fn heartbeat_sent(&self, at: Instant) {
        self.0.send_modify(|facts| {
            facts.heartbeats += 1;
            facts.last_heartbeat = Some(at);
        });
    }

    pub(super) fn heartbeat_answered(&self, after: Duration) {
        let record = |facts: &mut Facts| facts.heartbeat_times.record(after);
        self.0.send_modify(record);
    }

    pub(super) fn joined(&self, after: Duration) {
        self.0.send_modify(|facts| facts.join_times.record(after));
    }

    pub(super) fn synced(&self, after: Duration) {
        self.0.send_modify(|facts| facts.sync_times.record(after));
    }

    pub(super) fn rebalance_began(&self) {
        self.0.send_modify(|facts| {
            facts.rebalancing_since.get_or_insert_with(Instant::now);
        });
    }

    pub(super) fn rebalance_failed(&self) {
        self.0.send_modify(|facts| facts.failed_rebalances += 1);
    }

    pub(super) fn rebalance_ended(
        &self,
        epoch: i32,
        leader_url: &str,
        connectors: usize,
        tasks: usize,
    ) {
        self.0.send_modify(|facts| {
            let now = Instant::now();
            if let Some(since) = facts.rebalancing_since.take() {
                facts.rebalance_times.record(now - since);
            }
            facts.last_rebalance = Some(now);
            facts.epoch = Some(epoch);
            facts.leader_url = Some(leader_url.to_owned());
            facts.assigned_connectors = connectors;
            facts.assigned_tasks = tasks;
        });
    }

    /// The member is out of the group, and waits for no round.
    pub(super) fn left(&self) {
        self.emptied();
        self.0.send_modify(|facts| facts.rebalancing_since = None);
    }

    /// The member runs nothing any more.
    pub(super) fn emptied(&self) {
        self.0.send_modify(|facts| {
            facts.assigned_connectors = 0;
            facts.assigned_tasks = 0;
        });
    }
}
