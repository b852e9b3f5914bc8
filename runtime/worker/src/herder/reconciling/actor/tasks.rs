//! The tasks of the connector: started and stopped.

use futures::future::join_all;
use tether_api::Result;
use tether_storage::{ConnectorEntry, TargetState, TaskId};

use super::super::fencing::TaskPreflight;
use super::Actor;

impl Actor {
    /// Runs this worker's share of the tasks of the last commit in place of those
    /// that run.
    pub(super) async fn apply_tasks(&mut self, entry: &ConnectorEntry) {
        if self.shared.stopping.is_cancelled() {
            return;
        }
        let renewed = entry.task_generation != self.task_generation;
        let mut wanted = self.shared.role.share().tasks(&self.connector, entry);
        if entry.target_state == TargetState::Stopped {
            // Committed by somebody who did not know that it was being stopped.
            wanted.clear();
        }
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
        if (renewed || entry.inconsistent) && self.shared.role.is_leading() {
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

    pub(super) fn running_tasks(&self) -> Vec<TaskId> {
        self.shared.context.worker.tasks_of(&self.connector)
    }
}
