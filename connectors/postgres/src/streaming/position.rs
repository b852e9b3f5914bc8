//! How far the stream has been processed.

use crate::event::Origin;
use crate::lsn::Lsn;
use crate::offset::{MessageType, PostgresOffset};

/// Records of the log begin and end at multiples of this (`MAXALIGN`).
pub(super) const ALIGNMENT: u64 = 8;

/// The position of the latest message, kept up to date message by message the
/// way the reference's `PostgresOffsetContext` is.
///
/// The position of a message is where its `XLogData` begins, whatever the
/// message itself says: that of a COMMIT is where its transaction ends, and the
/// next transaction may have a change at the same number.
#[derive(Debug, Clone)]
pub struct Position {
    offset: PostgresOffset,
    origin: Option<Origin>,
    /// Where the latest message stands that was processed completely. A BEGIN
    /// never is, so it tells the one before.
    completed: Option<Lsn>,
    transaction: Transaction,
    /// While the stream [rests](Self::rest): the end of the latest transaction,
    /// which events go on to tell.
    told_commit: Option<Option<Lsn>>,
}

/// The transaction under way, as its BEGIN told.
#[derive(Debug, Clone, Copy, Default)]
struct Transaction {
    xid: Option<u32>,
    commit_time: Option<i64>,
}

impl Position {
    /// The position at the beginning of a stream that was asked for from
    /// `start` on, after what `offset` says.
    pub fn new(offset: PostgresOffset, start: Option<Lsn>) -> Self {
        Self {
            completed: start,
            offset,
            origin: None,
            transaction: Transaction::default(),
            told_commit: None,
        }
    }

    /// What is stored with a record of this position.
    pub fn offset(&self) -> &PostgresOffset {
        &self.offset
    }

    /// The same, to count events in, and the origin of the transaction.
    pub fn parts(&mut self) -> (&mut PostgresOffset, Option<&Origin>) {
        (&mut self.offset, self.origin.as_ref())
    }

    /// The number of the transaction under way.
    pub fn xid(&self) -> Option<u32> {
        self.transaction.xid
    }

    /// Sets the oldest transaction that the slot keeps the catalog for.
    pub fn set_xmin(&mut self, xmin: Option<i64>) {
        self.offset.xmin = xmin;
    }

    /// A transaction begins whose begin is not new.
    pub fn begin_again(&mut self, commit_time: i64, xid: u32) {
        self.origin = None;
        self.transaction = Transaction {
            xid: Some(xid),
            commit_time: Some(commit_time),
        };
    }

    /// A transaction begins at `lsn`.
    pub fn begin(&mut self, lsn: Lsn, commit_time: i64, xid: u32) {
        self.begin_again(commit_time, xid);
        self.update(lsn, MessageType::Begin);
    }

    /// The transaction comes from elsewhere.
    pub fn set_origin(&mut self, origin: Origin) {
        self.origin = Some(origin);
    }

    /// A row changed at `lsn`, or a table was emptied. `last` says whether the
    /// message has no further event.
    pub fn change(&mut self, lsn: Lsn, kind: MessageType, last: bool) {
        let again = self.offset.events_at_lsn > 0 && self.offset.lsn == Some(lsn);
        let events = if again {
            self.offset.events_at_lsn.saturating_add(1)
        } else {
            1
        };
        if last {
            self.completed = Some(lsn);
        }
        self.update(lsn, kind);
        self.offset.events_at_lsn = events;
    }

    /// A logical message stands at `lsn`, as part of the transaction under way
    /// or of none.
    pub fn message(&mut self, lsn: Lsn, transactional: bool) {
        if transactional {
            self.update(lsn, MessageType::Message);
            return;
        }
        self.transaction = Transaction::default();
        self.completed = Some(lsn);
        self.update(lsn, MessageType::Message);
        self.offset.lsn_commit = Some(lsn);
    }

    /// The transaction under way ends at `lsn`.
    pub fn commit(&mut self, lsn: Lsn, commit_time: i64) {
        self.transaction.commit_time = Some(commit_time);
        self.completed = Some(lsn);
        self.update(lsn, MessageType::Commit);
        self.offset.lsn_commit = Some(lsn);
    }

    /// Whether all of every transaction that the position is behind has been
    /// processed, and nothing of any other.
    pub fn is_between_transactions(&self) -> bool {
        match self.offset.message_type {
            Some(MessageType::Commit) => true,
            Some(MessageType::Message) => self.offset.tx_id.is_none(),
            Some(_) => false,
            // After a snapshot, or at the beginning.
            None => self.offset.lsn_proc.is_none(),
        }
    }

    /// The server has sent whatever ended before `end`, and the position
    /// [is between transactions](Self::is_between_transactions): from now on it
    /// says so, as that of a logical message there would. Until the next message
    /// comes, that is; what events tell of the latest transaction stays.
    ///
    /// The position is one byte before, where no record of the log begins or
    /// ends, as all of them are aligned: the reference looks for the message
    /// that stands where the stored position says, and must not take the first
    /// new one for it.
    pub fn rest(&mut self, end: Lsn) {
        let before = Lsn((end.0 & !(ALIGNMENT - 1)).saturating_sub(1));
        let told = self.told_commit.take().unwrap_or(self.offset.lsn_commit);
        self.transaction = Transaction::default();
        self.completed = Some(before);
        self.update(before, MessageType::Message);
        self.offset.lsn_commit = Some(before);
        self.told_commit = Some(told);
    }

    fn update(&mut self, lsn: Lsn, kind: MessageType) {
        let offset = &mut self.offset;
        if let Some(told) = self.told_commit.take() {
            offset.lsn_commit = told;
        }
        offset.lsn = Some(lsn);
        offset.lsn_proc = self.completed;
        offset.message_type = Some(kind);
        offset.tx_id = self.transaction.xid;
        // A message outside of a transaction has no time; the last one stays.
        offset.ts_usec = self.transaction.commit_time.or(offset.ts_usec);
        offset.events_at_lsn = 0;
        // The stream has followed the snapshot.
        offset.snapshot = None;
    }
}
