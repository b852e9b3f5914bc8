//! The rounds of the group: what this worker is assigned comes into force, and
//! what is taken from it stops.
//!
//! # Who runs what, and when
//! - **What is taken away stops before this worker joins again**, and the leader
//!   deals it out only in the round after that: nothing runs twice.
//! - **What is assigned starts once this worker has read the config topic as far
//!   as the leader had**, no less and no further: all workers then mean the same
//!   by the same name (`DistributedHerder.handleRebalanceCompleted`).
//! - **What runs goes on** through rounds of the cooperative protocols, and
//!   while a round's assignment waits to come into force.
//! - **A worker that may have lost its place stops everything** before others are
//!   given the work: see [`tether_group::member`].

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;
use tether_group::Work;
use tether_group::member::{Assigned, Configured, GroupEvent, Member, MemberState};
use tether_group::protocol::Protocol;
use tether_storage::{ConfigSnapshot, TaskId};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use super::actor::{Command, sleep_until};
use super::actors::Actors;
use super::role::{Leads, Standing};
use super::share::{Part, Share};
use super::{ACTORS_PATIENCE, Shared};
use crate::config::DistributedConfig;
use crate::metrics::{CoordinatorMetrics, RebalanceMetrics};
use crate::session::Rotation;
use crate::traces::TARGET;

/// How long a round waits for what is being written by this worker as the
/// leader; a write takes at most 30 seconds.
const WRITES_PATIENCE: Duration = Duration::from_secs(30);

/// How often the config topic is read anew before the worker leaves the group
/// (`DistributedHerder.BACKOFF_RETRIES`).
const READ_ATTEMPTS: u32 = 5;

/// How long the leader waits before it tries again to give out a session key.
const KEY_RETRY: Duration = Duration::from_secs(1);

/// Takes part in the rounds of the group.
pub(super) struct Rounds {
    shared: Arc<Shared>,
    actors: Actors,
    member: Member,
    config: DistributedConfig,
    metrics: RebalanceMetrics,
    _coordinator_metrics: CoordinatorMetrics,
    /// An assignment that is not in force yet.
    pending: Option<Pending>,
    /// When to join again after leaving.
    rejoin_at: Option<Instant>,
    /// When the leader looks whether a new session key is due.
    key_due: Option<Instant>,
    /// The span of the round that is under way.
    round: Span,
}

struct Pending {
    assigned: Assigned,
    attempts_left: u32,
    next_attempt: Instant,
}

impl Rounds {
    pub(super) fn new(
        shared: Arc<Shared>,
        actors: Actors,
        member: Member,
        config: DistributedConfig,
    ) -> Self {
        let worker = &shared.context.worker;
        let metrics = worker.rebalance_metrics(config.group.protocol);
        let client_id = shared
            .context
            .group
            .as_ref()
            .map(|group| &*group.settings.client_id);
        let coordinator = worker.coordinator_metrics(client_id.unwrap_or_default(), &member);
        Self {
            _coordinator_metrics: coordinator,
            shared,
            actors,
            member,
            config,
            metrics,
            pending: None,
            rejoin_at: None,
            key_due: None,
            round: Span::none(),
        }
    }

    /// Acts on events until the herder stops, and hears them until the member has
    /// left: it would not if nobody listened.
    pub(super) async fn run(mut self, mut events: mpsc::UnboundedReceiver<GroupEvent>) {
        let stopping = self.shared.stopping.clone();
        loop {
            tokio::select! {
                biased;
                () = stopping.cancelled() => break,
                event = events.recv() => match event {
                    Some(event) => {
                        if matches!(event, GroupEvent::Joining { .. }) {
                            self.round = rebalance();
                        }
                        let span = self.round.clone();
                        self.handle(event).instrument(span).await;
                    }
                    None => return,
                },
                () = sleep_until(self.pending.as_ref().map(|pending| pending.next_attempt)) => {
                    let span = self.round.clone();
                    self.bring_into_force().instrument(span).await;
                }
                () = sleep_until(self.key_due) => self.renew_key().await,
                () = sleep_until(self.rejoin_at) => {
                    self.rejoin_at = None;
                    self.member.rejoin("the time after leaving it is over");
                }
            }
        }
        while events.recv().await.is_some() {}
    }

    async fn handle(&mut self, event: GroupEvent) {
        let shared = Arc::clone(&self.shared);
        let configs = &shared.context.configs;
        match event {
            GroupEvent::Joining { stop_all, reply } => {
                self.metrics.rebalance_started();
                shared.role.unsettle(WRITES_PATIENCE).await;
                if stop_all {
                    self.pending = None;
                    self.keep(&Work::default()).await;
                }
                // A member that has lost its place meanwhile needs no answer.
                let _ = reply.send(configs.snapshot().offset);
            }
            GroupEvent::Leading { at_least, reply } => {
                let mut snapshot = configs.snapshot();
                if snapshot.offset < at_least {
                    self.read_to_end().await;
                    snapshot = configs.snapshot();
                }
                let is_read = snapshot.offset >= at_least;
                let _ = reply.send(is_read.then(|| configured(&snapshot)));
            }
            GroupEvent::Assigned(assigned) => {
                shared.context.worker.set_generation(assigned.generation);
                // A later round overrides one that did not come into force.
                self.pending = None;
                self.keep(&assigned.complete).await;
                self.pending = Some(Pending {
                    assigned,
                    attempts_left: READ_ATTEMPTS,
                    next_attempt: Instant::now(),
                });
                self.bring_into_force().await;
            }
            GroupEvent::Lost { reason } => {
                tracing::warn!(
                    reason,
                    "Stopping all connectors and tasks: this worker has lost its place in the group"
                );
                self.pending = None;
                shared.context.worker.lose_generation();
                shared.role.unsettle(Duration::ZERO).await;
                self.keep(&Work::default()).await;
            }
        }
    }

    /// Stops what runs here and is not in `work`. Returns once it has stopped;
    /// what hangs is given up.
    async fn keep(&self, work: &Work) {
        let role = &self.shared.role;
        let Share::Part(part) = role.share() else {
            return;
        };
        let ended = part.work.without([work]);
        if ended.is_empty() {
            return;
        }
        let left = Part {
            work: part.work.common(work),
            configs: Arc::clone(&part.configs),
        };
        role.end(&ended, left);
        let replies = touched(&ended).into_iter().map(|connector| {
            let (reply, answer) = oneshot::channel();
            self.actors.send(connector, Command::Settle(reply));
            answer
        });
        let mut settled = join_all(replies);
        let worker = &self.shared.context.worker;
        let tasks: Vec<TaskId> = ended.tasks.iter().cloned().collect();
        let patience = self.shared.context.config.task_shutdown_timeout + ACTORS_PATIENCE;
        // Tasks do not wait for an actor that waits for the broker or a connector:
        // there may be little time until others start them.
        let (_, in_time) = tokio::join!(worker.stop_tasks(&tasks), timeout(patience, &mut settled));
        if in_time.is_ok() {
            return;
        }
        // An actor may wait for a connector that hangs in its start. Stopping it
        // ends that wait.
        let connectors = ended.connectors.iter();
        let connectors = join_all(connectors.map(|name| worker.stop_connector(name)));
        tokio::join!(connectors, worker.stop_tasks(&tasks));
        if timeout(patience, settled).await.is_err() {
            tracing::error!("Gave up waiting for connectors that another worker is to have");
        }
    }

    /// Lets an assignment come into force if the config topic is read as far as
    /// it was for the leader.
    async fn bring_into_force(&mut self) {
        let Some(pending) = self.pending.take() else {
            return;
        };
        let shared = Arc::clone(&self.shared);
        let configs = &shared.context.configs;
        let offset = pending.assigned.config_offset;
        let is_behind = configs.snapshot().offset < offset || pending.assigned.failed;
        if is_behind && !self.read_to_end().await {
            return self.try_again(pending).await;
        }
        let assigned = pending.assigned;
        let snapshot = configs.snapshot();
        if assigned.failed {
            return self
                .member
                .rejoin("the leader had not read the config topic to its end");
        }
        if snapshot.offset != offset {
            let reason = format!(
                "work was assigned at offset {offset} of the config topic, and this worker has read up to {}",
                snapshot.offset
            );
            return self.member.rejoin(&reason);
        }
        if matches!(
            *self.member.state().borrow(),
            MemberState::Unreachable { .. } | MemberState::Left
        ) {
            // An event that says so follows.
            return;
        }
        self.start(assigned, snapshot).await;
    }

    async fn start(&mut self, assigned: Assigned, snapshot: Arc<ConfigSnapshot>) {
        let role = &self.shared.role;
        let Share::Part(before) = role.share() else {
            return;
        };
        tracing::info!(
            generation = assigned.generation,
            leader = assigned.leader_url,
            connectors = assigned.complete.connectors.len(),
            tasks = assigned.complete.tasks.len(),
            delay_ms = assigned.delay.as_millis() as u64,
            "An assignment comes into force"
        );
        let round = std::mem::replace(&mut self.round, Span::none());
        round.record("generation", assigned.generation);
        round.record("leader", &assigned.leader_url);
        round.record("connectors", assigned.complete.connectors.len());
        round.record("tasks", assigned.complete.tasks.len());
        role.take(Part {
            work: assigned.complete.clone(),
            configs: snapshot,
        });
        role.agree_on(assigned.protocol);
        let leads = assigned.owners.is_some();
        role.settle(match assigned.owners {
            Some(owners) => Standing::Leader(owners),
            None => Standing::Follower(assigned.leader_url.clone()),
        });
        // A change that came just now may have been compared with the assignment
        // from before.
        if self.shared.context.configs.snapshot().offset != assigned.config_offset {
            self.member
                .rejoin("the configuration changed while an assignment came into force");
        }
        let mut all = assigned.complete;
        all.add(&before.work);
        for connector in touched(&all) {
            self.actors.send(connector, Command::Reconcile);
        }
        if leads {
            self.shared.prune_statuses();
        }
        self.renew_key().await;
        self.metrics
            .rebalance_completed(assigned.protocol, assigned.leader_url);
        self.shared.started.send_replace(true);
        if !assigned.revoked.is_empty() {
            self.member
                .rejoin("what was taken from this worker has stopped");
        }
    }

    /// Gives all workers a new session key if one is due and this worker leads a
    /// group whose requests are signed (`DistributedHerder.checkForKeyRotation`).
    async fn renew_key(&mut self) {
        self.key_due = None;
        if self.shared.role.protocol() != Some(Protocol::Sessioned) {
            return;
        }
        let shared = Arc::clone(&self.shared);
        let configs = &*shared.context.configs;
        let Leads::Here(leadership) = shared.role.leads(configs) else {
            return;
        };
        let keys = &self.config.session.keys;
        let now = Timestamp::now().as_millisecond();
        let mut rotation = keys.rotation(configs.snapshot().session_key.as_ref(), now);
        if rotation == Rotation::Now {
            tracing::info!("Giving out a new session key");
            let key = keys.generate(now);
            let written = async {
                leadership.claim_write_privileges().await?;
                leadership.put_session_key(&key).await
            };
            rotation = match written.await {
                Ok(()) => keys.rotation(Some(&key), now),
                Err(error) => {
                    tracing::warn!(%error, "Could not give out a new session key; trying again");
                    Rotation::In(KEY_RETRY)
                }
            };
        }
        self.key_due = match rotation {
            Rotation::In(wait) => Some(Instant::now() + wait),
            Rotation::Now | Rotation::Never => None,
        };
    }

    /// Plans another attempt to read the config topic, or leaves the group for a
    /// while if there were enough: others can do the work. With a cooperative
    /// protocol it comes back soon, as the reference does, which stays out for
    /// long with the eager one only.
    async fn try_again(&mut self, mut pending: Pending) {
        if pending.attempts_left > 0 && pending.assigned.protocol != Protocol::Eager {
            let wait = self.config.group.max_delay / 10 / pending.attempts_left;
            pending.attempts_left -= 1;
            pending.next_attempt = Instant::now() + wait;
            self.pending = Some(pending);
            return;
        }
        let wait = match pending.assigned.protocol {
            Protocol::Eager => self.config.unsync_backoff,
            Protocol::Compatible | Protocol::Sessioned => self.config.sync_timeout,
        };
        tracing::error!(
            wait_ms = wait.as_millis() as u64,
            "Leaving the group for a while: the config topic cannot be read"
        );
        self.member.leave("the config topic cannot be read").await;
        self.keep(&Work::default()).await;
        self.rejoin_at = Some(Instant::now() + wait);
    }

    /// Reads the config topic to its end; false if that takes too long.
    async fn read_to_end(&self) -> bool {
        let configs = &self.shared.context.configs;
        match configs.refresh(self.config.sync_timeout).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(
                    %error,
                    timeout_ms = self.config.sync_timeout.as_millis() as u64,
                    "Could not read the config topic to its end (worker.sync.timeout.ms)"
                );
                false
            }
        }
    }
}

/// The span of a round, from when this worker joins until its assignment is in force and what it brings is
/// started.
fn rebalance() -> Span {
    tracing::info_span!(
        target: TARGET, parent: None, "rebalance",
        generation = Empty, leader = Empty, connectors = Empty, tasks = Empty,
    )
}

/// Everything that is configured.
fn configured(snapshot: &ConfigSnapshot) -> Configured {
    let mut work = Work::default();
    for (connector, entry) in &snapshot.connectors {
        work.connectors.insert(connector.clone());
        let tasks = entry.tasks.keys();
        work.tasks
            .extend(tasks.map(|task| TaskId::new(connector.as_str(), *task)));
    }
    Configured {
        config_offset: snapshot.offset,
        work,
    }
}

/// The connectors that work is of.
fn touched(work: &Work) -> BTreeSet<&str> {
    let tasks = work.tasks.iter().map(|task| task.connector.as_str());
    let connectors = work.connectors.iter().map(String::as_str);
    connectors.chain(tasks).collect()
}
