//! How long to wait before the next attempt.

use std::time::Duration;

use super::GroupSettings;

/// How far waits differ by chance, so that workers do not come all at once.
const JITTER: std::ops::Range<f64> = 0.8..1.2;

/// Waits that double (`retry.backoff.ms`, `retry.backoff.max.ms`).
#[derive(Debug)]
pub(super) struct Backoff {
    first: Duration,
    longest: Duration,
    attempts: u32,
}

impl Backoff {
    pub(super) fn new(settings: &GroupSettings) -> Self {
        // Without a wait, an answer that fails at once would be asked for in a
        // loop.
        let first = settings.retry_backoff.max(Duration::from_millis(1));
        Self {
            first,
            longest: settings.retry_backoff_max.max(first),
            attempts: 0,
        }
    }

    /// Nothing was waited for since the last success.
    pub(super) fn is_fresh(&self) -> bool {
        self.attempts == 0
    }

    pub(super) fn reset(&mut self) {
        self.attempts = 0;
    }

    pub(super) fn next(&mut self) -> Duration {
        let doubled = self.first.saturating_mul(1 << self.attempts.min(20));
        self.attempts = self.attempts.saturating_add(1);
        let wait = doubled.min(self.longest);
        wait.mul_f64(rand::random_range(JITTER)).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::member::tests::settings;

    #[test]
    fn waits_double_up_to_the_longest() {
        let mut backoff = Backoff::new(&settings());
        let mut nominal = 100_u64;
        for _ in 0..10 {
            let wait = backoff.next();
            assert!(wait >= Duration::from_millis(nominal * 8 / 10), "{wait:?}");
            assert!(wait <= Duration::from_millis(nominal * 12 / 10), "{wait:?}");
            assert!(wait <= Duration::from_millis(1000), "{wait:?}");
            nominal = (nominal * 2).min(1000);
        }
        backoff.reset();
        assert!(backoff.next() <= Duration::from_millis(120));
    }
}
