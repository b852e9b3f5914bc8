//! Restarts of the connector instance and of tasks: asked for, or automatic.

use std::sync::Arc;

use tether_api::{ConnectError, Result};
use tether_storage::{RestartRequest, TaskId};

use super::super::actors::Actors;
use super::super::fencing::TaskPreflight;
use super::super::restart::plan;
use super::Actor;

impl Actor {
    pub(super) async fn restart_instance(&mut self) -> Result<()> {
        let Some(entry) = self.shared.entry(&self.connector) else {
            return Ok(());
        };
        if !self.shared.role.share().has_connector(&self.connector) {
            return Err(ConnectError::illegal_state(format!(
                "The connector {} has just been assigned to another worker",
                self.connector
            )));
        }
        let context = &self.shared.context;
        let worker = &context.worker;
        worker.stop_connector(&self.connector).await;
        self.variables.begin(&context.variables, &entry.config);
        self.applied = Some((entry.config.clone(), entry.target_state));
        let outcome = worker
            .start_connector(&self.connector, &entry.config, entry.target_state)
            .await;
        self.failure = outcome.as_ref().err().map(ToString::to_string);
        // Whatever it is, nothing is wrong with the request to restart it.
        outcome.map_err(|error| {
            let message = format!("Failed to start connector: {}", self.connector);
            ConnectError::other(message).caused_by(error)
        })
    }

    pub(super) async fn restart_task(&mut self, task: u32) -> Result<()> {
        let Some(entry) = self.shared.entry(&self.connector) else {
            return Ok(());
        };
        let Some(config) = entry.tasks.get(&task) else {
            return Ok(());
        };
        let id = TaskId::new(self.connector.as_str(), task);
        let share = self.shared.role.share();
        if !share.tasks(&self.connector, &entry).contains(&task) {
            return Err(ConnectError::illegal_state(format!(
                "The task {id} has just been assigned to another worker"
            )));
        }
        self.begun.insert(task);
        let worker = &self.shared.context.worker;
        worker.stop_tasks(std::slice::from_ref(&id)).await;
        let count = entry.tasks.len();
        let preflight = TaskPreflight::of(&self.shared, &id, &entry);
        let outcome = worker
            .start_task(
                &id,
                count,
                &entry.config,
                config,
                entry.target_state,
                preflight,
            )
            .await;
        if let Err(error) = &outcome {
            self.plan_restart(task, &error.trace());
        }
        outcome
    }

    /// Restarts instances in the reference's order: all stopped before the first
    /// is started (spec section 1.5).
    pub(super) async fn restart(&mut self, request: &RestartRequest, actors: &Actors) {
        let Some(mut plan) = plan(&self.shared, request) else {
            tracing::warn!(
                connector = self.connector,
                "Nothing to restart: the connector has no status"
            );
            return;
        };
        // Every worker restarts what it has.
        plan.connector.take_if(|_| self.applied.is_none());
        plan.tasks
            .retain(|status| self.begun.contains(&status.id.task));
        let shared = Arc::clone(&self.shared);
        let worker = &shared.context.worker;
        if plan.connector.is_some() {
            worker.stop_connector(&self.connector).await;
        }
        worker.stop_tasks(&plan.task_ids()).await;
        plan.write_restarting(&shared);
        if plan.connector.is_some() && self.restart_instance().await.is_ok() {
            self.publish_tasks(actors).await;
        }
        if let Some(entry) = self.shared.entry(&self.connector) {
            let tasks: Vec<u32> = plan.tasks.iter().map(|status| status.id.task).collect();
            for task in &tasks {
                self.automatic_restarts.forget(*task);
            }
            self.start_tasks(&entry, &tasks).await;
        }
    }

    /// Notes when a failed task is restarted, if it ever is, and says so in its
    /// status.
    pub(super) fn plan_restart(&mut self, task: u32, trace: &str) {
        let Some(entry) = self.shared.entry(&self.connector) else {
            return;
        };
        let id = TaskId::new(self.connector.as_str(), task);
        let context = &self.shared.context;
        let planned = context
            .variables
            .resolve(&entry.config)
            .and_then(|config| self.automatic_restarts.failed(task, &config));
        match planned {
            Ok(None) => {}
            Ok(Some(note)) => {
                tracing::warn!(task = %id, "{note}");
                let trace = format!("{trace}{note}\n");
                context
                    .worker
                    .report_task_failure(&id, &entry.config, trace);
            }
            Err(error) => {
                tracing::error!(task = %id, %error, "Could not tell whether to restart the task");
            }
        }
    }
}
