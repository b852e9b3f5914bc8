//! Upserts of many rows as one array of the table's rows, and tables where that may not be.

use anyhow::Result;
use tether_api::data::Type;
use tether_api::record::SinkRecord;

use super::copies::{MANY, records, schema};
use super::sink::{BY_KEY, Settings, Sink, database, rows};
use super::topic::Topic;

const UPSERT: Settings = &[("insert.mode", "upsert")];

/// Logs whether a table is written from an array of its rows.
const LOG: &str = "\
CREATE TABLE log (statement text); \
CREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
INSERT INTO log VALUES (TG_TABLE_NAME || ' ' || (current_query() LIKE '%' || TG_TABLE_NAME || '\"[])%')); \
RETURN NULL; END $$";

const LOGGED: &str = "SELECT statement, count(*) FROM log GROUP BY 1 ORDER BY 1";

fn logged(table: &str) -> String {
    format!("CREATE TRIGGER log AFTER INSERT ON {table} EXECUTE FUNCTION log()")
}

fn many(table: &str) -> Vec<SinkRecord> {
    records(&mut Topic::new(table, Type::Int32), &schema(), 1, MANY)
}

#[test]
fn an_array_of_rows_writes_what_arrays_of_columns_write() -> Result<()> {
    let database = database()?;
    database.rows(LOG)?;
    database.rows("CREATE TYPE mood AS ENUM ('so so')")?;
    for table in ["many", "few"] {
        // Columns that nobody writes, one that is gone, and another order.
        database.rows(&format!(
            "CREATE TABLE {table} (own text DEFAULT 'own', gone int, at timestamp(0), data bytea, \
             id int PRIMARY KEY, n int, big bigint, price numeric(20, 1), short varchar(5), mood mood, \
             double int GENERATED ALWAYS AS (n * 2) STORED); \
             ALTER TABLE {table} DROP COLUMN gone; \
             INSERT INTO {table} (own, id, n) VALUES ('other', 7, -1)"
        ))?;
        database.rows(&logged(table))?;
    }
    let mut sink = Sink::start(&database, &[&BY_KEY, UPSERT])?;
    sink.put(&many("many"))?;
    for delivery in many("few").chunks(500) {
        sink.put(delivery)?;
    }
    assert_eq!(rows(&database, LOGGED)?, ["few false|2", "many true|1"]);
    let same = "SELECT count(*) FROM (SELECT * FROM many INTERSECT ALL SELECT * FROM few) AS same";
    assert_eq!(rows(&database, same)?, [MANY.to_string()]);
    let own = "SELECT own, n FROM many WHERE id IN (7, 8) ORDER BY id";
    assert_eq!(rows(&database, own)?, ["other|7", "own|null"]);
    Ok(())
}

#[test]
fn a_row_that_is_refused_is_found() -> Result<()> {
    let database = database()?;
    let mut sink = Sink::start(&database, &[&BY_KEY, UPSERT, &[("auto.create", "true")]])?;
    let mut topic = Topic::new("t", Type::Int32);
    sink.put(&records(&mut topic, &schema(), 1, 1))?;
    database.rows("ALTER TABLE t ADD CHECK (id <> 700)")?;
    let error = sink.refused(&records(&mut topic, &schema(), 1, MANY))?;
    assert!(error.contains("SQLSTATE 23514"), "{error}");
    assert!(error.contains("UPSERT of 1 record in table"), "{error}");
    assert!(error.contains("offset 700"), "{error}");
    assert_eq!(rows(&database, "SELECT count(*) FROM t")?, ["1"]);
    Ok(())
}

#[test]
fn columns_are_written_where_rows_would_not_do() -> Result<()> {
    let database = database()?;
    database.rows(LOG)?;
    // A column that must not be null and has a default, a key of another type, and far more columns.
    database.rows("CREATE DOMAIN filled AS int NOT NULL")?;
    let columns =
        "n int, big bigint, price numeric, short text, mood text, at timestamp, data bytea";
    let others: String = (0..20).map(|number| format!(", o{number} int")).collect();
    for (table, columns) in [
        (
            "strict",
            format!("id int PRIMARY KEY, {columns}, other filled DEFAULT 3"),
        ),
        ("wider", format!("id bigint PRIMARY KEY, {columns}")),
        ("broad", format!("id int PRIMARY KEY, {columns}{others}")),
    ] {
        database.rows(&format!("CREATE TABLE {table} ({columns})"))?;
        database.rows(&logged(table))?;
    }
    let mut sink = Sink::start(&database, &[&BY_KEY, UPSERT])?;
    for table in ["strict", "wider", "broad"] {
        sink.put(&many(table))?;
    }
    assert_eq!(
        rows(&database, LOGGED)?,
        ["broad false|1", "strict false|1", "wider false|1"]
    );
    Ok(())
}

/// The array of rows has the columns where they were when the statement was prepared.
#[test]
fn values_are_right_after_a_table_has_changed() -> Result<()> {
    let database = database()?;
    let mut sink = Sink::start(&database, &[&BY_KEY, UPSERT, &[("auto.create", "true")]])?;
    for (table, change, big) in [
        (
            "a",
            "ALTER TABLE a ALTER COLUMN big TYPE double precision",
            "9.223372036854776e+18",
        ),
        (
            "b",
            "ALTER TABLE b DROP COLUMN big, ADD COLUMN big text",
            "9223372036854775807",
        ),
        (
            "c",
            "ALTER TABLE c ADD COLUMN more int",
            "9223372036854775807",
        ),
        (
            "d",
            "ALTER TABLE d RENAME TO e; CREATE TABLE d (LIKE e, PRIMARY KEY (id)); DROP TABLE e",
            "9223372036854775807",
        ),
        (
            "f",
            "ALTER TABLE f ADD COLUMN less bigint; ALTER TABLE f RENAME big TO more; \
             ALTER TABLE f RENAME less TO big; ALTER TABLE f ALTER more DROP NOT NULL",
            "9223372036854775807",
        ),
    ] {
        sink.put(&many(table))?;
        database.rows(&format!("DELETE FROM {table}; {change}"))?;
        sink.put(&many(table))?;
        let values = format!("SELECT big, count(*) FROM {table} GROUP BY 1");
        assert_eq!(
            rows(&database, &values)?,
            [format!("{big}|{MANY}")],
            "{table}"
        );
    }
    Ok(())
}
