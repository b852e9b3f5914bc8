//! Names of tables and columns, hostile ones too.

use anyhow::Result;
use tether_api::data::{Schema, Type};

use super::sink::{BY_KEY, Settings, Sink, database, rows};
use super::topic::{Topic, optional, required, structure};

const CREATE: Settings = &[("auto.create", "true")];

#[test]
fn names_and_values_are_never_statements() -> Result<()> {
    let database = database()?;
    database.rows("CREATE TABLE victim ()")?;
    let hostile = [
        "x\"; DROP TABLE victim; --",
        "x'); DROP TABLE victim; --",
        "\"",
        "'",
        "\\",
        "$1",
        "/*",
        "a b.c",
        "select",
        "größe",
    ];
    let upsert: Settings = &[
        ("insert.mode", "upsert"),
        ("delete.enabled", "true"),
        ("pk.mode", "record_key"),
        ("pk.fields", "k\"; DROP TABLE victim; --"),
    ];
    for (number, name) in hostile.iter().enumerate() {
        let quoted = format!("\"{}\"", name.replace('"', "\"\""));
        let format: Settings = &[("table.name.format", &quoted)];
        let mut sink = Sink::start(
            &database,
            &[upsert, CREATE, &[("auto.evolve", "true")], format],
        )?;
        let default = Schema::builder(Type::String)
            .default_value((*name).into())
            .build();
        let schema = structure(&[(name, required(Type::String)), ("d", default.clone())]);
        let mut topic = Topic::new("t", Type::String);
        let record = topic.record(*name, &schema, [(*name).into(), (*name).into()]);
        sink.put(&[record.clone(), topic.tombstone("other")])?;
        let more = format!("{name}2");
        let schema = structure(&[
            (name, required(Type::String)),
            ("d", default.clone()),
            (&more, default),
        ]);
        let values = [(*name).into(), (*name).into(), (*name).into()];
        sink.put(&[record, topic.record("other", &schema, values)])?;
        let found = rows(&database, &format!("SELECT d, {quoted} FROM {quoted}"))?;
        assert_eq!(found, [format!("{name}|{name}"), format!("{name}|{name}")]);
        let tables = rows(
            &database,
            "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
        )?;
        assert_eq!(tables, [(number + 2).to_string()]);
    }
    Ok(())
}

#[test]
fn names_that_nothing_can_have() -> Result<()> {
    let database = database()?;
    let long = "x".repeat(64);
    for (field, reason) in [
        ("a\0b", "NUL character"),
        ("", "it is empty"),
        (long.as_str(), "longer than 63 bytes"),
    ] {
        let mut sink = Sink::start(&database, &[CREATE])?;
        let schema = structure(&[(field, required(Type::Int32))]);
        let record = Topic::new("t", Type::Int32).record(0i32, &schema, [1i32.into()]);
        let error = sink.refused(&[record])?;
        assert!(error.contains(reason), "{error}");
    }
    Ok(())
}

#[test]
fn long_topics_are_cut() -> Result<()> {
    let database = database()?;
    let mut sink = Sink::start(&database, &[CREATE])?;
    let schema = structure(&[("a", required(Type::Int32))]);
    let record = Topic::new(&"t".repeat(100), Type::Int32).record(0i32, &schema, [1i32.into()]);
    let delivery = [record];
    sink.put(&delivery)?;
    sink.put(&delivery)?;
    assert_eq!(
        rows(
            &database,
            &format!("SELECT count(*) FROM {}", "t".repeat(63))
        )?,
        ["2"]
    );
    Ok(())
}

#[test]
fn names_in_parts() -> Result<()> {
    let database = database()?;
    database.rows("CREATE SCHEMA s; CREATE SCHEMA \"Path\"")?;
    let schema = structure(&[("a", required(Type::Int32))]);
    let put = |topic: &str, url: String| -> Result<String> {
        let mut sink = Sink::with_url(&url, &[CREATE])?;
        let record = Topic::new(topic, Type::Int32).record(0i32, &schema, [1i32.into()]);
        Ok(sink
            .put(&[record])
            .map_or_else(|error| error.to_string(), |()| String::new()))
    };
    let url = database.jdbc_url();
    assert_eq!(put("s.t", url.clone())?, "");
    assert_eq!(rows(&database, "SELECT a FROM s.t")?, ["1"]);
    assert_eq!(
        put("t", format!("{url}&currentSchema=%22Path%22,public"))?,
        ""
    );
    assert_eq!(rows(&database, "SELECT a FROM \"Path\".t")?, ["1"]);
    let error = put("server1.public.orders", url.clone())?;
    assert!(
        error.contains("\"server1\".\"public\".\"orders\"") && error.contains("RegexRouter"),
        "{error}"
    );
    let error = put("missing.t", url)?;
    assert!(error.contains("SQLSTATE 3F000"), "{error}");
    Ok(())
}

#[test]
fn columns_are_found_in_any_case() -> Result<()> {
    let database = database()?;
    database.rows("CREATE TABLE t (id int PRIMARY KEY, userid int, \"A\" int, a int)")?;
    let upsert: Settings = &[("insert.mode", "upsert"), ("delete.enabled", "true")];
    let mut sink = Sink::start(&database, &[&BY_KEY, upsert])?;
    let schema = structure(&[
        ("userId", required(Type::Int32)),
        ("A", required(Type::Int32)),
    ]);
    let mut topic = Topic::new("t", Type::Int32);
    sink.put(&[topic.record(1i32, &schema, [2i32.into(), 3i32.into()])])?;
    assert_eq!(
        rows(&database, "SELECT id, userid, \"A\", a FROM t")?,
        ["1|2|3|null"]
    );
    Ok(())
}

#[test]
fn names_without_quotes() -> Result<()> {
    let database = database()?;
    let never: Settings = &[
        ("quote.sql.identifiers", "never"),
        ("insert.mode", "upsert"),
    ];
    let mut sink = Sink::start(&database, &[&BY_KEY, CREATE, never])?;
    let schema = structure(&[("userId", required(Type::Int32))]);
    let mut topic = Topic::new("Orders", Type::Int32);
    for number in 0..2i32 {
        sink.put(&[topic.record(1i32, &schema, [number.into()])])?;
    }
    assert_eq!(rows(&database, "SELECT id, userid FROM orders")?, ["1|1"]);
    let hostile = structure(&[("a; DROP TABLE orders", optional(Type::Int32))]);
    let mut sink = Sink::start(&database, &[&BY_KEY, &[("auto.evolve", "true")], never])?;
    let error = sink.refused(&[topic.record(1i32, &hostile, [1i32.into()])])?;
    assert!(error.contains("quote.sql.identifiers=never"), "{error}");
    Ok(())
}
