//! The herder of a worker: it brings what runs on its worker in line with what
//! the config store says.
//!
//! Requests write to the config store; what the store says back drives the
//! work. Each connector has an actor ([`actor`]) that brings worker and store
//! together, so that a slow connector holds up nobody else, and so that a
//! restart of the process, which finds the same records, ends in the same state.

mod actor;
mod actors;
mod api;
mod automatic_restart;
mod fencing;
mod offsets;
mod requests;
mod restart;
mod status;
#[cfg(test)]
mod tests;
mod variable_watch;

use std::sync::Arc;
use std::time::Duration;

use tether_api::config::ConfigMap;
use tether_api::{ConnectError, Result};
use tether_kafka::Clients;
use tether_storage::{
    ConfigStore, ConfigUpdate, ConnectorEntry, ConnectorStatus, OffsetStore, State, StatusStore,
    TaskStatus,
};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::config::WorkerConfig;
use crate::config_provider::VariableResolver;
use crate::loggers::Loggers;
use crate::plugins::Plugins;
use crate::validation::Validation;
use crate::worker::{Worker, WorkerRequest};

use actor::Command;
use actors::Actors;
use fencing::Fencings;
use requests::{Requests, Turn};

/// Everything that a herder needs.
pub struct HerderContext {
    /// The worker's address as statuses show it, `host:port`.
    pub worker_id: String,
    /// The id of the Kafka cluster.
    pub kafka_cluster_id: String,
    /// The worker's configuration.
    pub config: WorkerConfig,
    /// The plugins.
    pub plugins: Arc<Plugins>,
    /// Resolves variables.
    pub variables: Arc<VariableResolver>,
    /// Makes Kafka clients.
    pub clients: Arc<dyn Clients>,
    /// The configurations.
    pub configs: Arc<dyn ConfigStore>,
    /// The source offsets.
    pub offsets: Arc<dyn OffsetStore>,
    /// The statuses.
    pub statuses: Arc<dyn StatusStore>,
    /// The worker.
    pub worker: Arc<Worker>,
    /// The loggers.
    pub loggers: Arc<Loggers>,
}

/// A herder that brings its worker in line with the config store.
pub struct ReconcilingHerder {
    shared: Arc<Shared>,
    actors: Actors,
    requests: Requests,
}

/// What the herder shares with the actors of its connectors.
struct Shared {
    context: HerderContext,
    validation: Validation,
    fencings: Fencings,
    /// True once the stores are read and the connectors are being started.
    started: watch::Sender<bool>,
    stopping: CancellationToken,
}

impl Shared {
    /// A connector's entry in the config store.
    fn entry(&self, connector: &str) -> Option<Arc<ConnectorEntry>> {
        self.context
            .configs
            .snapshot()
            .connector(connector)
            .cloned()
    }

    /// The config store, for what only the leader of the group may write: this
    /// worker, which is alone.
    ///
    /// # Errors
    /// If the right to write cannot be had now.
    async fn as_leader(&self) -> Result<&dyn ConfigStore> {
        let configs = &*self.context.configs;
        configs.claim_write_privileges().await?;
        Ok(configs)
    }

    /// Deletes the status of a connector.
    fn destroy_connector(&self, connector: &str) {
        self.context.statuses.put_connector(ConnectorStatus {
            connector: connector.to_owned(),
            state: State::Destroyed,
            trace: None,
            worker_id: self.context.worker_id.clone(),
            generation: 0,
            version: None,
        });
    }

    /// Deletes the statuses of those tasks of a connector that `keep` does not
    /// name.
    fn destroy_tasks(&self, connector: &str, keep: impl Fn(u32) -> bool) {
        for status in self.context.statuses.tasks(connector) {
            if !keep(status.id.task) {
                self.context.statuses.put_task(TaskStatus {
                    state: State::Destroyed,
                    trace: None,
                    worker_id: self.context.worker_id.clone(),
                    generation: 0,
                    version: None,
                    ..status
                });
            }
        }
    }
}

impl ReconcilingHerder {
    /// A herder that does nothing yet.
    ///
    /// # Errors
    /// Config, if the worker's configuration is wrong.
    pub fn new(context: HerderContext) -> Result<Self> {
        let validation = Validation::new(Arc::clone(&context.plugins), &context.config)?;
        let shared = Arc::new(Shared {
            context,
            validation,
            fencings: Fencings::default(),
            started: watch::Sender::new(false),
            stopping: CancellationToken::new(),
        });
        Ok(Self {
            actors: Actors::new(Arc::clone(&shared)),
            shared,
            requests: Requests::default(),
        })
    }

    /// Reads the stores and starts every connector that they know. `requests`
    /// is the other end of the worker's channel.
    ///
    /// # Errors
    /// If a store cannot be opened or must not be used as it is.
    pub async fn start(&self, requests: mpsc::UnboundedReceiver<WorkerRequest>) -> Result<()> {
        let context = &self.shared.context;
        tokio::try_join!(
            context.statuses.start(),
            context.offsets.start(),
            context.configs.start()
        )?;
        let updates = context.configs.take_updates().ok_or_else(|| {
            ConnectError::illegal_state("The config store is in use by another herder")
        })?;
        self.prune_statuses();
        for connector in context.configs.snapshot().connectors.keys() {
            self.actors.send(connector, Command::Reconcile);
        }
        tokio::spawn(react(
            self.actors.clone(),
            Arc::clone(&self.shared),
            updates,
            requests,
        ));
        self.shared.started.send_replace(true);
        Ok(())
    }

    /// Stops connectors and tasks, their offsets committed and statuses written,
    /// then the stores. Plugins that hang are abandoned.
    pub async fn stop(&self) {
        self.shared.stopping.cancel();
        // A request under way finishes; later ones find the worker stopping.
        if !self.requests.ended(REQUESTS_PATIENCE).await {
            tracing::warn!("Stopping although a request is still under way");
        }
        let context = &self.shared.context;
        // An actor may wait for a connector that hangs. Stopping the worker ends
        // that wait, and a second time what the actor began meanwhile.
        let patience = context.config.task_shutdown_timeout + ACTORS_PATIENCE;
        tokio::join!(self.actors.stop(patience), context.worker.shutdown());
        context.worker.shutdown().await;
        context.statuses.flush().await;
        context.statuses.stop().await;
        context.configs.stop().await;
        context.offsets.stop().await;
    }

    /// Waits until the stores are read and it is this request's turn to change
    /// a connector.
    ///
    /// # Errors
    /// Other, if the worker is shutting down.
    async fn turn(&self, connector: &str) -> Result<Turn<'_>> {
        self.ready().await?;
        let turn = self.requests.turn(connector).await;
        if self.shared.stopping.is_cancelled() {
            return Err(shutting_down());
        }
        Ok(turn)
    }

    /// Waits until the stores are read.
    ///
    /// # Errors
    /// Other, if the worker is shutting down.
    async fn ready(&self) -> Result<()> {
        let mut started = self.shared.started.subscribe();
        tokio::select! {
            biased;
            () = self.shared.stopping.cancelled() => {
                Err(shutting_down())
            }
            _ = started.wait_for(|started| *started) => Ok(()),
        }
    }

    /// Deletes statuses of connectors and tasks that are no longer configured;
    /// they stay behind when a worker dies in the middle of a deletion.
    fn prune_statuses(&self) {
        let context = &self.shared.context;
        let snapshot = context.configs.snapshot();
        for connector in context.statuses.connectors() {
            match snapshot.connector(&connector) {
                None => {
                    self.shared.destroy_tasks(&connector, |_| false);
                    self.shared.destroy_connector(&connector);
                }
                Some(entry) => {
                    self.shared
                        .destroy_tasks(&connector, |task| entry.tasks.contains_key(&task));
                }
            }
        }
    }

    /// A connector's configuration.
    ///
    /// # Errors
    /// `NotFound`, with this message.
    fn require(
        &self,
        connector: &str,
        message: impl FnOnce() -> String,
    ) -> Result<Arc<ConnectorEntry>> {
        self.shared
            .entry(connector)
            .ok_or_else(|| ConnectError::not_found(message()))
    }

    /// Resolved configuration, for what a herder reads from it itself.
    fn resolved(&self, config: &ConfigMap) -> Result<ConfigMap> {
        self.shared.context.variables.resolve(config)
    }
}

fn shutting_down() -> ConnectError {
    ConnectError::other("Worker is shutting down")
}

/// Passes changes in the store and requests of connectors to the actors.
async fn react(
    actors: Actors,
    shared: Arc<Shared>,
    mut updates: mpsc::UnboundedReceiver<ConfigUpdate>,
    mut requests: mpsc::UnboundedReceiver<WorkerRequest>,
) {
    loop {
        tokio::select! {
            () = shared.stopping.cancelled() => return,
            update = updates.recv() => match update {
                Some(ConfigUpdate::ConnectorConfig(connector)
                    | ConfigUpdate::ConnectorRemoved(connector)
                    | ConfigUpdate::Tasks(connector)
                    | ConfigUpdate::TargetState(connector)) => actors.send(&connector, Command::Reconcile),
                Some(ConfigUpdate::Restart(request)) => {
                    let connector = request.connector.clone();
                    actors.send(&connector, Command::Restart(request));
                }
                Some(ConfigUpdate::LoggerLevel { logger, level }) => {
                    shared.context.loggers.set(&logger, &level);
                }
                // Nobody else asks this worker for anything.
                Some(ConfigUpdate::SessionKey) => {}
                None => return,
            },
            Some(request) = requests.recv() => match request {
                WorkerRequest::ReconfigureTasks(connector) => {
                    actors.send(&connector, Command::ReconfigureTasks);
                }
                WorkerRequest::TaskFailed(id) => {
                    actors.send(&id.connector, Command::TaskFailed(id.task));
                }
            },
        }
    }
}

/// How long the first wait is before a connector is asked again for task
/// configurations; it doubles up to [`MAX_RECONFIGURE_BACKOFF`]
/// (`DistributedHerder.reconfigureConnectorTasksWithExponentialBackoffRetries`).
const MIN_RECONFIGURE_BACKOFF: Duration = Duration::from_millis(250);
const MAX_RECONFIGURE_BACKOFF: Duration = Duration::from_secs(60);

/// How long the end of the herder waits for requests under way.
const REQUESTS_PATIENCE: Duration = Duration::from_secs(5);

/// How much longer than for tasks it waits for actors: connectors have five
/// seconds of their own.
const ACTORS_PATIENCE: Duration = Duration::from_secs(10);
