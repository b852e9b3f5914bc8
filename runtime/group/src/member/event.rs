//! What a member tells the worker, and asks it.

use std::time::Duration;

use tokio::sync::oneshot;

use super::Owners;
use crate::Work;
use crate::protocol::Protocol;

/// What the worker has to act on or to answer. The events come in order; an
/// answer that is dropped is as one that does not come in time, and the member
/// tries again.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there are few, and none is kept")]
pub enum GroupEvent {
    /// A round begins.
    Joining {
        /// The group agrees on the eager protocol: everything has to have
        /// stopped before the answer is given.
        stop_all: bool,
        /// The offset of the config topic up to which this worker has read.
        reply: oneshot::Sender<i64>,
    },
    /// This worker leads, and deals out work.
    Leading {
        /// The offset that some member has read up to.
        at_least: i64,
        /// What is configured, read up to at least that offset; `None` if that
        /// could not be read in time, which everybody is told
        /// ([`Assigned::failed`]).
        reply: oneshot::Sender<Option<Configured>>,
    },
    /// A round is complete.
    Assigned(Assigned),
    /// The coordinator could not be reached for so long that others may take the
    /// work, or it says that this member is none any more: all work must stop
    /// now. The member reports none when it joins again.
    Lost {
        /// Why, for a person.
        reason: String,
    },
}

/// What there is to deal out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configured {
    /// The offset of the config topic that it was read up to.
    pub config_offset: i64,
    /// All connectors and tasks that are configured.
    pub work: Work,
}

/// What a round came to for this worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assigned {
    /// The number of the round.
    pub generation: i32,
    /// The id of this member.
    pub member_id: String,
    /// What the group agreed on.
    pub protocol: Protocol,
    /// The id of the leader; this worker leads if it is its own.
    pub leader_id: String,
    /// Where the leader's REST API is.
    pub leader_url: String,
    /// The leader had not read the config topic as far as others: the worker has
    /// to read it up to [`Assigned::config_offset`] and to rejoin.
    pub failed: bool,
    /// The offset of the config topic that the work was dealt out for.
    pub config_offset: i64,
    /// All that this worker is to run from now on: what it ran, less `revoked`,
    /// and what came. The member keeps this book, and reports it when it joins.
    pub complete: Work,
    /// What is to stop, because others are to get it. The worker calls
    /// [`super::Member::rejoin`] when it has stopped.
    pub revoked: Work,
    /// After this time the member rejoins of itself; zero if it does not.
    pub delay: Duration,
    /// Who runs what, and where each member is; only the leader knows.
    pub owners: Option<Owners>,
}

/// Where a member stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberState {
    /// It looks for the group, or waits for a round.
    Joining,
    /// It is in the group.
    Stable {
        /// The number of the latest round.
        generation: i32,
        /// It leads.
        leader: bool,
        /// How many members there are; only the leader knows.
        members: Option<usize>,
    },
    /// It cannot get into the group, and goes on trying.
    Unreachable {
        /// Why, and what can be done about it.
        reason: String,
    },
    /// It left the group.
    Left,
}
