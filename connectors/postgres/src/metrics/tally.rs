//! Events that have been made since the last look.

use crate::event::{Operation, ProcessingTime};
use crate::lsn::Lsn;
use crate::offset::{MessageType, PostgresOffset};

const MICROS_PER_MILLI: i64 = 1_000;

/// Counts events in passing. What the reference counts event by event
/// (`CommonEventMeter`, `StreamingMeter`) is added up here and taken once per
/// batch.
#[derive(Debug, Default)]
pub struct Tally {
    pub(super) created: u64,
    pub(super) updated: u64,
    pub(super) deleted: u64,
    pub(super) truncated: u64,
    /// Rows of snapshots, which count for the context `snapshot`.
    reads: u64,
    /// Changes of tables that are not captured, which also count as what they
    /// are.
    pub(super) filtered: u64,
    /// Updates without a change, which are left out.
    pub(super) unchanged: i64,
    /// How often an event was of another transaction than the one before.
    pub(super) transactions: u64,
    /// The transaction of the latest event, whoever has taken its numbers.
    pub(super) transaction: Option<u32>,
    /// Where the latest event stands.
    pub(super) position: Option<Lsn>,
    /// How many milliseconds after their commit events were made, and how many
    /// in a row that took as long.
    pub(super) lags: Vec<(i64, u64)>,
}

impl Tally {
    /// An event was made at this time.
    pub(crate) fn event(
        &mut self,
        operation: Operation,
        offset: &PostgresOffset,
        now: ProcessingTime,
    ) {
        match operation {
            Operation::Create => self.created += 1,
            Operation::Update => self.updated += 1,
            Operation::Delete => self.deleted += 1,
            Operation::Truncate => self.truncated += 1,
            Operation::Read => {
                self.reads += 1;
                return;
            }
            Operation::Message => return,
        }
        if offset.tx_id.is_some() && offset.tx_id != self.transaction {
            self.transaction = offset.tx_id;
            self.transactions += 1;
        }
        self.position = offset.lsn.or(self.position);
        if let Some(committed) = offset.ts_usec {
            let lag = now.micros().saturating_sub(committed) / MICROS_PER_MILLI;
            match self.lags.last_mut() {
                Some((last, events)) if *last == lag => *events += 1,
                _ => self.lags.push((lag, 1)),
            }
        }
    }

    /// A change of a table that is not captured came.
    pub(crate) fn filtered(&mut self, kind: MessageType) {
        self.filtered += 1;
        match kind {
            MessageType::Insert => self.created += 1,
            MessageType::Update => self.updated += 1,
            MessageType::Delete => self.deleted += 1,
            _ => {}
        }
    }

    /// An update without a change was left out.
    pub(crate) fn unchanged(&mut self) {
        self.unchanged += 1;
    }

    /// The rows of snapshots since the last call.
    pub(crate) fn take_reads(&mut self) -> u64 {
        std::mem::take(&mut self.reads)
    }

    /// Whether there are events of the stream that were not left out.
    pub(super) fn has_changes(&self) -> bool {
        self.seen() > self.filtered
    }

    /// Whether there is nothing of the stream.
    pub(super) fn is_empty(&self) -> bool {
        self.seen() == 0 && self.unchanged == 0
    }

    /// Events of the stream.
    pub(super) fn seen(&self) -> u64 {
        self.created + self.updated + self.deleted + self.truncated
    }

    /// Begins anew, behind the same transaction.
    pub(super) fn clear(&mut self) {
        let mut lags = std::mem::take(&mut self.lags);
        lags.clear();
        *self = Self {
            transaction: self.transaction,
            reads: self.reads,
            lags,
            ..Self::default()
        };
    }
}
