//! Writes and deletions of one key within one delivery, and schemas that alternate.

use anyhow::Result;
use tether_api::data::{Type, Value};
use tether_api::record::SinkRecord;

use super::sink::{BY_KEY, Settings, Sink, database, rows};
use super::topic::{Topic, optional, required, structure};

const DELETES: Settings = &[("delete.enabled", "true")];

/// Every sequence of one to four steps, of which each is a write (true) or a deletion.
fn sequences() -> impl Iterator<Item = Vec<bool>> {
    (1..=4).flat_map(|length| {
        (0..1 << length)
            .map(move |bits: u32| (0..length).map(|step| bits >> step & 1 == 1).collect())
    })
}

/// Runs sequences, each on a key of its own and all in one delivery, and compares with what the last
/// step of each leaves.
fn run_sequences(
    sequences: &[Vec<bool>],
    key_type: &str,
    mode: &str,
    key: impl Fn(usize, usize) -> Value,
    kind: Type,
) -> Result<()> {
    let database = database()?;
    database.rows(&format!(
        "CREATE TABLE t (id {key_type} PRIMARY KEY, step int)"
    ))?;
    let mut sink = Sink::start(&database, &[&BY_KEY, DELETES, &[("insert.mode", mode)]])?;
    let schema = structure(&[("step", required(Type::Int32))]);
    let mut topic = Topic::new("t", kind);
    let mut records: Vec<SinkRecord> = Vec::new();
    // The steps of all sequences take turns.
    for step in 0..4 {
        for (number, sequence) in sequences.iter().enumerate() {
            records.extend(sequence.get(step).map(|is_write| match is_write {
                true => topic.record(key(number, step), &schema, [Value::Int32(step as i32)]),
                false => topic.tombstone(key(number, step)),
            }));
        }
    }
    let written = sequences
        .iter()
        .filter(|sequence| sequence.last() == Some(&true));
    let mut expected: Vec<_> = written
        .map(|sequence| (sequence.len() - 1).to_string())
        .collect();
    expected.sort();
    sink.put(&records)?;
    assert_eq!(
        rows(&database, "SELECT step FROM t ORDER BY step")?,
        expected
    );
    let keys: Vec<_> = records
        .iter()
        .map(|record| record.record.key.clone())
        .collect();
    let tombstones: Vec<_> = keys.into_iter().map(|key| topic.tombstone(key)).collect();
    sink.put(&tombstones)?;
    assert!(rows(&database, "SELECT step FROM t")?.is_empty());
    Ok(())
}

fn number(number: usize, _step: usize) -> Value {
    Value::Int32(number as i32)
}

#[test]
fn upserts_and_deletions() -> Result<()> {
    let all: Vec<_> = sequences().collect();
    run_sequences(&all, "int", "upsert", number, Type::Int32)
}

#[test]
fn inserts_and_deletions() -> Result<()> {
    let twice = |sequence: &Vec<bool>| sequence.windows(2).any(|steps| steps == [true, true]);
    let valid: Vec<_> = sequences().filter(|sequence| !twice(sequence)).collect();
    run_sequences(&valid, "bigint", "insert", number, Type::Int32)
}

#[test]
fn keys_that_only_the_database_can_compare() -> Result<()> {
    // inet takes ::1 and 0::1 for the same.
    let key = |number: usize, step: usize| {
        let zero = if step.is_multiple_of(2) { "0" } else { "" };
        Value::from(format!("{zero}::{number:x}"))
    };
    let all: Vec<_> = sequences().collect();
    run_sequences(&all, "inet", "upsert", key, Type::String)
}

#[test]
fn spellings_of_one_key() -> Result<()> {
    let database = database()?;
    database.rows(
        "CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false); \
         CREATE TABLE t (id text COLLATE nocase PRIMARY KEY, a int)",
    )?;
    let mut sink = Sink::start(&database, &[&BY_KEY, DELETES, &[("insert.mode", "upsert")]])?;
    let schema = structure(&[("a", required(Type::Int32))]);
    let mut topic = Topic::new("t", Type::String);
    let records = [
        topic.record("k", &schema, [1i32.into()]),
        topic.tombstone("K"),
        topic.record("k", &schema, [2i32.into()]),
        topic.record("x", &schema, [3i32.into()]),
        topic.tombstone("X"),
    ];
    sink.put(&records)?;
    assert_eq!(rows(&database, "SELECT * FROM t")?, ["k|2"]);
    Ok(())
}

#[test]
fn a_row_that_a_statement_meets_twice_after_all() -> Result<()> {
    let database = database()?;
    // Blanks beyond the length are cut off, which makes two keys one.
    database.rows("CREATE TABLE t (id varchar(1) PRIMARY KEY, a int)")?;
    let mut sink = Sink::start(&database, &[&BY_KEY, &[("insert.mode", "upsert")]])?;
    let schema = structure(&[("a", required(Type::Int32))]);
    let mut topic = Topic::new("t", Type::String);
    let records = [
        topic.record("k", &schema, [1i32.into()]),
        topic.record("k  ", &schema, [2i32.into()]),
        topic.record("k", &schema, [3i32.into()]),
    ];
    sink.put(&records)?;
    assert_eq!(rows(&database, "SELECT * FROM t")?, ["k|3"]);
    Ok(())
}

#[test]
fn schemas_that_alternate() -> Result<()> {
    let database = database()?;
    let settings: Settings = &[
        ("insert.mode", "upsert"),
        ("auto.create", "true"),
        ("auto.evolve", "true"),
    ];
    let mut sink = Sink::start(&database, &[&BY_KEY, settings])?;
    let old = structure(&[("a", required(Type::Int32))]);
    let new = structure(&[("a", required(Type::Int32)), ("b", optional(Type::String))]);
    let mut topic = Topic::new("t", Type::Int32);
    let mut records = Vec::new();
    for round in 0..5i32 {
        records.push(topic.record(round, &old, [round.into()]));
        records.push(topic.record(round + 10, &new, [round.into(), "x".into()]));
        records.push(topic.record(0i32, &new, [round.into(), Value::from(round.to_string())]));
        records.push(topic.record(1i32, &old, [(100 + round).into()]));
    }
    sink.put(&records)?;
    assert_eq!(
        rows(
            &database,
            "SELECT id, a, b FROM t WHERE id < 12 ORDER BY id"
        )?,
        [
            "0|4|4",
            "1|104|null",
            "2|2|null",
            "3|3|null",
            "4|4|null",
            "10|0|x",
            "11|1|x"
        ]
    );
    Ok(())
}

#[test]
fn a_deletion_does_not_create_the_table() -> Result<()> {
    let database = database()?;
    let settings: Settings = &[("insert.mode", "upsert"), ("auto.create", "true")];
    let mut sink = Sink::start(&database, &[&BY_KEY, DELETES, settings])?;
    let schema = structure(&[("a", required(Type::Int32))]);
    let mut topic = Topic::new("t", Type::Int32);
    sink.put(&[topic.tombstone(1i32)])?;
    assert!(rows(&database, "SELECT 1 FROM pg_class WHERE relname = 't'")?.is_empty());
    sink.put(&[
        topic.tombstone(1i32),
        topic.record(2i32, &schema, [1i32.into()]),
        topic.tombstone(3i32),
    ])?;
    assert_eq!(rows(&database, "SELECT id, a FROM t")?, ["2|1"]);
    Ok(())
}
