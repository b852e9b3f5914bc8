//! How long something was in each state (`StateTracker`).

use tether_storage::State;

/// Adds up times. They are in milliseconds.
#[derive(Debug)]
pub(super) struct StateTimes {
    state: State,
    since: u64,
    running: u64,
    paused: u64,
    other: u64,
}

impl StateTimes {
    /// In this state since now.
    pub(super) fn new(state: State, now: u64) -> Self {
        Self {
            state,
            since: now,
            running: 0,
            paused: 0,
            other: 0,
        }
    }

    /// It is in this state from now on.
    pub(super) fn enter(&mut self, state: State, now: u64) {
        let time = now.saturating_sub(self.since);
        match self.state {
            State::Running => self.running += time,
            State::Paused => self.paused += time,
            _ => self.other += time,
        }
        self.state = state;
        self.since = now;
    }

    /// Which part of all the time it was running, from 0 to 1.
    pub(super) fn running_ratio(&self, now: u64) -> f64 {
        self.ratio(State::Running, self.running, now)
    }

    /// Which part of all the time it was paused.
    pub(super) fn pause_ratio(&self, now: u64) -> f64 {
        self.ratio(State::Paused, self.paused, now)
    }

    fn ratio(&self, state: State, before: u64, now: u64) -> f64 {
        let current = now.saturating_sub(self.since);
        let all = self.running + self.paused + self.other + current;
        if all == 0 {
            return 0.0;
        }
        let own = before + if self.state == state { current } else { 0 };
        own as f64 / all as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_of_all_the_time() {
        let mut times = StateTimes::new(State::Running, 1_000);
        assert_eq!(times.running_ratio(1_000), 0.0);
        assert_eq!(times.running_ratio(1_001), 1.0);
        times.enter(State::Paused, 4_000);
        assert_eq!(times.running_ratio(5_000), 0.75);
        assert_eq!(times.pause_ratio(5_000), 0.25);
        times.enter(State::Failed, 5_000);
        assert_eq!(times.running_ratio(7_000), 0.5);
        assert_eq!(times.pause_ratio(9_000), 0.125);
        times.enter(State::Running, 9_000);
        assert_eq!(times.running_ratio(12_000), 6.0 / 11.0);
    }
}
