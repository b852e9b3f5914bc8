//! One connector: brings what runs on the worker in line with what the config
//! store says and with what is this worker's share of it.
//!
//! It works by level, not by edge: every change in the store means "look
//! again". A change that comes while the actor is busy, or that was missed
//! because the process died, is found at the next look.

mod publication;
mod reconcile;
mod restarts;
mod tasks;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tether_api::config::ConfigMap;
use tether_api::{ConnectError, Result};
use tether_storage::{RestartRequest, TargetState, TaskId};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tracing::{Instrument as _, Span};

use crate::plugin_call::caught;

use super::Shared;
use super::actors::{Actors, Order};
use super::automatic_restart::AutomaticRestarts;
use super::role::Standing;
use super::variable_watch::VariableWatch;
use publication::Publication;

/// What an actor is told.
pub(super) enum Command {
    /// Something about the connector changed in the store.
    Reconcile,
    /// The connector was removed; there may be another of its name already.
    Removed,
    /// Task configurations were given to the leader or could not be, after this
    /// wait before the attempt.
    PublicationEnded(Result<()>, Duration),
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
    /// `None` if it is not here.
    applied: Option<(ConfigMap, TargetState)>,
    /// Why the instance could not be started or brought to its state.
    failure: Option<String>,
    /// The commit of task configurations whose tasks run.
    task_generation: Option<u64>,
    /// The tasks that were started here, whether they came to run or not.
    begun: BTreeSet<u32>,
    /// Task configurations are to be published once it is known who leads.
    publication_waits: bool,
    /// Task configurations that are on their way to the leader.
    publication: Option<Publication>,
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
            begun: BTreeSet::new(),
            publication_waits: false,
            publication: None,
            retry: None,
            automatic_restarts: AutomaticRestarts::default(),
            variables: VariableWatch::default(),
        }
    }

    pub(super) async fn run(
        mut self,
        mut commands: mpsc::UnboundedReceiver<Order>,
        actors: Actors,
    ) {
        let stopping = self.shared.stopping.clone();
        let mut standing = self.shared.role.standing();
        let mut next = None;
        loop {
            let (command, span) = match next.take() {
                Some(order) => order,
                None => tokio::select! {
                    biased;
                    () = stopping.cancelled() => return,
                    order = commands.recv() => match order {
                        Some(order) => order,
                        None => return,
                    },
                    _ = standing.wait_for(Standing::is_settled), if self.publication_waits => {
                        (Command::ReconfigureTasks, Span::none())
                    }
                    () = sleep_until(self.retry.map(|(when, _)| when)) => {
                        (Command::ReconfigureTasks, Span::none())
                    }
                    () = sleep_until(self.automatic_restarts.next_due()) => {
                        (Command::RestartFailed, Span::none())
                    }
                    () = sleep_until(self.variables.next_due()) => {
                        (Command::ReadVariables, Span::none())
                    }
                },
            };
            // The next look finds what is left to do.
            let handled = self.handle(command, &actors).instrument(span);
            if let Err(error) = caught(handled).await {
                tracing::error!(connector = self.connector, %error, "Work on a connector broke off");
            }
            if self.is_idle() {
                next = actors.retire(&self.connector, &mut commands);
                if next.is_none() {
                    return;
                }
            }
        }
    }

    /// Whether nothing of the connector is here.
    fn is_idle(&self) -> bool {
        self.applied.is_none() && self.begun.is_empty()
    }

    async fn handle(&mut self, command: Command, actors: &Actors) {
        match command {
            Command::Reconcile => self.reconcile(actors).await,
            Command::RetryFailed => self.retry_failed(actors).await,
            Command::Settle(reply) => {
                self.reconcile(actors).await;
                // A client that has gone needs no answer.
                let _ = reply.send(match &self.failure {
                    Some(failure) => Err(ConnectError::other(failure.as_str())),
                    None => Ok(()),
                });
            }
            Command::ReconfigureTasks => self.publish_tasks(actors).await,
            Command::PublicationEnded(outcome, wait) => {
                self.publication_ended(outcome, wait, actors).await;
            }
            Command::Removed => self.removed(actors).await,
            Command::RestartConnector(reply) => {
                let outcome = self.restart_instance().await;
                let started = outcome.is_ok();
                let _ = reply.send(outcome);
                if started {
                    self.publish_tasks(actors).await;
                }
            }
            Command::RestartTask(task, reply) => {
                self.automatic_restarts.forget(task);
                let _ = reply.send(self.restart_task(task).await);
            }
            Command::Restart(request) => self.restart(&request, actors).await,
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
                    let restarts = self.shared.context.worker.task_restarts();
                    restarts.of(&id).increment();
                    let outcome = self.restart_task(task).await;
                    self.log(outcome);
                }
            }
            Command::ReadVariables => self.read_variables(actors).await,
        }
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

pub(super) async fn sleep_until(when: Option<Instant>) {
    match when {
        Some(when) => tokio::time::sleep_until(when).await,
        None => std::future::pending().await,
    }
}
