//! What tasks of both kinds have (`WorkerTask.TaskMetricsGroup`).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tether_api::plugin::{PluginDescriptor, PluginKind};
use tether_metrics::{Clock, Group, GroupBuilder, Sensor, Statistic, Text};
use tether_storage::{State, TaskId};

use super::state_times::StateTimes;
use super::task_counts::ConnectorTasks;
use super::{Startups, WorkerMetrics, task_group, word};
use crate::conversion::ConverterClasses;
use crate::plugins::Plugins;
use crate::statuses::StateListener;

/// A class and its version.
type Class = (&'static str, &'static str);

/// What a task is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TaskPlugins {
    kind: &'static str,
    connector: Class,
    task: Class,
    key_converter: Class,
    value_converter: Class,
    header_converter: Class,
}

/// States, batches and commits of a task.
pub(crate) struct TaskMetrics {
    clock: Clock,
    status: Arc<Text>,
    life: Arc<Mutex<Life>>,
    startups: Arc<Startups>,
    commit_time: Arc<Sensor>,
    commits: Arc<Sensor>,
    batch_size: Arc<Sensor>,
}

struct Life {
    times: StateTimes,
    /// It has once been running.
    started: bool,
    counted: State,
    /// `None` once the worker does not have the task any more.
    counts: Option<Arc<ConnectorTasks>>,
}

impl TaskMetrics {
    /// Registers the group of a task that is to begin in this state.
    pub(crate) fn register(
        worker: &WorkerMetrics,
        id: &TaskId,
        plugins: &TaskPlugins,
        initial: State,
    ) -> (Arc<Self>, Group) {
        let registry = worker.registry();
        let clock = registry.clock().clone();
        let counts = worker.task_counts.of(registry, &id.connector);
        counts.added(State::Unassigned);
        let life = Arc::new(Mutex::new(Life {
            times: StateTimes::new(initial, clock.millis()),
            started: false,
            counted: State::Unassigned,
            counts: Some(counts),
        }));
        let mut group = task_group(registry, "connector-task-metrics", id);
        let status = group.text(
            "status",
            "The state of the task: unassigned, running, paused, failed or restarting.",
            word(initial),
        );
        let ratio = |of: fn(&StateTimes, u64) -> f64| {
            let (life, clock) = (Arc::clone(&life), clock.clone());
            move || of(&lock(&life).times, clock.millis())
        };
        group.computed(
            "running-ratio",
            "The part of its time that the task was running, from 0 to 1.",
            ratio(StateTimes::running_ratio),
        );
        group.computed(
            "pause-ratio",
            "The part of its time that the task was paused, from 0 to 1.",
            ratio(StateTimes::pause_ratio),
        );
        let commit_time = group.sensor();
        group.statistic(
            &commit_time,
            Statistic::Max,
            "offset-commit-max-time-ms",
            "The longest time that a commit of offsets took, in milliseconds.",
        );
        group.statistic(
            &commit_time,
            Statistic::Average,
            "offset-commit-avg-time-ms",
            "The average time that a commit of offsets took, in milliseconds.",
        );
        let batch_size = group.sensor();
        group.statistic(
            &batch_size,
            Statistic::Max,
            "batch-size-max",
            "The number of records in the largest batch.",
        );
        group.statistic(
            &batch_size,
            Statistic::Average,
            "batch-size-avg",
            "The average number of records in a batch.",
        );
        let commits = group.sensor();
        group.statistic(
            &commits,
            Statistic::Failures,
            "offset-commit-failure-percentage",
            "The part of the commits of offsets that failed, from 0 to 1.",
        );
        group.statistic(
            &commits,
            Statistic::Successes,
            "offset-commit-success-percentage",
            "The part of the commits of offsets that succeeded, from 0 to 1.",
        );
        group.known_counter(
            "automatic-restarts-total",
            "How often the task was restarted without anybody asking, since the worker was started.",
            worker.task_restarts.of(id),
        );
        plugins.describe(&mut group);
        let task = Self {
            clock,
            status,
            life,
            startups: Arc::clone(&worker.task_startups),
            commit_time,
            commits,
            batch_size,
        };
        (Arc::new(task), group.register())
    }

    /// Offsets were committed, or there were none to commit.
    pub(crate) fn committed(&self, time: Duration) {
        self.commit_time.record_time(time);
        self.commits.record_outcome(true);
    }

    /// Offsets could not be committed.
    pub(crate) fn commit_failed(&self) {
        self.commits.record_outcome(false);
    }

    /// A batch of so many records is dealt with.
    pub(crate) fn batch(&self, records: usize) {
        self.batch_size.record_count(records);
    }

    /// The worker does not have the task any more.
    fn removed(&self) {
        let mut life = lock(&self.life);
        if let Some(counts) = life.counts.take() {
            counts.removed(life.counted);
        }
    }
}

/// The groups of a task, as long as the worker has it: also after it has failed,
/// and not while it hangs although it was given up.
pub(crate) struct TaskGroups {
    task: Arc<TaskMetrics>,
    groups: Vec<Group>,
}

impl TaskGroups {
    /// Of this task.
    pub(crate) fn new(task: Arc<TaskMetrics>, group: Group) -> Self {
        Self {
            task,
            groups: vec![group],
        }
    }

    /// Adds groups.
    pub(crate) fn extend(&mut self, groups: impl IntoIterator<Item = Group>) {
        self.groups.extend(groups);
    }
}

impl Drop for TaskGroups {
    fn drop(&mut self) {
        self.task.removed();
    }
}

impl StateListener for TaskMetrics {
    fn entered(&self, state: State) {
        self.status.set(word(state));
        let mut life = lock(&self.life);
        life.times.enter(state, self.clock.millis());
        if let Some(counts) = &life.counts {
            counts.moved(life.counted, state);
        }
        life.counted = state;
        if state == State::Failed && !life.started {
            self.startups.failed();
        }
    }

    fn started(&self) {
        lock(&self.life).started = true;
        self.startups.succeeded();
    }
}

impl TaskPlugins {
    /// Of a connector's plugin, the class of its tasks and converters.
    pub(crate) fn new(
        plugins: &Plugins,
        connector: &PluginDescriptor,
        task_class: &'static str,
        converters: ConverterClasses,
    ) -> Self {
        let converter = |kind, class| {
            let found = plugins.find(&[kind], class);
            (class, found.map_or("", |plugin| plugin.version))
        };
        Self {
            kind: connector.kind().name(),
            connector: (connector.class, connector.version),
            task: (task_class, connector.version),
            key_converter: converter(PluginKind::Converter, converters.key),
            value_converter: converter(PluginKind::Converter, converters.value),
            header_converter: converter(PluginKind::HeaderConverter, converters.header),
        }
    }

    /// Adds texts that say what a task is made of, as Kafka 4.3 has them.
    fn describe(&self, group: &mut GroupBuilder) {
        group.text(
            "connector-type",
            "What kind of connector it is: source or sink.",
            self.kind,
        );
        for (names, (class, version)) in [
            (
                [
                    ("connector-class", "The class of the connector."),
                    ("connector-version", "The version of the connector."),
                ],
                self.connector,
            ),
            (
                [
                    ("task-class", "The class of the task."),
                    ("task-version", "The version of the task."),
                ],
                self.task,
            ),
            (
                [
                    ("key-converter-class", "The class of the converter of keys."),
                    (
                        "key-converter-version",
                        "The version of the converter of keys.",
                    ),
                ],
                self.key_converter,
            ),
            (
                [
                    (
                        "value-converter-class",
                        "The class of the converter of values.",
                    ),
                    (
                        "value-converter-version",
                        "The version of the converter of values.",
                    ),
                ],
                self.value_converter,
            ),
            (
                [
                    (
                        "header-converter-class",
                        "The class of the converter of headers.",
                    ),
                    (
                        "header-converter-version",
                        "The version of the converter of headers.",
                    ),
                ],
                self.header_converter,
            ),
        ] {
            for ((name, help), text) in names.into_iter().zip([class, version]) {
                group.text(name, help, text);
            }
        }
    }
}

fn lock(life: &Mutex<Life>) -> MutexGuard<'_, Life> {
    // The data is whole after every statement that holds the lock.
    life.lock().unwrap_or_else(PoisonError::into_inner)
}
