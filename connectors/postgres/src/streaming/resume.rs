//! Where the stream is taken up again (specification, section 12.2).
//!
//! The server sends again whole transactions that were not confirmed. The
//! reference finds the place to go on in a first pass, connects once more, and
//! leaves out in a second pass what comes before that place. Here one pass is
//! enough, because a BEGIN tells where its transaction will end, and because
//! the order of the stream is known:
//!
//! - Transactions, and messages outside of transactions, come in the order in
//!   which they ended. What ended up to `lsn_commit` was processed.
//! - The first transaction that ended later is the one that was under way, if
//!   it has the number in `txId`. Within it positions never go down, so what
//!   comes before `lsn` was processed, and what comes after it was not.
//! - Changes at `lsn` itself may be several: rows that one statement inserted
//!   together share their position, so the offset also says how many of them
//!   were processed. A message at the position of a change comes before it, as
//!   its position is where its record ends.
//!
//! So records go on exactly behind the one that carried the offset, in the
//! middle of a transaction too. The records that the reference makes after a
//! restart are the same, except that it repeats a logical message within a
//! transaction whose position was the last one stored, and the begin and end of
//! transactions that are processed already.

use crate::lsn::Lsn;
use crate::offset::{MessageType, PostgresOffset};

/// What to do about the begin of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// It is new.
    New,
    /// The transaction was under way: its begin is not new.
    UnderWay,
    /// The transaction was processed.
    Done,
}

/// Leaves out what was processed before a restart.
#[derive(Debug, Default)]
pub(super) struct Resume {
    /// What ended up to here was processed. `None` once nothing is left to
    /// look for.
    ended: Option<Lsn>,
    /// The transaction that was under way.
    under_way: Option<UnderWay>,
    now: Now,
}

#[derive(Debug, Clone, Copy)]
struct UnderWay {
    xid: Option<u32>,
    lsn: Lsn,
    kind: MessageType,
    /// How many changes at `lsn` are still to be left out.
    left: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Now {
    /// Everything is new.
    #[default]
    New,
    /// In a transaction that was under way, before its new changes.
    UnderWay,
    /// In a transaction that was processed.
    Done,
}

impl Resume {
    /// Leaves out what was processed when this offset was made. Nothing is left
    /// out after a snapshot, which the server itself begins behind.
    pub(super) fn after(offset: &PostgresOffset) -> Self {
        let Some(processed) = offset.lsn_proc else {
            return Self::default();
        };
        // In the very first transaction nothing has ended yet. Whatever ended
        // before its latest change was sent before it.
        let ended = offset.lsn_commit.unwrap_or(processed);
        // Releases that did not store what kind of message it was.
        let within = || offset.lsn != Some(ended);
        let kind = match offset.message_type {
            Some(MessageType::Begin | MessageType::Commit) => None,
            Some(MessageType::Message) => offset.tx_id.map(|_| MessageType::Message),
            Some(kind) => Some(kind),
            None => within().then_some(MessageType::Update),
        };
        let begun = match (kind, offset.message_type) {
            // The begin was told of; nothing within is processed.
            (None, Some(MessageType::Begin)) => Some((MessageType::Begin, Lsn::default())),
            (kind, _) => kind.zip(offset.lsn),
        };
        Self {
            ended: Some(ended),
            under_way: begun.map(|(kind, lsn)| UnderWay {
                xid: offset.tx_id,
                lsn,
                kind,
                left: offset.events_at_lsn.max(1),
            }),
            now: Now::New,
        }
    }

    /// A transaction begins whose commit stands at `final_lsn`.
    pub(super) fn begin(&mut self, final_lsn: Lsn, xid: u32) -> Begin {
        let Some(ended) = self.ended else {
            return Begin::New;
        };
        // The end lies behind the commit, and no other record between them.
        if final_lsn < ended {
            self.now = Now::Done;
            return Begin::Done;
        }
        self.ended = None;
        match &self.under_way {
            Some(found) if found.xid == Some(xid) && found.lsn <= final_lsn => {
                self.now = Now::UnderWay;
                Begin::UnderWay
            }
            // It is gone, for example because its tables are no longer
            // published.
            _ => {
                self.under_way = None;
                Begin::New
            }
        }
    }

    /// Whether a row's change or a truncation at `lsn` was processed.
    pub(super) fn skips_change(&mut self, lsn: Lsn) -> bool {
        match self.now {
            Now::New => false,
            Now::Done => true,
            Now::UnderWay => self.skips(lsn, |found| {
                let left = found.kind != MessageType::Message && found.left > 0;
                found.left = found.left.saturating_sub(1);
                left
            }),
        }
    }

    /// Whether a logical message at `lsn` was processed.
    pub(super) fn skips_message(&mut self, lsn: Lsn, transactional: bool) -> bool {
        match self.now {
            _ if !transactional => self.ended.is_some_and(|ended| lsn <= ended),
            Now::New => false,
            Now::Done => true,
            Now::UnderWay => self.skips(lsn, |_| true),
        }
    }

    /// The transaction ends. Says whether it was processed.
    pub(super) fn commit(&mut self) -> bool {
        std::mem::take(&mut self.now) == Now::Done
    }

    fn skips(&mut self, lsn: Lsn, at: impl FnOnce(&mut UnderWay) -> bool) -> bool {
        let skips = match &mut self.under_way {
            Some(found) if lsn < found.lsn => true,
            Some(found) if lsn == found.lsn => at(found),
            _ => false,
        };
        if !skips {
            self.under_way = None;
            self.now = Now::New;
        }
        skips
    }
}
