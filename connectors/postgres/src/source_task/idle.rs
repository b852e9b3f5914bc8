//! When the position moves although there is nothing to tell.
//!
//! The server keeps its log until the position of the slot moves, and that moves
//! with the offset that the worker has committed, which a record carries. A
//! database whose captured tables are quiet has no record, however much log
//! other tables, or other databases of the same server, write. The reference
//! knows two ways out: heartbeats with a statement that writes to a captured
//! table, and `lsn.flush.mode=connector_and_driver`, which confirms positions
//! that are stored nowhere.
//!
//! Here the offset itself moves without a record
//! ([`SourceTask::take_offsets`](tether_api::source::SourceTask::take_offsets)),
//! and what is confirmed is always that of an offset which the worker has
//! committed:
//!
//! - The server says, with a sign of life, up to where it has sent whatever was
//!   committed. If nothing is half processed, an offset at that place says
//!   nothing that is not true: all before it has been processed.
//! - It goes the way of records, behind all that were made before, so it is
//!   committed after them.
//! - Only then is it confirmed. So what the server may forget is never beyond
//!   what a task that begins at the stored offset needs; and the slot never
//!   begins behind the stored offset, which the check at a start looks for.
//!
//! The log is given back in files (of 16 MiB, unless the server was built
//! otherwise), so an offset that moves by less is of little use. In the end it
//! moves all the same: the slot also holds back what the server may clean up of
//! its catalog, and its age is something to watch.

use std::time::{Duration, Instant};

use crate::lsn::Lsn;
use crate::offset::PostgresOffset;

/// How long a quiet stream may leave the position behind.
const LONG: Duration = Duration::from_secs(300);

/// Less than this no record of the log has.
const RECORD: u64 = 8;

/// Follows the positions that are on their way to be committed.
#[derive(Debug)]
pub(super) struct IdlePosition {
    /// After how many bytes of the log the position moves; `None` for never.
    step: Option<u64>,
    /// What can be confirmed once everything so far is committed.
    told: Lsn,
    /// What that was when a sign of life was first looked at since it moved, and
    /// when that was.
    quiet: (Lsn, Instant),
}

impl IdlePosition {
    /// `step` is `slot.guardian.idle.bytes`.
    pub(super) fn new(step: Option<u64>, start: &PostgresOffset) -> Self {
        let mut position = Self {
            step,
            told: Lsn(0),
            quiet: (Lsn(0), Instant::now()),
        };
        position.told(start);
        position
    }

    /// This offset is on its way.
    pub(super) fn told(&mut self, offset: &PostgresOffset) {
        let position = offset.confirmable().or(offset.lsn).unwrap_or_default();
        self.told = self.told.max(position);
    }

    /// Whether so much of the log has passed up to here that the position is to
    /// move.
    pub(super) fn is_due(&self, end: Lsn) -> bool {
        self.step.is_some_and(|step| self.passed(end) > step)
    }

    /// Whether it is to move as it has not for long, at a sign of life.
    pub(super) fn is_overdue(&mut self, end: Lsn, now: Instant) -> bool {
        let (told, since) = self.quiet;
        if told != self.told {
            self.quiet = (self.told, now);
            return false;
        }
        self.step.is_some()
            && self.passed(end) > RECORD
            && now.saturating_duration_since(since) >= LONG
    }

    fn passed(&self, end: Lsn) -> u64 {
        end.0.saturating_sub(self.told.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lsn: u64, commit: Option<u64>) -> PostgresOffset {
        PostgresOffset {
            lsn: Some(Lsn(lsn)),
            lsn_commit: commit.map(Lsn),
            ..PostgresOffset::default()
        }
    }

    #[test]
    fn the_position_moves_after_a_while() {
        let mut idle = IdlePosition::new(Some(100), &at(50, None));
        assert!(!idle.is_due(Lsn(150)));
        assert!(idle.is_due(Lsn(151)));
        idle.told(&at(200, Some(140)));
        assert!(!idle.is_due(Lsn(240)));
        // It does not go back.
        idle.told(&at(90, Some(80)));
        assert!(!idle.is_due(Lsn(240)));
        assert!(idle.is_due(Lsn(241)));
        assert!(!idle.is_due(Lsn(1)));
        assert!(!IdlePosition::new(None, &at(0, None)).is_due(Lsn(u64::MAX)));
    }

    #[test]
    fn it_moves_after_long_in_any_case() {
        let mut idle = IdlePosition::new(Some(100), &at(50, None));
        let now = Instant::now();
        assert!(!idle.is_overdue(Lsn(60), now));
        assert!(!idle.is_overdue(Lsn(60), now + LONG / 2));
        assert!(!idle.is_overdue(Lsn(58), now + LONG));
        assert!(idle.is_overdue(Lsn(60), now + LONG));
        idle.told(&at(59, None));
        assert!(!idle.is_overdue(Lsn(90), now + LONG));
        assert!(idle.is_overdue(Lsn(90), now + LONG * 2));
        let mut off = IdlePosition::new(None, &at(50, None));
        assert!(!off.is_overdue(Lsn(90), now));
        assert!(!off.is_overdue(Lsn(90), now + LONG));
    }
}
