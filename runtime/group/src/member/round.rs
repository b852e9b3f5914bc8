//! One round: the member joins, deals out work if it leads, and learns what it is
//! to do.

use std::time::Duration;

use tether_kafka::broker::messages::{
    ErrorCode, JoinGroup, Joined, OfferedProtocol, SyncGroup, Synced,
};
use tether_kafka::broker::{self, BrokerConnection};
use tokio::sync::oneshot;
use tokio::time::{self, Instant};

use super::answer::{Failure, Meaning};
use super::leading::{Dealt, Forming, Told};
use super::pulse::Identity;
use super::run::{Phase, Run, Setback};
use super::{Assigned, Command, Configured, GroupEvent, MemberState, Owners};
use crate::protocol::{Assignment, Metadata, PROTOCOL_TYPE, Protocol};

/// How much longer than the group waits for members an answer may take
/// (`JOIN_GROUP_TIMEOUT_LAPSE`).
const LAPSE: Duration = Duration::from_secs(5);

impl Run {
    /// Comes to be a member of the next generation.
    pub(super) async fn round(&mut self) -> Result<(), Setback> {
        if self.is_in_group {
            self.set_state(MemberState::Joining);
        }
        self.facts.rebalance_began();
        let finder = self.finder.clone();
        let mut connection = self.wait(Phase::Before, finder.connect()).await??;
        let config_offset = self.report(self.protocol == Protocol::Eager).await?;
        let joined = self.join(&mut *connection, config_offset).await?;
        let protocol = self.agreed(&joined)?;
        if protocol == Protocol::Eager && !self.book.is_empty() {
            // The group fell back to the eager protocol, whose leaders take it
            // that nobody runs anything.
            self.stop_all().await?;
        }
        let dealt = self.lead(&joined, protocol).await?;
        let synced = self
            .sync(&mut *connection, &joined, dealt.assignments)
            .await?;
        let assignment = Assignment::decode(&synced.assignment).map_err(|error| {
            let leader = &joined.leader;
            Setback::passing(format!(
                "What the leader {leader} says that this worker is to do cannot be read: {error}"
            ))
        })?;
        self.complete(&joined, protocol, assignment, dealt.owners);
        Ok(())
    }

    /// Tells the worker that a round begins, and asks how far it has read the
    /// configurations.
    async fn report(&mut self, stop_all: bool) -> Result<i64, Setback> {
        if stop_all {
            self.empty_book();
        }
        let (reply, mut answer) = oneshot::channel();
        self.tell(GroupEvent::Joining { stop_all, reply })?;
        self.again = None;
        loop {
            tokio::select! {
                biased;
                offset = &mut answer => return offset.map_err(|_| unanswered()),
                command = self.commands.recv() => match command {
                    // Asked for before the report was made, it is met by it.
                    Some(Command::Rejoin { reason }) => match answer.try_recv() {
                        Ok(offset) => {
                            self.again = Some(reason);
                            return Ok(offset);
                        }
                        Err(oneshot::error::TryRecvError::Empty) => {}
                        Err(oneshot::error::TryRecvError::Closed) => return Err(unanswered()),
                    },
                    command => self.obey(command)?,
                },
                news = self.pulse.news() => self.hear(news, Phase::Before)?,
            }
        }
    }

    /// Has the worker stop everything, though it asked to join already.
    async fn stop_all(&mut self) -> Result<(), Setback> {
        self.empty_book();
        let (reply, answer) = oneshot::channel();
        let stop_all = true;
        self.tell(GroupEvent::Joining { stop_all, reply })?;
        let stopped = self.wait(Phase::Before, answer).await?;
        stopped.map(|_| ()).map_err(|_| unanswered())
    }

    fn empty_book(&mut self) {
        self.book.clear();
        self.facts.emptied();
    }

    /// Asks to be a member until it is one of a new generation.
    async fn join(
        &mut self,
        connection: &mut dyn BrokerConnection,
        config_offset: i64,
    ) -> Result<Joined, Setback> {
        self.is_answer_due = false;
        let offered = self.settings.protocol.offered();
        loop {
            let mut protocols = Vec::new();
            let metadata = Metadata {
                url: self.settings.url.clone(),
                config_offset,
                allocation: self.book.allocation(),
            };
            for protocol in offered {
                protocols.push(OfferedProtocol {
                    name: protocol.name().to_owned(),
                    metadata: metadata.encode(*protocol).map_err(unsayable)?,
                });
            }
            let request = JoinGroup {
                group: self.settings.group_id.clone(),
                session_timeout_ms: millis(self.settings.session_timeout),
                rebalance_timeout_ms: millis(self.settings.rebalance_timeout),
                member: self.member.clone(),
                protocol_type: PROTOCOL_TYPE.to_owned(),
                protocols,
            };
            let since = Instant::now();
            let asked = broker::ask(connection, &request, self.round_timeout());
            let joined = self.wait_for_members(asked).await?;
            let joined = joined.map_err(|error| self.disconnected(error))?;
            match Meaning::of(joined.error, &self.settings) {
                Meaning::Fine => {
                    self.facts.joined(since.elapsed());
                    self.member.clone_from(&joined.member);
                    self.pulse.follow(Some(Identity {
                        member: joined.member.clone(),
                        generation: joined.generation,
                        since,
                        is_overtaken: false,
                    }));
                    return Ok(joined);
                }
                Meaning::IdRequired if self.member.is_empty() && !joined.member.is_empty() => {
                    self.member = joined.member;
                }
                _ => return Err(self.setback(joined.error)),
            }
        }
    }

    /// Waits for the answer, which comes when all members have joined.
    async fn wait_for_members<T>(&mut self, asked: impl Future<Output = T>) -> Result<T, Setback> {
        let mut asked = std::pin::pin!(asked);
        let interval = self.settings.heartbeat_interval;
        let early = time::timeout(interval, &mut asked);
        if let Ok(answer) = self.wait(Phase::Joining, early).await? {
            return Ok(answer);
        }
        // It was not refused, so all that is missing is members.
        self.set_state(MemberState::Joining);
        self.wait(Phase::Joining, asked).await
    }

    /// What the members agreed on.
    fn agreed(&self, joined: &Joined) -> Result<Protocol, Setback> {
        let agreed = Protocol::of(&joined.protocol);
        let agreed = agreed.filter(|protocol| self.settings.protocol.offered().contains(protocol));
        agreed.ok_or_else(|| {
            Setback::Failed(Failure::Refused(format!(
                "The coordinator of the group {} says that its members agree on the protocol \
                 {:?}, which this worker did not offer",
                self.settings.group_id, joined.protocol
            )))
        })
    }

    /// Deals out work, if this member leads.
    async fn lead(&mut self, joined: &Joined, protocol: Protocol) -> Result<Dealt, Setback> {
        self.led = None;
        if joined.leader != joined.member {
            return Ok(Dealt {
                assignments: Vec::new(),
                owners: None,
            });
        }
        self.led = Some(joined.members.len());
        let told = Told::read(&joined.members);
        let at_least = told.config_offset();
        let (reply, answer) = oneshot::channel();
        self.tell(GroupEvent::Leading { at_least, reply })?;
        let answer = time::timeout(self.settings.rebalance_timeout, answer);
        let configured: Option<Configured> = match self.wait(Phase::Syncing, answer).await? {
            Ok(Ok(configured)) => configured,
            Ok(Err(_)) | Err(_) => None,
        };
        let configured = configured.filter(|configured| configured.config_offset >= at_least);
        if configured.is_none() {
            tracing::warn!(
                "This worker leads its group, but has not read the configurations as far as \
                 others (up to {at_least}); the group tries again"
            );
        }
        let forming = Forming {
            protocol,
            leader: &joined.leader,
            leader_url: &self.settings.url,
            generation: joined.generation,
            completed_generation: self.completed_generation,
        };
        self.dealer
            .deal(&forming, &told, configured)
            .map_err(unsayable)
    }

    /// Hands in what was dealt out, and asks what this member is to do.
    async fn sync(
        &mut self,
        connection: &mut dyn BrokerConnection,
        joined: &Joined,
        assignments: Vec<(String, Vec<u8>)>,
    ) -> Result<Synced, Setback> {
        let request = SyncGroup {
            group: self.settings.group_id.clone(),
            generation: joined.generation,
            member: joined.member.clone(),
            assignments,
        };
        let since = Instant::now();
        let asked = broker::ask(connection, &request, self.round_timeout());
        let synced = self.wait(Phase::Syncing, asked).await?;
        let synced = synced.map_err(|error| self.disconnected(error))?;
        match Meaning::of(synced.error, &self.settings) {
            Meaning::Fine => {
                self.facts.synced(since.elapsed());
                Ok(synced)
            }
            _ => Err(self.setback(synced.error)),
        }
    }

    fn complete(
        &mut self,
        joined: &Joined,
        protocol: Protocol,
        assignment: Assignment,
        owners: Option<Owners>,
    ) {
        let delay = Duration::from_millis(assignment.delay_ms.max(0).unsigned_abs().into());
        self.completed_generation = joined.generation;
        self.protocol = protocol;
        self.is_in_group = true;
        self.rejoin_at = (!delay.is_zero()).then(|| Instant::now() + delay);
        let assigned = Assigned {
            generation: joined.generation,
            member_id: joined.member.clone(),
            protocol,
            leader_id: assignment.leader.clone(),
            leader_url: assignment.leader_url.clone(),
            failed: assignment.error.is_some(),
            config_offset: assignment.config_offset,
            revoked: assignment.revoked.clone(),
            complete: self.book.enter(assignment, protocol),
            delay,
            owners,
        };
        tracing::info!(
            "Joined the group {} as {} in generation {} ({}): {} connectors and {} tasks to run, {} \
             and {} to stop",
            self.settings.group_id,
            assigned.member_id,
            assigned.generation,
            protocol.name(),
            assigned.complete.connectors.len(),
            assigned.complete.tasks.len(),
            assigned.revoked.connectors.len(),
            assigned.revoked.tasks.len(),
        );
        self.facts.rebalance_ended(
            assigned.generation,
            &assigned.leader_url,
            assigned.complete.connectors.len(),
            assigned.complete.tasks.len(),
        );
        self.set_state(MemberState::Stable {
            generation: joined.generation,
            leader: self.led.is_some(),
            members: self.led,
        });
        // Who does not listen any more is noticed by the next round.
        let _nobody_listens = self.events.send(GroupEvent::Assigned(assigned));
    }

    /// What an error of the coordinator does to a round.
    fn setback(&mut self, error: ErrorCode) -> Setback {
        match Meaning::of(error, &self.settings) {
            Meaning::Failed(failure) => Setback::Failed(failure),
            Meaning::Moved => {
                self.finder.forget();
                Setback::passing("The coordinator of the group moved")
            }
            Meaning::UnknownMember => {
                self.expelled();
                Setback::Again("the coordinator does not know this member".to_owned())
            }
            Meaning::OtherGeneration => {
                self.pulse.overtaken();
                Setback::Again("the group is in another round".to_owned())
            }
            Meaning::Fine | Meaning::Rebalancing => {
                Setback::Again("the group began another round".to_owned())
            }
            Meaning::IdRequired => {
                self.expelled();
                Setback::passing("The coordinator gave this member no id")
            }
        }
    }

    fn disconnected(&self, error: broker::BrokerError) -> Setback {
        self.finder.forget();
        Setback::Failed(error.into())
    }

    fn tell(&self, event: GroupEvent) -> Result<(), Setback> {
        let told = self.events.send(event);
        told.map_err(|_| Setback::Stopped(super::run::Stop::Gone))
    }

    /// How long an answer may take that waits for other members.
    fn round_timeout(&self) -> Duration {
        let waited = self.settings.rebalance_timeout.saturating_add(LAPSE);
        waited.max(self.settings.request_timeout)
    }
}

fn unanswered() -> Setback {
    Setback::passing("The worker was not ready to join its group")
}

fn unsayable(error: broker::bytes::BytesError) -> Setback {
    Setback::Failed(Failure::Refused(format!(
        "A name is too long for the messages between workers: {error}"
    )))
}

fn millis(time: Duration) -> i32 {
    i32::try_from(time.as_millis()).unwrap_or(i32::MAX)
}
