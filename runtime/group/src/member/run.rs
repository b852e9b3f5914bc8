//! The life of a member: round after round, until it is closed.

use std::sync::Arc;
use std::time::Duration;

use tether_kafka::broker::messages::LeaveGroup;
use tether_kafka::broker::{self, Brokers};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{self, Instant};

use super::answer::{Failure, Meaning};
use super::backoff::Backoff;
use super::book::Book;
use super::facts::FactSheet;
use super::finder::Finder;
use super::leading::Dealer;
use super::pulse::{News, Pulse};
use super::{Command, GroupEvent, GroupSettings, MemberState};
use crate::protocol::Protocol;

/// How long leaving may take: who is shut down does not wait for a broker.
const LEAVE_LIMIT: Duration = Duration::from_secs(3);

/// The wait before the next attempt where somebody has to change something first.
const REFUSED_WAIT: Duration = Duration::from_secs(10);

/// Why the member no longer takes part.
pub(super) enum Stop {
    Leave {
        reason: String,
        done: oneshot::Sender<()>,
    },
    Close {
        done: oneshot::Sender<()>,
    },
    /// Nobody holds the member any more. It does not leave, as a process that
    /// dies does not.
    Gone,
}

/// Why a round came to nothing.
pub(super) enum Setback {
    Stopped(Stop),
    /// The group began another one.
    Again(String),
    Failed(Failure),
}

impl Setback {
    pub(super) fn passing(reason: impl Into<String>) -> Self {
        Self::Failed(Failure::Passing(reason.into()))
    }
}

impl From<Failure> for Setback {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// What is being waited for when news come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Something that comes before the member asks to join: whatever the news,
    /// it will join next.
    Before,
    /// The round is formed: other members have to join.
    Joining,
    /// The round is formed: work is dealt out.
    Syncing,
}

pub(super) struct Run {
    pub(super) settings: Arc<GroupSettings>,
    pub(super) finder: Arc<Finder>,
    pub(super) commands: mpsc::UnboundedReceiver<Command>,
    pub(super) events: mpsc::UnboundedSender<GroupEvent>,
    pub(super) state: watch::Sender<MemberState>,
    pub(super) facts: FactSheet,
    pub(super) pulse: Pulse,
    pub(super) dealer: Dealer,
    /// The id that the coordinator gave; empty before it did.
    pub(super) member: String,
    /// The latest round in which this member got an assignment.
    pub(super) completed_generation: i32,
    /// What the group agreed on latest.
    pub(super) protocol: Protocol,
    pub(super) book: Book,
    /// The worker takes itself for a member.
    pub(super) is_in_group: bool,
    /// How many members there were in the latest round, if this one led.
    pub(super) led: Option<usize>,
    /// Why another round is asked for.
    pub(super) again: Option<String>,
    /// When another round is asked for.
    pub(super) rejoin_at: Option<Instant>,
    /// The coordinator said that the round is formed which this member asked to
    /// join, so the answer should be on its way.
    pub(super) is_answer_due: bool,
}

impl Run {
    pub(super) fn new(
        settings: GroupSettings,
        brokers: Arc<dyn Brokers>,
        commands: mpsc::UnboundedReceiver<Command>,
        events: mpsc::UnboundedSender<GroupEvent>,
        state: watch::Sender<MemberState>,
        facts: FactSheet,
    ) -> Self {
        let settings = Arc::new(settings);
        let finder = Arc::new(Finder::new(brokers, settings.clone()));
        Self {
            pulse: Pulse::start(settings.clone(), finder.clone(), facts.clone()),
            dealer: Dealer::new(settings.max_delay),
            protocol: settings.protocol,
            settings,
            finder,
            commands,
            events,
            state,
            facts,
            member: String::new(),
            completed_generation: -1,
            book: Book::default(),
            is_in_group: false,
            led: None,
            again: None,
            rejoin_at: None,
            is_answer_due: false,
        }
    }

    pub(super) async fn run(mut self) {
        loop {
            match self.take_part().await {
                Stop::Gone => return,
                Stop::Close { done } => {
                    self.leave("the worker stops").await;
                    let _nobody_waits = done.send(());
                    return;
                }
                Stop::Leave { reason, done } => {
                    self.leave(&reason).await;
                    let _nobody_waits = done.send(());
                    if !self.stay_out().await {
                        return;
                    }
                }
            }
        }
    }

    /// Joins the group again and again.
    async fn take_part(&mut self) -> Stop {
        let mut backoff = Backoff::new(&self.settings);
        let mut failing_since = None;
        let mut told = String::new();
        loop {
            let setback = match self.round().await {
                Ok(()) => {
                    backoff.reset();
                    failing_since = None;
                    told.clear();
                    match self.stay().await {
                        Ok(()) => continue,
                        Err(setback) => setback,
                    }
                }
                Err(setback) => setback,
            };
            let (wait, reason) = match setback {
                Setback::Stopped(stop) => return stop,
                Setback::Again(reason) => {
                    tracing::info!("Joining the group again: {reason}");
                    let is_first = backoff.is_fresh();
                    let wait = backoff.next();
                    (if is_first { Duration::ZERO } else { wait }, None)
                }
                Setback::Failed(Failure::Passing(reason)) => (backoff.next(), Some(reason)),
                Setback::Failed(Failure::Refused(reason)) => {
                    self.set_unreachable(&reason);
                    (REFUSED_WAIT.max(backoff.next()), Some(reason))
                }
            };
            self.facts.rebalance_failed();
            if let Some(reason) = reason {
                if told == reason {
                    tracing::debug!("The worker is still not in its group: {reason}");
                } else {
                    tracing::warn!("The worker could not join its group: {reason}");
                    told.clone_from(&reason);
                }
                let since = *failing_since.get_or_insert_with(Instant::now);
                if since.elapsed() >= self.settings.heartbeat_interval {
                    self.set_unreachable(&reason);
                }
            }
            let waited = self.wait(Phase::Before, time::sleep(wait)).await;
            if let Err(Setback::Stopped(stop)) = waited {
                return stop;
            }
        }
    }

    /// Is a member, until there is a reason for another round.
    async fn stay(&mut self) -> Result<(), Setback> {
        loop {
            if let Some(reason) = self.again.take() {
                tracing::info!("Joining the group again: {reason}");
                return Ok(());
            }
            let rejoin_at = self.rejoin_at;
            let delay_is_over = async {
                match rejoin_at {
                    Some(at) => time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                command = self.commands.recv() => self.obey(command)?,
                news = self.pulse.news() => {
                    match news {
                        News::Rebalancing => {
                            tracing::info!("The group begins another round");
                        }
                        News::OtherGeneration => {
                            tracing::info!("The group is in another round");
                            self.pulse.overtaken();
                        }
                        News::UnknownMember => self.expelled(),
                        News::Silent { reason } => self.lose(&reason),
                    }
                    return Ok(());
                }
                () = delay_is_over => {
                    self.rejoin_at = None;
                    self.again = Some("the delay of the latest assignment is over".to_owned());
                }
            }
        }
    }

    /// Waits for this, unless a command or news make it useless.
    pub(super) async fn wait<T>(
        &mut self,
        phase: Phase,
        future: impl Future<Output = T>,
    ) -> Result<T, Setback> {
        let mut future = std::pin::pin!(future);
        loop {
            tokio::select! {
                biased;
                done = &mut future => return Ok(done),
                command = self.commands.recv() => self.obey(command)?,
                news = self.pulse.news() => self.hear(news, phase)?,
            }
        }
    }

    pub(super) fn obey(&mut self, command: Option<Command>) -> Result<(), Setback> {
        match command {
            Some(Command::Rejoin { reason }) => {
                self.again = Some(reason);
                Ok(())
            }
            Some(Command::Leave { reason, done }) => {
                Err(Setback::Stopped(Stop::Leave { reason, done }))
            }
            Some(Command::Close { done }) => Err(Setback::Stopped(Stop::Close { done })),
            None => Err(Setback::Stopped(Stop::Gone)),
        }
    }

    pub(super) fn hear(&mut self, news: News, phase: Phase) -> Result<(), Setback> {
        let setback = match news {
            // What is being done already, or shown by the next answer.
            News::Rebalancing => return Ok(()),
            News::OtherGeneration if phase == Phase::Joining && self.pulse.is_overtaken() => {
                return Ok(());
            }
            News::OtherGeneration if phase == Phase::Joining && !self.is_answer_due => {
                self.is_answer_due = true;
                return Ok(());
            }
            News::OtherGeneration => {
                self.pulse.overtaken();
                Setback::Again("the group is in another round".to_owned())
            }
            News::UnknownMember => {
                self.expelled();
                Setback::Again("the coordinator does not know this member".to_owned())
            }
            News::Silent { reason } => {
                self.lose(&reason);
                Setback::passing(reason)
            }
        };
        match phase {
            Phase::Before => Ok(()),
            Phase::Joining | Phase::Syncing => Err(setback),
        }
    }

    /// The coordinator does not know this member any more, which therefore joins
    /// as a new one. A member that runs something reports it then, as the
    /// reference does, unless others may have been given it.
    pub(super) fn expelled(&mut self) {
        tracing::info!("The coordinator does not know this member any more");
        self.pulse.follow(None);
        self.member.clear();
        if self.is_in_group && !self.keeps_work() {
            self.lose(
                "The coordinator dropped this member, and others may have been given its work",
            );
        }
    }

    /// Whether the work of a dropped member is still its own: if the leader, which
    /// is another member, waits for members that went away before it deals their
    /// work out (and did not wait for somebody else already, which only it
    /// knows), or there was no other member.
    fn keeps_work(&self) -> bool {
        let may_lead_on = match self.led {
            Some(members) => members == 1,
            None => true,
        };
        let over = self.pulse.alive() + self.settings.max_delay;
        self.protocol != Protocol::Eager
            && may_lead_on
            && Instant::now() + self.settings.beat_interval() < over
    }

    /// All work must stop now.
    fn lose(&mut self, reason: &str) {
        self.pulse.follow(None);
        self.book.clear();
        self.facts.emptied();
        self.rejoin_at = None;
        self.set_unreachable(reason);
        if std::mem::take(&mut self.is_in_group) {
            tracing::warn!("All work of this worker stops: {reason}");
            let reason = reason.to_owned();
            let _nobody_listens = self.events.send(GroupEvent::Lost { reason });
        }
    }

    fn set_unreachable(&self, reason: &str) {
        let reason = reason.to_owned();
        self.set_state(MemberState::Unreachable { reason });
    }

    pub(super) fn set_state(&self, state: MemberState) {
        self.state.send_if_modified(|now| {
            let is_new = *now != state;
            *now = state;
            is_new
        });
    }

    /// Leaves the group, so that nobody waits for the session to end.
    async fn leave(&mut self, reason: &str) {
        self.pulse.follow(None);
        let member = std::mem::take(&mut self.member);
        self.book.clear();
        self.facts.left();
        self.is_in_group = false;
        self.led = None;
        self.again = None;
        self.rejoin_at = None;
        if !member.is_empty() {
            tracing::info!("Leaving the group: {reason}");
            match time::timeout(LEAVE_LIMIT, self.say_leave(member)).await {
                Ok(Ok(())) => {}
                Ok(Err(Failure::Passing(reason) | Failure::Refused(reason))) => {
                    tracing::warn!(
                        "The coordinator could not be told that this worker leaves: {reason}"
                    );
                }
                Err(_) => {
                    tracing::warn!("The coordinator does not answer that this worker leaves");
                }
            }
        }
        self.set_state(MemberState::Left);
    }

    /// Over a connection of its own, because another one may be waiting for a
    /// round.
    async fn say_leave(&self, member: String) -> Result<(), Failure> {
        let request = LeaveGroup {
            group: self.settings.group_id.clone(),
            member,
        };
        let mut backoff = Backoff::new(&self.settings);
        loop {
            let mut connection = self.finder.connect().await?;
            let error = broker::ask(&mut *connection, &request, LEAVE_LIMIT).await?;
            match Meaning::of(error, &self.settings) {
                Meaning::Failed(failure) => return Err(failure),
                Meaning::Moved => {
                    self.finder.forget();
                    time::sleep(backoff.next()).await;
                }
                // It is no member, which was to be achieved.
                _ => return Ok(()),
            }
        }
    }

    /// Waits until it is to join again. Returns false if it never is.
    async fn stay_out(&mut self) -> bool {
        loop {
            match self.commands.recv().await {
                Some(Command::Rejoin { reason }) => {
                    tracing::info!("Joining the group again: {reason}");
                    self.set_state(MemberState::Joining);
                    return true;
                }
                Some(Command::Leave { done, .. }) => {
                    let _nobody_waits = done.send(());
                }
                Some(Command::Close { done }) => {
                    let _nobody_waits = done.send(());
                    return false;
                }
                None => return false,
            }
        }
    }
}
