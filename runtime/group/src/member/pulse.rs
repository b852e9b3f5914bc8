//! Heartbeats: the member says that it is alive, and hears what became of the
//! group.
//!
//! They have a connection of their own, on which nothing else waits. So they go
//! on while a round is formed, which may take long, and show meanwhile that the
//! coordinator can still be reached.
//!
//! # Who runs what when the coordinator is out of reach
//!
//! The coordinator drops a member `session.timeout.ms` after it received the
//! latest heartbeat that it accepted, at the earliest; only then do others get
//! its work. Since a heartbeat is received no earlier than it is sent, it is
//! safe for the member to run its work until that long after it *sent* the
//! latest heartbeat whose answer it has. It tells to stop everything
//! ([`News::Silent`]) one heartbeat interval before that, or a third of the
//! session timeout if that is shorter, which is the time that there is to stop.
//! This holds however requests and answers are lost or delayed, without regard
//! to the leader's `scheduled.rebalance.max.delay.ms`, which a new leader does
//! not observe. It cannot hold while the process does not run (stopped, or its
//! machine suspended); then the first heartbeat afterwards gets as long as an
//! interval for its answer, and that decides.
//!
//! The reference stops its work when it does not find the coordinator for one
//! heartbeat interval, but notices the loss of a silent one only when the session
//! timeout is over.

use std::sync::Arc;
use std::time::Duration;

use tether_kafka::broker::messages::Heartbeat;
use tether_kafka::broker::{self, BrokerConnection};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{self, Instant};

use super::GroupSettings;
use super::answer::{Failure, Meaning};
use super::backoff::Backoff;
use super::facts::FactSheet;
use super::finder::Finder;

/// Who the coordinator takes the member for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) member: String,
    pub(super) generation: i32,
    /// When the request was sent that the coordinator answered with this.
    pub(super) since: Instant,
    /// The coordinator said that the group is in another round, so that this is
    /// all that it can say until the member has joined again.
    pub(super) is_overtaken: bool,
}

/// What a heartbeat brought to light.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum News {
    /// The members are to join again.
    Rebalancing,
    /// The group is in another round, of which the member has not heard.
    OtherGeneration,
    /// The coordinator does not know the member. There are no more heartbeats.
    UnknownMember,
    /// The coordinator did not answer for so long that all work must stop now.
    /// There are no more heartbeats.
    Silent {
        /// Why, for a person.
        reason: String,
    },
}

/// The heartbeats of a member, which go on in the background.
pub(super) struct Pulse {
    identity: watch::Sender<Option<Identity>>,
    news: mpsc::UnboundedReceiver<(Identity, News)>,
    alive: watch::Receiver<Instant>,
    task: JoinHandle<()>,
}

impl Pulse {
    pub(super) fn start(
        settings: Arc<GroupSettings>,
        finder: Arc<Finder>,
        facts: FactSheet,
    ) -> Self {
        let (identity, followed) = watch::channel(None);
        let (tell, news) = mpsc::unbounded_channel();
        let (set_alive, alive) = watch::channel(Instant::now());
        let heart = Heart {
            settings,
            finder,
            facts,
            tell,
            alive: set_alive,
            connection: None,
        };
        Self {
            identity,
            news,
            alive,
            task: tokio::spawn(heart.run(followed)),
        }
    }

    /// Sends heartbeats for this identity from now on, or none.
    pub(super) fn follow(&self, identity: Option<Identity>) {
        self.identity.send_replace(identity);
    }

    /// The group is known to be in another round than the one that is followed.
    pub(super) fn overtaken(&self) {
        self.identity.send_if_modified(|identity| {
            let identity = identity.as_mut();
            identity.is_some_and(|identity| !std::mem::replace(&mut identity.is_overtaken, true))
        });
    }

    pub(super) fn is_overtaken(&self) -> bool {
        let identity = self.identity.borrow();
        identity
            .as_ref()
            .is_some_and(|identity| identity.is_overtaken)
    }

    /// When the latest request was sent by whose answer the coordinator knew the
    /// member.
    pub(super) fn alive(&self) -> Instant {
        *self.alive.borrow()
    }

    /// Waits for news about the present identity.
    pub(super) async fn news(&mut self) -> News {
        while let Some((identity, news)) = self.news.recv().await {
            if self.identity.borrow().as_ref() == Some(&identity) {
                return news;
            }
        }
        std::future::pending().await
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Heart {
    settings: Arc<GroupSettings>,
    finder: Arc<Finder>,
    facts: FactSheet,
    tell: mpsc::UnboundedSender<(Identity, News)>,
    alive: watch::Sender<Instant>,
    connection: Option<Box<dyn BrokerConnection>>,
}

impl Heart {
    async fn run(mut self, mut followed: watch::Receiver<Option<Identity>>) {
        let mut member = String::new();
        loop {
            let identity = followed.borrow_and_update().clone();
            let changed = match identity {
                None => followed.changed().await,
                Some(identity) => {
                    let known = identity.member == member;
                    let alive = *self.alive.borrow();
                    let since = identity.since;
                    self.alive
                        .send_replace(if known { since.max(alive) } else { since });
                    member.clone_from(&identity.member);
                    tokio::select! {
                        changed = followed.changed() => changed,
                        () = self.beat(&identity) => followed.changed().await,
                    }
                }
            };
            if changed.is_err() {
                return;
            }
        }
    }

    /// Sends heartbeats until the member is none any more.
    async fn beat(&mut self, identity: &Identity) {
        let interval = self.settings.beat_interval();
        let mut due = *self.alive.borrow() + interval;
        loop {
            time::sleep_until(due).await;
            let news = self.once(identity).await;
            let is_over = matches!(news, Some(News::UnknownMember | News::Silent { .. }));
            due = match news {
                None | Some(News::Rebalancing) => *self.alive.borrow() + interval,
                Some(_) => Instant::now() + interval,
            };
            if let Some(news) = news {
                let _nobody_listens = self.tell.send((identity.clone(), news));
            }
            if is_over {
                return;
            }
        }
    }

    /// Sends a heartbeat, in several attempts if need be and time allows.
    async fn once(&mut self, identity: &Identity) -> Option<News> {
        let interval = self.settings.beat_interval();
        let latest = *self.alive.borrow() + self.settings.session_timeout - interval;
        // It is earlier only if the process stood still, or the identity is new.
        let latest = latest.max(Instant::now() + interval);
        let mut backoff = Backoff::new(&self.settings);
        let mut reason = "it did not answer a heartbeat".to_owned();
        loop {
            match time::timeout_at(latest, self.attempt(identity)).await {
                Err(_) => break,
                Ok(Ok((sent, meaning))) => match meaning {
                    Meaning::Fine => {
                        self.alive.send_replace(sent);
                        return None;
                    }
                    Meaning::Rebalancing => {
                        self.alive.send_replace(sent);
                        return Some(News::Rebalancing);
                    }
                    Meaning::OtherGeneration => {
                        if identity.is_overtaken {
                            // The member asks to join, and is none to be dropped
                            // until that is answered.
                            self.alive.send_replace(sent);
                        }
                        return Some(News::OtherGeneration);
                    }
                    Meaning::UnknownMember | Meaning::IdRequired => {
                        return Some(News::UnknownMember);
                    }
                    Meaning::Moved => {
                        self.give_up_connection();
                        reason = "it moved, and was not found again".to_owned();
                    }
                    Meaning::Failed(Failure::Passing(said) | Failure::Refused(said)) => {
                        reason = said;
                    }
                },
                Ok(Err(Failure::Passing(said) | Failure::Refused(said))) => {
                    self.give_up_connection();
                    reason = said;
                }
            }
            tracing::debug!("A heartbeat failed: {reason}");
            time::sleep_until(latest.min(Instant::now() + backoff.next())).await;
            if Instant::now() >= latest {
                break;
            }
        }
        self.give_up_connection();
        let reason = format!(
            "The coordinator of the group {} is out of reach ({reason}), and others may be given \
             the work soon",
            self.settings.group_id
        );
        Some(News::Silent { reason })
    }

    async fn attempt(&mut self, identity: &Identity) -> Result<(Instant, Meaning), Failure> {
        // Taken out: a call that is given up breaks the connection.
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.finder.connect().await?,
        };
        let heartbeat = Heartbeat {
            group: self.settings.group_id.clone(),
            generation: identity.generation,
            member: identity.member.clone(),
        };
        let timeout = self
            .settings
            .request_timeout
            .min(self.settings.beat_interval());
        let sent = Instant::now();
        self.facts.heartbeat_sent(sent);
        let error = broker::ask(&mut *connection, &heartbeat, timeout).await?;
        self.facts.heartbeat_answered(sent.elapsed());
        self.connection = Some(connection);
        Ok((sent, Meaning::of(error, &self.settings)))
    }

    fn give_up_connection(&mut self) {
        self.connection = None;
        self.finder.forget();
    }
}

impl GroupSettings {
    /// How often heartbeats are sent. Where the session timeout does not leave
    /// room for three, more often than it is set, so that one that is lost is not
    /// the end.
    pub(super) fn beat_interval(&self) -> Duration {
        let interval = self.heartbeat_interval.min(self.session_timeout / 3);
        interval.max(Duration::from_millis(1))
    }
}
