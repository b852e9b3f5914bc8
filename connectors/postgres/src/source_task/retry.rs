//! When to try again after a failure that may pass.

use std::time::Duration;

/// The first wait. An outage that is over at once, such as that of a server
/// that restarts, should not cost the whole wait.
const FIRST: Duration = Duration::from_millis(500);

/// Counts failures in a row and says how long to wait after each: from a short
/// while on doubling, up to `retriable.restart.connector.wait.ms`.
#[derive(Debug, Clone)]
pub(super) struct Retry {
    most: Option<u32>,
    longest: Duration,
    failures: u32,
}

impl Retry {
    /// `most` is `errors.max.retries`, `None` for no limit.
    pub(super) fn new(most: Option<u32>, longest: Duration) -> Self {
        Self {
            most,
            longest,
            failures: 0,
        }
    }

    /// All is well again.
    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// How many failures there were in a row.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// How long to wait after one more failure; `None` if that was the last
    /// attempt.
    pub(super) fn wait(&mut self) -> Option<Duration> {
        if self.most.is_some_and(|most| self.failures >= most) {
            return None;
        }
        let doubled = FIRST.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        Some(doubled.min(self.longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_the_configured_one() {
        let mut retry = Retry::new(None, Duration::from_secs(3));
        let waits: Vec<u128> = (0..5)
            .filter_map(|_| retry.wait())
            .map(|wait| wait.as_millis())
            .collect();
        assert_eq!(waits, [500, 1000, 2000, 3000, 3000]);
        retry.succeeded();
        assert_eq!(retry.wait(), Some(FIRST));
    }

    #[test]
    fn attempts_end() {
        let mut retry = Retry::new(Some(2), Duration::from_secs(10));
        assert!(retry.wait().is_some() && retry.wait().is_some());
        assert_eq!(retry.failures(), 2);
        assert_eq!(retry.wait(), None);
        assert_eq!(Retry::new(Some(0), FIRST).wait(), None);
    }
}
