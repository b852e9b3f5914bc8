//! How long ago the log ended where the slot is.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::lsn::Lsn;

/// How many looks are remembered. Of more, every other one is forgotten.
const MOST: usize = 1024;

/// Where the log ended at the latest looks.
#[derive(Debug, Default)]
pub(super) struct History {
    looks: VecDeque<(Instant, Lsn)>,
}

impl History {
    /// The log ends at `end` now. Returns for how long what follows `confirmed`
    /// has been there, as far as the looks go back: nothing, if nothing follows.
    pub(super) fn look(&mut self, now: Instant, end: Lsn, confirmed: Lsn) -> Duration {
        if self.looks.back().is_none_or(|(_, last)| *last < end) {
            self.looks.push_back((now, end));
        }
        // The first look that stays is the earliest at which something was behind
        // the slot's position.
        while self
            .looks
            .front()
            .is_some_and(|(_, position)| *position <= confirmed)
        {
            self.looks.pop_front();
        }
        if self.looks.len() > MOST {
            let mut index = 0;
            self.looks.retain(|_| {
                index += 1;
                index % 2 == 1
            });
        }
        let first = self.looks.front();
        first.map_or(Duration::ZERO, |(then, _)| {
            now.saturating_duration_since(*then)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_age_is_that_of_what_is_not_confirmed() {
        let (mut history, start) = (History::default(), Instant::now());
        let mut look = |seconds: u32, end, confirmed| {
            history.look(start + SECOND * seconds, Lsn(end), Lsn(confirmed))
        };
        assert_eq!(look(0, 100, 100), Duration::ZERO);
        assert_eq!(look(10, 200, 100), Duration::ZERO);
        assert_eq!(look(20, 300, 100), SECOND * 10);
        assert_eq!(look(30, 400, 200), SECOND * 10);
        assert_eq!(look(40, 400, 200), SECOND * 20);
        assert_eq!(look(50, 400, 400), Duration::ZERO);
    }

    #[test]
    fn no_more_is_remembered_than_needed() {
        let (mut history, start) = (History::default(), Instant::now());
        let looks = 10 * MOST as u32;
        for number in 0..=looks {
            let age = history.look(start + SECOND * number, Lsn(1 + u64::from(number)), Lsn(0));
            assert_eq!(age, SECOND * number);
        }
        assert!(history.looks.len() <= MOST);
    }
}
