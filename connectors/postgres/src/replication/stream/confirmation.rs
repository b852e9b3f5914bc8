//! What the server may forget.

use crate::config::LsnFlushMode;
use crate::lsn::Lsn;

/// The position of an offset that is stored that may be confirmed: the end of
/// the last transaction that it knows to be complete (`lsn_commit`), else the
/// last message (`lsn_proc`).
pub fn confirmable(lsn_commit: Option<Lsn>, lsn_proc: Option<Lsn>) -> Option<Lsn> {
    lsn_commit
        .or(lsn_proc)
        .filter(|position| position.is_valid())
}

/// Keeps up to where the server may forget. It never goes back, and it is never
/// beyond what is stored.
#[derive(Debug)]
pub(super) struct Confirmation {
    mode: LsnFlushMode,
    /// Up to where it may forget; no position for not yet.
    flushed: Lsn,
    /// Up to where everything is stored.
    stored: Lsn,
    /// Whether a message came.
    has_message: bool,
    /// Up to where the server has sent everything.
    sent: Lsn,
}

impl Confirmation {
    pub(super) fn new(mode: LsnFlushMode) -> Self {
        Self {
            mode,
            flushed: Lsn(0),
            stored: Lsn(0),
            has_message: false,
            sent: Lsn(0),
        }
    }

    /// Up to where the server may forget; no position for not yet.
    pub(super) fn flushed(&self) -> Lsn {
        self.flushed
    }

    /// A message came.
    pub(super) fn message(&mut self) {
        if !self.has_message {
            self.has_message = true;
            self.advance();
        }
    }

    /// A sign of life came: all up to here has been sent. Whether something
    /// changed.
    pub(super) fn keep_alive(&mut self, position: Lsn) -> bool {
        self.sent = self.sent.max(position);
        self.advance()
    }

    /// Everything up to here is stored. Whether something changed. A position is
    /// not confirmed before the server has shown, by a message or by having sent
    /// all up to there, that its log is the one that the position is of.
    pub(super) fn confirm(&mut self, position: Lsn) -> bool {
        self.stored = self.stored.max(position);
        self.advance()
    }

    fn advance(&mut self) -> bool {
        let is_of_this_log = self.has_message || self.stored <= self.sent;
        let advances =
            self.mode != LsnFlushMode::Manual && is_of_this_log && self.stored > self.flushed;
        if advances {
            self.flushed = self.stored;
        }
        advances
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_complete_transaction_counts_before_a_message() {
        let (commit, message) = (Some(Lsn(10)), Some(Lsn(12)));
        assert_eq!(confirmable(commit, message), commit);
        assert_eq!(confirmable(None, message), message);
        assert_eq!(confirmable(None, None), None);
        assert_eq!(confirmable(None, Some(Lsn(0))), None);
    }

    #[test]
    fn nothing_is_confirmed_before_the_server_has_shown_its_log() {
        let mut confirmation = Confirmation::new(LsnFlushMode::Connector);
        assert!(!confirmation.confirm(Lsn(10)));
        assert_eq!(confirmation.flushed(), Lsn(0));
        confirmation.message();
        assert_eq!(confirmation.flushed(), Lsn(10));

        let mut quiet = Confirmation::new(LsnFlushMode::Connector);
        assert!(!quiet.confirm(Lsn(10)));
        assert!(!quiet.keep_alive(Lsn(9)));
        assert!(quiet.keep_alive(Lsn(10)));
        assert_eq!(quiet.flushed(), Lsn(10));
        assert!(!quiet.confirm(Lsn(11)));
        assert_eq!(quiet.flushed(), Lsn(10));
    }

    #[test]
    fn others_may_move_the_slot() {
        let mut confirmation = Confirmation::new(LsnFlushMode::Manual);
        confirmation.message();
        assert!(!confirmation.confirm(Lsn(10)));
        assert!(!confirmation.keep_alive(Lsn(20)));
        assert_eq!(confirmation.flushed(), Lsn(0));
    }

    proptest! {
        /// Whatever comes in whatever order, nothing is confirmed that is not
        /// stored, and nothing goes back.
        #[test]
        fn what_is_not_stored_is_not_forgotten(
            steps in vec((0_u8..3, 1_u64..50), 0..60),
            mode in prop_oneof![
                Just(LsnFlushMode::Connector),
                Just(LsnFlushMode::Manual),
                Just(LsnFlushMode::ConnectorAndDriver),
            ],
        ) {
            let mut confirmation = Confirmation::new(mode);
            let (mut log, mut stored) = (0, 0);
            for (step, distance) in steps {
                let before = confirmation.flushed();
                match step {
                    0 => confirmation.message(),
                    1 => {
                        log += distance;
                        confirmation.keep_alive(Lsn(log));
                    }
                    _ => {
                        stored += distance;
                        confirmation.confirm(Lsn(stored));
                    }
                }
                let flushed = confirmation.flushed();
                prop_assert!(flushed >= before);
                prop_assert!(flushed <= Lsn(stored));
            }
        }
    }
}
