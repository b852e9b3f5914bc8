//! Restarting failed tasks without anybody asking: an extension to Connect,
//! off unless a connector sets `errors.restart.max.attempts`.
//!
//! The waits double from `errors.restart.backoff.ms` up to five minutes, and
//! attempts count from zero again once a task has run for ten: what Kubernetes
//! does with containers that crash (kubelet's back-off of restarts).

use std::collections::BTreeMap;
use std::time::Duration;

use tether_api::Result;
use tether_api::config::ConfigMap;
use tokio::time::Instant;

use crate::restart_policy::RestartPolicy;

/// The longest wait, unless the first one is longer.
const MAX_WAIT: Duration = Duration::from_secs(300);

/// A task that has run for so long is healthy.
const HEALTHY_AFTER: Duration = Duration::from_secs(600);

/// What is known of a connector's tasks that failed.
#[derive(Default)]
pub(super) struct AutomaticRestarts {
    tasks: BTreeMap<u32, Attempts>,
}

struct Attempts {
    made: u32,
    /// When the last one was made.
    last: Option<Instant>,
    /// When the next one is due.
    due: Option<Instant>,
}

impl AutomaticRestarts {
    /// Notes that a task failed, and says for its status what follows; `None`
    /// if the connector wants no automatic restarts.
    ///
    /// # Errors
    /// Config, if a key is wrong.
    pub(super) fn failed(&mut self, task: u32, config: &ConfigMap) -> Result<Option<String>> {
        let Some(policy) = RestartPolicy::new(config)? else {
            self.tasks.remove(&task);
            return Ok(None);
        };
        let now = Instant::now();
        let attempts = self.tasks.entry(task).or_insert(Attempts {
            made: 0,
            last: None,
            due: None,
        });
        if attempts
            .last
            .is_some_and(|last| now.duration_since(last) >= HEALTHY_AFTER)
        {
            attempts.made = 0;
        }
        let RestartPolicy {
            max_attempts,
            backoff,
        } = policy;
        if attempts.made >= max_attempts {
            attempts.due = None;
            return Ok(Some(format!(
                "Automatic restarts are used up ({max_attempts} of errors.restart.max.attempts={max_attempts}): \
                 restart the task when the cause is mended"
            )));
        }
        let wait = wait(backoff, attempts.made);
        attempts.made += 1;
        attempts.due = Some(now + wait);
        Ok(Some(format!(
            "Automatic restart {} of {max_attempts} (errors.restart.max.attempts) follows in {} ms",
            attempts.made,
            wait.as_millis()
        )))
    }

    /// When the next restart is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.tasks.values().filter_map(|task| task.due).min()
    }

    /// Takes the tasks that are due.
    pub(super) fn take_due(&mut self) -> Vec<u32> {
        let now = Instant::now();
        self.tasks
            .iter_mut()
            .filter(|(_, attempts)| attempts.due.is_some_and(|due| due <= now))
            .map(|(task, attempts)| {
                attempts.due = None;
                attempts.last = Some(now);
                *task
            })
            .collect()
    }

    /// Somebody restarts this task: it has all its attempts again.
    pub(super) fn forget(&mut self, task: u32) {
        self.tasks.remove(&task);
    }

    /// The tasks are others now.
    pub(super) fn clear(&mut self) {
        self.tasks.clear();
    }
}

/// The wait before an attempt, after this many.
fn wait(backoff: Duration, made: u32) -> Duration {
    let factor = 2_u32.saturating_pow(made);
    backoff.saturating_mul(factor).min(MAX_WAIT.max(backoff))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::map;

    #[tokio::test(start_paused = true)]
    async fn attempts_are_counted_and_waits_grow() {
        let config = map(&[
            ("errors.restart.max.attempts", "2"),
            ("errors.restart.backoff.ms", "1000"),
        ]);
        let mut restarts = AutomaticRestarts::default();
        let text = restarts.failed(0, &config).unwrap().unwrap();
        assert!(
            text.contains("1 of 2") && text.contains("1000 ms"),
            "{text}"
        );
        assert!(restarts.take_due().is_empty());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(restarts.take_due(), [0]);
        assert_eq!(restarts.next_due(), None);
        let text = restarts.failed(0, &config).unwrap().unwrap();
        assert!(
            text.contains("2 of 2") && text.contains("2000 ms"),
            "{text}"
        );
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(restarts.take_due(), [0]);
        let text = restarts.failed(0, &config).unwrap().unwrap();
        assert!(text.contains("used up"), "{text}");
        assert_eq!(restarts.next_due(), None);

        restarts.forget(0);
        let text = restarts.failed(0, &config).unwrap().unwrap();
        assert!(text.contains("1 of 2"), "{text}");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(restarts.take_due(), [0]);
        tokio::time::advance(HEALTHY_AFTER).await;
        let text = restarts.failed(0, &config).unwrap().unwrap();
        assert!(text.contains("1 of 2"), "{text}");
    }

    #[test]
    fn nothing_happens_unless_asked_for() {
        let mut restarts = AutomaticRestarts::default();
        assert_eq!(restarts.failed(0, &map(&[])).unwrap(), None);
        let off = map(&[("errors.restart.max.attempts", "0")]);
        assert_eq!(restarts.failed(0, &off).unwrap(), None);
        assert_eq!(restarts.next_due(), None);
    }

    #[test]
    fn waits_are_bounded() {
        let second = Duration::from_secs(1);
        assert_eq!(wait(second, 3), Duration::from_secs(8));
        assert_eq!(wait(second, 40), MAX_WAIT);
        assert_eq!(wait(MAX_WAIT * 2, 1), MAX_WAIT * 2);
    }
}
