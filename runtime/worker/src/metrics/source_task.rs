//! What source tasks have (`AbstractWorkerSourceTask.SourceTaskMetricsGroup`,
//! `ExactlyOnceWorkerSourceTask.TransactionMetricsGroup`).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tether_metrics::{Group, Metrics, Sensor, Statistic};
use tether_storage::TaskId;

use super::task_group;

/// Polls and writes of a task.
pub(crate) struct SourceTaskMetrics {
    polls: Arc<Sensor>,
    poll_time: Arc<Sensor>,
    writes: Arc<Sensor>,
    active: Arc<Sensor>,
    active_count: AtomicUsize,
    transaction_size: Arc<Sensor>,
}

impl SourceTaskMetrics {
    /// Registers the group of a task; only one that writes in transactions has
    /// their sizes.
    pub(crate) fn register(metrics: &Metrics, id: &TaskId, transactions: bool) -> (Self, Group) {
        let mut group = task_group(metrics, "source-task-metrics", id);
        let polls = group.sensor();
        group.statistic(
            &polls,
            Statistic::Rate,
            "source-record-poll-rate",
            "The number of records that were polled by second, before transformations.",
        );
        group.statistic(
            &polls,
            Statistic::Total,
            "source-record-poll-total",
            "The number of records that were polled, before transformations.",
        );
        let writes = group.sensor();
        group.statistic(
            &writes,
            Statistic::Rate,
            "source-record-write-rate",
            "The number of records that were written to Kafka by second, without those that transformations dropped.",
        );
        group.statistic(
            &writes,
            Statistic::Total,
            "source-record-write-total",
            "The number of records that were written to Kafka, without those that transformations dropped.",
        );
        let poll_time = group.sensor();
        group.statistic(
            &poll_time,
            Statistic::Max,
            "poll-batch-max-time-ms",
            "The longest time that the task took to poll a batch of records, in milliseconds.",
        );
        group.statistic(
            &poll_time,
            Statistic::Average,
            "poll-batch-avg-time-ms",
            "The average time that the task took to poll a batch of records, in milliseconds.",
        );
        let active = group.sensor();
        group.statistic(
            &active,
            Statistic::Last,
            "source-record-active-count",
            "The number of records that were polled and are not completely written to Kafka yet.",
        );
        group.statistic(
            &active,
            Statistic::Max,
            "source-record-active-count-max",
            "The largest number of records that were polled and not completely written to Kafka yet.",
        );
        group.statistic(
            &active,
            Statistic::Average,
            "source-record-active-count-avg",
            "The average number of records that were polled and not completely written to Kafka yet.",
        );
        let transaction_size = group.sensor();
        if transactions {
            group.statistic(
                &transaction_size,
                Statistic::Min,
                "transaction-size-min",
                "The number of records in the smallest transaction.",
            );
            group.statistic(
                &transaction_size,
                Statistic::Max,
                "transaction-size-max",
                "The number of records in the largest transaction.",
            );
            group.statistic(
                &transaction_size,
                Statistic::Average,
                "transaction-size-avg",
                "The average number of records in a transaction.",
            );
        }
        let task = Self {
            polls,
            poll_time,
            writes,
            active,
            active_count: AtomicUsize::new(0),
            transaction_size,
        };
        (task, group.register())
    }

    /// A poll brought records.
    pub(crate) fn polled(&self, records: usize, time: Duration) {
        self.polls.record_count(records);
        self.poll_time.record_time(time);
        self.active_count.fetch_add(records, Ordering::Relaxed);
        self.record_active();
    }

    /// Of so many records nothing is left to do: the first are in Kafka, the
    /// others were dropped or passed over.
    pub(crate) fn done(&self, written: usize, dropped: usize) {
        if written == 0 && dropped == 0 {
            return;
        }
        self.writes.record_count(written);
        // A record of the connector that asks for offsets alone may be done twice.
        let _ = self
            .active_count
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |active| {
                Some(active.saturating_sub(written + dropped))
            });
        self.record_active();
    }

    /// A transaction with so many records was committed.
    pub(crate) fn transaction(&self, records: usize) {
        self.transaction_size.record_count(records);
    }

    fn record_active(&self) {
        self.active
            .record_count(self.active_count.load(Ordering::Relaxed));
    }
}
