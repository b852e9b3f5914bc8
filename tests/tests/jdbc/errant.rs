//! Records that cannot be written among others that can. What the engine does with them is tested on
//! SQLite; here is what each server says.

use std::sync::Arc;

use anyhow::Result;
use tether_api::data::{SchemaRef, Type, Value};

use super::mysql::database::MySqlDatabase;
use super::sink::{BY_KEY, Reports, Settings, Sink, database, rows};
use super::topic::{Topic, optional, structure};

const UPSERT: Settings = &[("insert.mode", "upsert"), ("errors.tolerance", "all")];

fn schema() -> SchemaRef {
    structure(&[("a", optional(Type::Int32)), ("b", optional(Type::String))])
}

/// Bad records among a thousand, by offset: what they hold, and what is said of them.
type Bad<'a> = [(i64, (Value, Value), &'a str)];

fn deliver(url: &str, settings: &[Settings<'_>], bad: &Bad<'_>) -> Result<()> {
    let reports = Arc::new(Reports::default());
    let settings = [settings, &[UPSERT, &BY_KEY]].concat();
    let mut sink = Sink::reporting(url, &settings, Some(reports.clone()))?;
    let mut topic = Topic::new("t", Type::Int32);
    let delivery: Vec<_> = (0..1000i32)
        .map(|key| {
            let found = bad.iter().find(|(offset, ..)| *offset == i64::from(key));
            let (a, b) = match found {
                Some((_, values, _)) => values.clone(),
                None => (key.into(), "x".into()),
            };
            topic.record(key, &schema(), [a, b])
        })
        .collect();
    sink.put(&delivery)?;
    let reported = reports.take();
    assert_eq!(reported.len(), bad.len(), "{reported:?}");
    for ((offset, error), (bad, _, words)) in reported.iter().zip(bad) {
        assert_eq!(offset, bad, "{error}");
        assert!(error.contains(words), "{error}");
        // The database was not asked.
        if error.starts_with("Cannot write field b of the record at") {
            assert!(error.contains(&format!("offset={offset})")), "{error}");
            continue;
        }
        assert!(error.contains(&format!("(t-0 offset {offset})")), "{error}");
        let columns = error.lines().find(|line| line.starts_with("  Columns: "));
        let columns = columns.unwrap_or_default();
        for kind in [
            "id INT32 (java.lang.Integer)",
            "b STRING (java.lang.String)",
        ] {
            assert!(columns.contains(kind), "{error}");
        }
    }
    Ok(())
}

#[test]
fn postgres_says_what_is_wrong_with_each_record() -> Result<()> {
    let database = database()?;
    database.rows(
        "CREATE TABLE t (id int PRIMARY KEY, a smallint NOT NULL CHECK (a >= 0), b varchar(3))",
    )?;
    let bad = [
        (0, (Value::Null, "x".into()), "SQLSTATE 23502"),
        (1, ((-1i32).into(), "x".into()), "Constraint: t_a_check"),
        (500, (1i32.into(), "long".into()), "SQLSTATE 22001"),
        (
            501,
            (1i32.into(), "\0".into()),
            "cannot store NUL characters",
        ),
        (999, (40_000i32.into(), "x".into()), "SQLSTATE 22003"),
    ];
    deliver(&database.jdbc_url(), &[], &bad)?;
    assert_eq!(rows(&database, "SELECT count(*) FROM t")?, ["995"]);
    Ok(())
}

#[test]
fn mariadb_says_what_is_wrong_with_each_record() -> Result<()> {
    let database = MySqlDatabase::create()?;
    database.rows(
        "CREATE TABLE t (id int PRIMARY KEY, a smallint NOT NULL CHECK (a >= 0), b varchar(3))",
    )?;
    let bad = [
        (0, (Value::Null, "x".into()), "error code 1048"),
        (1, ((-1i32).into(), "x".into()), "error code 4025"),
        (500, (1i32.into(), "long".into()), "error code 1406"),
        (999, (40_000i32.into(), "x".into()), "error code 1264"),
    ];
    deliver(&database.jdbc_url(), &[], &bad)?;
    assert_eq!(database.rows("SELECT count(*) FROM t")?, ["996"]);
    Ok(())
}

#[test]
fn constraints_that_are_checked_with_the_commit() -> Result<()> {
    let database = database()?;
    database.rows(
        "CREATE TABLE p (a int PRIMARY KEY); INSERT INTO p SELECT generate_series(0, 999); \
         CREATE TABLE t (id int PRIMARY KEY, a int REFERENCES p DEFERRABLE INITIALLY DEFERRED, \
         b text)",
    )?;
    let bad = [(7, ((-7i32).into(), "x".into()), "Constraint: t_a_fkey")];
    deliver(&database.jdbc_url(), &[], &bad)?;
    assert_eq!(rows(&database, "SELECT count(*) FROM t")?, ["999"]);
    Ok(())
}

#[test]
fn missing_permission_is_no_records_fault() -> Result<()> {
    let database = database()?;
    // Whoever writes is stopped by a trigger that may not look at another table.
    database.rows(
        "CREATE TABLE t (id int PRIMARY KEY, a int, b text); \
         CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN RAISE insufficient_privilege; END $$; \
         CREATE TRIGGER w BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION refuse()",
    )?;
    let reports = Arc::new(Reports::default());
    let url = database.jdbc_url();
    let mut sink = Sink::reporting(&url, &[UPSERT, &BY_KEY], Some(reports.clone()))?;
    let record = Topic::new("t", Type::Int32).record(1i32, &schema(), [1i32.into(), "x".into()]);
    let error = sink.refused(&[record])?;
    assert!(error.contains("SQLSTATE 42501"), "{error}");
    assert!(reports.offsets().is_empty());
    Ok(())
}
