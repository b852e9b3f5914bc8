//! What a worker does in its group (`DistributedHerder.HerderMetrics`,
//! `WorkerCoordinatorMetrics`).

use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tether_group::protocol::Protocol;
use tether_metrics::{Clock, Counter, Gauge, Group, Sensor, Statistic, Text};

use super::{DOMAIN, WorkerMetrics};

/// No rebalance has been completed yet.
const NEVER: u64 = u64::MAX;

/// Rebalances of a worker's group.
pub(crate) struct RebalanceMetrics {
    clock: Clock,
    protocol: Arc<Text>,
    leader: Arc<Text>,
    rebalancing: Arc<Gauge>,
    completed: Arc<Counter>,
    time: Arc<Sensor>,
    started_at: Mutex<Option<u64>>,
    completed_at: Arc<AtomicU64>,
    _group: Group,
}

impl RebalanceMetrics {
    /// Registers the group of a worker whose statuses carry this generation.
    pub(crate) fn register(
        worker: &WorkerMetrics,
        protocol: Protocol,
        generation: Arc<AtomicI32>,
    ) -> Self {
        let metrics = worker.registry();
        let clock = metrics.clock().clone();
        let completed_at = Arc::new(AtomicU64::new(NEVER));
        let mut group = metrics.group(DOMAIN, "connect-worker-rebalance-metrics");
        let protocol = group.text(
            "connect-protocol",
            "The protocol of the group.",
            word(protocol),
        );
        let leader = group.text("leader-name", "The URL of the leader of the group.", "");
        group.computed("epoch", "The generation of the group.", move || {
            f64::from(generation.load(Ordering::Relaxed))
        });
        let completed = group.counter(
            "completed-rebalances-total",
            "The number of rebalances that the worker has completed.",
        );
        let rebalancing = group.gauge("rebalancing", "1 during a rebalance, else 0.");
        let time = group.sensor();
        group.statistic(
            &time,
            Statistic::Max,
            "rebalance-max-time-ms",
            "The longest time that a rebalance took, in milliseconds.",
        );
        group.statistic(
            &time,
            Statistic::Average,
            "rebalance-avg-time-ms",
            "The average time that a rebalance took, in milliseconds.",
        );
        let since = (clock.clone(), Arc::clone(&completed_at));
        group.computed(
            "time-since-last-rebalance-ms",
            "The time since the last rebalance was completed, in milliseconds; infinite without one.",
            move || match since.1.load(Ordering::Relaxed) {
                NEVER => f64::INFINITY,
                at => since.0.millis().saturating_sub(at) as f64,
            },
        );
        Self {
            clock,
            protocol,
            leader,
            rebalancing,
            completed,
            time,
            started_at: Mutex::default(),
            completed_at,
            _group: group.register(),
        }
    }

    /// A rebalance begins.
    pub(crate) fn rebalance_started(&self) {
        *self
            .started_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(self.clock.millis());
        self.rebalancing.set(1);
    }

    /// A rebalance is over; the group has agreed on this protocol and has this
    /// leader.
    pub(crate) fn rebalance_completed(&self, protocol: Protocol, leader: String) {
        let now = self.clock.millis();
        let started = self
            .started_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        self.rebalancing.set(0);
        self.completed.increment();
        self.time
            .record(now.saturating_sub(started.unwrap_or(now)) as f64);
        self.completed_at.store(now, Ordering::Relaxed);
        self.protocol.set(word(protocol));
        self.leader.set(leader);
    }
}

/// The protocol as the reference calls it (`ConnectProtocolCompatibility`).
fn word(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Eager => "EAGER",
        Protocol::Compatible => "COMPATIBLE",
        Protocol::Sessioned => "SESSIONED",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tether_metrics::prometheus::{reader, render};
    use tether_metrics::{ManualClock, Metrics, Sampling};

    use super::*;

    #[test]
    fn rebalances_are_timed() {
        let clock = ManualClock::default();
        let metrics = Metrics::new(Sampling::default(), clock.clock());
        let generation = Arc::new(AtomicI32::new(0));
        let worker = WorkerMetrics::register(&metrics);
        let group =
            RebalanceMetrics::register(&worker, Protocol::Sessioned, Arc::clone(&generation));
        let values = || {
            let read = reader::read(&render(&metrics)).unwrap();
            [
                "epoch",
                "completed_rebalances_total",
                "rebalancing",
                "rebalance_max_time_ms",
                "time_since_last_rebalance_ms",
            ]
            .map(|name| {
                read.value(&format!("kafka_connect_worker_rebalance_{name}"), &[])
                    .unwrap()
            })
        };
        assert_eq!(format!("{:?}", values()), "[0.0, 0.0, 0.0, NaN, inf]");
        group.rebalance_started();
        clock.advance(Duration::from_millis(300));
        assert_eq!(values()[2], 1.0);
        generation.store(4, Ordering::Relaxed);
        group.rebalance_completed(Protocol::Compatible, "http://b:8083/".to_owned());
        clock.advance(Duration::from_millis(50));
        assert_eq!(values(), [4.0, 1.0, 0.0, 300.0, 50.0]);
    }
}
