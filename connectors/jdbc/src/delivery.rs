//! The records of one delivery with the plans that write them.

use std::ops::Range;
use std::sync::Arc;

use tether_api::Result;
use tether_api::record::SinkRecord;

use crate::buffer::{Batch, TableBuffer};
use crate::plan::{Binder, Plan};

/// How records are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// As many in a statement as possible.
    Batched,
    /// Each with a statement of its own, after an error that may be due to how
    /// they were put together.
    OneByOne,
}

/// A record that is to be written.
#[derive(Debug, Clone, Copy)]
struct Planned<'r> {
    record: &'r SinkRecord,
    table: usize,
    plan: usize,
}

/// Records that are to be written, in their order.
#[derive(Debug)]
pub(crate) struct Delivery<'r, B> {
    records: Vec<Planned<'r>>,
    plans: Vec<Arc<Plan<B>>>,
    /// More than the highest index of a table.
    tables: usize,
}

impl<'r, B: Binder> Delivery<'r, B> {
    /// No records, with room for so many.
    pub(crate) fn with_capacity(records: usize) -> Self {
        Self {
            records: Vec::with_capacity(records),
            plans: Vec::new(),
            tables: 0,
        }
    }

    /// Adds a record for the table with this index.
    pub(crate) fn add(&mut self, record: &'r SinkRecord, table: usize, plan: &Arc<Plan<B>>) {
        let is_it = |known: &Arc<Plan<B>>| Arc::ptr_eq(known, plan);
        let latest = self.records.last().map(|latest| latest.plan);
        let plan = match latest.filter(|latest| is_it(&self.plans[*latest])) {
            Some(latest) => latest,
            None => self.plans.iter().position(is_it).unwrap_or_else(|| {
                self.plans.push(plan.clone());
                self.plans.len() - 1
            }),
        };
        self.tables = self.tables.max(table + 1);
        self.records.push(Planned {
            record,
            table,
            plan,
        });
    }

    /// How many records there are.
    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// A record and its plan.
    pub(crate) fn record(&self, index: usize) -> Option<(&'r SinkRecord, &Plan<B>)> {
        let planned = self.records.get(index)?;
        Some((planned.record, &self.plans[planned.plan]))
    }

    /// Puts a range of the records together, table by table in the order of
    /// their first records. Batches take at most `limit` records.
    ///
    /// # Errors
    /// If a record's key does not fit its columns.
    pub(crate) fn batches(
        &self,
        range: Range<usize>,
        limit: usize,
        mode: Mode,
    ) -> Result<Vec<Batch<'r, B>>> {
        let mut buffers: Vec<Option<TableBuffer<'r, B>>> = Vec::new();
        buffers.resize_with(self.tables, || None);
        let mut order = Vec::new();
        for planned in self.records.get(range).unwrap_or_default() {
            let buffer = buffers[planned.table].get_or_insert_with(|| {
                order.push(planned.table);
                TableBuffer::new(limit, mode == Mode::OneByOne)
            });
            buffer.add(&self.plans[planned.plan], planned.record)?;
        }
        Ok(order
            .into_iter()
            .filter_map(|table| buffers[table].take())
            .flat_map(TableBuffer::finish)
            .collect())
    }
}
