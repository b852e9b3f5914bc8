//! The connections to the server: an ordinary one for questions, and the one
//! that streams, with the slot and the publication that it needs.
//!
//! | module | what it does |
//! |---|---|
//! | `address` | where the server is and how to connect |
//! | `session` | an ordinary connection, and how values come out of both kinds as text |
//! | `wire` | bytes to frames and back, TLS, the login of a streaming connection |
//! | `connection` | a streaming connection before it streams |
//! | `stream` | the changes, and what is confirmed of them |
//! | `slot`, `publication` | what has to be there on the server |
//! | `slot_usage` | how much of its log the server keeps for the slot |
//! | `offset_mismatch` | where to start if slot and stored offset disagree |
//! | `failure` | what went wrong, whether it may pass, and what helps |
//!
//! The stream is read by this module itself on top of `postgres-protocol`, which
//! the client library is made of too. Many messages come with one read, and each
//! is a slice of what was read: no task in between, no channel per message. The
//! crate `pgwire-replication` reads each message with two small reads and drops
//! the position of BEGIN, COMMIT and MESSAGE, which offsets and transaction ids
//! are made of.

mod address;
mod connection;
mod failure;
#[cfg(test)]
mod fixture;
mod offset_mismatch;
mod publication;
mod session;
mod slot;
mod slot_usage;
mod stream;
mod wire;

pub use connection::{ReplicationConnection, SystemIdentity};
pub use failure::{Failure, Prospect};
#[cfg(test)]
pub(crate) use fixture::settings;
pub use offset_mismatch::{PositionCheck, Start, StoredPosition, check_position, start_position};
pub use publication::{
    PublicationName, PublicationRequest, ensure_publication, set_replica_identities,
};
pub(crate) use session::literal;
pub use session::{Purpose, Session, TextRow};
pub use slot::{
    CreatedSlot, SlotState, advance_slot, check_wal_level, create_slot, drop_slot,
    effective_plugin, slot_state, valid_slot_state,
};
pub use slot_usage::{SlotUsage, WalStatus, slot_usage};
pub use stream::{
    Event, EventStream, KeepAlive, ReplicationStream, StreamStart, XLogData, confirmable,
    start_streaming,
};
pub use wire::Transport;
