//! Generated cases, the same in every run.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

/// So many cases of a strategy.
pub(crate) fn generate<S: Strategy>(strategy: &S, count: usize) -> Vec<S::Value> {
    let mut runner = TestRunner::deterministic();
    (0..count)
        .map(|_| strategy.new_tree(&mut runner).unwrap().current())
        .collect()
}
