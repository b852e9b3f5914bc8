//! What readers of committed records do not see.

use std::collections::BTreeSet;

/// A transaction that ended with an abort, as the answer to a fetch names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AbortedTransaction {
    /// Whose it was.
    pub(crate) producer_id: i64,
    /// Its first offset in the partition.
    pub(crate) first_offset: i64,
}

/// Knows of each batch whether it is part of an aborted transaction
/// (`CompletedFetch.isBatchAborted`). It is asked for one batch after the
/// other.
#[derive(Debug)]
pub(super) struct Aborted {
    /// Transactions that begin later, the first one last.
    to_come: Vec<AbortedTransaction>,
    /// Producers within an aborted transaction.
    producers: BTreeSet<i64>,
}

impl Aborted {
    pub(super) fn new(mut transactions: Vec<AbortedTransaction>) -> Self {
        transactions.sort_by_key(|transaction| std::cmp::Reverse(transaction.first_offset));
        Self {
            to_come: transactions,
            producers: BTreeSet::new(),
        }
    }

    /// A batch with this last offset is next.
    pub(super) fn advance(&mut self, last_offset: i64) {
        while let Some(transaction) = self
            .to_come
            .pop_if(|transaction| transaction.first_offset <= last_offset)
        {
            self.producers.insert(transaction.producer_id);
        }
    }

    /// The marker of an abort came.
    pub(super) fn end(&mut self, producer_id: i64) {
        self.producers.remove(&producer_id);
    }

    /// Whether a transactional batch of this producer was aborted.
    pub(super) fn contains(&self, producer_id: i64) -> bool {
        self.producers.contains(&producer_id)
    }
}
