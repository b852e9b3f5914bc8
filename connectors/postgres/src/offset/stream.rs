//! The position of an event of the stream as its record keeps it.

use std::borrow::Cow;

use tether_api::offset::{Offset, OffsetMap};

use super::{MessageType, PostgresOffset, TransactionProgress};
use crate::lsn::Lsn;

/// A [`PostgresOffset`] outside of snapshots and without transaction metadata.
/// Each event of the stream has its own, so it takes as little as possible.
#[derive(Debug, Clone, Copy)]
pub struct StreamOffset {
    lsn: Option<Lsn>,
    lsn_proc: Option<Lsn>,
    lsn_commit: Option<Lsn>,
    xmin: Option<i64>,
    ts_usec: Option<i64>,
    tx_id: Option<u32>,
    events_at_lsn: u32,
    message_type: Option<MessageType>,
}

impl StreamOffset {
    /// The same position; `None` if it says more than such a one can.
    pub fn of(offset: &PostgresOffset) -> Option<Self> {
        let PostgresOffset {
            lsn,
            lsn_proc,
            lsn_commit,
            tx_id,
            xmin,
            ts_usec,
            message_type,
            events_at_lsn,
            snapshot: None,
            sent_rows: None,
            transaction,
            incremental,
        } = offset
        else {
            return None;
        };
        (incremental.is_empty() && transaction.is_empty()).then_some(Self {
            lsn: *lsn,
            lsn_proc: *lsn_proc,
            lsn_commit: *lsn_commit,
            xmin: *xmin,
            ts_usec: *ts_usec,
            tx_id: *tx_id,
            events_at_lsn: *events_at_lsn,
            message_type: *message_type,
        })
    }
}

impl Offset for StreamOffset {
    fn to_map(&self) -> Cow<'_, OffsetMap> {
        let Self {
            lsn,
            lsn_proc,
            lsn_commit,
            xmin,
            ts_usec,
            tx_id,
            events_at_lsn,
            message_type,
        } = *self;
        let offset = PostgresOffset {
            lsn,
            lsn_proc,
            lsn_commit,
            tx_id,
            xmin,
            ts_usec,
            message_type,
            events_at_lsn,
            snapshot: None,
            sent_rows: None,
            transaction: TransactionProgress::default(),
            incremental: Vec::new(),
        };
        Cow::Owned(offset.to_map())
    }
}
