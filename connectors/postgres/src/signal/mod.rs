//! Signals: what a user asks of a running connector (specification, section
//! 15; the reference's package `io.debezium.pipeline.signal`).
//!
//! ```text
//! row of the signal table ─► in the stream ─┐
//! record of a topic ───┐                    ├─► action ─► executed by the task
//! line of a file ──────┴─► every interval ──┘
//! ```
//!
//! A row of the signal table is executed where it stands in the stream, before
//! its own record is made. The other channels are asked every
//! `signal.poll.interval.ms`; their signals are executed between two messages.
//!
//! A signal that cannot be executed is logged and never fails the task.

mod action;
mod channel;
mod file;
mod json;
mod kafka;
mod row;
mod snapshot_request;

pub use action::{Action, SignalError};
pub use channel::{SignalReader, ask, readers};
pub use row::signal_of;
pub use snapshot_request::{Condition, SnapshotRequest, SnapshotType, StopRequest};

/// What the columns of a signal are, wherever it came from (the reference's
/// `SignalRecord`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Signal {
    /// Chosen by whoever sent it; notifications of what it starts carry it.
    pub id: String,
    /// The name of the action.
    pub kind: String,
    /// What the action needs: the text of a JSON object, or empty.
    pub data: String,
    /// Where it stands in its topic, if it came from Kafka.
    pub channel_offset: Option<i64>,
}
