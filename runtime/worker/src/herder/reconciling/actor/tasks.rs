//! The tasks of the connector: configured, committed and started.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tether_api::config::ConfigMap;
use tether_api::{ConnectError, Result};
use tether_storage::{ConnectorEntry, TargetState, TaskId};
use tokio::time::Instant;

use super::super::actors::Actors;
use super::super::fencing::TaskPreflight;
use super::super::role::Leads;
use super::super::{MAX_RECONFIGURE_BACKOFF, MIN_RECONFIGURE_BACKOFF};
use super::{Actor, Command};
use crate::worker::TaskConfigsError;

impl Actor {
    /// Runs this worker's share of the tasks of the last commit in place of those
    /// that run.
    pub(super) async fn apply_tasks(&mut self, entry: &ConnectorEntry) {
        if self.shared.stopping.is_cancelled() {
            return;
        }
        let renewed = entry.task_generation != self.task_generation;
        let mut wanted = self.shared.role.share().tasks(&self.connector, entry);
        let mut ended = self.running_tasks();
        if !renewed {
            ended.retain(|id| !wanted.contains(&id.task));
        }
        let worker = &self.shared.context.worker;
        worker.stop_tasks(&ended).await;
        if renewed {
            self.task_generation = entry.task_generation;
            self.automatic_restarts.clear();
            self.begun.clear();
        } else {
            let gone = self.begun.difference(&wanted);
            gone.for_each(|task| self.automatic_restarts.forget(*task));
            self.begun.retain(|task| wanted.contains(task));
        }
        if (renewed || entry.inconsistent) && self.shared.role.prunes() {
            self.shared
                .destroy_tasks(&self.connector, |task| entry.tasks.contains_key(&task));
        }
        if entry.inconsistent {
            tracing::warn!(
                connector = self.connector,
                "The task configurations in the config topic are incomplete; the connector has no tasks until \
                 they are written again"
            );
        }
        wanted.retain(|task| !self.begun.contains(task));
        if wanted.is_empty() {
            return;
        }
        let context = &self.shared.context;
        self.variables
            .begin_unless_watched(&context.variables, &entry.config);
        let tasks: Vec<u32> = wanted.into_iter().collect();
        self.start_tasks(entry, &tasks).await;
    }

    /// Starts those of these tasks that are configured, all at once.
    pub(super) async fn start_tasks(&mut self, entry: &ConnectorEntry, tasks: &[u32]) {
        self.begun.extend(tasks);
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

    /// Asks the connector for task configurations and has the leader commit them
    /// if anything changed.
    pub(super) async fn publish_tasks(&mut self, actors: &Actors) {
        self.publication_waits = false;
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
            Ok(configs) => match self.commit_tasks(configs, wait, actors).await {
                Ok(()) => return,
                Err(error) => error,
            },
            Err(TaskConfigsError::Final(error)) => {
                tracing::error!(connector = self.connector, %error, "The connector has no task configurations");
                return;
            }
            Err(TaskConfigsError::Repeat(error)) => error,
        };
        self.publish_again(&error, wait);
    }

    /// Plans another attempt.
    pub(super) fn publish_again(&mut self, error: &ConnectError, wait: Duration) {
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

    /// Commits task configurations if this worker leads. Else the leader is given
    /// them beside this actor: it may wait for a round that in turn waits for
    /// this worker's tasks to stop.
    async fn commit_tasks(
        &mut self,
        configs: Vec<ConfigMap>,
        wait: Duration,
        actors: &Actors,
    ) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        let leadership = match shared.role.leads(&*shared.context.configs) {
            Leads::Here(leadership) => leadership,
            Leads::There(leader) => {
                let (connector, actors) = (self.connector.clone(), actors.clone());
                let shared = Arc::clone(&self.shared);
                tokio::spawn(async move {
                    let given = shared.give_tasks(&leader, &connector, &configs).await;
                    if let Err(error) = given {
                        actors.send(&connector, Command::PublicationFailed(error, wait));
                    }
                });
                return Ok(());
            }
            Leads::Unsettled => {
                self.publication_waits = true;
                return Ok(());
            }
        };
        leadership.claim_write_privileges().await?;
        leadership.put_task_configs(&self.connector, &configs).await
    }

    pub(super) fn running_tasks(&self) -> Vec<TaskId> {
        self.shared.context.worker.tasks_of(&self.connector)
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
