//! The scenarios of the reference's `SubmittedRecordsTest`, and a comparison
//! with a naive model.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::Outcome::{Acknowledged, Failed};
use super::*;

fn partition(name: &str) -> Arc<OffsetMap> {
    Arc::new(OffsetMap::new().with("subreddit", name))
}

fn offset(number: i64) -> SourceOffset {
    Some(Arc::new(OffsetMap::new().with("timestamp", number)))
}

/// What became committable: partition name and offset number.
fn committable(records: &mut SubmittedRecords) -> BTreeMap<String, Option<i64>> {
    records
        .take_committable()
        .into_iter()
        .map(|(partition, offset)| {
            let name = partition.get("subreddit").unwrap().to_string();
            let number = offset.map(|map| map.get("timestamp").unwrap().as_i64().unwrap());
            (name, number)
        })
        .collect()
}

fn expect(entries: &[(&str, i64)]) -> BTreeMap<String, Option<i64>> {
    entries
        .iter()
        .map(|(name, number)| ((*name).to_owned(), Some(*number)))
        .collect()
}

#[test]
fn nothing_submitted_nothing_committable() {
    let mut records = SubmittedRecords::default();
    assert!(committable(&mut records).is_empty());
    assert_eq!((records.pending(), records.partitions()), (0, 0));
}

#[test]
fn unacknowledged_records_are_not_committable() {
    let mut records = SubmittedRecords::default();
    for number in 0..3 {
        for name in ["a", "b", "c"] {
            records.submit(&partition(name), offset(number), 1);
        }
    }
    for _ in 0..3 {
        assert!(committable(&mut records).is_empty());
        assert_eq!((records.pending(), records.partitions()), (9, 3));
    }
}

#[test]
fn an_acknowledged_record_is_committable_once() {
    let mut records = SubmittedRecords::default();
    let token = records.submit(&partition("a"), offset(1), 10);
    assert!(committable(&mut records).is_empty());
    assert_eq!((records.in_flight(), records.in_flight_bytes()), (1, 10));
    records.resolve(token, Acknowledged);
    assert_eq!((records.in_flight(), records.in_flight_bytes()), (0, 0));
    assert_eq!(committable(&mut records), expect(&[("a", 1)]));
    assert_eq!((records.pending(), records.partitions()), (0, 0));
    assert!(committable(&mut records).is_empty());
}

#[test]
fn only_a_prefix_is_committable() {
    let mut records = SubmittedRecords::default();
    let (a, b) = (partition("a"), partition("b"));
    let a1 = records.submit(&a, offset(1), 1);
    let a2 = records.submit(&a, offset(2), 1);
    let b1 = records.submit(&b, offset(3), 1);
    let b2 = records.submit(&b, offset(4), 1);
    assert!(committable(&mut records).is_empty());
    records.resolve(a2, Acknowledged);
    assert!(committable(&mut records).is_empty());
    assert_eq!((records.pending(), records.partitions()), (4, 2));
    records.resolve(b1, Acknowledged);
    assert_eq!(committable(&mut records), expect(&[("b", 3)]));
    assert_eq!((records.pending(), records.partitions()), (3, 2));
    assert!(committable(&mut records).is_empty());
    records.resolve(a1, Acknowledged);
    records.resolve(b2, Acknowledged);
    assert_eq!(committable(&mut records), expect(&[("a", 2), ("b", 4)]));
    assert_eq!((records.pending(), records.partitions()), (0, 0));
}

#[test]
fn a_withdrawn_record_is_forgotten() {
    let mut records = SubmittedRecords::default();
    let token = records.submit(&partition("a"), offset(1), 1);
    records.withdraw(token);
    records.withdraw(token);
    assert_eq!((records.pending(), records.in_flight()), (0, 0));
    records.resolve(token, Acknowledged);
    assert!(committable(&mut records).is_empty());
    // Nor does its token mean a record that comes later.
    let later = records.submit(&partition("b"), offset(2), 1);
    assert_ne!(token, later);
    records.resolve(token, Acknowledged);
    assert!(committable(&mut records).is_empty());
    records.resolve(later, Acknowledged);
    assert_eq!(committable(&mut records), expect(&[("b", 2)]));
}

#[test]
fn a_withdrawal_leaves_other_partitions_alone() {
    let mut records = SubmittedRecords::default();
    let a = records.submit(&partition("a"), offset(1), 1);
    let b = records.submit(&partition("b"), offset(2), 1);
    records.withdraw(a);
    assert_eq!((records.pending(), records.partitions()), (1, 1));
    records.resolve(b, Acknowledged);
    assert_eq!(committable(&mut records), expect(&[("b", 2)]));
}

#[test]
fn a_failed_record_holds_up_its_partition_but_is_not_in_flight() {
    let mut records = SubmittedRecords::default();
    let a = partition("a");
    let first = records.submit(&a, offset(1), 1);
    let second = records.submit(&a, offset(2), 1);
    let third = records.submit(&a, offset(3), 1);
    records.resolve(first, Acknowledged);
    records.resolve(second, Failed);
    records.resolve(third, Acknowledged);
    assert_eq!(records.in_flight(), 0);
    assert_eq!(committable(&mut records), expect(&[("a", 1)]));
    assert_eq!(records.pending(), 2);
    records.resolve(second, Acknowledged);
    assert!(committable(&mut records).is_empty());
}

#[test]
fn equal_maps_are_one_partition_and_null_is_an_offset() {
    let mut records = SubmittedRecords::default();
    let first = records.submit(&partition("a"), offset(1), 1);
    let second = records.submit(&partition("a"), None, 1);
    assert_eq!(records.partitions(), 1);
    records.resolve(first, Acknowledged);
    records.resolve(second, Acknowledged);
    assert_eq!(
        committable(&mut records),
        BTreeMap::from([("a".to_owned(), None)])
    );
}

#[test]
fn foreign_tokens_have_no_effect() {
    let mut records = SubmittedRecords::default();
    let token = records.submit(&partition("a"), offset(1), 1);
    records.resolve(usize::MAX, Acknowledged);
    records.resolve(token + 1, Acknowledged);
    records.withdraw(token + 1);
    assert_eq!(records.in_flight(), 1);
}

#[derive(Debug, Clone)]
enum Step {
    Submit(usize),
    Resolve(usize, bool),
    Withdraw,
    Take,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..4usize).prop_map(Step::Submit),
        5 => (0..30usize, prop::bool::weighted(0.95)).prop_map(|(at, ok)| Step::Resolve(at, ok)),
        1 => Just(Step::Withdraw),
        2 => Just(Step::Take),
    ]
}

/// All records ever submitted, with no thought of cost.
#[derive(Default)]
struct Model {
    records: Vec<(usize, i64, Option<bool>)>,
    taken: [usize; 4],
}

impl Model {
    fn of(&self, partition: usize) -> Vec<(i64, Option<bool>)> {
        self.records
            .iter()
            .filter(|record| record.0 == partition)
            .map(|record| (record.1, record.2))
            .collect()
    }

    fn take(&mut self) -> BTreeMap<String, Option<i64>> {
        let mut offsets = BTreeMap::new();
        for partition in 0..4 {
            let records = self.of(partition);
            let prefix = records
                .iter()
                .take_while(|record| record.1 == Some(true))
                .count();
            if prefix > self.taken[partition] {
                self.taken[partition] = prefix;
                offsets.insert(partition.to_string(), Some(records[prefix - 1].0));
            }
        }
        offsets
    }

    fn in_flight(&self) -> usize {
        self.records
            .iter()
            .filter(|record| record.2.is_none())
            .count()
    }
}

proptest! {
    #[test]
    fn behaves_like_the_model(steps in prop::collection::vec(step(), 0..200)) {
        let names: Vec<_> = (0..4).map(|number| partition(&number.to_string())).collect();
        let mut records = SubmittedRecords::default();
        let mut model = Model::default();
        let mut tokens = Vec::new();
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Submit(at) => {
                    let number = number as i64;
                    tokens.push(records.submit(&names[at], offset(number), 2));
                    model.records.push((at, number, None));
                }
                Step::Resolve(at, acknowledged) if at < tokens.len() => {
                    let outcome = if acknowledged { Acknowledged } else { Failed };
                    records.resolve(tokens[at], outcome);
                    model.records[at].2.get_or_insert(acknowledged);
                }
                // Only the producer's refusal of the very last record leads to
                // a withdrawal.
                Step::Withdraw if matches!(model.records.last(), Some((_, _, None))) => {
                    model.records.pop();
                    records.withdraw(tokens.pop().unwrap());
                }
                Step::Take => prop_assert_eq!(committable(&mut records), model.take()),
                _ => {}
            }
            prop_assert_eq!(records.in_flight(), model.in_flight());
            prop_assert_eq!(records.in_flight_bytes(), 2 * model.in_flight());
        }
        prop_assert_eq!(committable(&mut records), model.take());
        let taken: usize = model.taken.iter().sum();
        prop_assert_eq!(records.pending(), model.records.len() - taken);
    }
}
