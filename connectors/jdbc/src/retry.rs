//! How often and after which wait a delivery is tried again.

use std::time::Duration;

use crate::config::{RetryConfig, RetryPolicy};
use crate::error::SqlError;

/// The longest wait, unless the first one is longer.
const LONGEST: Duration = Duration::from_secs(60);

/// The retries of one task.
#[derive(Debug)]
pub(crate) struct Retries {
    config: RetryConfig,
    used: u32,
}

impl Retries {
    pub(crate) fn new(config: RetryConfig) -> Self {
        Self { config, used: 0 }
    }

    /// A delivery succeeded: all retries are there again.
    pub(crate) fn reset(&mut self) {
        self.used = 0;
    }

    /// How many have been used since the last success.
    pub(crate) fn used(&self) -> u32 {
        self.used
    }

    /// The wait before the next retry; `None` if the error will not pass or no
    /// retry is left.
    pub(crate) fn next(&mut self, error: &SqlError) -> Option<Duration> {
        let is_worth_it = match self.config.policy {
            RetryPolicy::Classified => error.is_transient,
            RetryPolicy::Confluent => true,
            RetryPolicy::Debezium => error.is_connection_lost,
        };
        let is_worth_it = is_worth_it && (self.config.reconnects || !error.is_connection_lost);
        if !is_worth_it || self.used >= self.config.limit {
            return None;
        }
        let wait = match self.config.policy {
            RetryPolicy::Confluent | RetryPolicy::Debezium => self.config.backoff,
            RetryPolicy::Classified => jittered(self.exponential()),
        };
        self.used += 1;
        Some(wait)
    }

    fn exponential(&self) -> Duration {
        let factor = 1u32.checked_shl(self.used).unwrap_or(u32::MAX);
        self.config
            .backoff
            .saturating_mul(factor)
            .min(LONGEST.max(self.config.backoff))
    }
}

/// Between three and five quarters of a wait, so that tasks that failed
/// together do not come back together.
fn jittered(wait: Duration) -> Duration {
    wait.mul_f64(rand::random_range(0.75..1.25))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retries(policy: RetryPolicy, limit: u32) -> Retries {
        Retries::new(RetryConfig {
            policy,
            reconnects: true,
            limit,
            backoff: Duration::from_secs(3),
        })
    }

    #[test]
    fn waits_grow_and_run_out() {
        let deadlock = SqlError::with_state("40P01", "");
        let mut retries = retries(RetryPolicy::Classified, 40);
        for round in 0..40 {
            let wait = retries.next(&deadlock).unwrap();
            let expected = Duration::from_secs((3u64 << round.min(20)).min(60));
            assert!(
                wait >= expected.mul_f64(0.75) && wait <= expected.mul_f64(1.25),
                "{wait:?}"
            );
        }
        assert_eq!(retries.next(&deadlock), None);
        retries.reset();
        assert!(retries.next(&deadlock).is_some());
    }

    #[test]
    fn the_policy_decides_what_is_worth_a_retry() {
        let violation = SqlError::with_state("23505", "");
        assert_eq!(retries(RetryPolicy::Classified, 10).next(&violation), None);
        let mut strict = retries(RetryPolicy::Confluent, 1);
        assert_eq!(strict.next(&violation), Some(Duration::from_secs(3)));
        assert_eq!(strict.next(&violation), None);
        let deadlock = SqlError::with_state("40P01", "");
        let lost = SqlError::connection("gone");
        let mut debezium = retries(RetryPolicy::Debezium, 1);
        assert_eq!(debezium.next(&deadlock), None);
        assert_eq!(debezium.next(&lost), Some(Duration::from_secs(3)));
    }

    #[test]
    fn a_lost_connection_may_have_to_end_the_task() {
        for policy in [RetryPolicy::Classified, RetryPolicy::Debezium] {
            let mut retries = retries(policy, 10);
            retries.config.reconnects = false;
            assert_eq!(retries.next(&SqlError::connection("gone")), None);
        }
    }
}
