//! One running connector (`WorkerConnector`, spec section 4.5).
//!
//! A connector has an actor of its own that calls the plugin, one method at a
//! time, so that a connector that hangs keeps nobody but itself waiting.

mod task_configs;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tether_api::config::ConfigMap;
use tether_api::connector::{Connector, ConnectorContext, ConnectorRequest};
use tether_api::offset::OffsetReader;
use tether_api::{ConnectError, Result};
use tether_metrics::Group;
use tether_storage::TargetState;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::config_provider::Redaction;
use crate::plugin_call::guarded;
use crate::statuses::InstanceStatuses;
use crate::worker::{TaskConfigsError, WorkerRequest};

pub(crate) use task_configs::{TaskLimit, Tasks};

/// What a connector is started with.
pub(crate) struct ConnectorSetup {
    pub(crate) name: String,
    pub(crate) connector: Box<dyn Connector>,
    /// Variables are resolved.
    pub(crate) config: ConfigMap,
    /// Keeps their values out of statuses, logs and answers.
    pub(crate) redaction: Redaction,
    /// Present for source connectors.
    pub(crate) offsets: Option<Arc<dyn OffsetReader>>,
    pub(crate) statuses: Arc<InstanceStatuses>,
    /// What metrics tell of it, as long as the worker has it.
    pub(crate) metrics: Group,
    /// Where requests of the connector go.
    pub(crate) requests: mpsc::UnboundedSender<WorkerRequest>,
}

/// A connector as the worker sees it.
pub(crate) struct ConnectorHandle {
    commands: mpsc::UnboundedSender<Command>,
    running: Arc<AtomicBool>,
    statuses: Arc<InstanceStatuses>,
    stopping: CancellationToken,
    actor: JoinHandle<()>,
    _metrics: Group,
}

enum Command {
    TransitionTo(TargetState, oneshot::Sender<Result<()>>),
    TaskConfigs(TaskLimit, oneshot::Sender<TasksResult>),
}

type TasksResult = Result<Tasks, TaskConfigsError>;

/// Lets a connector run; it does nothing before its first target state.
pub(crate) fn spawn(setup: ConnectorSetup) -> ConnectorHandle {
    let (commands, receiver) = mpsc::unbounded_channel();
    let running = Arc::new(AtomicBool::new(false));
    let stopping = CancellationToken::new();
    // Not within what starts it, which ends long before the connector does.
    let span = tracing::info_span!(parent: None, "connector", connector = setup.name);
    let statuses = setup.statuses.clone();
    let actor = Actor {
        name: setup.name,
        connector: setup.connector,
        config: setup.config,
        redaction: setup.redaction,
        offsets: setup.offsets,
        statuses: setup.statuses,
        worker: setup.requests,
        state: State::Initial,
        running: running.clone(),
    };
    ConnectorHandle {
        commands,
        running,
        statuses,
        stopping: stopping.clone(),
        _metrics: setup.metrics,
        actor: tokio::spawn(actor.run(receiver, stopping).instrument(span)),
    }
}

impl ConnectorHandle {
    /// Brings the connector to a state and waits until it is there.
    pub(crate) fn transition_to(
        &self,
        state: TargetState,
    ) -> impl Future<Output = Result<()>> + use<> {
        let (reply, answer) = oneshot::channel();
        // A connector that has ended drops the command, and the answer with it.
        let _ = self.commands.send(Command::TransitionTo(state, reply));
        async move {
            answer.await.unwrap_or_else(|_| {
                Err(ConnectError::other(format!(
                    "Could not begin changing connector state to {state:?} as the connector has been \
                     scheduled for shutdown"
                )))
            })
        }
    }

    /// Asks the connector for task configurations. More than the limit allows
    /// make it FAILED.
    pub(crate) fn task_configs(
        &self,
        limit: TaskLimit,
    ) -> impl Future<Output = TasksResult> + use<> {
        let (reply, answer) = oneshot::channel();
        let _ = self.commands.send(Command::TaskConfigs(limit, reply));
        async move {
            answer.await.unwrap_or_else(|_| {
                Err(TaskConfigsError::Final(ConnectError::other(
                    "The connector has been stopped",
                )))
            })
        }
    }

    /// Whether the connector is started, and neither paused nor failed.
    pub(crate) fn is_running(&self) -> bool {
        self.running.load(Ordering::Acquire)
    }

    /// See [`InstanceStatuses::insist`].
    pub(crate) fn insist_on_status(&self) {
        self.statuses.insist();
    }

    /// Stops the connector and waits; if it takes too long it is abandoned and
    /// counts as stopped.
    pub(crate) async fn stop(self, name: &str, deadline: Instant) {
        self.stopping.cancel();
        let mut actor = self.actor;
        if timeout_at(deadline, &mut actor).await.is_err() {
            tracing::error!(
                connector = name,
                "Connector failed to properly shut down, has become unresponsive, and may be consuming \
                 external resources. Correct the configuration for this connector or remove the connector. \
                 After fixing the connector, it may be necessary to restart this worker to release any \
                 consumed resources"
            );
            self.statuses.unassigned();
            self.statuses.silence();
            actor.abort();
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Not started yet.
    Initial,
    Started,
    Paused,
    Stopped,
    /// Stays until the connector is stopped.
    Failed,
}

struct Actor {
    name: String,
    connector: Box<dyn Connector>,
    config: ConfigMap,
    redaction: Redaction,
    offsets: Option<Arc<dyn OffsetReader>>,
    statuses: Arc<InstanceStatuses>,
    worker: mpsc::UnboundedSender<WorkerRequest>,
    state: State,
    running: Arc<AtomicBool>,
}

impl Actor {
    async fn run(
        mut self,
        mut commands: mpsc::UnboundedReceiver<Command>,
        stopping: CancellationToken,
    ) {
        let (requests, mut requested) = mpsc::unbounded_channel();
        loop {
            tokio::select! {
                biased;
                () = stopping.cancelled() => break,
                Some(request) = requested.recv() => match request {
                    ConnectorRequest::ReconfigureTasks => {
                        // Without a herder there is nobody to do it.
                        let _ = self
                            .worker
                            .send(WorkerRequest::ReconfigureTasks(self.name.clone()));
                    }
                    ConnectorRequest::Fail(error) => {
                        let error = self.redaction.error(error);
                        self.fail(&error);
                    }
                },
                command = commands.recv() => match command {
                    None => break,
                    Some(Command::TransitionTo(state, reply)) => {
                        let result = self.transition_to(state, &requests).await;
                        // The caller may have given up waiting.
                        let _ = reply.send(result);
                    }
                    Some(Command::TaskConfigs(limit, reply)) => {
                        let _ = reply.send(self.task_configs(&limit).await);
                    }
                },
            }
        }
        self.shut_down().await;
    }

    async fn transition_to(
        &mut self,
        target: TargetState,
        requests: &mpsc::UnboundedSender<ConnectorRequest>,
    ) -> Result<()> {
        if self.state == State::Failed && target != TargetState::Stopped {
            return Err(ConnectError::other(format!(
                "WorkerConnector{{id={}}} Cannot transition connector to {} since it has failed",
                self.name,
                word(target)
            )));
        }
        let result = match target {
            TargetState::Started => self.start(requests).await,
            TargetState::Paused => self.pause().await,
            TargetState::Stopped => {
                self.stop().await;
                Ok(())
            }
        };
        result.map_err(|error| {
            let error = self.redaction.error(error);
            self.fail(&error);
            ConnectError::other(format!(
                "Failed to transition connector {} to state {}",
                self.name,
                word(target)
            ))
            .caused_by(error)
        })
    }

    async fn start(&mut self, requests: &mpsc::UnboundedSender<ConnectorRequest>) -> Result<()> {
        if self.state == State::Started {
            return Ok(());
        }
        let is_first = self.state == State::Initial;
        let context = ConnectorContext::new(requests.clone(), self.offsets.clone());
        if let Err(error) = guarded(self.connector.start(context, self.config.clone())).await {
            // It may have taken resources before it failed.
            self.stop_plugin().await;
            return Err(error);
        }
        self.enter(State::Started);
        if is_first {
            self.statuses.running();
        } else {
            self.statuses.resumed();
        }
        Ok(())
    }

    async fn pause(&mut self) -> Result<()> {
        if self.state == State::Paused {
            return Ok(());
        }
        if self.state == State::Started {
            guarded(self.connector.stop()).await?;
        }
        self.enter(State::Paused);
        self.statuses.paused();
        Ok(())
    }

    /// Errors do not matter: the connector counts as stopped.
    async fn stop(&mut self) {
        if self.state == State::Stopped {
            return;
        }
        if self.state == State::Started {
            self.stop_plugin().await;
        }
        self.enter(State::Stopped);
        self.statuses.stopped();
    }

    async fn task_configs(&mut self, limit: &TaskLimit) -> TasksResult {
        if self.state != State::Started {
            return Err(TaskConfigsError::Final(ConnectError::other(format!(
                "Connector {} is not running and cannot configure tasks",
                self.name
            ))));
        }
        let configs = guarded(self.connector.task_configs(limit.tasks))
            .await
            .map_err(|error| TaskConfigsError::Repeat(self.redaction.error(error)))?;
        if let Err(error) = limit.check(&self.name, configs.len()) {
            self.fail(&error);
            return Err(TaskConfigsError::Final(error));
        }
        Ok(Tasks {
            class: self.connector.task_class(),
            configs,
        })
    }

    /// The first failure counts; a stopped connector cannot fail any more.
    fn fail(&mut self, error: &ConnectError) {
        if self.state == State::Failed {
            return;
        }
        tracing::error!(connector = self.name, %error, "Connector has failed");
        self.enter(State::Failed);
        self.statuses.failed(error);
    }

    async fn shut_down(mut self) {
        if self.state == State::Started {
            self.stop_plugin().await;
        }
        self.enter(State::Stopped);
        self.statuses.unassigned();
        tracing::info!(connector = self.name, "Completed shutdown");
    }

    async fn stop_plugin(&mut self) {
        if let Err(error) = guarded(self.connector.stop()).await {
            let error = self.redaction.error(error);
            tracing::error!(connector = self.name, %error, "Error while stopping connector");
        }
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.running
            .store(state == State::Started, Ordering::Release);
    }
}

/// A target state as messages name it.
fn word(state: TargetState) -> &'static str {
    match state {
        TargetState::Started => "STARTED",
        TargetState::Paused => "PAUSED",
        TargetState::Stopped => "STOPPED",
    }
}
