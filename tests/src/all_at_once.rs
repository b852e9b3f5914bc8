//! The same work in several threads.

use std::thread;

use anyhow::{Result, anyhow};

/// Does the same with all of them, each in a thread of its own, and waits for all.
///
/// # Errors
///
/// The first of theirs; one that panicked counts as one.
pub fn all_at_once<T: Send, R: Send>(
    all: impl Iterator<Item = T>,
    work: impl Fn(T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    thread::scope(|scope| {
        let threads: Vec<_> = all.map(|one| scope.spawn(|| work(one))).collect();
        let outcomes = threads.into_iter().map(|thread| {
            let ended = thread.join();
            ended.unwrap_or_else(|_| Err(anyhow!("one of several threads panicked")))
        });
        outcomes.collect()
    })
}

#[cfg(test)]
mod tests {
    use anyhow::ensure;

    use super::*;

    #[test]
    fn outcomes_are_in_order_and_errors_are_told() {
        let double = |number: i32| {
            ensure!(number < 3, "{number} is too large");
            Ok(number * 2)
        };
        assert_eq!(all_at_once(0..3, double).unwrap(), [0, 2, 4]);
        let error = all_at_once(0..5, double).unwrap_err();
        assert_eq!(error.to_string(), "3 is too large");
    }
}
