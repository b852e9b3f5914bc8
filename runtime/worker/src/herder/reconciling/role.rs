//! What this worker is in its group: who leads, and what is its own share.

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tether_api::Result;
use tether_group::Work;
use tether_group::member::Owners;
use tether_group::protocol::Protocol;
use tether_storage::{ConfigStore, TaskId};
use tokio::sync::{RwLock, RwLockReadGuard, watch};

use super::share::{Part, Share};
use crate::herder::{Membership, elsewhere};

/// Who leads.
#[derive(Debug)]
pub(super) enum Standing {
    /// There is no group.
    Alone,
    /// It is not known: this worker is not in the group, or a round is under way.
    Unsettled {
        /// Since when.
        since: Timestamp,
    },
    /// This worker, which knows who runs what.
    Leader(Owners),
    /// The worker whose REST API has this URL.
    Follower(String),
}

impl Standing {
    /// Whether it is known who leads.
    pub(super) fn is_settled(&self) -> bool {
        !matches!(self, Self::Unsettled { .. })
    }
}

/// What a worker is in its group. It changes with every round.
pub(super) struct Role {
    standing: watch::Sender<Standing>,
    share: Mutex<Share>,
    /// What was taken from this worker since the actors of its connectors looked.
    ended: Mutex<Work>,
    protocol: Mutex<Option<Protocol>>,
    /// Shared by those who write as the leader. A round begins when none does,
    /// so that nobody writes who leads no more.
    writing: RwLock<()>,
}

/// The right to write to the config store what only a leader writes, as long as
/// it is kept.
pub(super) struct Leadership<'a> {
    configs: &'a dyn ConfigStore,
    _writing: RwLockReadGuard<'a, ()>,
}

impl<'a> Deref for Leadership<'a> {
    type Target = dyn ConfigStore + 'a;

    fn deref(&self) -> &Self::Target {
        self.configs
    }
}

/// Who may write what only a leader writes.
pub(super) enum Leads<'a> {
    /// This worker.
    Here(Leadership<'a>),
    /// The worker with this URL.
    There(String),
    /// It will be known when the role changes.
    Unsettled,
}

impl Role {
    /// Of a worker that has no group.
    pub(super) fn alone() -> Self {
        Self::new(Standing::Alone, Share::Everything)
    }

    /// Of a worker that is not in its group yet.
    pub(super) fn outside() -> Self {
        let since = Timestamp::now();
        let nothing = Share::Part(Arc::default());
        Self::new(Standing::Unsettled { since }, nothing)
    }

    fn new(standing: Standing, share: Share) -> Self {
        Self {
            standing: watch::Sender::new(standing),
            share: Mutex::new(share),
            ended: Mutex::default(),
            protocol: Mutex::default(),
            writing: RwLock::default(),
        }
    }

    /// Who leads, and when that changes.
    pub(super) fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }

    /// Who works together with this worker.
    pub(super) fn membership(&self) -> Membership {
        match &*self.standing.borrow() {
            Standing::Alone => Membership::Alone,
            Standing::Unsettled { .. } => Membership::Unsettled,
            Standing::Leader(owners) => {
                let urls = owners.members().map(|(_, url)| url.to_owned());
                Membership::Leader(urls.collect())
            }
            Standing::Follower(url) => Membership::Follower(url.clone()),
        }
    }

    /// Since when it is not known who leads; `None` if it is.
    pub(super) fn unsettled_since(&self) -> Option<Timestamp> {
        match &*self.standing.borrow() {
            Standing::Unsettled { since } => Some(*since),
            _ => None,
        }
    }

    /// What this worker is to run.
    pub(super) fn share(&self) -> Share {
        // No code that can panic runs while the lock is held.
        let share = self.share.lock();
        share.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes what this worker is to run.
    pub(super) fn take(&self, part: Part) {
        let mut share = self.share.lock().unwrap_or_else(PoisonError::into_inner);
        *share = Share::Part(Arc::new(part));
    }

    /// Takes work away from this worker, which is left with `part`.
    pub(super) fn end(&self, ended: &Work, part: Part) {
        self.take(part);
        self.ended().add(ended);
    }

    /// What of a connector was taken away since this was asked last, whether or
    /// not it was given back: it was stopped meanwhile.
    pub(super) fn take_ended(&self, connector: &str) -> Work {
        let mut all = self.ended();
        let mut ended = Work::default();
        ended.connectors.extend(all.connectors.take(connector));
        let of_connector = |id: &TaskId| id.connector == connector;
        ended.tasks.extend(all.tasks.extract_if(.., of_connector));
        ended
    }

    fn ended(&self) -> MutexGuard<'_, Work> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The protocol that the group agreed on in the latest round that came into
    /// force here; `None` before the first.
    pub(super) fn protocol(&self) -> Option<Protocol> {
        *self.protocol.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The group has agreed on a protocol.
    pub(super) fn agree_on(&self, protocol: Protocol) {
        *self.protocol.lock().unwrap_or_else(PoisonError::into_inner) = Some(protocol);
    }

    /// Whether this worker leads, or is alone. It is the one to delete statuses of
    /// what is no more.
    pub(super) fn is_leading(&self) -> bool {
        matches!(
            *self.standing.borrow(),
            Standing::Alone | Standing::Leader(_)
        )
    }

    /// Nobody knows any more who leads. Waits for what is being written by this
    /// worker as the leader, but not for ever: a round cannot wait.
    pub(super) async fn unsettle(&self, patience: Duration) {
        let written = tokio::time::timeout(patience, self.writing.write()).await;
        if written.is_err() {
            tracing::warn!("A round begins although a write of the leader is still under way");
        }
        self.standing.send_if_modified(|standing| {
            let settled = standing.is_settled();
            if settled {
                *standing = Standing::Unsettled {
                    since: Timestamp::now(),
                };
            }
            settled
        });
    }

    /// It is known who leads.
    pub(super) fn settle(&self, standing: Standing) {
        self.standing.send_replace(standing);
    }

    /// Who may write to `configs` as the leader, at this moment.
    pub(super) fn leads<'a>(&'a self, configs: &'a dyn ConfigStore) -> Leads<'a> {
        // It fails while a round waits to begin.
        let Ok(writing) = self.writing.try_read() else {
            return Leads::Unsettled;
        };
        match &*self.standing.borrow() {
            Standing::Alone | Standing::Leader(_) => Leads::Here(Leadership {
                configs,
                _writing: writing,
            }),
            Standing::Follower(url) => Leads::There(url.clone()),
            Standing::Unsettled { .. } => Leads::Unsettled,
        }
    }

    /// The right to write to `configs` as the leader; waits while it is not known
    /// who leads.
    ///
    /// # Errors
    /// [`elsewhere`], if another worker leads.
    pub(super) async fn as_leader<'a>(
        &'a self,
        configs: &'a dyn ConfigStore,
    ) -> Result<Leadership<'a>> {
        loop {
            let mut standing = self.standing();
            standing.mark_unchanged();
            // A round that waits to begin changes it.
            match self.leads(configs) {
                Leads::Here(leadership) => return Ok(leadership),
                Leads::There(url) => return Err(elsewhere(Some(&url))),
                Leads::Unsettled => {}
            }
            // It cannot fail: the sender is `self`.
            let _ = standing.changed().await;
        }
    }

    /// Makes sure that a connector instance is here; waits while it is not known
    /// who leads, and so knows the owner.
    ///
    /// # Errors
    /// [`elsewhere`], if it is not.
    pub(super) async fn own_connector(&self, connector: &str) -> Result<()> {
        self.own(
            |share| share.has_connector(connector),
            |owners| owners.connector(connector),
        )
        .await
    }

    /// The same for a task.
    ///
    /// # Errors
    /// [`elsewhere`], if it is not here.
    pub(super) async fn own_task(&self, id: &TaskId) -> Result<()> {
        self.own(|share| share.has_task(id), |owners| owners.task(id))
            .await
    }

    async fn own(
        &self,
        is_here: impl Fn(&Share) -> bool,
        owner: impl Fn(&Owners) -> Option<&str>,
    ) -> Result<()> {
        let mut standing = self.standing();
        // It cannot fail: the sender is `self`.
        let _ = standing.wait_for(Standing::is_settled).await;
        if is_here(&self.share()) {
            return Ok(());
        }
        match &*standing.borrow() {
            Standing::Leader(owners) => Err(elsewhere(owner(owners))),
            Standing::Follower(url) => Err(elsewhere(Some(url))),
            Standing::Alone | Standing::Unsettled { .. } => Err(elsewhere(None)),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use tether_storage::MemoryConfigStore;

    use super::*;
    use crate::herder::target_of;

    const PATIENCE: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn writes_of_a_leader_and_rounds_take_turns() {
        let configs = MemoryConfigStore::new();
        let role = Role::outside();
        assert!(role.as_leader(&configs).now_or_never().is_none());
        role.settle(Standing::Leader(Owners::default()));
        let leadership = role.as_leader(&configs).await.unwrap();
        let mut round = Box::pin(role.unsettle(PATIENCE));
        assert!(round.as_mut().now_or_never().is_none());
        assert!(matches!(role.leads(&configs), Leads::Unsettled));
        drop(leadership);
        round.await;
        let mut waits = Box::pin(role.as_leader(&configs));
        assert!(waits.as_mut().now_or_never().is_none());
        role.settle(Standing::Follower("http://b/".to_owned()));
        let Err(error) = waits.await else {
            panic!("another one leads");
        };
        assert_eq!(target_of(&error).unwrap().url(), Some("http://b/"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_round_does_not_wait_for_ever() {
        let configs = MemoryConfigStore::new();
        let role = Role::outside();
        role.settle(Standing::Leader(Owners::default()));
        let _leadership = role.as_leader(&configs).await.unwrap();
        role.unsettle(PATIENCE).await;
        assert!(matches!(role.leads(&configs), Leads::Unsettled));
    }
}
