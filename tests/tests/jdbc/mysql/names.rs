//! Names of tables and columns, hostile ones too.

use anyhow::Result;
use tether_api::data::{Schema, Type};

use super::super::sink::{Settings, Sink};
use super::super::topic::{Topic, optional, required, structure};
use super::database::MySqlDatabase;

const CREATE: Settings = &[("auto.create", "true")];

/// Names and values that end a literal or an identifier where they are not escaped, under each of the
/// server's modes that changes what escapes.
#[test]
fn names_and_values_are_never_statements() -> Result<()> {
    let hostile = [
        "x`; DROP TABLE victim; -- x",
        "x'); DROP TABLE victim; -- x",
        "`",
        "'",
        "\"",
        "\\",
        "\\'; DROP TABLE victim; -- x",
        "?:a",
        "/*!",
        "a b.c",
        "select",
        "größe",
    ];
    let upsert: Settings = &[
        ("insert.mode", "upsert"),
        ("delete.enabled", "true"),
        ("pk.mode", "record_key"),
        ("pk.fields", "k`; DROP TABLE victim; -- x"),
        ("auto.evolve", "true"),
    ];
    let database = MySqlDatabase::create()?;
    database.rows("CREATE TABLE victim (a int)")?;
    for modes in ["", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES"] {
        let url = format!(
            "{}&sessionVariables=sql_mode%3D'{modes}'",
            database.jdbc_url()
        );
        for name in hostile {
            let quoted = format!("`{}`", name.replace('`', "``"));
            let format: Settings = &[("table.name.format", &quoted)];
            let mut sink = Sink::with_url(&url, &[upsert, CREATE, format])?;
            let default = Schema::builder(Type::String)
                .default_value(name.into())
                .build();
            let schema = structure(&[(name, required(Type::String)), ("d", default.clone())]);
            let mut topic = Topic::new("t", Type::String);
            let record = topic.record(name, &schema, [name.into(), name.into()]);
            sink.put(&[record.clone(), topic.tombstone("other")])?;
            let more = format!("{name}2");
            let schema = structure(&[
                (name, required(Type::String)),
                ("d", default.clone()),
                (&more, default),
            ]);
            let values = [name.into(), name.into(), name.into()];
            sink.put(&[record, topic.record("other", &schema, values)])?;
            let found = database.rows(&format!(
                "SELECT d, {quoted} FROM {quoted}; DROP TABLE {quoted}"
            ))?;
            assert_eq!(found, [format!("{name}|{name}"), format!("{name}|{name}")]);
            assert_eq!(database.rows("SHOW TABLES")?, ["victim"]);
        }
    }
    Ok(())
}

#[test]
fn names_have_two_parts_at_most() -> Result<()> {
    let (database, other) = (MySqlDatabase::create()?, MySqlDatabase::create()?);
    let schema = structure(&[("a", optional(Type::Int32))]);
    let put = |format: &str| -> Result<Sink> {
        let settings: Settings = &[("table.name.format", format)];
        let mut sink = Sink::with_url(&database.jdbc_url(), &[CREATE, settings])?;
        let record = Topic::new("t", Type::Int32).record(0i32, &schema, [1i32.into()]);
        sink.put(&[record])?;
        Ok(sink)
    };
    put(&format!("`{}`.${{topic}}", other.name))?;
    assert_eq!(other.rows("SELECT * FROM t")?, ["1"]);
    assert!(database.rows("SHOW TABLES")?.is_empty());
    let error = put("a.b.${topic}").err().map(|error| error.to_string());
    assert!(error.is_some_and(|error| error.contains("a name in three parts")));
    let error = put("no-such-database.${topic}")
        .err()
        .map(|error| error.to_string());
    assert!(error.is_some_and(|error| error.contains("error code 1049")));
    Ok(())
}

#[test]
fn case_counts_in_tables_and_not_in_columns() -> Result<()> {
    let database = MySqlDatabase::create()?;
    database.rows("CREATE TABLE t (`userid` int); CREATE TABLE T (x int)")?;
    let mut sink = Sink::with_url(&database.jdbc_url(), &[])?;
    let schema = structure(&[("userId", required(Type::Int32))]);
    sink.put(&[Topic::new("t", Type::Int32).record(0i32, &schema, [1i32.into()])])?;
    assert_eq!(database.rows("SELECT * FROM t")?, ["1"]);
    Ok(())
}
