//! The connector instance, brought in line with the store.

use std::sync::Arc;

use tether_storage::{ConnectorEntry, TargetState, TaskId};

use super::super::actors::Actors;
use super::Actor;

impl Actor {
    pub(super) async fn reconcile(&mut self, actors: &Actors) {
        self.note_ended().await;
        let Some(entry) = self.shared.entry(&self.connector) else {
            return self.remove().await;
        };
        let started = if self.shared.role.share().has_connector(&self.connector) {
            self.bring_instance(&entry).await
        } else {
            self.give_instance_up().await;
            false
        };
        // A pause may have come together with a new configuration, or while the
        // instance was restarted.
        let worker = &self.shared.context.worker;
        worker.set_target_state_of_tasks(&self.connector, entry.target_state);
        self.apply_tasks(&entry).await;
        // A worker that was frozen goes on for a moment with what it has no more.
        // Every round comes here, and one follows when it is back.
        self.shared
            .context
            .worker
            .insist_on_statuses(&self.connector);
        if started {
            self.publish_tasks(actors).await;
        }
    }

    /// Notes what was stopped while this actor was busy. It may be this worker's
    /// again by now, and starts anew then.
    async fn note_ended(&mut self) {
        let ended = self.shared.role.take_ended(&self.connector);
        if !ended.connectors.is_empty() {
            self.give_instance_up().await;
        }
        let tasks: Vec<TaskId> = ended.tasks.into_iter().collect();
        self.shared.context.worker.stop_tasks(&tasks).await;
        for id in tasks {
            self.begun.remove(&id.task);
            self.automatic_restarts.forget(id.task);
        }
    }

    /// Brings the instance to its configuration and state; true if it has been
    /// started.
    async fn bring_instance(&mut self, entry: &ConnectorEntry) -> bool {
        let shared = Arc::clone(&self.shared);
        let worker = &shared.context.worker;
        let wish = (entry.config.clone(), entry.target_state);
        let outcome = match self.applied.replace(wish) {
            Some((config, state)) if config == entry.config => {
                if state == entry.target_state {
                    return false;
                }
                worker
                    .set_target_state(&self.connector, entry.target_state)
                    .await
            }
            previous => {
                if previous.is_some() {
                    worker.stop_connector(&self.connector).await;
                }
                self.variables
                    .begin(&shared.context.variables, &entry.config);
                worker
                    .start_connector(&self.connector, &entry.config, entry.target_state)
                    .await
            }
        };
        self.note(outcome) && entry.target_state == TargetState::Started
    }

    /// Stops the instance, which another worker is to have.
    async fn give_instance_up(&mut self) {
        self.retry = None;
        self.publication_waits = false;
        self.publication = None;
        if self.applied.take().is_some() {
            self.failure = None;
            self.shared
                .context
                .worker
                .stop_connector(&self.connector)
                .await;
        }
    }

    /// The connector was removed. Nothing of it goes on for another of its name,
    /// though the two may look the same: that one has no tasks and no statuses.
    pub(super) async fn removed(&mut self, actors: &Actors) {
        if self.shared.entry(&self.connector).is_some() && !self.is_idle() {
            self.end().await;
            let statuses = &self.shared.context.statuses;
            statuses.reset_topics(&self.connector);
        }
        self.reconcile(actors).await;
    }

    async fn remove(&mut self) {
        let was_here = !self.is_idle();
        self.end().await;
        if self.shared.role.is_leading() {
            self.shared.destroy_tasks(&self.connector, |_| false);
            self.shared.destroy_connector(&self.connector);
        }
        if was_here || self.shared.role.is_leading() {
            let statuses = &self.shared.context.statuses;
            statuses.reset_topics(&self.connector);
        }
    }

    /// Ends all of the connector that is here.
    async fn end(&mut self) {
        self.give_instance_up().await;
        self.task_generation = None;
        self.begun.clear();
        self.automatic_restarts.clear();
        self.variables.clear();
        let worker = &self.shared.context.worker;
        worker.task_restarts().forget(&self.connector);
        worker.stop_tasks(&self.running_tasks()).await;
    }

    pub(super) async fn retry_failed(&mut self, actors: &Actors) {
        if self.failure.is_some() && self.restart_instance().await.is_ok() {
            self.publish_tasks(actors).await;
        }
    }

    /// Starts everything anew if the values of variables have changed.
    pub(super) async fn read_variables(&mut self, actors: &Actors) {
        let Some(entry) = self.shared.entry(&self.connector) else {
            return self.variables.clear();
        };
        let shared = Arc::clone(&self.shared);
        let context = &shared.context;
        if !self
            .variables
            .has_changed(&self.connector, &context.variables, &entry.config)
        {
            return;
        }
        tracing::info!(
            connector = self.connector,
            "Restarting the connector and its tasks: values of variables have changed"
        );
        if self.applied.is_some() && self.restart_instance().await.is_ok() {
            self.publish_tasks(actors).await;
        } else {
            self.variables.begin(&context.variables, &entry.config);
        }
        // The entry from before: tasks that were just configured anew start with
        // the next look.
        if entry.task_generation == self.task_generation {
            let tasks: Vec<u32> = self.begun.iter().copied().collect();
            context.worker.stop_tasks(&self.running_tasks()).await;
            self.automatic_restarts.clear();
            self.start_tasks(&entry, &tasks).await;
        }
    }
}
