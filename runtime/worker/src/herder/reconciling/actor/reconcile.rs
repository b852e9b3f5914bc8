//! The connector instance, brought in line with the store.

use std::sync::Arc;

use tether_storage::TargetState;

use super::Actor;

impl Actor {
    pub(super) async fn reconcile(&mut self) {
        let Some(entry) = self.shared.entry(&self.connector) else {
            return self.remove().await;
        };
        let shared = Arc::clone(&self.shared);
        let worker = &shared.context.worker;
        let wish = (entry.config.clone(), entry.target_state);
        let mut started = false;
        match self.applied.replace(wish) {
            Some((config, state)) if config == entry.config => {
                if state != entry.target_state {
                    let outcome = worker
                        .set_target_state(&self.connector, entry.target_state)
                        .await;
                    started = self.note(outcome) && entry.target_state == TargetState::Started;
                }
            }
            previous => {
                if previous.is_some() {
                    worker.stop_connector(&self.connector).await;
                }
                self.variables
                    .begin(&shared.context.variables, &entry.config);
                let outcome = worker
                    .start_connector(&self.connector, &entry.config, entry.target_state)
                    .await;
                started = self.note(outcome) && entry.target_state == TargetState::Started;
            }
        }
        // A pause may have come together with a new configuration, or while the
        // instance was restarted.
        worker.set_target_state_of_tasks(&self.connector, entry.target_state);
        self.apply_tasks(&entry).await;
        if started {
            self.publish_tasks().await;
        }
    }

    async fn remove(&mut self) {
        self.applied = None;
        self.failure = None;
        self.task_generation = None;
        self.retry = None;
        self.automatic_restarts.clear();
        self.variables.clear();
        let context = &self.shared.context;
        context.worker.task_restarts().forget(&self.connector);
        context.worker.stop_tasks(&self.running_tasks()).await;
        context.worker.stop_connector(&self.connector).await;
        self.shared.destroy_tasks(&self.connector, |_| false);
        self.shared.destroy_connector(&self.connector);
        context.statuses.reset_topics(&self.connector);
    }

    pub(super) async fn retry_failed(&mut self) {
        if self.failure.is_some() && self.restart_instance().await.is_ok() {
            self.publish_tasks().await;
        }
    }

    /// Starts everything anew if the values of variables have changed.
    pub(super) async fn read_variables(&mut self) {
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
        if self.restart_instance().await.is_ok() {
            self.publish_tasks().await;
        }
        // The entry from before: tasks that were just configured anew start with
        // the next look.
        if entry.task_generation == self.task_generation {
            let tasks: Vec<u32> = entry.tasks.keys().copied().collect();
            context.worker.stop_tasks(&self.running_tasks()).await;
            self.automatic_restarts.clear();
            self.start_tasks(&entry, &tasks).await;
        }
    }
}
