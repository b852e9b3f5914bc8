//! Puts the records of a delivery together in batches, one statement each
//! (spec section 9).
//!
//! What counts for each key is the order of its records. Records of different
//! keys may change places, so that two schemas or writes and deletions that
//! alternate still make few batches: a record joins the open batch of its plan
//! unless an earlier record of its key is in a later batch. Within a batch the
//! last record of a key replaces those before it, as one statement must not
//! meet a row twice.

use std::cmp::Ordering;
use std::hash::BuildHasher;
use std::ops::Range;
use std::sync::Arc;

use foldhash::quality::RandomState;
use hashbrown::HashTable;
use tether_api::Result;
use tether_api::record::SinkRecord;

use crate::plan::{Binder, Grouping, Plan};

/// A record within a batch.
#[derive(Debug, Clone)]
pub(crate) struct Row<'r> {
    /// The record.
    pub(crate) record: &'r SinkRecord,
    /// Where the key's bytes are within [`TableBuffer::keys`].
    key: Range<usize>,
}

/// Records that one plan writes.
#[derive(Debug)]
pub(crate) struct Batch<'r, B> {
    /// How they are written.
    pub(crate) plan: Arc<Plan<B>>,
    /// The records; within one batch of [`Grouping::ByKey`] in the order of
    /// their keys.
    pub(crate) rows: Vec<Row<'r>>,
    grouping: Grouping,
}

impl<B> Batch<'_, B> {
    /// How many records one statement may take.
    pub(crate) fn rows_per_statement(&self) -> usize {
        match self.grouping {
            Grouping::OneByOne => 1,
            Grouping::ByKey | Grouping::InOrder => self.rows.len().max(1),
        }
    }
}

/// The batches of one table during one delivery.
pub(crate) struct TableBuffer<'r, B> {
    limit: usize,
    one_by_one: bool,
    batches: Vec<Batch<'r, B>>,
    /// Batches before this index take no more records.
    floor: usize,
    /// The bytes of all keys, one after the other.
    keys: Vec<u8>,
    last_of_key: HashTable<Slot>,
    hasher: RandomState,
}

/// Where the last record of a key is.
struct Slot {
    key: Range<usize>,
    batch: usize,
    row: usize,
}

impl<'r, B: Binder> TableBuffer<'r, B> {
    /// An empty buffer whose batches take at most `limit` records. With
    /// `one_by_one` no two records share a statement.
    pub(crate) fn new(limit: usize, one_by_one: bool) -> Self {
        Self {
            limit: limit.max(1),
            one_by_one,
            batches: Vec::new(),
            floor: 0,
            keys: Vec::new(),
            last_of_key: HashTable::new(),
            hasher: RandomState::default(),
        }
    }

    /// Adds a record.
    ///
    /// # Errors
    /// If its key does not fit its columns.
    pub(crate) fn add(&mut self, plan: &Arc<Plan<B>>, record: &'r SinkRecord) -> Result<()> {
        match plan.grouping() {
            Grouping::ByKey if !self.one_by_one => self.add_by_key(plan, record),
            Grouping::InOrder if !self.one_by_one => {
                self.add_in_order(plan, record, Grouping::InOrder);
                Ok(())
            }
            _ => {
                self.add_in_order(plan, record, Grouping::OneByOne);
                Ok(())
            }
        }
    }

    fn add_in_order(&mut self, plan: &Arc<Plan<B>>, record: &'r SinkRecord, grouping: Grouping) {
        let row = Row { record, key: 0..0 };
        match self.batches.last_mut() {
            Some(last) if last.rows.len() < self.limit && Arc::ptr_eq(&last.plan, plan) => {
                last.rows.push(row);
            }
            _ => self.open(plan, row, grouping),
        }
        // No later record may be written before this one.
        self.floor = self.batches.len();
    }

    fn add_by_key(&mut self, plan: &Arc<Plan<B>>, record: &'r SinkRecord) -> Result<()> {
        let start = self.keys.len();
        plan.key(record, &mut self.keys)?;
        let mut key = start..self.keys.len();
        let hash = self.hasher.hash_one(&self.keys[key.clone()]);
        let (keys, hasher) = (&self.keys, &self.hasher);
        let known = self
            .last_of_key
            .find_mut(hash, |slot| keys[slot.key.clone()] == keys[key.clone()]);
        if let Some(slot) = &known {
            // The bytes are there already.
            key = slot.key.clone();
        }
        let earliest = known.as_ref().map_or(0, |slot| slot.batch).max(self.floor);
        let open = self.batches[earliest..]
            .iter()
            .rposition(|batch| Arc::ptr_eq(&batch.plan, plan))
            .map(|index| index + earliest);
        if let (Some(slot), Some(batch)) = (&known, open)
            && slot.batch == batch
            && plan.keeps_last_only()
        {
            self.batches[batch].rows[slot.row].record = record;
            self.keys.truncate(start);
            return Ok(());
        }
        let row = Row {
            record,
            key: key.clone(),
        };
        let batch = match open.filter(|batch| self.batches[*batch].rows.len() < self.limit) {
            Some(batch) => {
                self.batches[batch].rows.push(row);
                batch
            }
            None => {
                self.batches.push(Batch {
                    plan: plan.clone(),
                    rows: vec![row],
                    grouping: Grouping::ByKey,
                });
                self.batches.len() - 1
            }
        };
        let row = self.batches[batch].rows.len() - 1;
        match known {
            Some(slot) => {
                (slot.batch, slot.row) = (batch, row);
                self.keys.truncate(start);
            }
            None => {
                self.last_of_key
                    .insert_unique(hash, Slot { key, batch, row }, |slot| {
                        hasher.hash_one(&keys[slot.key.clone()])
                    });
            }
        }
        Ok(())
    }

    fn open(&mut self, plan: &Arc<Plan<B>>, row: Row<'r>, grouping: Grouping) {
        self.batches.push(Batch {
            plan: plan.clone(),
            rows: vec![row],
            grouping,
        });
    }

    /// The batches in the order in which they have to be written. Rows are
    /// sorted by key, so that all tasks lock them in the same order, which
    /// avoids most deadlocks.
    pub(crate) fn finish(mut self) -> Vec<Batch<'r, B>> {
        for batch in &mut self.batches {
            if batch.grouping == Grouping::ByKey && batch.plan.keeps_last_only() {
                let keys = &self.keys;
                batch
                    .rows
                    .sort_unstable_by(|a, b| order(&keys[a.key.clone()], &keys[b.key.clone()]));
            }
        }
        self.batches
    }
}

/// The order of the bytes of keys. Most keys differ in the first of them.
fn order(one: &[u8], other: &[u8]) -> Ordering {
    match (one.split_first_chunk(), other.split_first_chunk()) {
        (Some((first, rest)), Some((other_first, other_rest))) => {
            let [first, other_first] = [*first, *other_first].map(u64::from_be_bytes);
            first.cmp(&other_first).then_with(|| rest.cmp(other_rest))
        }
        _ => one.cmp(other),
    }
}

#[cfg(test)]
mod tests;
