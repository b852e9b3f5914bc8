use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use tether_api::data::Value;

use super::*;
use crate::config::InsertMode;
use crate::fixture::record;
use crate::plan::{Operation, Reduction};
use crate::table::TableId;

const UPSERT: Operation = Operation::Write(InsertMode::Upsert);
const INSERT: Operation = Operation::Write(InsertMode::Insert);

/// Takes the record's key, an integer, as the key.
#[derive(Debug)]
struct IntegerKey(Grouping);

impl Binder for IntegerKey {
    fn grouping(&self) -> Grouping {
        self.0
    }

    fn key(&self, record: &SinkRecord, key: &mut Vec<u8>) -> Result<()> {
        key.extend(record.record.key.as_i64().unwrap_or(-1).to_be_bytes());
        Ok(())
    }
}

fn plan(operation: Operation, grouping: Grouping) -> Arc<Plan<IntegerKey>> {
    Arc::new(Plan {
        table: Arc::new(TableId::named("t")),
        operation,
        fields: Vec::new(),
        binder: IntegerKey(grouping),
        reduction: Reduction::ByOperation,
    })
}

fn records(keys: &[i64]) -> Vec<SinkRecord> {
    keys.iter()
        .zip(0..)
        .map(|(key, offset)| record(offset, (None, Value::Int64(*key)), (None, Value::Null)))
        .collect()
}

/// Operation and (key, offset) pairs of each batch.
fn batches(buffer: TableBuffer<'_, IntegerKey>) -> Vec<(Operation, Vec<(i64, i64)>)> {
    buffer
        .finish()
        .iter()
        .map(|batch| {
            let rows = batch.rows.iter();
            let rows =
                rows.map(|row| (row.record.record.key.as_i64().unwrap(), row.record.offset()));
            (batch.plan.operation, rows.collect())
        })
        .collect()
}

/// Adds records with these keys to these plans.
fn grouped(
    limit: usize,
    steps: &[(&Arc<Plan<IntegerKey>>, i64)],
) -> Vec<(Operation, Vec<(i64, i64)>)> {
    let keys: Vec<_> = steps.iter().map(|(_, key)| *key).collect();
    let records = records(&keys);
    let mut buffer = TableBuffer::new(limit, false);
    for ((plan, _), record) in steps.iter().zip(&records) {
        buffer.add(plan, record).unwrap();
    }
    batches(buffer)
}

#[test]
fn the_last_record_of_a_key_stays() {
    let write = plan(UPSERT, Grouping::ByKey);
    let steps = [
        (&write, 3),
        (&write, 1),
        (&write, 3),
        (&write, 2),
        (&write, 1),
    ];
    assert_eq!(
        grouped(10, &steps),
        [(UPSERT, vec![(1, 4), (2, 3), (3, 2)])]
    );
}

#[test]
fn inserts_are_not_reduced() {
    let write = plan(INSERT, Grouping::InOrder);
    assert_eq!(
        grouped(10, &[(&write, 1), (&write, 1)]),
        [(INSERT, vec![(1, 0), (1, 1)])]
    );
    let write = plan(INSERT, Grouping::ByKey);
    let delete = plan(Operation::Delete, Grouping::ByKey);
    assert_eq!(
        grouped(10, &[(&write, 1), (&delete, 1), (&write, 1), (&write, 1)]),
        [
            (INSERT, vec![(1, 0)]),
            (Operation::Delete, vec![(1, 1)]),
            (INSERT, vec![(1, 2), (1, 3)]),
        ]
    );
}

#[test]
fn sequences_on_one_key() {
    let write = plan(UPSERT, Grouping::ByKey);
    let delete = plan(Operation::Delete, Grouping::ByKey);
    let sequence = |word: &str| {
        let steps: Vec<_> = word
            .chars()
            .map(|step| (if step == 'D' { &delete } else { &write }, 1))
            .collect();
        let found = grouped(10, &steps).into_iter();
        let found = found.map(|(operation, rows)| (operation == UPSERT, rows[0].1));
        found.collect::<Vec<_>>()
    };
    assert_eq!(sequence("IUD"), [(true, 1), (false, 2)]);
    assert_eq!(sequence("DI"), [(false, 0), (true, 1)]);
    assert_eq!(sequence("DUD"), [(false, 0), (true, 1), (false, 2)]);
    assert_eq!(sequence("IDI"), [(true, 0), (false, 1), (true, 2)]);
    assert_eq!(sequence("DDD"), [(false, 2)]);
}

#[test]
fn plans_that_alternate_share_batches_while_keys_differ() {
    let (a, b) = (plan(UPSERT, Grouping::ByKey), plan(UPSERT, Grouping::ByKey));
    let steps = [
        (&a, 1),
        (&b, 2),
        (&a, 3),
        (&b, 4),
        (&b, 1),
        (&a, 5),
        (&a, 1),
    ];
    assert_eq!(
        grouped(10, &steps),
        [
            (UPSERT, vec![(1, 0), (3, 2), (5, 5)]),
            (UPSERT, vec![(1, 4), (2, 1), (4, 3)]),
            (UPSERT, vec![(1, 6)]),
        ]
    );
}

#[test]
fn plans_in_order_run_in_order() {
    let (a, b) = (
        plan(INSERT, Grouping::InOrder),
        plan(INSERT, Grouping::InOrder),
    );
    let steps = [(&a, 1), (&a, 2), (&b, 3), (&a, 4)];
    let found: Vec<_> = grouped(10, &steps)
        .into_iter()
        .map(|(_, rows)| rows.len())
        .collect();
    assert_eq!(found, [2, 1, 1]);
}

#[test]
fn a_full_batch_takes_no_more() {
    for grouping in [Grouping::ByKey, Grouping::InOrder] {
        let write = plan(UPSERT, grouping);
        let steps: Vec<_> = (0..7).map(|key| (&write, key)).collect();
        let found: Vec<_> = grouped(3, &steps)
            .into_iter()
            .map(|(_, rows)| rows.len())
            .collect();
        assert_eq!(found, [3, 3, 1]);
    }
}

#[test]
fn keys_that_cannot_be_told_apart_are_a_barrier() {
    let known = plan(UPSERT, Grouping::ByKey);
    let unknown = plan(UPSERT, Grouping::OneByOne);
    let records = records(&[1, 2, 3, 1]);
    let mut buffer = TableBuffer::new(10, false);
    for (plan, record) in [&known, &unknown, &unknown, &known].iter().zip(&records) {
        buffer.add(plan, record).unwrap();
    }
    let found = buffer.finish();
    let shape: Vec<_> = found
        .iter()
        .map(|b| (b.rows.len(), b.rows_per_statement()))
        .collect();
    assert_eq!(shape, [(1, 1), (2, 1), (1, 1)]);
}

#[test]
fn one_by_one_keeps_every_record() {
    let write = plan(UPSERT, Grouping::ByKey);
    let records = records(&[2, 1, 2]);
    let mut buffer = TableBuffer::new(10, true);
    for record in &records {
        buffer.add(&write, record).unwrap();
    }
    let found = buffer.finish();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].rows_per_statement(), 1);
    let offsets: Vec<_> = found[0]
        .rows
        .iter()
        .map(|row| row.record.offset())
        .collect();
    assert_eq!(offsets, [0, 1, 2]);
}

/// What a table holds after batches ran: for each key and plan the offset that
/// wrote it last, as a plan may write columns of its own.
fn run(batches: &[(usize, Vec<(i64, i64)>)]) -> BTreeMap<i64, HashMap<usize, i64>> {
    let mut table: BTreeMap<i64, HashMap<usize, i64>> = BTreeMap::new();
    for (plan, rows) in batches {
        for (key, offset) in rows {
            match plan {
                0 => drop(table.remove(key)),
                plan => drop(table.entry(*key).or_default().insert(*plan, *offset)),
            }
        }
    }
    table
}

proptest! {
    /// Batches leave the same table as records one by one.
    #[test]
    fn grouping_changes_nothing(
        steps in proptest::collection::vec((0usize..3, 0i64..6), 0..80),
        limit in 1usize..8,
    ) {
        let plans = [
            plan(Operation::Delete, Grouping::ByKey),
            plan(UPSERT, Grouping::ByKey),
            plan(UPSERT, Grouping::ByKey),
        ];
        let keys: Vec<_> = steps.iter().map(|(_, key)| *key).collect();
        let records = records(&keys);
        let mut buffer = TableBuffer::new(limit, false);
        for ((plan, _), record) in steps.iter().zip(&records) {
            buffer.add(&plans[*plan], record).unwrap();
        }
        let found: Vec<_> = buffer
            .finish()
            .iter()
            .map(|batch| {
                assert!(batch.rows.len() <= limit);
                let plan = plans.iter().position(|plan| Arc::ptr_eq(plan, &batch.plan)).unwrap();
                let rows = batch.rows.iter();
                let rows = rows.map(|row| (row.record.record.key.as_i64().unwrap(), row.record.offset()));
                (plan, rows.collect::<Vec<_>>())
            })
            .collect();
        for (_, rows) in &found {
            let mut keys: Vec<_> = rows.iter().map(|(key, _)| key).collect();
            keys.dedup();
            prop_assert_eq!(keys.len(), rows.len(), "a statement meets a key twice");
        }
        let one_by_one: Vec<_> = steps
            .iter()
            .zip(0..)
            .map(|((plan, key), offset)| (*plan, vec![(*key, offset)]))
            .collect();
        prop_assert_eq!(run(&found), run(&one_by_one));
    }
}
