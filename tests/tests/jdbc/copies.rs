//! New rows that `COPY` writes, and tables where it may not.

use anyhow::Result;
use tether_api::data::{Bytes, Decimal, SchemaRef, Type, Value, logical};
use tether_api::record::SinkRecord;

use super::sink::{BY_KEY, Settings, Sink, database, rows};
use super::topic::{Topic, optional, required, structure};

const INSERT: Settings = &[("insert.mode", "insert")];
/// So many rows are copied.
pub(super) const MANY: i32 = 1000;

/// Logs the statements that write to a table.
const LOG: &str = "\
CREATE TABLE log (statement text); \
CREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
INSERT INTO log VALUES (split_part(current_query(), ' ', 1) || ' ' || TG_TABLE_NAME); \
RETURN NULL; END $$";

fn logged(table: &str) -> String {
    format!("CREATE TRIGGER log AFTER INSERT ON {table} EXECUTE FUNCTION log()")
}

/// What the records of these tests have.
pub(super) fn schema() -> SchemaRef {
    structure(&[
        ("n", optional(Type::Int32)),
        ("big", required(Type::Int64)),
        ("price", logical::decimal_schema(2)),
        ("short", required(Type::String)),
        ("mood", optional(Type::String)),
        ("at", logical::timestamp_schema()),
        ("data", required(Type::Bytes)),
    ])
}

/// So many records with keys from one on.
pub(super) fn records(
    topic: &mut Topic,
    schema: &SchemaRef,
    from: i32,
    count: i32,
) -> Vec<SinkRecord> {
    let record = |key: i32| {
        let is_even = key % 2 == 0;
        let values = [
            if is_even { Value::Null } else { key.into() },
            i64::MAX.into(),
            Value::from(Decimal::new(-12_345 * i64::from(key), 2)),
            format!("{key}é").into(),
            if is_even { "so so".into() } else { Value::Null },
            Value::Timestamp(-86_400_123 * i64::from(key)),
            Value::from(Bytes::from(vec![0, 255, key.to_le_bytes()[0]])),
        ];
        topic.record(key, schema, values)
    };
    (from..from + count).map(record).collect()
}

#[test]
fn many_rows_are_copied_and_few_inserted() -> Result<()> {
    let database = database()?;
    database.rows(LOG)?;
    database.rows("CREATE TYPE mood AS ENUM ('so so')")?;
    for table in ["many", "few"] {
        database.rows(&format!(
            "CREATE TABLE {table} (id int PRIMARY KEY, n int, big bigint, price numeric(20, 1), \
             short varchar(5), mood mood, at timestamp(0), data bytea, own text DEFAULT 'own')"
        ))?;
        database.rows(&logged(table))?;
    }
    let schema = schema();
    let mut sink = Sink::start(&database, &[&BY_KEY, INSERT])?;
    sink.put(&records(
        &mut Topic::new("many", Type::Int32),
        &schema,
        1,
        MANY,
    ))?;
    let few = records(&mut Topic::new("few", Type::Int32), &schema, 1, MANY);
    for delivery in few.chunks(500) {
        sink.put(delivery)?;
    }
    let log = "SELECT statement, count(*) FROM log GROUP BY 1 ORDER BY 1";
    assert_eq!(rows(&database, log)?, ["COPY many|1", "INSERT few|2"]);
    let same = "SELECT count(*) FROM (SELECT * FROM many INTERSECT ALL SELECT * FROM few) AS same";
    assert_eq!(rows(&database, same)?, [MANY.to_string()]);
    Ok(())
}

#[test]
fn a_copy_that_is_refused_leaves_nothing() -> Result<()> {
    let database = database()?;
    let mut sink = Sink::start(&database, &[&BY_KEY, INSERT, &[("auto.create", "true")]])?;
    let mut topic = Topic::new("t", Type::Int32);
    let schema = schema();
    let mut refused = records(&mut topic, &schema, 1, MANY);
    refused.extend(records(&mut topic, &schema, 7, 1));
    let error = sink.refused(&refused)?;
    assert!(error.contains("SQLSTATE 23505"), "{error}");
    assert!(error.contains("Constraint: t_pkey"), "{error}");
    // Which one it was is found out with statements of their own.
    assert!(error.contains("INSERT of 1 record in table"), "{error}");
    assert!(error.contains("offset 1000"), "{error}");
    let count = "SELECT count(*) FROM t";
    assert_eq!(rows(&database, count)?, ["0"]);
    sink.put(&records(&mut topic, &schema, 1, MANY))?;
    assert_eq!(rows(&database, count)?, [MANY.to_string()]);
    Ok(())
}

#[test]
fn rows_are_inserted_where_a_copy_would_do_something_else() -> Result<()> {
    let database = database()?;
    database.rows(LOG)?;
    // A rule, a view, policies, columns of other types than the values, and a key that is generated.
    let columns =
        "n int, big bigint, price numeric, short text, mood text, at timestamp, data bytea";
    let tables = [
        ("ruled", format!("id int, {columns}")),
        ("base", format!("id int, {columns}")),
        ("guarded", format!("id int, {columns}")),
        ("wider", format!("id bigint, {columns}")),
        (
            "identified",
            format!("id int GENERATED ALWAYS AS IDENTITY, {columns}"),
        ),
    ];
    for (table, columns) in &tables {
        database.rows(&format!("CREATE TABLE {table} ({columns})"))?;
    }
    database.rows(
        "CREATE TABLE seen (id int); CREATE VIEW viewed AS SELECT * FROM base; \
         CREATE RULE also AS ON INSERT TO ruled DO ALSO INSERT INTO seen VALUES (NEW.id); \
         ALTER TABLE guarded ENABLE ROW LEVEL SECURITY",
    )?;
    for table in ["base", "guarded", "wider"] {
        database.rows(&logged(table))?;
    }
    let schema = schema();
    let views: Settings = &[("table.types", "TABLE,VIEW")];
    let mut sink = Sink::start(&database, &[&BY_KEY, INSERT, views])?;
    let many = |table: &str| records(&mut Topic::new(table, Type::Int32), &schema, 0, MANY);
    for table in ["ruled", "viewed", "guarded", "wider"] {
        sink.put(&many(table))?;
    }
    assert_eq!(
        rows(&database, "SELECT statement FROM log")?,
        ["INSERT base", "INSERT guarded", "INSERT wider"]
    );
    let seen = "SELECT count(DISTINCT id) FROM seen";
    assert_eq!(rows(&database, seen)?, [MANY.to_string()]);
    let error = sink.refused(&many("identified"))?;
    assert!(error.contains("SQLSTATE 428C9"), "{error}");
    Ok(())
}

/// Values of one type would become others of a type with as many bytes.
#[test]
fn values_are_right_after_a_column_has_changed_its_type() -> Result<()> {
    let database = database()?;
    let mut sink = Sink::start(&database, &[&BY_KEY, INSERT, &[("auto.create", "true")]])?;
    let schema = schema();
    for (table, change, big) in [
        (
            "a",
            "ALTER COLUMN big TYPE double precision",
            "9.223372036854776e+18",
        ),
        (
            "b",
            "ALTER COLUMN big TYPE numeric(30, 3)",
            "9223372036854775807.000",
        ),
        (
            "c",
            "DROP COLUMN big, ADD COLUMN big text",
            "9223372036854775807",
        ),
    ] {
        let mut topic = Topic::new(table, Type::Int32);
        sink.put(&records(&mut topic, &schema, 0, MANY))?;
        database.rows(&format!(
            "DELETE FROM {table}; ALTER TABLE {table} {change}"
        ))?;
        sink.put(&records(&mut topic, &schema, 0, MANY))?;
        let values = rows(
            &database,
            &format!("SELECT big, count(*) FROM {table} GROUP BY 1"),
        )?;
        assert_eq!(values, [format!("{big}|{MANY}")]);
    }
    Ok(())
}
