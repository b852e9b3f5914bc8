//! Writes and deletions of one key within one delivery.

use anyhow::Result;
use tether_api::ErrorKind;
use tether_api::data::{Type, Value};
use tether_api::record::SinkRecord;

use super::super::sink::{BY_KEY, Settings, Sink};
use super::super::topic::{Topic, required, structure};
use super::database::MySqlDatabase;

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
fn run_sequences(key_type: &str, key: impl Fn(usize, usize) -> Value, kind: Type) -> Result<()> {
    let database = MySqlDatabase::create()?;
    database.rows(&format!(
        "CREATE TABLE t (id {key_type} PRIMARY KEY, step int)"
    ))?;
    let upsert: Settings = &[("insert.mode", "upsert")];
    let mut sink = Sink::with_url(&database.jdbc_url(), &[&BY_KEY, DELETES, upsert])?;
    let schema = structure(&[("step", required(Type::Int32))]);
    let mut topic = Topic::new("t", kind);
    let sequences: Vec<_> = sequences().collect();
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
    assert_eq!(database.rows("SELECT step FROM t ORDER BY step")?, expected);
    let keys = records.iter().map(|record| record.record.key.clone());
    let tombstones: Vec<_> = keys.map(|key| topic.tombstone(key)).collect();
    sink.put(&tombstones)?;
    assert!(database.rows("SELECT step FROM t")?.is_empty());
    Ok(())
}

#[test]
fn numbers() -> Result<()> {
    run_sequences("int", |number, _| Value::Int32(number as i32), Type::Int32)
}

#[test]
fn texts_that_the_collation_takes_for_equal() -> Result<()> {
    let spelled = |number: usize, step: usize| match step % 2 {
        0 => format!("key {number}").into(),
        _ => format!("KEY {number} ").into(),
    };
    run_sequences("varchar(20)", spelled, Type::String)
}

#[test]
fn texts_whose_bytes_count() -> Result<()> {
    let padded = |number: usize, step: usize| format!("key {number}{}", " ".repeat(step)).into();
    run_sequences("varchar(20) COLLATE utf8mb4_bin", padded, Type::String)
}

/// Three tasks write the same keys in different orders. Rows are locked in the order of the keys; where
/// the server still finds a deadlock, the delivery comes again.
#[test]
fn tasks_write_the_same_keys() -> Result<()> {
    let database = MySqlDatabase::create()?;
    database.rows("CREATE TABLE t (id int PRIMARY KEY, step int)")?;
    let settings: Settings = &[("insert.mode", "upsert"), ("retry.backoff.ms", "1")];
    let schema = structure(&[("step", required(Type::Int32))]);
    let task = |number: i32| -> Result<()> {
        let mut sink = Sink::with_url(&database.jdbc_url(), &[&BY_KEY, settings])?;
        let mut topic = Topic::new("t", Type::Int32);
        for round in 0..20i32 {
            let records: Vec<_> = (0..200i32)
                .map(|key| {
                    let key = (key * (2 * number + 3)) % 200;
                    topic.record(key, &schema, [round.into()])
                })
                .collect();
            while let Err(error) = sink.put(&records) {
                anyhow::ensure!(error.kind() == ErrorKind::Retriable, "{error}");
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let tasks = [0, 2, 3].map(|number| scope.spawn(move || task(number)));
        tasks.into_iter().try_for_each(|task| {
            let outcome = task.join();
            outcome.unwrap_or_else(|_| Err(anyhow::anyhow!("a task panicked")))
        })
    })?;
    let sums = database.rows("SELECT count(*), min(step), max(step) FROM t")?;
    assert_eq!(sums, ["200|19|19"]);
    Ok(())
}
