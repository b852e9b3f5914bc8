//! When to poll: every interval, measured from start to start, with retries in
//! between.

use std::time::Duration;

use tokio::time::Instant;

use crate::http::Backoff;

const RETRIES: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60), 10);

/// The times of polls. The first is due at once.
#[derive(Debug)]
pub(crate) struct Schedule {
    interval: Duration,
    backoff: Backoff,
    /// When the next attempt is due.
    next: Instant,
    /// When the next interval begins.
    interval_end: Instant,
}

impl Schedule {
    /// A poll every `interval` from now on.
    pub(crate) fn new(interval: Duration, now: Instant) -> Self {
        Self {
            interval,
            backoff: RETRIES,
            next: now,
            interval_end: now,
        }
    }

    /// When the next attempt is due.
    pub(crate) fn next(&self) -> Instant {
        self.next
    }

    /// An attempt begins. It is the poll of a new interval if the last one is
    /// over, otherwise a retry.
    pub(crate) fn begin(&mut self, now: Instant) {
        if now >= self.interval_end {
            self.interval_end = now + self.interval;
            self.backoff.reset();
        }
        self.next = self.interval_end;
    }

    /// The attempt failed in a way that may pass: tells after which delay to
    /// try again. `None` if that is left to the next interval, because the
    /// retries are used up or would reach into it.
    pub(crate) fn retry(&mut self, now: Instant) -> Option<Duration> {
        let delay = self.backoff.next()?;
        if now + delay >= self.interval_end {
            return None;
        }
        self.next = now + delay;
        Some(delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn intervals_count_from_the_start_of_a_poll() {
        let start = Instant::now();
        let mut schedule = Schedule::new(MINUTE, start);
        assert_eq!(schedule.next(), start);
        schedule.begin(start + SECOND);
        assert_eq!(schedule.next(), start + SECOND + MINUTE);
    }

    #[test]
    fn a_poll_that_took_long_is_followed_by_one_not_many() {
        let start = Instant::now();
        let mut schedule = Schedule::new(SECOND, start);
        schedule.begin(start);
        assert!(schedule.next() < start + MINUTE);
        schedule.begin(start + MINUTE);
        assert_eq!(schedule.next(), start + MINUTE + SECOND);
    }

    #[test]
    fn retries_stay_within_the_interval() {
        let start = Instant::now();
        let mut schedule = Schedule::new(MINUTE, start);
        let mut now = start;
        let mut retries = 0;
        schedule.begin(now);
        while let Some(delay) = schedule.retry(now) {
            now += delay;
            retries += 1;
            assert_eq!(schedule.next(), now);
            schedule.begin(now);
            assert_eq!(schedule.next(), start + MINUTE);
        }
        assert!(now < start + MINUTE);
        assert!(retries >= 5, "{retries}");
        assert_eq!(schedule.next(), start + MINUTE);
    }

    #[test]
    fn short_intervals_need_no_retries() {
        let start = Instant::now();
        let mut schedule = Schedule::new(SECOND / 10, start);
        schedule.begin(start);
        assert_eq!(schedule.retry(start), None);
        assert_eq!(schedule.next(), start + SECOND / 10);
    }
}
