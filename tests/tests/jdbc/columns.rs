//! Columns of types that Connect does not have, written by a table's owner.

use anyhow::Result;
use tether_api::data::{SchemaBuilder, Type, Value};

use super::sink::{BY_KEY, Settings, Sink, database, rows};
use super::topic::{Topic, optional, required, structure};

const UPSERT: Settings = &[("insert.mode", "upsert"), ("delete.enabled", "true")];
const UPDATE: Settings = &[("insert.mode", "update"), ("delete.enabled", "true")];

/// Types with two values each, in the form in which the server shows them.
const TYPES: [(&str, &str, &str); 16] = [
    (
        "uuid",
        "00112233-4455-6677-8899-aabbccddeeff",
        "10112233-4455-6677-8899-aabbccddeeff",
    ),
    ("\"My Mood\"", "so so", "it's \"good\""),
    ("inet", "10.0.0.1", "::1"),
    ("cidr", "10.0.0.0/8", "::/0"),
    ("macaddr", "08:00:2b:01:02:03", "08:00:2b:01:02:04"),
    ("bpchar(5)", "a    ", "b    "),
    ("varchar(5)", "a", "b"),
    ("numeric(10,2)", "1.50", "2.00"),
    ("interval", "1 day", "2 days"),
    ("money", "$1.00", "$2.00"),
    ("bit(3)", "101", "111"),
    ("varbit", "1", "0"),
    ("int4range", "[1,3)", "[5,7)"),
    ("date", "2024-02-29", "2024-03-01"),
    ("email", "a@b", "c@d"),
    ("int", "7", "-8"),
];

const DEFINITIONS: &str = "CREATE TYPE \"My Mood\" AS ENUM ('so so', 'it''s \"good\"'); \
                           CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%')";

#[test]
fn texts_become_what_the_column_is() -> Result<()> {
    let database = database()?;
    database.rows(DEFINITIONS)?;
    let mut sink = Sink::start(&database, &[&BY_KEY, UPSERT])?;
    let mut updating = Sink::start(&database, &[&BY_KEY, UPDATE])?;
    let schema = structure(&[("a", optional(Type::String)), ("b", required(Type::Int32))]);
    for (number, (column, first, second)) in TYPES.into_iter().enumerate() {
        let table = format!("t{number}");
        database.rows(&format!(
            "CREATE TABLE {table} (id {column} PRIMARY KEY, a {column}, b int)"
        ))?;
        let mut topic = Topic::new(&table, Type::String);
        let records = [
            topic.record(first, &schema, [Value::Null, 1i32.into()]),
            topic.record(second, &schema, [first.into(), 2i32.into()]),
            topic.record(first, &schema, [second.into(), 3i32.into()]),
        ];
        sink.put(&records)?;
        updating.put(&[topic.record(first, &schema, [second.into(), 4i32.into()])])?;
        let all = format!("SELECT * FROM {table} ORDER BY b");
        let expected = [format!("{second}|{first}|2"), format!("{first}|{second}|4")];
        assert_eq!(rows(&database, &all)?, expected, "{column}");
        sink.put(&[topic.tombstone(first)])?;
        assert_eq!(rows(&database, &all)?, expected[..1], "{column}");
    }
    Ok(())
}

#[test]
fn documents_and_the_like() -> Result<()> {
    let database = database()?;
    database.rows("CREATE TABLE t (id int PRIMARY KEY, j json, jb jsonb, x xml, p point, v tsvector, u uuid[])")?;
    let mut sink = Sink::start(&database, &[&BY_KEY, UPSERT])?;
    let text = || optional(Type::String);
    let schema = structure(&[
        ("j", text()),
        ("jb", text()),
        ("x", text()),
        ("p", text()),
        ("v", text()),
        ("u", SchemaBuilder::array(required(Type::String)).build()),
    ]);
    let mut topic = Topic::new("t", Type::Int32);
    let uuid = "00112233-4455-6677-8899-aabbccddeeff";
    let values = [
        "{\"a\": [1, null]}".into(),
        "{\"b\":1,  \"a\":2}".into(),
        "<a/>".into(),
        "(1,2)".into(),
        "'a':1".into(),
        vec![uuid.into()].into(),
    ];
    sink.put(&[topic.record(1i32, &schema, values)])?;
    assert_eq!(
        rows(&database, "SELECT * FROM t")?,
        [format!(
            "1|{{\"a\": [1, null]}}|{{\"a\": 2, \"b\": 1}}|<a/>|(1,2)|'a':1|{{{uuid}}}"
        )]
    );
    let broken = [
        "{".into(),
        Value::Null,
        Value::Null,
        Value::Null,
        Value::Null,
        Vec::<Value>::new().into(),
    ];
    let error = sink.refused(&[topic.record(2i32, &schema, broken)])?;
    assert!(error.contains("SQLSTATE 22P02"), "{error}");
    Ok(())
}

#[test]
fn a_text_that_is_no_uuid_is_named() -> Result<()> {
    let database = database()?;
    database.rows("CREATE TABLE t (id uuid PRIMARY KEY)")?;
    let mut sink = Sink::start(
        &database,
        &[&[("pk.mode", "record_value"), ("insert.mode", "upsert")]],
    )?;
    let schema = structure(&[("id", required(Type::String))]);
    let record = Topic::new("t", Type::Int32).record(0i32, &schema, ["secret".into()]);
    let error = sink.refused(&[record])?;
    assert!(
        error.contains("field id of the record at (topic='t', partition=0, offset=0)"),
        "{error}"
    );
    assert!(
        error.contains("the text is not a UUID") && !error.contains("secret"),
        "{error}"
    );
    Ok(())
}

#[test]
fn types_outside_the_search_path() -> Result<()> {
    let database = database()?;
    database.rows(
        "CREATE SCHEMA \"Own types\"; CREATE TYPE \"Own types\".\"e;\" AS ENUM ('a'); \
         CREATE TABLE t (id \"Own types\".\"e;\" PRIMARY KEY)",
    )?;
    let mut sink = Sink::start(
        &database,
        &[&[("pk.mode", "record_value"), ("insert.mode", "upsert")]],
    )?;
    let schema = structure(&[("id", required(Type::String))]);
    let record = Topic::new("t", Type::Int32).record(0i32, &schema, ["a".into()]);
    let delivery = [record];
    sink.put(&delivery)?;
    sink.put(&delivery)?;
    assert_eq!(rows(&database, "SELECT * FROM t")?, ["a"]);
    Ok(())
}

#[test]
fn row_values_can_be_kept_out_of_errors() -> Result<()> {
    let database = database()?;
    database.rows("CREATE TABLE t (id int PRIMARY KEY, a text); INSERT INTO t VALUES (1, 'x')")?;
    let schema = structure(&[("a", required(Type::String))]);
    let mut topic = Topic::new("t", Type::Int32);
    let record = [topic.record(1i32, &schema, ["s3cret".into()])];
    let open = Sink::start(&database, &[&BY_KEY])?.refused(&record)?;
    assert!(
        open.contains("Detail: Key (id)=(1) already exists."),
        "{open}"
    );
    assert!(
        open.contains("Constraint: t_pkey") && open.contains("Table: t"),
        "{open}"
    );
    let trimmed =
        Sink::start(&database, &[&BY_KEY, &[("trim.sensitive.log", "true")]])?.refused(&record)?;
    assert!(trimmed.contains("SQLSTATE 23505"), "{trimmed}");
    assert!(trimmed.contains("Constraint: t_pkey"), "{trimmed}");
    assert!(
        !trimmed.contains("(1)") && !trimmed.contains("duplicate"),
        "{trimmed}"
    );
    Ok(())
}
