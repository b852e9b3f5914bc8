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
mod dead_letters;
mod fencing;
mod group;
mod offsets;
mod requests;
mod restart;
mod role;
mod share;
mod status;
#[cfg(test)]
mod tests;
mod variable_watch;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tether_api::config::ConfigMap;
use tether_api::{ConnectError, Result};
use tether_group::member::{self, GroupSettings, Member};
use tether_group::protocol::Protocol;
use tether_kafka::Clients;
use tether_kafka::broker::Brokers;
use tether_storage::{
    ConfigStore, ConfigUpdate, ConnectorEntry, ConnectorLocks, ConnectorStatus, OffsetStore, State,
    StatusStore, TargetState, TaskStatus,
};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::config::{Mode, WorkerConfig};
use crate::config_provider::VariableResolver;
use crate::herder::Peers;
use crate::loggers::Loggers;
use crate::plugins::Plugins;
use crate::session::Signer;
use crate::validation::Validation;
use crate::worker::{Worker, WorkerRequest};

use actor::Command;
use actors::Actors;
use group::Rounds;
use requests::{Requests, Turn};
use role::{Leadership, Role};
use share::Share;

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
    /// How to be a member of the group of workers; `None` standalone.
    pub group: Option<GroupContext>,
}

/// What a herder needs that is a member of a group.
pub struct GroupContext {
    /// How it is one.
    pub settings: GroupSettings,
    /// Reaches the broker that keeps the group together.
    pub brokers: Arc<dyn Brokers>,
    /// Asks other workers.
    pub peers: Arc<dyn Peers>,
}

/// A herder that brings its worker in line with the config store.
pub struct ReconcilingHerder {
    shared: Arc<Shared>,
    actors: Actors,
    requests: Requests,
    member: OnceLock<Member>,
}

/// What the herder shares with the actors of its connectors.
struct Shared {
    context: HerderContext,
    validation: Validation,
    /// One fencing per connector at a time.
    fencings: ConnectorLocks,
    role: Role,
    /// True once the stores are read and the connectors are being started, those
    /// of a first assignment if there is a group.
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

    /// The config store, for what only the leader of the group may write. Waits
    /// while it is not known who leads.
    ///
    /// # Errors
    /// [`crate::herder::elsewhere`], if another worker leads; if the right to
    /// write cannot be had now; if the worker is shutting down.
    async fn as_leader(&self) -> Result<Leadership<'_>> {
        loop {
            let leadership = tokio::select! {
                biased;
                () = self.stopping.cancelled() => return Err(shutting_down()),
                leadership = self.role.as_leader(&*self.context.configs) => leadership?,
            };
            leadership.claim_write_privileges().await?;
            // That may have taken longer than the round could wait.
            if self.role.is_leading() {
                return Ok(leadership);
            }
        }
    }

    /// Commits task configurations, unless the connector has been stopped since
    /// they were made: it is to have none then.
    ///
    /// # Errors
    /// `NotFound`; if they cannot be written.
    async fn commit_tasks(
        &self,
        leader: &Leadership<'_>,
        connector: &str,
        configs: &[ConfigMap],
    ) -> Result<()> {
        if !configs.is_empty() && self.is_stopped(connector)? {
            // Whoever made them may have read further than this worker.
            self.context.configs.refresh(COMMIT_PATIENCE).await?;
            if self.is_stopped(connector)? {
                tracing::info!(
                    connector,
                    "Dropping task configurations: the connector has been stopped"
                );
                return Ok(());
            }
        }
        leader.put_task_configs(connector, configs).await
    }

    fn is_stopped(&self, connector: &str) -> Result<bool> {
        let entry = self.entry(connector);
        entry
            .map(|entry| entry.target_state == TargetState::Stopped)
            .ok_or_else(|| ConnectError::not_found(format!("Connector {connector} not found")))
    }

    /// Deletes statuses of connectors and tasks that are no longer configured:
    /// their owners write last that they are UNASSIGNED, and a worker may die in
    /// the middle of a deletion.
    fn prune_statuses(&self) {
        let context = &self.context;
        let snapshot = context.configs.snapshot();
        for connector in context.statuses.connectors() {
            match snapshot.connector(&connector) {
                None => {
                    self.destroy_tasks(&connector, |_| false);
                    self.destroy_connector(&connector);
                }
                Some(entry) => {
                    self.destroy_tasks(&connector, |task| entry.tasks.contains_key(&task));
                }
            }
        }
    }

    /// Has another worker, the leader, commit task configurations.
    async fn give_tasks(&self, leader: &str, connector: &str, configs: &[ConfigMap]) -> Result<()> {
        let peers = self.peers()?;
        let signer = self.signer();
        peers
            .put_task_configs(leader, connector, configs, signer.as_ref())
            .await
    }

    /// Has another worker, the leader, fence zombies of a source.
    async fn have_fenced(&self, leader: &str, connector: &str) -> Result<()> {
        let signer = self.signer();
        let peers = self.peers()?;
        peers
            .fence_zombies(leader, connector, signer.as_ref())
            .await
    }

    /// Signs requests to other workers; `None` if the group does without, or there
    /// is no key yet.
    fn signer(&self) -> Option<Signer> {
        if self.role.protocol() != Some(Protocol::Sessioned) {
            return None;
        }
        let Mode::Distributed(config) = &self.context.config.mode else {
            return None;
        };
        let key = self.context.configs.snapshot().session_key.clone()?;
        let algorithm = config.session.signature_algorithm.clone();
        Some(Signer::new(key, algorithm))
    }

    fn peers(&self) -> Result<&dyn Peers> {
        let group = self.context.group.as_ref();
        group
            .map(|group| &*group.peers)
            .ok_or_else(|| ConnectError::illegal_state("This worker has no group"))
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
        let role = match context.group {
            Some(_) => Role::outside(),
            None => Role::alone(),
        };
        let shared = Arc::new(Shared {
            context,
            validation,
            fencings: ConnectorLocks::default(),
            role,
            started: watch::Sender::new(false),
            stopping: CancellationToken::new(),
        });
        Ok(Self {
            actors: Actors::new(Arc::clone(&shared)),
            shared,
            requests: Requests::default(),
            member: OnceLock::new(),
        })
    }

    /// Reads the stores and starts every connector that they know, or joins the
    /// group that shares them out. `requests` is the other end of the worker's
    /// channel.
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
        match self.join() {
            Some(rounds) => {
                tokio::spawn(rounds);
            }
            None => {
                self.shared.prune_statuses();
                for connector in context.configs.snapshot().connectors.keys() {
                    self.actors.send(connector, Command::Reconcile);
                }
                self.shared.started.send_replace(true);
            }
        }
        tokio::spawn(react(
            self.actors.clone(),
            Arc::clone(&self.shared),
            self.member.get().cloned(),
            updates,
            requests,
        ));
        Ok(())
    }

    /// Joins the group; what is returned takes part in its rounds. `None`
    /// without a group.
    fn join(&self) -> Option<impl Future<Output = ()> + 'static> {
        let context = &self.shared.context;
        let group = context.group.as_ref()?;
        let Mode::Distributed(config) = &context.config.mode else {
            return None;
        };
        let (member, events) = member::join(group.settings.clone(), Arc::clone(&group.brokers));
        let member = self.member.get_or_init(|| member).clone();
        let rounds = Rounds::new(
            Arc::clone(&self.shared),
            self.actors.clone(),
            member,
            config.as_ref().clone(),
        );
        Some(rounds.run(events))
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
        let written = tokio::time::timeout(FLUSH_PATIENCE, context.statuses.flush());
        if written.await.is_err() {
            tracing::warn!("Stopping although Kafka has not taken the last statuses");
        }
        // Others are given the work only now that it has stopped.
        if let Some(member) = self.member.get() {
            member.close().await;
        }
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
/// Has the group share the work out anew if a change makes that necessary.
async fn react(
    actors: Actors,
    shared: Arc<Shared>,
    member: Option<Member>,
    mut updates: mpsc::UnboundedReceiver<ConfigUpdate>,
    mut requests: mpsc::UnboundedReceiver<WorkerRequest>,
) {
    loop {
        tokio::select! {
            () = shared.stopping.cancelled() => return,
            update = updates.recv() => match update {
                Some(ConfigUpdate::ConnectorRemoved(connector)) => {
                    actors.send(&connector, Command::Removed);
                    rejoin_if_new(&shared, member.as_ref(), &connector);
                }
                Some(ConfigUpdate::ConnectorConfig(connector)
                    | ConfigUpdate::Tasks(connector)
                    | ConfigUpdate::TargetState(connector)) => {
                        actors.send(&connector, Command::Reconcile);
                        rejoin_if_new(&shared, member.as_ref(), &connector);
                    }
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

/// Has the group share the work out anew if it does not know of a connector as
/// it is now.
fn rejoin_if_new(shared: &Shared, member: Option<&Member>, connector: &str) {
    if let Some(member) = member
        && let Share::Part(part) = shared.role.share()
        && !part.knows(connector, shared.entry(connector).as_deref())
    {
        member.rejoin("the connectors or tasks that are configured have changed");
    }
}

/// How long the leader reads on to tell whether a connector is stopped.
const COMMIT_PATIENCE: Duration = Duration::from_secs(30);

/// How long the first wait is before a connector is asked again for task
/// configurations; it doubles up to [`MAX_RECONFIGURE_BACKOFF`]
/// (`DistributedHerder.reconfigureConnectorTasksWithExponentialBackoffRetries`).
const MIN_RECONFIGURE_BACKOFF: Duration = Duration::from_millis(250);
const MAX_RECONFIGURE_BACKOFF: Duration = Duration::from_secs(60);

/// How long the end of the herder waits for requests under way.
const REQUESTS_PATIENCE: Duration = Duration::from_secs(5);

/// How long it waits for the last statuses: Kafka may be away.
const FLUSH_PATIENCE: Duration = Duration::from_secs(5);

/// How much longer than for tasks it waits for actors: connectors have five
/// seconds of their own.
const ACTORS_PATIENCE: Duration = Duration::from_secs(10);
