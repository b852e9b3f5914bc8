//! Transactions whose boundaries a source task defines itself (KIP-618,
//! `transaction.boundary=connector`).

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Says where transactions end. A task uses it while it polls; what it says
/// concerns the batch that the `poll` under way returns. Records that come after
/// the end of a transaction are part of the next one; one that nobody ends stays
/// open over many batches.
///
/// An aborted transaction is one that no reader sees. Its offsets are committed
/// nevertheless, so that its records do not come again.
///
/// Clones share what was said.
#[derive(Debug, Clone, Default)]
pub struct TransactionContext {
    requests: Arc<Mutex<TransactionRequests>>,
}

/// What a task has said of the ends of transactions.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct TransactionRequests {
    /// Commit after the batch.
    pub commit_batch: bool,
    /// Abort after the batch.
    pub abort_batch: bool,
    /// Commit after these records of the batch, counted from 0.
    pub commit_after: BTreeSet<usize>,
    /// Abort after these records of the batch.
    pub abort_after: BTreeSet<usize>,
}

impl TransactionContext {
    /// Commits after the last record of the batch, also if it has none.
    pub fn commit_transaction(&self) {
        self.requests().commit_batch = true;
    }

    /// Commits after this record of the batch, counted from 0.
    pub fn commit_transaction_after(&self, index: usize) {
        self.requests().commit_after.insert(index);
    }

    /// Aborts after the last record of the batch.
    pub fn abort_transaction(&self) {
        self.requests().abort_batch = true;
    }

    /// Aborts after this record of the batch, counted from 0.
    pub fn abort_transaction_after(&self, index: usize) {
        self.requests().abort_after.insert(index);
    }

    /// Takes what was said since the last call; for the worker.
    pub fn take(&self) -> TransactionRequests {
        std::mem::take(&mut self.requests())
    }

    fn requests(&self) -> MutexGuard<'_, TransactionRequests> {
        // No code that can panic runs while the lock is held.
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_is_taken_once() {
        let context = TransactionContext::default();
        context.commit_transaction_after(2);
        context.clone().abort_transaction();
        let taken = context.take();
        assert_eq!(taken.commit_after, BTreeSet::from([2]));
        assert!(taken.abort_batch && !taken.commit_batch);
        assert_eq!(context.take(), TransactionRequests::default());
    }
}
