//! What a restart request means for a connector in its present state
//! (`RestartPlan`, KIP-745).

use tether_storage::{ConnectorStatus, RestartRequest, State, TaskId, TaskStatus};

use super::Shared;

/// The instances to restart, with their present statuses.
pub(super) struct RestartPlan {
    /// The connector instance, if it is to be restarted.
    pub(super) connector: Option<ConnectorStatus>,
    /// The tasks to restart.
    pub(super) tasks: Vec<TaskStatus>,
}

/// The plan for a request; `None` if the connector has no status.
pub(super) fn plan(shared: &Shared, request: &RestartRequest) -> Option<RestartPlan> {
    let statuses = &shared.context.statuses;
    let connector = statuses.connector(&request.connector)?;
    let selected = |state: State| !request.only_failed || state == State::Failed;
    Some(RestartPlan {
        connector: selected(connector.state).then_some(connector),
        tasks: if request.include_tasks {
            statuses
                .tasks(&request.connector)
                .into_iter()
                .filter(|task| selected(task.state))
                .collect()
        } else {
            Vec::new()
        },
    })
}

impl RestartPlan {
    pub(super) fn task_ids(&self) -> Vec<TaskId> {
        self.tasks.iter().map(|status| status.id.clone()).collect()
    }

    /// Shows RESTARTING for everything that the plan restarts.
    pub(super) fn write_restarting(&self, shared: &Shared) {
        let worker_id = &shared.context.worker_id;
        let generation = shared.context.worker.generation();
        let statuses = &shared.context.statuses;
        if let Some(status) = &self.connector {
            statuses.put_connector(ConnectorStatus {
                state: State::Restarting,
                trace: None,
                worker_id: worker_id.clone(),
                generation,
                ..status.clone()
            });
        }
        for status in &self.tasks {
            statuses.put_task(TaskStatus {
                state: State::Restarting,
                trace: None,
                worker_id: worker_id.clone(),
                generation,
                ..status.clone()
            });
        }
    }
}
