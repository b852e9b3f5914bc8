//! The tasks of the connector: configured, committed and started.

use futures::future::join_all;
use tether_api::Result;
use tether_api::config::ConfigMap;
use tether_storage::{ConnectorEntry, TargetState, TaskId};
use tokio::time::Instant;

use super::super::fencing::TaskPreflight;
use super::super::{MAX_RECONFIGURE_BACKOFF, MIN_RECONFIGURE_BACKOFF};
use super::Actor;
use crate::worker::TaskConfigsError;

impl Actor {
    /// Runs the tasks of the last commit in place of those that run.
    pub(super) async fn apply_tasks(&mut self, entry: &ConnectorEntry) {
        let applied = entry.task_generation == self.task_generation && !entry.inconsistent;
        if applied || self.shared.stopping.is_cancelled() {
            return;
        }
        self.task_generation = entry.task_generation;
        self.automatic_restarts.clear();
        let context = &self.shared.context;
        context.worker.stop_tasks(&self.running_tasks()).await;
        self.shared
            .destroy_tasks(&self.connector, |task| entry.tasks.contains_key(&task));
        if entry.inconsistent {
            tracing::warn!(
                connector = self.connector,
                "The task configurations in the config topic are incomplete; the connector has no tasks until \
                 they are written again"
            );
        }
        let tasks: Vec<u32> = entry.tasks.keys().copied().collect();
        self.start_tasks(entry, &tasks).await;
    }

    /// Starts those of these tasks that are configured, all at once.
    pub(super) async fn start_tasks(&mut self, entry: &ConnectorEntry, tasks: &[u32]) {
        let worker = &self.shared.context.worker;
        let count = entry.tasks.len();
        let starts = tasks.iter().filter_map(|task| {
            let config = entry.tasks.get(task)?;
            let id = TaskId::new(self.connector.as_str(), *task);
            let preflight = TaskPreflight::of(&self.shared, &id, entry);
            Some(async move {
                worker
                    .start_task(
                        &id,
                        count,
                        &entry.config,
                        config,
                        entry.target_state,
                        preflight,
                    )
                    .await
                    .map_err(|error| (*task, error))
            })
        });
        let failed: Vec<_> = join_all(starts)
            .await
            .into_iter()
            .filter_map(Result::err)
            .collect();
        for (task, error) in failed {
            self.plan_restart(task, &error.trace());
            self.log(Err(error));
        }
    }

    /// Asks the connector for task configurations and commits them if anything
    /// changed.
    pub(super) async fn publish_tasks(&mut self) {
        let wait = self
            .retry
            .take()
            .map_or(MIN_RECONFIGURE_BACKOFF, |(_, wait)| wait);
        let Some(entry) = self.shared.entry(&self.connector) else {
            return;
        };
        let context = &self.shared.context;
        if entry.target_state != TargetState::Started || !context.worker.is_running(&self.connector)
        {
            return;
        }
        let error = match context
            .worker
            .connector_task_configs(&self.connector, &entry.config)
            .await
        {
            Ok(configs) if unchanged(&entry, &configs) => return,
            Ok(configs) => match self.commit_tasks(&configs).await {
                Ok(()) => return,
                Err(error) => error,
            },
            Err(TaskConfigsError::Final(error)) => {
                tracing::error!(connector = self.connector, %error, "The connector has no task configurations");
                return;
            }
            Err(TaskConfigsError::Repeat(error)) => error,
        };
        tracing::error!(
            connector = self.connector,
            %error,
            retry_in_ms = wait.as_millis() as u64,
            "Could not configure the tasks of the connector; trying again"
        );
        self.retry = Some((
            Instant::now() + wait,
            (wait * 2).min(MAX_RECONFIGURE_BACKOFF),
        ));
    }

    async fn commit_tasks(&self, configs: &[ConfigMap]) -> Result<()> {
        let leader = self.shared.as_leader().await?;
        leader.put_task_configs(&self.connector, configs).await
    }

    pub(super) fn running_tasks(&self) -> Vec<TaskId> {
        let mut tasks = self.shared.context.worker.tasks();
        tasks.retain(|id| id.connector == self.connector);
        tasks
    }
}

/// Whether a commit would change nothing. The connector's configuration counts
/// too: tasks may depend on it beyond their own.
fn unchanged(entry: &ConnectorEntry, configs: &[ConfigMap]) -> bool {
    !entry.inconsistent
        && entry.task_generation.is_some()
        && entry.applied_config.as_ref() == Some(&entry.config)
        && entry.tasks.len() == configs.len()
        && entry.tasks.values().eq(configs)
}
