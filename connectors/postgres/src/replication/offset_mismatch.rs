//! Where to start if the slot and the stored offset disagree
//! (specification, sections 12.3 and 12.4).

use std::fmt;

use super::slot::SlotState;
use crate::config::{LsnFlushMode, OffsetMismatch};
use crate::lsn::Lsn;

/// Where to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// What to ask the server for.
    pub position: Lsn,
    /// Where to move the slot before
    /// ([`advance_slot`](super::slot::advance_slot)).
    pub advance_slot_to: Option<Lsn>,
}

/// The positions of a stored offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StoredPosition {
    /// From where on to read: `lsn_proc`, else `lsn`.
    pub start: Option<Lsn>,
    /// The end of the last transaction that is known to be complete
    /// (`lsn_commit`).
    pub commit: Option<Lsn>,
}

/// Where to start. `slot` is where the slot is, which is where it was created
/// if that was just now.
///
/// A slot that is ahead of the offset has lost what is in between: it was made
/// anew, or moved by others. `trust_offset` has the slot moved to the offset in
/// that case too, which the server refuses with the reason.
pub fn start_position(
    strategy: OffsetMismatch,
    flush_mode: LsnFlushMode,
    slot: Lsn,
    stored: StoredPosition,
) -> Start {
    let Some(offset) = stored.start.filter(|position| position.is_valid()) else {
        return Start {
            position: slot,
            advance_slot_to: None,
        };
    };
    let follows_slot = matches!(
        strategy,
        OffsetMismatch::TrustSlot | OffsetMismatch::TrustGreaterLsn
    );
    let moves_slot = match strategy {
        OffsetMismatch::TrustOffset => offset != slot,
        OffsetMismatch::TrustGreaterLsn => offset > slot,
        OffsetMismatch::NoValidation | OffsetMismatch::TrustSlot => false,
    };
    let may_move = flush_mode != LsnFlushMode::Manual;
    Start {
        position: match follows_slot && offset < slot {
            true => slot,
            false => offset,
        },
        advance_slot_to: (moves_slot && may_move).then(|| stored.commit.unwrap_or(offset)),
    }
}

/// Whether the server still has what follows a stored offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PositionCheck {
    /// It has, or it does not matter.
    Available,
    /// There is no slot.
    NoSlot,
    /// The server has given up the slot, for this reason.
    Lost(String),
    /// The slot begins only here.
    TooLate(Lsn),
    /// The server's log ends here already.
    Ahead(Lsn),
}

impl PositionCheck {
    /// Whether the stream can go on from the offset.
    pub fn is_available(&self) -> bool {
        *self == Self::Available
    }

    /// The reference's words for a task that cannot go on, and the reason.
    /// `offset` is what is stored, for a person.
    pub fn message(&self, offset: &dyn fmt::Display) -> String {
        format!(
            "The connector is trying to read change stream starting at {offset}, but this is no \
             longer available on the server. Reconfigure the connector to use a snapshot mode when \
             needed. ({self})"
        )
    }
}

impl fmt::Display for PositionCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Available => f.write_str("the server has what follows"),
            Self::NoSlot => f.write_str("there is no replication slot of slot.name"),
            Self::Lost(reason) => write!(
                f,
                "the server has invalidated the replication slot, reason {reason}; \
                 max_slot_wal_keep_size limits what it keeps"
            ),
            Self::TooLate(restart) => write!(f, "the replication slot begins at {restart}"),
            Self::Ahead(end) => write!(
                f,
                "the log of the server ends at {end}, so this is not the server that the position \
                 is of, or it has lost part of its log: it was restored, or took over while it was \
                 behind"
            ),
        }
    }
}

/// Checks that the server still has what follows a stored offset, whose
/// `lsn_proc` this is.
pub fn check_position(
    strategy: OffsetMismatch,
    processed: Option<Lsn>,
    slot: Option<&SlotState>,
) -> PositionCheck {
    if matches!(
        strategy,
        OffsetMismatch::TrustSlot | OffsetMismatch::TrustGreaterLsn
    ) {
        return PositionCheck::Available;
    }
    let Some(slot) = slot else {
        return PositionCheck::NoSlot;
    };
    if let Some(reason) = &slot.lost {
        return PositionCheck::Lost(reason.clone());
    }
    let Some(processed) = processed else {
        return PositionCheck::Available;
    };
    match (slot.restart, slot.log_end) {
        (Some(restart), _) if restart > processed => PositionCheck::TooLate(restart),
        // What the server writes from here on up to the position would never be
        // sent.
        (_, Some(end)) if processed > end => PositionCheck::Ahead(end),
        _ => PositionCheck::Available,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORED: StoredPosition = StoredPosition {
        start: Some(Lsn(100)),
        commit: Some(Lsn(90)),
    };

    fn start(strategy: OffsetMismatch, slot: u64) -> (u64, Option<u64>) {
        let start = start_position(strategy, LsnFlushMode::Connector, Lsn(slot), STORED);
        (
            start.position.0,
            start.advance_slot_to.map(|position| position.0),
        )
    }

    #[test]
    fn the_strategy_decides_who_follows() {
        use OffsetMismatch::{NoValidation, TrustGreaterLsn, TrustOffset, TrustSlot};
        let cases = [
            // (strategy, slot behind, same, slot ahead)
            (NoValidation, (100, None), (100, None), (100, None)),
            (TrustOffset, (100, Some(90)), (100, None), (100, Some(90))),
            (TrustSlot, (100, None), (100, None), (150, None)),
            (TrustGreaterLsn, (100, Some(90)), (100, None), (150, None)),
        ];
        for (strategy, behind, same, ahead) in cases {
            assert_eq!(start(strategy, 50), behind, "{strategy:?}");
            assert_eq!(start(strategy, 100), same, "{strategy:?}");
            assert_eq!(start(strategy, 150), ahead, "{strategy:?}");
        }
    }

    #[test]
    fn without_an_offset_the_slot_decides() {
        for start in [None, Some(Lsn(0))] {
            let stored = StoredPosition {
                start,
                commit: None,
            };
            let mode = LsnFlushMode::Connector;
            let found = start_position(OffsetMismatch::TrustOffset, mode, Lsn(7), stored);
            let expected = Start {
                position: Lsn(7),
                advance_slot_to: None,
            };
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_slot_of_others_is_not_moved() {
        let mode = LsnFlushMode::Manual;
        let found = start_position(OffsetMismatch::TrustOffset, mode, Lsn(7), STORED);
        assert_eq!(found.advance_slot_to, None);
    }

    #[test]
    fn what_is_gone_is_noticed() {
        let slot = |restart: Option<u64>, lost: Option<&str>| SlotState {
            plugin: Some("pgoutput".to_owned()),
            database: None,
            active_pid: None,
            catalog_xmin: None,
            restart: restart.map(Lsn),
            confirmed: None,
            lost: lost.map(str::to_owned),
            log_end: Some(Lsn(1000)),
        };
        let check =
            |strategy, slot: Option<&SlotState>| check_position(strategy, Some(Lsn(100)), slot);
        let strategy = OffsetMismatch::NoValidation;
        assert!(check(strategy, Some(&slot(Some(100), None))).is_available());
        assert_eq!(check(strategy, None), PositionCheck::NoSlot);
        let late = check(strategy, Some(&slot(Some(101), None)));
        assert_eq!(late, PositionCheck::TooLate(Lsn(101)));
        let behind = SlotState {
            log_end: Some(Lsn(99)),
            ..slot(Some(90), None)
        };
        let ahead = check(strategy, Some(&behind));
        assert_eq!(ahead, PositionCheck::Ahead(Lsn(99)));
        let lost = slot(None, Some("wal_removed"));
        let found = check(strategy, Some(&lost));
        assert_eq!(found, PositionCheck::Lost("wal_removed".to_owned()));
        let text = found.message(&"{lsn=100}");
        assert!(
            text.starts_with(
                "The connector is trying to read change stream starting at {lsn=100}, but this is \
                 no longer available on the server."
            ),
            "{text}"
        );
        for trusting in [OffsetMismatch::TrustSlot, OffsetMismatch::TrustGreaterLsn] {
            assert!(check(trusting, None).is_available());
        }
        let slot = slot(Some(101), None);
        assert!(check_position(strategy, None, Some(&slot)).is_available());
    }
}
