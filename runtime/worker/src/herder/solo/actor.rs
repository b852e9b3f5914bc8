//! One connector: brings what runs on the worker in line with what the config
//! store says.
//!
//! It works by level, not by edge: every change in the store means "look
//! again". A change that comes while the actor is busy, or that was missed
//! because the process died, is found at the next look.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tether_api::config::ConfigMap;
use tether_api::{ConnectError, Result};
use tether_storage::{ConnectorEntry, RestartRequest, TargetState, TaskId};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::plugin_call::caught;
use crate::worker::TaskConfigsError;

use super::actors::Actors;
use super::automatic_restart::AutomaticRestarts;
use super::fencing::TaskPreflight;
use super::variable_watch::VariableWatch;
use super::{MAX_RECONFIGURE_BACKOFF, MIN_RECONFIGURE_BACKOFF, Shared};

/// What an actor is told.
pub(super) enum Command {
    /// Something about the connector changed in the store.
    Reconcile,
    /// The configuration was written again as it is: start the instance anew if
    /// it could not be started.
    RetryFailed,
    /// Look again, and answer once tasks are configured, too, or with the error
    /// of the connector's start.
    Settle(oneshot::Sender<Result<()>>),
    /// The connector wants its tasks configured anew.
    ReconfigureTasks,
    /// Restart the connector instance.
    RestartConnector(oneshot::Sender<Result<()>>),
    /// Restart a task.
    RestartTask(u32, oneshot::Sender<Result<()>>),
    /// Restart instances as a request says.
    Restart(RestartRequest),
    /// A task failed while it ran.
    TaskFailed(u32),
    /// It is time for an automatic restart.
    RestartFailed,
    /// It is time to read the values of variables again.
    ReadVariables,
}

pub(super) struct Actor {
    connector: String,
    shared: Arc<Shared>,
    /// Configuration and state that the instance was last brought to.
    applied: Option<(ConfigMap, TargetState)>,
    /// Why the instance could not be started or brought to its state.
    failure: Option<String>,
    /// The commit of task configurations whose tasks run.
    task_generation: Option<u64>,
    /// When to ask again for task configurations, and the wait after that.
    retry: Option<(Instant, Duration)>,
    automatic_restarts: AutomaticRestarts,
    variables: VariableWatch,
}

impl Actor {
    pub(super) fn new(connector: String, shared: Arc<Shared>) -> Self {
        Self {
            connector,
            shared,
            applied: None,
            failure: None,
            task_generation: None,
            retry: None,
            automatic_restarts: AutomaticRestarts::default(),
            variables: VariableWatch::default(),
        }
    }

    pub(super) async fn run(
        mut self,
        mut commands: mpsc::UnboundedReceiver<Command>,
        actors: Actors,
    ) {
        let stopping = self.shared.stopping.clone();
        let mut next = None;
        loop {
            let command = match next.take() {
                Some(command) => command,
                None => tokio::select! {
                    biased;
                    () = stopping.cancelled() => return,
                    command = commands.recv() => match command {
                        Some(command) => command,
                        None => return,
                    },
                    () = sleep_until(self.retry.map(|(when, _)| when)) => Command::ReconfigureTasks,
                    () = sleep_until(self.automatic_restarts.next_due()) => Command::RestartFailed,
                    () = sleep_until(self.variables.next_due()) => Command::ReadVariables,
                },
            };
            // The next look finds what is left to do.
            if let Err(error) = caught(self.handle(command)).await {
                tracing::error!(connector = self.connector, %error, "Work on a connector broke off");
            }
            if self.applied.is_none() && self.shared.entry(&self.connector).is_none() {
                next = actors.retire(&self.connector, &mut commands);
                if next.is_none() {
                    return;
                }
            }
        }
    }

    async fn handle(&mut self, command: Command) {
        match command {
            Command::Reconcile => self.reconcile().await,
            Command::RetryFailed => self.retry_failed().await,
            Command::Settle(reply) => {
                self.reconcile().await;
                // A client that has gone needs no answer.
                let _ = reply.send(match &self.failure {
                    Some(failure) => Err(ConnectError::other(failure.as_str())),
                    None => Ok(()),
                });
            }
            Command::ReconfigureTasks => self.publish_tasks().await,
            Command::RestartConnector(reply) => {
                let outcome = self.restart_instance().await;
                let started = outcome.is_ok();
                let _ = reply.send(outcome);
                if started {
                    self.publish_tasks().await;
                }
            }
            Command::RestartTask(task, reply) => {
                self.automatic_restarts.forget(task);
                let _ = reply.send(self.restart_task(task).await);
            }
            Command::Restart(request) => self.restart(&request).await,
            Command::TaskFailed(task) => {
                let id = TaskId::new(self.connector.as_str(), task);
                // One that was restarted meanwhile has no failure.
                if let Some(trace) = self.shared.context.worker.task_failure(&id) {
                    self.plan_restart(task, &trace);
                }
            }
            Command::RestartFailed => {
                for task in self.automatic_restarts.take_due() {
                    tracing::info!(connector = self.connector, task, "Restarting a failed task");
                    let id = TaskId::new(self.connector.as_str(), task);
                    self.shared.context.worker.task_restarts().restarted(&id);
                    let outcome = self.restart_task(task).await;
                    self.log(outcome);
                }
            }
            Command::ReadVariables => self.read_variables().await,
        }
    }

    /// Starts everything anew if the values of variables have changed.
    async fn read_variables(&mut self) {
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

    async fn retry_failed(&mut self) {
        if self.failure.is_some() && self.restart_instance().await.is_ok() {
            self.publish_tasks().await;
        }
    }

    async fn reconcile(&mut self) {
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

    /// Runs the tasks of the last commit in place of those that run.
    async fn apply_tasks(&mut self, entry: &ConnectorEntry) {
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
    async fn start_tasks(&mut self, entry: &ConnectorEntry, tasks: &[u32]) {
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

    /// Notes when a failed task is restarted, if it ever is, and says so in its
    /// status.
    fn plan_restart(&mut self, task: u32, trace: &str) {
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

    /// Asks the connector for task configurations and commits them if anything
    /// changed.
    async fn publish_tasks(&mut self) {
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

    pub(super) async fn restart_instance(&mut self) -> Result<()> {
        let Some(entry) = self.shared.entry(&self.connector) else {
            return Ok(());
        };
        let context = &self.shared.context;
        let worker = &context.worker;
        worker.stop_connector(&self.connector).await;
        self.variables.begin(&context.variables, &entry.config);
        self.applied = Some((entry.config.clone(), entry.target_state));
        let outcome = worker
            .start_connector(&self.connector, &entry.config, entry.target_state)
            .await;
        self.failure = outcome.as_ref().err().map(ToString::to_string);
        outcome
    }

    async fn restart_task(&mut self, task: u32) -> Result<()> {
        let Some(entry) = self.shared.entry(&self.connector) else {
            return Ok(());
        };
        let Some(config) = entry.tasks.get(&task) else {
            return Ok(());
        };
        let id = TaskId::new(self.connector.as_str(), task);
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
    async fn restart(&mut self, request: &RestartRequest) {
        let Some(plan) = super::restart::plan(&self.shared, request) else {
            tracing::warn!(
                connector = self.connector,
                "Nothing to restart: the connector has no status"
            );
            return;
        };
        let shared = Arc::clone(&self.shared);
        let worker = &shared.context.worker;
        if plan.connector.is_some() {
            worker.stop_connector(&self.connector).await;
        }
        worker.stop_tasks(&plan.task_ids()).await;
        plan.write_restarting(&shared);
        if plan.connector.is_some() && self.restart_instance().await.is_ok() {
            self.publish_tasks().await;
        }
        if let Some(entry) = self.shared.entry(&self.connector) {
            let tasks: Vec<u32> = plan.tasks.iter().map(|status| status.id.task).collect();
            for task in &tasks {
                self.automatic_restarts.forget(*task);
            }
            self.start_tasks(&entry, &tasks).await;
        }
    }

    fn running_tasks(&self) -> Vec<TaskId> {
        let mut tasks = self.shared.context.worker.tasks();
        tasks.retain(|id| id.connector == self.connector);
        tasks
    }

    /// Keeps the error of an instance, and says whether there was none.
    fn note(&mut self, outcome: Result<()>) -> bool {
        self.failure = outcome.as_ref().err().map(ToString::to_string);
        self.log(outcome)
    }

    /// Whether it went well. The status has the error already; the log gets it
    /// too.
    fn log(&self, outcome: Result<()>) -> bool {
        if let Err(error) = &outcome {
            tracing::error!(connector = self.connector, %error, "The connector or a task of it failed");
        }
        outcome.is_ok()
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

async fn sleep_until(when: Option<Instant>) {
    match when {
        Some(when) => tokio::time::sleep_until(when).await,
        None => std::future::pending().await,
    }
}
