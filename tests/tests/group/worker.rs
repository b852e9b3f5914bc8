//! A worker that runs nothing, but says what it would run.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use tether_group::Work;
use tether_group::member::{
    Assigned, Configured, GroupEvent, GroupSettings, Member, MemberState, join,
};
use tether_group::protocol::Protocol;
use tether_kafka::broker::NetworkBrokers;
use tokio::sync::mpsc;

/// What all members have read of the configurations.
pub(super) type Configurations = Arc<Mutex<Configured>>;

/// A member of a group, and what it was told.
pub(super) struct Worker {
    pub(super) member: Member,
    seen: Arc<Mutex<Seen>>,
    herder: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Seen {
    assigned: Option<Assigned>,
    lost: usize,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Worker {
    /// Joins the group with the shortest session that brokers allow by default, whose leaders do not
    /// wait for who went away.
    pub(super) fn start(
        bootstrap: &str,
        group: &str,
        url: &str,
        configurations: &Configurations,
    ) -> Result<Self> {
        let properties = [("bootstrap.servers".to_owned(), bootstrap.to_owned())];
        let brokers = NetworkBrokers::new(&properties.into_iter().collect())?;
        let settings = GroupSettings {
            group_id: group.to_owned(),
            client_id: "member".to_owned(),
            url: url.to_owned(),
            protocol: Protocol::Sessioned,
            session_timeout: Duration::from_secs(6),
            heartbeat_interval: Duration::from_secs(1),
            rebalance_timeout: Duration::from_secs(60),
            max_delay: Duration::ZERO,
            retry_backoff: Duration::from_millis(100),
            retry_backoff_max: Duration::from_secs(1),
            request_timeout: Duration::from_secs(40),
        };
        let (member, events) = join(settings, Arc::new(brokers));
        let seen = Arc::new(Mutex::new(Seen::default()));
        let herding = herd(member.clone(), events, seen.clone(), configurations.clone());
        Ok(Self {
            member,
            seen,
            herder: tokio::spawn(herding),
        })
    }

    /// The latest assignment.
    pub(super) fn assigned(&self) -> Option<Assigned> {
        locked(&self.seen).assigned.clone()
    }

    /// What it would run.
    pub(super) fn runs(&self) -> Work {
        self.assigned().map(|it| it.complete).unwrap_or_default()
    }

    pub(super) fn lost(&self) -> usize {
        locked(&self.seen).lost
    }

    pub(super) fn state(&self) -> MemberState {
        self.member.state().borrow().clone()
    }

    /// It is a member, and nothing is to be done that asks for another round.
    pub(super) fn is_settled(&self) -> bool {
        let assigned = self.assigned();
        matches!(self.state(), MemberState::Stable { .. })
            && assigned.is_some_and(|it| it.revoked.is_empty() && !it.failed)
    }

    /// Ends without leaving.
    pub(super) fn die(self) {
        self.herder.abort();
    }
}

async fn herd(
    member: Member,
    mut events: mpsc::UnboundedReceiver<GroupEvent>,
    seen: Arc<Mutex<Seen>>,
    configurations: Configurations,
) {
    while let Some(event) = events.recv().await {
        match event {
            GroupEvent::Joining { reply, .. } => {
                let _gone = reply.send(locked(&configurations).config_offset);
            }
            GroupEvent::Leading { at_least, reply } => {
                let mut configured = locked(&configurations).clone();
                configured.config_offset = configured.config_offset.max(at_least);
                let _gone = reply.send(Some(configured));
            }
            GroupEvent::Assigned(assigned) => {
                let again = assigned.failed || !assigned.revoked.is_empty();
                locked(&seen).assigned = Some(assigned);
                if again {
                    member.rejoin("there is more to do");
                }
            }
            GroupEvent::Lost { .. } => {
                let mut seen = locked(&seen);
                seen.lost += 1;
                seen.assigned = None;
            }
        }
    }
}
