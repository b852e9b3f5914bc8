//! How long and how often a step is tried again.

use std::time::Duration;

use tokio::time::Instant;

use super::settings::ErrorSettings;
use super::{Failure, Stage};

/// The wait before the first repetition (`RETRIES_DELAY_MIN_MS`); each further
/// one doubles it.
const FIRST_DELAY: Duration = Duration::from_millis(300);

/// The attempts at one step of one record. Another step, or the same one of
/// another record, has a budget of its own.
#[derive(Debug, Default)]
pub(in crate::task) struct Attempts {
    step: Option<(Stage, Option<String>)>,
    /// Failures so far.
    failed: u32,
    /// `None` if there is no end to it.
    deadline: Option<Instant>,
}

impl Attempts {
    /// Notes a failure that may pass; how long to wait before the next attempt,
    /// `None` if there is to be none.
    pub(super) fn next(&mut self, failure: &Failure, settings: &ErrorSettings) -> Option<Duration> {
        let now = Instant::now();
        let is_same = self
            .step
            .as_ref()
            .is_some_and(|(stage, part)| *stage == failure.stage && *part == failure.part);
        if !is_same {
            self.step = Some((failure.stage, failure.part.clone()));
            self.failed = 0;
            self.deadline = settings.retry_timeout.map(|timeout| now + timeout);
        }
        self.failed = self.failed.saturating_add(1);
        let left = match self.deadline {
            None => Duration::MAX,
            Some(deadline) if now < deadline => deadline - now,
            Some(_) => return None,
        };
        Some(delay(self.failed, settings.max_retry_delay).min(left))
    }
}

/// Doubled each time; above the limit anything below it, so that tasks which
/// failed together do not come back together.
fn delay(failed: u32, limit: Duration) -> Duration {
    let factor = 1u32.checked_shl(failed.saturating_sub(1));
    let doubled = FIRST_DELAY.saturating_mul(factor.unwrap_or(u32::MAX));
    if doubled <= limit {
        return doubled;
    }
    limit.mul_f64(rand::random_range(0.0..1.0))
}

#[cfg(test)]
mod tests {
    use tether_api::ConnectError;
    use tether_api::config::ConfigMap;

    use super::*;

    fn settings(timeout: &str, limit: &str) -> ErrorSettings {
        let mut config = ConfigMap::new();
        config.insert("errors.retry.timeout".to_owned(), timeout.to_owned());
        config.insert("errors.retry.delay.max.ms".to_owned(), limit.to_owned());
        ErrorSettings::new(&config).unwrap()
    }

    fn failure(stage: Stage) -> Failure {
        Failure::new(stage, "C", ConnectError::retriable("away"))
    }

    #[tokio::test(start_paused = true)]
    async fn waits_double_up_to_the_deadline() {
        let settings = settings("2000", "60000");
        let mut attempts = Attempts::default();
        let mut waits = Vec::new();
        while let Some(wait) = attempts.next(&failure(Stage::KeyConverter), &settings) {
            waits.push(wait.as_millis());
            tokio::time::sleep(wait).await;
        }
        assert_eq!(waits, [300, 600, 1100]);
        // The next step has its own budget.
        let next = attempts.next(&failure(Stage::ValueConverter), &settings);
        assert_eq!(next, Some(FIRST_DELAY));
    }

    #[tokio::test(start_paused = true)]
    async fn above_the_limit_they_are_random_and_there_may_be_no_end() {
        let settings = settings("-1", "1000");
        let mut attempts = Attempts::default();
        let mut waits = Vec::new();
        for _ in 0..200 {
            let wait = attempts.next(&failure(Stage::KeyConverter), &settings);
            waits.push(wait.unwrap());
        }
        assert_eq!(waits[..2], [FIRST_DELAY, FIRST_DELAY * 2]);
        assert!(waits[2..].iter().all(|wait| *wait < Duration::from_secs(1)));
        assert!(waits[2..].iter().any(|wait| *wait != waits[2]));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_budget_there_is_no_second_attempt() {
        let mut attempts = Attempts::default();
        let next = attempts.next(&failure(Stage::KeyConverter), &settings("0", "0"));
        assert_eq!(next, None);
    }
}
