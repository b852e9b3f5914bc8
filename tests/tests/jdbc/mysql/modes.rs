//! Every insert mode with every key mode.

use anyhow::Result;
use tether_api::data::{SchemaRef, Struct, Type, Value};

use super::super::sink::{BY_KEY, Settings, Sink};
use super::super::topic::{Topic, optional, required, structure};
use super::database::MySqlDatabase;

fn schema() -> SchemaRef {
    structure(&[("a", required(Type::Int32)), ("b", optional(Type::String))])
}

/// Delivers three records, two of them with one key, and then the last one again, to a table that has
/// a row. What the table holds afterwards, or the error.
fn outcome(mode: &str, key: Settings<'_>, table: &str) -> Result<Vec<String>> {
    let database = MySqlDatabase::create()?;
    database.rows(table)?;
    let mut sink = Sink::with_url(&database.jdbc_url(), &[key, &[("insert.mode", mode)]])?;
    let (schema, mut topic) = (schema(), Topic::new("t", Type::Int32));
    let records = [
        topic.record(1i32, &schema, [1i32.into(), "x".into()]),
        topic.record(2i32, &schema, [2i32.into(), "y".into()]),
        topic.record(1i32, &schema, [1i32.into(), Value::Null]),
    ];
    for delivery in [&records[..], &records[2..]] {
        if let Err(error) = sink.put(delivery) {
            let text = error.to_string();
            let code = text
                .split_once("error code ")
                .and_then(|(_, rest)| rest.get(..4));
            return Ok(vec![code.unwrap_or(&text).to_owned()]);
        }
    }
    database.rows("SELECT * FROM t ORDER BY 1, 2, 3")
}

#[test]
fn no_key() -> Result<()> {
    let none: Settings = &[("pk.mode", "none")];
    let table = "CREATE TABLE t (a int, b text, c int DEFAULT 5)";
    assert_eq!(
        outcome("insert", none, table)?,
        ["1|NULL|5", "1|NULL|5", "1|x|5", "2|y|5"]
    );
    let upsert = outcome("upsert", none, table)?;
    assert!(
        upsert[0].contains("in UPSERT mode requires key field names to be known"),
        "{upsert:?}"
    );
    Ok(())
}

#[test]
fn key_of_coordinates() -> Result<()> {
    let kafka: Settings = &[("pk.mode", "kafka"), ("pk.fields", "tp,pn,os")];
    let table = "CREATE TABLE t (tp varchar(9), pn int, os bigint, a int, b text, \
                 PRIMARY KEY (tp, pn, os)); INSERT INTO t VALUES ('t', 0, 1, 0, 'old')";
    assert_eq!(outcome("insert", kafka, table)?, ["1062"]);
    assert_eq!(
        outcome("upsert", kafka, table)?,
        ["t|0|0|1|x", "t|0|1|2|y", "t|0|2|1|NULL"]
    );
    assert_eq!(outcome("update", kafka, table)?, ["t|0|1|2|y"]);
    Ok(())
}

#[test]
fn primitive_key() -> Result<()> {
    let table =
        "CREATE TABLE t (id int PRIMARY KEY, a int, b text); INSERT INTO t VALUES (2, 0, 'old')";
    assert_eq!(outcome("insert", &BY_KEY, table)?, ["1062"]);
    assert_eq!(outcome("ignore", &BY_KEY, table)?, ["1|1|x", "2|0|old"]);
    assert_eq!(outcome("upsert", &BY_KEY, table)?, ["1|1|NULL", "2|2|y"]);
    assert_eq!(outcome("update", &BY_KEY, table)?, ["2|2|y"]);
    Ok(())
}

#[test]
fn key_within_the_value() -> Result<()> {
    let value: Settings = &[("pk.mode", "record_value"), ("pk.fields", "a")];
    let table =
        "CREATE TABLE t (a int PRIMARY KEY, b text, c int); INSERT INTO t VALUES (2, 'old', 7)";
    assert_eq!(outcome("insert", value, table)?, ["1062"]);
    assert_eq!(outcome("upsert", value, table)?, ["1|NULL|NULL", "2|y|7"]);
    assert_eq!(outcome("update", value, table)?, ["2|y|7"]);
    Ok(())
}

#[test]
fn struct_keys_are_written_updated_and_deleted() -> Result<()> {
    let database = MySqlDatabase::create()?;
    let settings: Settings = &[
        ("pk.mode", "record_key"),
        ("insert.mode", "upsert"),
        ("auto.create", "true"),
        ("delete.enabled", "true"),
    ];
    let mut sink = Sink::with_url(&database.jdbc_url(), &[settings])?;
    let key = structure(&[
        ("k2", required(Type::String)),
        ("k1", required(Type::Int64)),
    ]);
    let schema = structure(&[("a", required(Type::Int32))]);
    let mut topic = Topic::new("t", Type::Int32);
    let mut records = Vec::new();
    for (first, second, value) in [
        ("x", 1i64, Some(1)),
        ("x", 2, Some(2)),
        ("y", 1, Some(4)),
        ("x", 1, Some(3)),
        ("x", 2, None),
        ("y", 1, None),
    ] {
        let id = Struct::from_values(key.clone(), vec![first.into(), second.into()])?;
        records.push(match value {
            Some(value) => topic.raw(
                Some(key.clone()),
                id.into(),
                Some(schema.clone()),
                Struct::from_values(schema.clone(), vec![Value::Int32(value)])?.into(),
            ),
            None => topic.raw(Some(key.clone()), id.into(), None, Value::Null),
        });
    }
    sink.put(&records)?;
    assert_eq!(database.rows("SELECT k1, k2, a FROM t")?, ["1|x|3"]);
    assert_eq!(
        database.columns("t")?,
        ["a int(11) NO", "k1 bigint(20) NO", "k2 varchar(255) NO"]
    );
    Ok(())
}

#[test]
fn nothing_but_a_key() -> Result<()> {
    let database = MySqlDatabase::create()?;
    let settings: Settings = &[
        ("pk.mode", "record_value"),
        ("insert.mode", "upsert"),
        ("auto.create", "true"),
    ];
    let mut sink = Sink::with_url(&database.jdbc_url(), &[settings])?;
    let schema = structure(&[("a", required(Type::Int32)), ("b", required(Type::String))]);
    let record = Topic::new("t", Type::Int32).record(0i32, &schema, [1i32.into(), "x".into()]);
    sink.put(&[record.clone(), record.clone()])?;
    sink.put(&[record])?;
    assert_eq!(database.rows("SELECT * FROM t")?, ["1|x"]);
    Ok(())
}

#[test]
fn any_unique_index_finds_the_row_to_update() -> Result<()> {
    let database = MySqlDatabase::create()?;
    database.rows("CREATE TABLE t (id int PRIMARY KEY, a int, b varchar(9) UNIQUE)")?;
    let upsert: Settings = &[("insert.mode", "upsert")];
    let mut sink = Sink::with_url(&database.jdbc_url(), &[&BY_KEY, upsert])?;
    let (schema, mut topic) = (schema(), Topic::new("t", Type::Int32));
    // In the order of the keys the first record would win.
    let records = [(3i32, 1i32), (2, 2), (1, 3)]
        .map(|(id, a)| topic.record(id, &schema, [a.into(), "same".into()]));
    sink.put(&records)?;
    assert_eq!(database.rows("SELECT * FROM t")?, ["3|3|same"]);
    Ok(())
}

#[test]
fn zero_is_a_key_as_any_other() -> Result<()> {
    let database = MySqlDatabase::create()?;
    database.rows("CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, a int, b text)")?;
    let upsert: Settings = &[("insert.mode", "upsert")];
    let mut sink = Sink::with_url(&database.jdbc_url(), &[&BY_KEY, upsert])?;
    let (schema, mut topic) = (schema(), Topic::new("t", Type::Int32));
    for a in [1i32, 2] {
        sink.put(&[topic.record(0i32, &schema, [a.into(), Value::Null])])?;
    }
    assert_eq!(database.rows("SELECT * FROM t")?, ["0|2|NULL"]);
    Ok(())
}

/// Delivers 5,000 records in one mode and checks what they leave.
fn large_delivery(mode: &str, expected: &str) -> Result<()> {
    let database = MySqlDatabase::create()?;
    database.rows(
        "CREATE TABLE t (id int PRIMARY KEY, a int, b text); \
         INSERT INTO t SELECT seq, 0, NULL FROM seq_0_to_99",
    )?;
    let settings: Settings = &[("insert.mode", mode), ("delete.enabled", "true")];
    let mut sink = Sink::with_url(&database.jdbc_url(), &[&BY_KEY, settings])?;
    let (schema, mut topic) = (schema(), Topic::new("t", Type::Int32));
    // More than one message holds.
    let text = "x".repeat(400);
    let records: Vec<_> = (0..5000i32)
        .map(|number| {
            let values = [number.into(), text.as_str().into()];
            topic.record(number % 4321, &schema, values)
        })
        .collect();
    sink.put(&records)?;
    let sums = "SELECT count(*), sum(a) FROM t";
    assert_eq!(database.rows(sums)?, [expected]);
    let tombstones: Vec<_> = (0..4000i32).map(|number| topic.tombstone(number)).collect();
    sink.put(&tombstones)?;
    let rest: i32 = expected.split('|').next().unwrap_or_default().parse()?;
    let rest = (rest - 4000).max(0).to_string();
    assert_eq!(database.rows("SELECT count(*) FROM t")?, [rest]);
    Ok(())
}

#[test]
fn large_upserts() -> Result<()> {
    large_delivery("upsert", &format!("4321|{}", (679..5000i64).sum::<i64>()))
}

#[test]
fn large_updates() -> Result<()> {
    large_delivery("update", &format!("100|{}", (4321..4421i64).sum::<i64>()))
}
