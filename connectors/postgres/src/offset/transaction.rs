//! What has been counted of the transaction under way (specification, section
//! 14). It is stored with each record, so that counting goes on after a restart
//! in the middle of a transaction.

use tether_api::data::{Text, Value};

pub(super) const TRANSACTION_ID: &str = "transaction_id";
pub(super) const COUNT_PREFIX: &str = "transaction_data_collection_order_";

/// The events of the transaction under way. Empty outside of one, and always
/// without transaction metadata.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TransactionProgress {
    id: Option<Text>,
    total: i64,
    counts: Vec<Count>,
}

/// The events of one data collection.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Count {
    /// The name of the entry in offsets, which ends with the collection's.
    entry: Text,
    events: i64,
}

impl TransactionProgress {
    /// Begins a transaction: nothing is counted yet.
    pub fn begin(&mut self, id: Text) {
        self.end();
        self.id = Some(id);
    }

    /// Forgets the transaction.
    pub fn end(&mut self) {
        self.id = None;
        self.total = 0;
        self.counts.clear();
    }

    /// Counts an event of this collection; returns how many of it there are.
    pub fn event(&mut self, collection: &str) -> i64 {
        self.total += 1;
        let known = |count: &&mut Count| &count.entry[COUNT_PREFIX.len()..] == collection;
        if let Some(count) = self.counts.iter_mut().find(known) {
            count.events += 1;
            return count.events;
        }
        self.restore(format!("{COUNT_PREFIX}{collection}").into(), 1);
        1
    }

    /// The number of the transaction under way, as text.
    pub fn id(&self) -> Option<&Text> {
        self.id.as_ref()
    }

    /// How many events there are of all collections.
    pub fn total(&self) -> i64 {
        self.total
    }

    /// The collections in the order of their first events, and their numbers of
    /// events.
    pub fn counts(&self) -> impl ExactSizeIterator<Item = (&str, i64)> {
        self.counts
            .iter()
            .map(|count| (&count.entry[COUNT_PREFIX.len()..], count.events))
    }

    /// Whether there is nothing to store.
    pub(super) fn is_empty(&self) -> bool {
        self.id.is_none() && self.counts.is_empty()
    }

    /// The number of entries in an offset.
    pub(super) fn len(&self) -> usize {
        self.counts.len() + usize::from(self.id.is_some())
    }

    pub(super) fn store(&self, entries: &mut Vec<(Text, Value)>) {
        if let Some(id) = &self.id {
            entries.push((Text::from_static(TRANSACTION_ID), Value::String(id.clone())));
        }
        for count in &self.counts {
            entries.push((count.entry.clone(), Value::Int64(count.events)));
        }
    }

    pub(super) fn restore_id(&mut self, id: Text) {
        self.id = Some(id);
    }

    /// Takes a count from the entry of an offset, whose name begins with
    /// [`COUNT_PREFIX`].
    pub(super) fn restore(&mut self, entry: Text, events: i64) {
        self.counts.push(Count { entry, events });
    }

    /// Sums up what was restored.
    pub(super) fn restored(&mut self) {
        self.total = self.counts.iter().map(|count| count.events).sum();
    }
}
