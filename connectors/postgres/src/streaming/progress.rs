//! How far the stream has been processed, and what of it is to be left out.

use super::position::Position;
use super::resume::{Begin, Resume};
use crate::event::Origin;
use crate::lsn::Lsn;
use crate::offset::{MessageType, PostgresOffset};

/// Follows the messages of a stream. Every message is told to it, in order,
/// with the position at which its `XLogData` begins; it says which of them make
/// records.
///
/// Messages that are left out do not move the position.
#[derive(Debug)]
pub struct Progress {
    position: Position,
    resume: Resume,
}

impl Progress {
    /// Goes on after what `offset` says, in a stream that was asked for from
    /// `start` on.
    pub fn after(offset: PostgresOffset, start: Option<Lsn>) -> Self {
        Self {
            resume: Resume::after(&offset),
            position: Position::new(offset, start),
        }
    }

    /// Where to ask the server to begin.
    pub fn start(&self) -> Option<Lsn> {
        self.position.offset().start()
    }

    /// The stream was interrupted and begins again at [`Self::start`].
    pub fn reconnected(&mut self) {
        self.resume = Resume::after(self.position.offset());
    }

    /// The position of the latest message that made records, or would have.
    pub fn offset(&self) -> &PostgresOffset {
        self.position.offset()
    }

    /// The same, to count events in, and the origin of the transaction.
    pub fn parts(&mut self) -> (&mut PostgresOffset, Option<&Origin>) {
        self.position.parts()
    }

    /// The number of the transaction under way.
    pub fn xid(&self) -> Option<u32> {
        self.position.xid()
    }

    /// Sets the oldest transaction that the slot keeps the catalog for.
    pub fn set_xmin(&mut self, xmin: Option<i64>) {
        self.position.set_xmin(xmin);
    }

    /// A transaction begins. Its commit stands at `final_lsn`.
    pub fn begin(&mut self, lsn: Lsn, final_lsn: Lsn, commit_time: i64, xid: u32) -> Begin {
        let begin = self.resume.begin(final_lsn, xid);
        match begin {
            Begin::New => self.position.begin(lsn, commit_time, xid),
            Begin::UnderWay => self.position.begin_again(commit_time, xid),
            Begin::Done => {}
        }
        begin
    }

    /// The transaction comes from elsewhere.
    pub fn origin(&mut self, origin: Origin) {
        self.position.set_origin(origin);
    }

    /// A row changed, or a table was emptied; `last` says whether the message
    /// has no further event. Whether that is new.
    pub fn change(&mut self, lsn: Lsn, kind: MessageType, last: bool) -> bool {
        let new = !self.resume.skips_change(lsn);
        if new {
            self.position.change(lsn, kind, last);
        }
        new
    }

    /// A logical message came. Whether it is new.
    pub fn message(&mut self, lsn: Lsn, transactional: bool) -> bool {
        let new = !self.resume.skips_message(lsn, transactional);
        if new {
            self.position.message(lsn, transactional);
        }
        new
    }

    /// The server has sent whatever ended before `end`. If nothing is half
    /// processed, the position moves there without a message
    /// ([`Position::rest`]); whether it did.
    pub fn rest(&mut self, end: Lsn) -> bool {
        let moves = self.position.is_between_transactions()
            && self.offset().start().is_none_or(|start| start < end);
        if moves {
            self.position.rest(end);
        }
        moves
    }

    /// The transaction ends. Whether its end is new.
    pub fn commit(&mut self, lsn: Lsn, commit_time: i64) -> bool {
        let new = !self.resume.commit();
        if new {
            self.position.commit(lsn, commit_time);
        }
        new
    }
}

#[cfg(test)]
mod tests;
