//! How starts went.

use std::sync::Arc;

use tether_metrics::{Counter, GroupBuilder, Sensor, Statistic};

/// Names and meanings of the attributes.
pub(super) type StartupNames = [(&'static str, &'static str); 5];

/// Counts the starts of connectors, or of tasks.
pub(crate) struct Startups {
    attempts: Arc<Counter>,
    successes: Arc<Counter>,
    failures: Arc<Counter>,
    outcomes: Arc<Sensor>,
}

impl Startups {
    /// Adds the attributes to a group: attempts, successes and their share,
    /// failures and their share.
    pub(super) fn new(group: &mut GroupBuilder, names: StartupNames) -> Self {
        let [attempts, successes, success_share, failures, failure_share] = names;
        let outcomes = group.sensor();
        let attempts = group.counter(attempts.0, attempts.1);
        let of_successes = group.counter(successes.0, successes.1);
        let (name, help) = success_share;
        group.statistic(&outcomes, Statistic::Successes, name, help);
        let of_failures = group.counter(failures.0, failures.1);
        let (name, help) = failure_share;
        group.statistic(&outcomes, Statistic::Failures, name, help);
        Self {
            attempts,
            successes: of_successes,
            failures: of_failures,
            outcomes,
        }
    }

    pub(crate) fn succeeded(&self) {
        self.attempts.increment();
        self.successes.increment();
        self.outcomes.record_outcome(true);
    }

    pub(crate) fn failed(&self) {
        self.attempts.increment();
        self.failures.increment();
        self.outcomes.record_outcome(false);
    }
}
