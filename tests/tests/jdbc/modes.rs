//! Every insert mode with every key mode.

use anyhow::Result;
use tether_api::data::{SchemaRef, Struct, Type, Value};

use super::sink::{BY_KEY, Settings, Sink, database, rows, validate};
use super::topic::{Topic, optional, required, structure};

fn schema() -> SchemaRef {
    structure(&[("a", required(Type::Int32)), ("b", optional(Type::String))])
}

/// Delivers three records, two of them with one key, and then the last one again, to a table that has
/// a row. What the table holds afterwards, or the error's SQLSTATE.
fn outcome(mode: &str, key: Settings<'_>, table: &str) -> Result<Vec<String>> {
    let database = database()?;
    database.rows(table)?;
    let mut sink = Sink::start(&database, &[key, &[("insert.mode", mode)]])?;
    let (schema, mut topic) = (schema(), Topic::new("t", Type::Int32));
    let records = [
        topic.record(1i32, &schema, [1i32.into(), "x".into()]),
        topic.record(2i32, &schema, [2i32.into(), "y".into()]),
        topic.record(1i32, &schema, [1i32.into(), Value::Null]),
    ];
    for delivery in [&records[..], &records[2..]] {
        if let Err(error) = sink.put(delivery) {
            let text = error.to_string();
            let state = text
                .split_once("SQLSTATE ")
                .and_then(|(_, rest)| rest.get(..5));
            return Ok(vec![state.unwrap_or(&text).to_owned()]);
        }
    }
    rows(&database, "SELECT * FROM t ORDER BY 1, 2, 3")
}

#[test]
fn no_key() -> Result<()> {
    let none: Settings = &[("pk.mode", "none")];
    let table = "CREATE TABLE t (a int, b text, c int DEFAULT 5)";
    assert_eq!(
        outcome("insert", none, table)?,
        ["1|x|5", "1|null|5", "1|null|5", "2|y|5"]
    );
    let upsert = outcome("upsert", none, table)?;
    assert!(
        upsert[0].contains("in UPSERT mode requires key field names to be known"),
        "{upsert:?}"
    );
    Ok(())
}

#[test]
fn update_without_a_key_is_refused_before_it_runs() -> Result<()> {
    let database = database()?;
    let errors = validate(&database.jdbc_url(), &[&[("insert.mode", "update")]])?;
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(errors[0].starts_with("insert.mode: insert.mode update needs a primary key"));
    Ok(())
}

#[test]
fn key_of_coordinates() -> Result<()> {
    let kafka: Settings = &[("pk.mode", "kafka"), ("pk.fields", "tp,pn,os")];
    let table = "CREATE TABLE t (tp text, pn int, os bigint, a int, b text, PRIMARY KEY (tp, pn, os)); \
                 INSERT INTO t VALUES ('t', 0, 1, 0, 'old')";
    assert_eq!(outcome("insert", kafka, table)?, ["23505"]);
    assert_eq!(
        outcome("upsert", kafka, table)?,
        ["t|0|0|1|x", "t|0|1|2|y", "t|0|2|1|null"]
    );
    assert_eq!(outcome("update", kafka, table)?, ["t|0|1|2|y"]);
    Ok(())
}

#[test]
fn primitive_key() -> Result<()> {
    let table =
        "CREATE TABLE t (id int PRIMARY KEY, a int, b text); INSERT INTO t VALUES (2, 0, 'old')";
    assert_eq!(outcome("insert", &BY_KEY, table)?, ["23505"]);
    assert_eq!(outcome("upsert", &BY_KEY, table)?, ["1|1|null", "2|2|y"]);
    assert_eq!(outcome("update", &BY_KEY, table)?, ["2|2|y"]);
    Ok(())
}

#[test]
fn values_of_another_unique_column_change_places() -> Result<()> {
    let database = database()?;
    database.rows(
        "CREATE TABLE t (id int PRIMARY KEY, a int, b text UNIQUE); \
         INSERT INTO t VALUES (2, 0, 'x')",
    )?;
    let delete: Settings = &[("insert.mode", "upsert"), ("delete.enabled", "true")];
    let mut sink = Sink::start(&database, &[&BY_KEY, delete])?;
    let (schema, mut topic) = (schema(), Topic::new("t", Type::Int32));
    // In the order of their keys, or with a deletion apart, they do not fit.
    sink.put(&[
        topic.record(2i32, &schema, [2i32.into(), "y".into()]),
        topic.record(1i32, &schema, [1i32.into(), "x".into()]),
    ])?;
    assert_eq!(
        rows(&database, "SELECT * FROM t ORDER BY 1")?,
        ["1|1|x", "2|2|y"]
    );
    sink.put(&[
        topic.record(3i32, &schema, [3i32.into(), "z".into()]),
        topic.tombstone(1i32),
        topic.record(4i32, &schema, [4i32.into(), "x".into()]),
    ])?;
    assert_eq!(
        rows(&database, "SELECT * FROM t ORDER BY 1")?,
        ["2|2|y", "3|3|z", "4|4|x"]
    );
    Ok(())
}

#[test]
fn key_within_the_value() -> Result<()> {
    let value: Settings = &[("pk.mode", "record_value"), ("pk.fields", "a")];
    let table =
        "CREATE TABLE t (a int PRIMARY KEY, b text, c int); INSERT INTO t VALUES (2, 'old', 7)";
    assert_eq!(outcome("insert", value, table)?, ["23505"]);
    assert_eq!(outcome("upsert", value, table)?, ["1|null|null", "2|y|7"]);
    assert_eq!(outcome("update", value, table)?, ["2|y|7"]);
    Ok(())
}

#[test]
fn struct_key() -> Result<()> {
    let database = database()?;
    let settings: Settings = &[
        ("pk.mode", "record_key"),
        ("insert.mode", "upsert"),
        ("auto.create", "true"),
        ("delete.enabled", "true"),
    ];
    let mut sink = Sink::start(&database, &[settings])?;
    let key = structure(&[
        ("k2", required(Type::String)),
        ("k1", required(Type::Int64)),
    ]);
    let mut topic = Topic::new("t", Type::Int32);
    let mut records = Vec::new();
    for (first, second, value) in [
        ("x", 1i64, Some(1)),
        ("x", 2, Some(2)),
        ("x", 1, Some(3)),
        ("x", 2, None),
    ] {
        let id = Struct::from_values(key.clone(), vec![first.into(), second.into()])?;
        let schema = structure(&[("a", required(Type::Int32))]);
        let value = match value {
            Some(value) => Some(Struct::from_values(
                schema.clone(),
                vec![Value::Int32(value)],
            )?),
            None => None,
        };
        let schema = value.is_some().then_some(schema);
        let value = value.map_or(Value::Null, Value::from);
        records.push(topic.raw(Some(key.clone()), id.into(), schema, value));
    }
    sink.put(&records)?;
    assert_eq!(rows(&database, "SELECT k1, k2, a FROM t")?, ["1|x|3"]);
    assert_eq!(
        database.columns("t")?,
        [
            "a integer NOT NULL",
            "k1 bigint NOT NULL",
            "k2 text NOT NULL"
        ]
    );
    assert_eq!(database.primary_key("t")?, ["k1", "k2"]);
    Ok(())
}

#[test]
fn all_fields_of_the_value_as_key() -> Result<()> {
    let database = database()?;
    let settings: Settings = &[
        ("pk.mode", "record_value"),
        ("insert.mode", "upsert"),
        ("auto.create", "true"),
    ];
    let mut sink = Sink::start(&database, &[settings])?;
    let schema = structure(&[("a", required(Type::Int32)), ("b", required(Type::String))]);
    let mut topic = Topic::new("t", Type::Int32);
    let record = topic.record(0i32, &schema, [1i32.into(), "x".into()]);
    // Nothing is left to update.
    sink.put(&[record.clone(), record.clone()])?;
    sink.put(&[record])?;
    assert_eq!(rows(&database, "SELECT * FROM t")?, ["1|x"]);
    Ok(())
}

#[test]
fn text_values() -> Result<()> {
    let database = database()?;
    let settings: Settings = &[("insert.mode", "upsert"), ("auto.create", "true")];
    let mut sink = Sink::start(&database, &[&BY_KEY, settings])?;
    let mut topic = Topic::new("t", Type::Int64);
    let mut line = |key: i64, text: &str| {
        topic.raw(
            Some(required(Type::Int64)),
            key.into(),
            Some(required(Type::String)),
            text.into(),
        )
    };
    sink.put(&[line(1, "a"), line(2, "b"), line(1, "c")])?;
    assert_eq!(
        rows(&database, "SELECT id, record_value FROM t ORDER BY id")?,
        ["1|c", "2|b"]
    );
    assert_eq!(
        database.columns("t")?,
        ["record_value text", "id bigint NOT NULL"]
    );
    Ok(())
}

#[test]
fn large_deliveries_keep_to_the_batch_size() -> Result<()> {
    let database = database()?;
    let settings: Settings = &[
        ("insert.mode", "upsert"),
        ("auto.create", "true"),
        ("batch.size", "100"),
    ];
    let mut sink = Sink::start(&database, &[&BY_KEY, settings])?;
    let (schema, mut topic) = (schema(), Topic::new("t", Type::Int32));
    let records: Vec<_> = (0..5000i32)
        .map(|number| topic.record(number % 4321, &schema, [number.into(), Value::Null]))
        .collect();
    sink.put(&records)?;
    assert_eq!(
        rows(&database, "SELECT count(*), sum(a) FROM t")?,
        [format!("4321|{}", (679..5000i64).sum::<i64>())]
    );
    Ok(())
}

#[test]
fn servers_behind_a_pooler_need_no_prepared_statements() -> Result<()> {
    let database = database()?;
    let url = format!("{}&prepareThreshold=0", database.jdbc_url());
    let settings: Settings = &[("insert.mode", "upsert"), ("auto.create", "true")];
    let mut sink = Sink::with_url(&url, &[&BY_KEY, settings])?;
    let (schema, mut topic) = (schema(), Topic::new("t", Type::Int32));
    for number in 0..3i32 {
        sink.put(&[topic.record(1i32, &schema, [number.into(), "x".into()])])?;
    }
    assert_eq!(rows(&database, "SELECT * FROM t")?, ["2|x|1"]);
    Ok(())
}
