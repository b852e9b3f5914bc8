//! One status: what the topic says, and what this worker is about to say.

use crate::status_bytes::Status;

/// A status with this worker's own write in flight on top.
///
/// Reads return one's own write at once. The topic stays the judge: once the
/// write is durable at some offset it counts as the record at that offset, and
/// records before it that are read later are outdated.
#[derive(Debug)]
pub(crate) struct StatusEntry {
    /// The record that is in effect.
    stored: Option<Status>,
    /// Its offset; -1 if none matters.
    offset: i64,
    /// The latest own write that is not durable yet.
    pending: Option<Pending>,
    /// The latest own tombstone that is not durable yet.
    deleting: Option<u64>,
    /// The record at `offset` is no longer in effect either, because this worker
    /// deleted what it belongs to.
    forgotten: bool,
}

#[derive(Debug)]
struct Pending {
    sequence: u64,
    /// `None` deletes.
    status: Option<Status>,
    /// Another worker deleted the status meanwhile.
    overtaken: bool,
}

impl Default for StatusEntry {
    fn default() -> Self {
        Self {
            stored: None,
            offset: -1,
            pending: None,
            deleting: None,
            forgotten: false,
        }
    }
}

impl StatusEntry {
    /// The status as this worker sees it.
    pub(crate) fn visible(&self) -> Option<&Status> {
        match &self.pending {
            Some(pending) => pending.status.as_ref(),
            None => self.stored.as_ref(),
        }
    }

    /// The status that the topic has, own writes in flight aside.
    pub(crate) fn stored(&self) -> Option<&Status> {
        self.stored.as_ref()
    }

    /// The number of the write that is on its way.
    pub(crate) fn pending(&self) -> Option<u64> {
        self.pending.as_ref().map(|pending| pending.sequence)
    }

    /// Whether nothing is known that matters.
    pub(crate) fn is_empty(&self) -> bool {
        self.stored.is_none()
            && self.offset < 0
            && self.pending.is_none()
            && self.deleting.is_none()
    }

    /// Whether a tombstone at this offset is another worker's.
    pub(crate) fn is_foreign(&self, offset: i64) -> bool {
        offset > self.offset && self.deleting.is_none()
    }

    /// Takes a write of this worker's in.
    pub(crate) fn put(&mut self, sequence: u64, status: Option<Status>) {
        if status.is_none() {
            self.deleting = Some(sequence);
        }
        self.pending = Some(Pending {
            sequence,
            status,
            overtaken: false,
        });
    }

    /// A write of this worker's is durable. `offset` is -1 if it is not known.
    pub(crate) fn written(&mut self, sequence: u64, offset: i64) {
        let deleted = self.deleting.take_if(|found| *found == sequence).is_some();
        let pending = self.pending.take_if(|found| found.sequence == sequence);
        let status = match pending {
            Some(pending) => pending.status,
            None if deleted => None,
            // A newer write follows; it is what counts.
            None => return,
        };
        // Otherwise this record, or a later one, was read already.
        if offset < 0 || offset > self.offset {
            self.stored = status;
            self.offset = self.offset.max(offset);
            self.forgotten = false;
        } else {
            self.settle();
        }
    }

    /// Whether a write that failed may be repeated: not if a newer one follows.
    pub(crate) fn is_current(&self, sequence: u64) -> bool {
        self.pending
            .as_ref()
            .is_some_and(|pending| pending.sequence == sequence && !pending.overtaken)
    }

    /// Gives a write of this worker's up.
    pub(crate) fn abandon(&mut self, sequence: u64) {
        self.deleting.take_if(|found| *found == sequence);
        self.pending.take_if(|found| found.sequence == sequence);
        self.settle();
    }

    /// Takes a record in, unless a later one is known.
    pub(crate) fn read(&mut self, offset: i64, status: Option<Status>) {
        if offset > self.offset || (offset == self.offset && !self.forgotten) {
            self.stored = status;
            self.offset = offset;
            self.forgotten = false;
            self.settle();
        }
    }

    /// Another worker deleted what this belongs to.
    pub(crate) fn overtake(&mut self) {
        self.stored = None;
        if let Some(pending) = &mut self.pending {
            pending.overtaken = true;
        }
        self.settle();
    }

    /// This worker deletes what this belongs to. Its records up to now may yet be
    /// read; they are not to come back. A tombstone of its own stays under way.
    pub(crate) fn forget(&mut self) {
        self.stored = None;
        self.pending.take_if(|found| found.status.is_some());
        self.forgotten = self.offset >= 0;
    }

    /// The offsets of the topic start anew.
    pub(crate) fn rewind(&mut self) {
        self.offset = -1;
        self.forgotten = false;
    }

    /// The offset of a tombstone matters only as long as a write is on its way.
    fn settle(&mut self) {
        let idle = self.pending.is_none() && self.deleting.is_none();
        if self.stored.is_none() && idle && !self.forgotten {
            self.offset = -1;
        }
    }
}
