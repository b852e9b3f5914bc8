//! What sink tasks have (`WorkerSinkTask.SinkTaskMetricsGroup`).

use std::sync::Arc;
use std::time::Duration;

use tether_metrics::{Gauge, Group, Metrics, Sensor, Statistic};
use tether_storage::TaskId;

use super::task_group;

/// Reads, puts and commits of a task.
pub(crate) struct SinkTaskMetrics {
    reads: Arc<Sensor>,
    sends: Arc<Sensor>,
    put_time: Arc<Sensor>,
    active: Arc<Sensor>,
    partitions: Arc<Gauge>,
    commit_number: Arc<Gauge>,
    completions: Arc<Sensor>,
    skips: Arc<Sensor>,
}

impl SinkTaskMetrics {
    /// Registers the group of a task.
    pub(crate) fn register(metrics: &Metrics, id: &TaskId) -> (Self, Group) {
        let mut group = task_group(metrics, "sink-task-metrics", id);
        let reads = group.sensor();
        group.statistic(
            &reads,
            Statistic::Rate,
            "sink-record-read-rate",
            "The number of records that were read from Kafka by second, before transformations.",
        );
        group.statistic(
            &reads,
            Statistic::Total,
            "sink-record-read-total",
            "The number of records that were read from Kafka, before transformations.",
        );
        let sends = group.sensor();
        group.statistic(
            &sends,
            Statistic::Rate,
            "sink-record-send-rate",
            "The number of records that the task was given by second, without those that transformations dropped.",
        );
        group.statistic(
            &sends,
            Statistic::Total,
            "sink-record-send-total",
            "The number of records that the task was given, without those that transformations dropped.",
        );
        let active = group.sensor();
        group.statistic(
            &active,
            Statistic::Last,
            "sink-record-active-count",
            "The number of records that were read and whose offsets are not committed yet.",
        );
        group.statistic(
            &active,
            Statistic::Max,
            "sink-record-active-count-max",
            "The largest number of records that were read and whose offsets were not committed yet.",
        );
        group.statistic(
            &active,
            Statistic::Average,
            "sink-record-active-count-avg",
            "The average number of records that were read and whose offsets were not committed yet.",
        );
        let partitions = group.gauge(
            "partition-count",
            "The number of partitions of topics that the task has.",
        );
        let commit_number = group.gauge(
            "offset-commit-seq-no",
            "The number of the last commit of offsets.",
        );
        let completions = group.sensor();
        group.statistic(
            &completions,
            Statistic::Rate,
            "offset-commit-completion-rate",
            "The number of commits of offsets that succeeded by second.",
        );
        group.statistic(
            &completions,
            Statistic::Total,
            "offset-commit-completion-total",
            "The number of commits of offsets that succeeded.",
        );
        let skips = group.sensor();
        group.statistic(
            &skips,
            Statistic::Rate,
            "offset-commit-skip-rate",
            "The number of commits of offsets by second whose answer was too late and counts for nothing.",
        );
        group.statistic(
            &skips,
            Statistic::Total,
            "offset-commit-skip-total",
            "The number of commits of offsets whose answer was too late and counts for nothing.",
        );
        let put_time = group.sensor();
        group.statistic(
            &put_time,
            Statistic::Max,
            "put-batch-max-time-ms",
            "The longest time that the task took for a batch of records, in milliseconds.",
        );
        group.statistic(
            &put_time,
            Statistic::Average,
            "put-batch-avg-time-ms",
            "The average time that the task took for a batch of records, in milliseconds.",
        );
        let task = Self {
            reads,
            sends,
            put_time,
            active,
            partitions,
            commit_number,
            completions,
            skips,
        };
        (task, group.register())
    }

    /// The consumer returned so many records.
    pub(crate) fn read(&self, records: usize) {
        self.reads.record_count(records);
    }

    /// The task took so many records.
    pub(crate) fn put(&self, records: usize, time: Duration) {
        self.sends.record_count(records);
        self.put_time.record_time(time);
    }

    /// So many records were read and are not committed.
    pub(crate) fn active(&self, records: usize) {
        self.active.record_count(records);
    }

    /// The task has so many partitions.
    pub(crate) fn partitions(&self, partitions: usize) {
        self.partitions
            .set(i64::try_from(partitions).unwrap_or(i64::MAX));
    }

    /// A commit begins.
    pub(crate) fn commit_begins(&self) {
        self.commit_number.add(1);
    }

    /// A commit succeeded.
    pub(crate) fn commit_completed(&self) {
        self.completions.record(1.0);
    }

    /// A commit was given up before its answer came.
    pub(crate) fn commit_skipped(&self) {
        self.skips.record(1.0);
    }
}
