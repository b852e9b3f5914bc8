//! Tasks: started, paused and stopped.

use std::sync::Arc;

use futures::future::join_all;
use tether_api::config::ConfigMap;
use tether_api::{ConnectError, Result};
use tether_storage::{TargetState, TaskId};
use tokio::time::Instant;
use tracing::Instrument as _;

use super::{Entry, Worker, class};
use crate::connector::TaskLimit;
use crate::metrics::TaskPlugins;
use crate::preflight::Preflight;
use crate::statuses::InstanceStatuses;
use crate::task::{self, TaskHandle, TaskSetup};
use crate::traces::TARGET;

impl Worker {
    /// Starts a task with the configurations of its connector and its own, as
    /// they are stored; `count` is how many tasks the connector has. Returns when
    /// the task has what it needs and runs by itself; its own start comes after.
    /// `preflight` is for sources on a worker with exactly-once support.
    ///
    /// # Errors
    /// `AlreadyExists` if it is here already; else what is wrong with a plugin,
    /// client property or variable, or that there are too many tasks. Its status
    /// is FAILED then.
    pub async fn start_task(
        &self,
        id: &TaskId,
        count: usize,
        connector_config: &ConfigMap,
        task_config: &ConfigMap,
        state: TargetState,
        preflight: Option<Arc<dyn Preflight>>,
    ) -> Result<()> {
        let mut tasks = self.tasks_here();
        if tasks.contains_key(id) {
            return Err(ConnectError::already_exists(format!(
                "Task already exists in this worker: {id}"
            )));
        }
        let version = self.version(connector_config);
        let statuses = Arc::new(InstanceStatuses::task(self.origin(), id, version));
        let handle = self
            .new_task(
                id,
                count,
                (connector_config, task_config),
                state,
                preflight,
                statuses.clone(),
            )
            .inspect_err(|error| {
                tracing::error!(task = %id, %error, "Failed to start task");
                statuses.failed(error);
                self.metrics.task_startups.failed();
            })?;
        tasks.insert(
            id.clone(),
            Entry {
                handle,
                version: version.unwrap_or_default(),
            },
        );
        self.metrics.tasks(tasks.len());
        Ok(())
    }

    /// Stops tasks, failed ones too, and waits at most
    /// `task.shutdown.graceful.timeout.ms` for all of them together. Those that
    /// take longer are abandoned: they write no status and commit nothing any
    /// more. Tasks that are not here are passed over.
    pub async fn stop_tasks(&self, ids: &[TaskId]) {
        let mut stopped: Vec<(&TaskId, TaskHandle)> = {
            let mut tasks = self.tasks_here();
            let stopped = ids.iter();
            let stopped = stopped
                .filter_map(|id| Some((id, tasks.remove(id)?.handle)))
                .collect();
            self.metrics.tasks(tasks.len());
            stopped
        };
        let deadline = Instant::now() + self.context.config.task_shutdown_timeout;
        for (_, handle) in &stopped {
            handle.request_stop();
        }
        let ended = stopped.iter_mut().map(|(id, handle)| {
            let span = tracing::info_span!(
                target: TARGET, "stop task", connector = id.connector, task = id.task,
            );
            handle.ended(deadline).instrument(span)
        });
        let ended = join_all(ended).await;
        for ((id, handle), ended) in stopped.into_iter().zip(ended) {
            if !ended {
                tracing::error!(
                    task = %id,
                    "Graceful stop of task failed. It is abandoned: its connector did not return in time"
                );
                handle.abandon();
            }
        }
    }

    /// Brings the tasks of a connector, as far as they are here, to a state; they
    /// follow by themselves. STOPPED does not concern them.
    pub fn set_target_state_of_tasks(&self, connector: &str, state: TargetState) {
        if state == TargetState::Stopped {
            return;
        }
        for (id, entry) in self.tasks_here().iter() {
            if id.connector == connector {
                entry.handle.set_target_state(state);
            }
        }
    }

    /// The tasks that are here, whatever their state, sorted.
    pub fn tasks(&self) -> Vec<TaskId> {
        self.tasks_here().keys().cloned().collect()
    }

    /// The tasks of a connector that are here, sorted.
    pub fn tasks_of(&self, connector: &str) -> Vec<TaskId> {
        let all = TaskId::new(connector, 0)..=TaskId::new(connector, u32::MAX);
        let tasks = self.tasks_here();
        tasks.range(all).map(|(id, _)| id.clone()).collect()
    }

    /// The version of a task that is here.
    pub fn task_version(&self, id: &TaskId) -> Option<String> {
        Some(self.tasks_here().get(id)?.version.to_owned())
    }

    /// The trace of a task that is here and has failed; `None` if it has not.
    pub fn task_failure(&self, id: &TaskId) -> Option<String> {
        self.tasks_here().get(id)?.handle.failure()
    }

    /// Writes that a task has failed once more, with a trace that says what
    /// follows.
    pub fn report_task_failure(&self, id: &TaskId, connector_config: &ConfigMap, trace: String) {
        let version = self.version(connector_config);
        InstanceStatuses::task(self.origin(), id, version).failed_with(trace);
    }

    fn new_task(
        &self,
        id: &TaskId,
        count: usize,
        (connector, task): (&ConfigMap, &ConfigMap),
        state: TargetState,
        preflight: Option<Arc<dyn Preflight>>,
        statuses: Arc<InstanceStatuses>,
    ) -> Result<TaskHandle> {
        let connector = self.context.variables.resolved(connector)?;
        let task = self.context.variables.resolved(task)?;
        let mut redaction = connector.redaction;
        redaction.extend(task.redaction);
        let redaction = Arc::new(redaction);
        let start = || {
            let context = &*self.context;
            // Who set the limit lower has the old tasks until there are new ones.
            TaskLimit::new(&connector.config)?.check(&id.connector, count)?;
            let class = class(&connector.config)?;
            let plugin = context.plugins.new_connector(class)?;
            let converters = self.converters.of(
                &id.connector,
                &connector.config,
                &context.plugins,
                &context.config,
            )?;
            task::start(
                plugin.new_task(),
                TaskSetup {
                    context,
                    policy: &self.policy,
                    metrics: &self.metrics,
                    plugins: TaskPlugins::new(
                        &context.plugins,
                        context.plugins.connector(class)?,
                        plugin.task_class(),
                        converters.classes,
                    ),
                    id,
                    connector: &connector.config,
                    config: task.config,
                    converters,
                    state,
                    preflight,
                    statuses,
                    redaction: redaction.clone(),
                },
            )
        };
        start().map_err(|error| redaction.error(error))
    }
}
