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

/// Keeps up to where the server may forget. It never goes back.
#[derive(Debug)]
pub(super) struct Confirmation {
    mode: LsnFlushMode,
    /// Up to where it may forget; no position for not yet.
    flushed: Lsn,
    /// What was stored before anything came.
    early: Lsn,
    /// Where the last message stands, once one came.
    last_message: Option<Lsn>,
}

impl Confirmation {
    pub(super) fn new(mode: LsnFlushMode) -> Self {
        Self {
            mode,
            flushed: Lsn(0),
            early: Lsn(0),
            last_message: None,
        }
    }

    /// Up to where the server may forget; no position for not yet.
    pub(super) fn flushed(&self) -> Lsn {
        self.flushed
    }

    /// A message came.
    pub(super) fn message(&mut self, position: Lsn) {
        match self.last_message {
            Some(last) => self.last_message = Some(last.max(position)),
            None => {
                self.last_message = Some(position);
                self.confirm(self.early);
            }
        }
    }

    /// A sign of life came: all up to here has been sent. Whether something
    /// changed.
    pub(super) fn keep_alive(&mut self, position: Lsn) -> bool {
        let is_all_stored = self.last_message.is_some_and(|last| self.flushed >= last);
        let advances = self.mode == LsnFlushMode::ConnectorAndDriver
            && self.flushed.is_valid()
            && is_all_stored
            && position > self.flushed;
        if advances {
            self.flushed = position;
        }
        advances
    }

    /// Everything up to here is stored. Whether something changed. Nothing is
    /// confirmed before the first message came: until then it is not sure that
    /// the stream begins where it should.
    pub(super) fn confirm(&mut self, position: Lsn) -> bool {
        if self.last_message.is_none() {
            self.early = self.early.max(position);
            return false;
        }
        let advances = self.mode != LsnFlushMode::Manual && position > self.flushed;
        if advances {
            self.flushed = position;
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
    fn nothing_is_confirmed_before_the_first_message() {
        let mut confirmation = Confirmation::new(LsnFlushMode::Connector);
        assert!(!confirmation.confirm(Lsn(10)));
        assert!(!confirmation.keep_alive(Lsn(20)));
        assert_eq!(confirmation.flushed(), Lsn(0));
        confirmation.message(Lsn(15));
        assert_eq!(confirmation.flushed(), Lsn(10));
    }

    #[test]
    fn others_may_move_the_slot() {
        let mut confirmation = Confirmation::new(LsnFlushMode::Manual);
        confirmation.message(Lsn(10));
        assert!(!confirmation.confirm(Lsn(10)));
        assert!(!confirmation.keep_alive(Lsn(20)));
        assert_eq!(confirmation.flushed(), Lsn(0));
    }

    #[test]
    fn signs_of_life_confirm_only_what_is_stored() {
        let mut confirmation = Confirmation::new(LsnFlushMode::ConnectorAndDriver);
        confirmation.message(Lsn(10));
        confirmation.message(Lsn(12));
        assert!(confirmation.confirm(Lsn(10)));
        // The message at 12 is not stored.
        assert!(!confirmation.keep_alive(Lsn(30)));
        assert!(confirmation.confirm(Lsn(12)));
        assert!(confirmation.keep_alive(Lsn(30)));
        assert_eq!(confirmation.flushed(), Lsn(30));
        confirmation.message(Lsn(31));
        assert!(!confirmation.keep_alive(Lsn(40)));
        assert_eq!(confirmation.flushed(), Lsn(30));
        let mut confirmation = Confirmation::new(LsnFlushMode::Connector);
        confirmation.message(Lsn(10));
        confirmation.confirm(Lsn(10));
        assert!(!confirmation.keep_alive(Lsn(30)));
    }

    proptest! {
        /// Whatever comes in whatever order, no message that is not stored may
        /// be forgotten, and nothing goes back.
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
            let (mut log, mut stored, mut messages) = (0, 0, Vec::new());
            for (step, distance) in steps {
                let before = confirmation.flushed();
                match step {
                    0 => {
                        log += distance;
                        messages.push(log);
                        confirmation.message(Lsn(log));
                    }
                    1 => {
                        log += distance;
                        confirmation.keep_alive(Lsn(log));
                    }
                    _ => {
                        let last = messages.last().copied().unwrap_or(0);
                        stored = (stored + distance).min(last);
                        confirmation.confirm(Lsn(stored));
                    }
                }
                let flushed = confirmation.flushed();
                prop_assert!(flushed >= before);
                let forgotten = |message: &u64| *message > stored && *message <= flushed.0;
                prop_assert!(!messages.iter().any(forgotten));
            }
        }
    }
}
