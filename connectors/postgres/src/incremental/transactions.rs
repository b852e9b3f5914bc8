//! Which transactions a moment of the database sees (`txid_current_snapshot`).
//!
//! Numbers of transactions have 64 bits there, and in the stream the lower 32 of
//! them.

/// Which transactions had ended at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Visible {
    /// All older ones had.
    oldest: u64,
    /// This one and all later ones had not begun.
    next: u64,
    /// Which of those in between had not ended.
    under_way: Vec<u64>,
}

impl Visible {
    /// Reads `<xmin>:<xmax>:<list>`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let (oldest, next, list) = (parts.next()?, parts.next()?, parts.next()?);
        let list = list.split(',').filter(|xid| !xid.is_empty());
        Some(Self {
            oldest: oldest.parse().ok()?,
            next: next.parse().ok()?,
            under_way: list.map(|xid| xid.parse().ok()).collect::<Option<_>>()?,
        })
    }

    /// Whether what a transaction did was seen.
    pub(super) fn sees(&self, xid: u32) -> bool {
        let is = |other: &u64| since(xid, *other) == 0;
        since(xid, self.next) < 0 && !self.under_way.iter().any(is)
    }
}

/// The moments before and after a chunk was read (`read.only`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Watermarks {
    pub(super) low: Visible,
    pub(super) high: Visible,
}

impl Watermarks {
    /// Whether the chunk may be without changes of this transaction.
    pub(super) fn may_miss(&self, xid: u32) -> bool {
        since(xid, self.low.oldest) >= 0
    }

    /// Whether the transaction began after the chunk was read.
    pub(super) fn is_behind(&self, xid: u32) -> bool {
        since(xid, self.high.next.max(self.low.next)) > 0
    }

    /// Whether the chunk may be sent once this transaction is processed: the
    /// stream has not yet come to the changes that the chunk does not have, or
    /// has passed the last one that may have ended meanwhile.
    pub(super) fn is_sent_after(&self, xid: u32) -> bool {
        since(xid, self.high.oldest) <= 0 || since(xid, self.high.next) == 0
    }
}

/// How far a transaction is from a mark. Numbers of 32 bits begin anew, so they
/// are compared as the server does it.
fn since(xid: u32, mark: u64) -> i32 {
    // The lower bits.
    xid.wrapping_sub(mark as u32).cast_signed()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn marks(low: &str, high: &str) -> Option<Watermarks> {
        Some(Watermarks {
            low: Visible::parse(low)?,
            high: Visible::parse(high)?,
        })
    }

    #[test]
    fn what_had_not_ended_is_not_seen() {
        let visible = Visible::parse("100:105:100,103");
        let seen = |xid| visible.as_ref().is_some_and(|visible| visible.sees(xid));
        let seen: Vec<u32> = (98..108).filter(|xid| seen(*xid)).collect();
        assert_eq!(seen, [98, 99, 101, 102, 104]);
    }

    #[test]
    fn transactions_are_placed() {
        let Some(marks) = marks("100:105:100,103", "104:107:104") else {
            return assert_eq!("snapshots", "cannot be read");
        };
        let missed: Vec<u32> = (98..110).filter(|xid| marks.may_miss(*xid)).collect();
        assert_eq!(missed, (100..110).collect::<Vec<_>>());
        let behind: Vec<u32> = (98..110).filter(|xid| marks.is_behind(*xid)).collect();
        assert_eq!(behind, [108, 109]);
        let sent: Vec<u32> = (98..110).filter(|xid| marks.is_sent_after(*xid)).collect();
        assert_eq!(sent, [98, 99, 100, 101, 102, 103, 104, 107]);
    }

    #[test]
    fn numbers_begin_anew() {
        let Some(marks) = marks("4294967290:4294967298:", "8589934590:8589934594:") else {
            return assert_eq!("snapshots", "cannot be read");
        };
        assert!(marks.may_miss(1) && marks.may_miss(u32::MAX));
        assert!(marks.is_behind(3) && !marks.is_behind(2));
        assert!(!marks.is_behind(u32::MAX));
        for wrong in ["", "1", "1:2", "1:x:", ":", "1:2:x"] {
            assert_eq!(Visible::parse(wrong), None);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text: String) {
            Visible::parse(&text);
        }
    }
}
