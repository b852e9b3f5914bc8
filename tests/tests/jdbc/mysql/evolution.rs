//! Tables that are missing, lack columns or change (specification, section 7).

use std::sync::Barrier;

use anyhow::Result;
use tether_api::data::{Schema, SchemaRef, Type};

use super::super::sink::{BY_KEY, Settings, Sink};
use super::super::topic::{Topic, optional, required, structure};
use super::database::MySqlDatabase;

const EVOLVE: Settings = &[("auto.create", "true"), ("auto.evolve", "true")];

fn narrow() -> SchemaRef {
    structure(&[("a", required(Type::Int32))])
}

fn wide() -> SchemaRef {
    structure(&[("a", required(Type::Int32)), ("b", optional(Type::String))])
}

#[test]
fn new_fields_become_columns() -> Result<()> {
    let database = MySqlDatabase::create()?;
    let mut sink = Sink::with_url(&database.jdbc_url(), &[&BY_KEY, EVOLVE])?;
    let mut topic = Topic::new("t", Type::Int32);
    let with_default = Schema::builder(Type::Int64)
        .default_value(5i64.into())
        .build();
    let newest = structure(&[
        ("a", required(Type::Int32)),
        ("b", optional(Type::String)),
        ("c", with_default),
        ("d", optional(Type::Boolean)),
    ]);
    // All in one delivery, old schema last.
    let values = [3i32.into(), "y".into(), 6i64.into(), true.into()];
    let records = [
        topic.record(1i32, &narrow(), [1i32.into()]),
        topic.record(2i32, &wide(), [2i32.into(), "x".into()]),
        topic.record(3i32, &newest, values),
        topic.record(4i32, &narrow(), [4i32.into()]),
    ];
    sink.put(&records)?;
    assert_eq!(
        database.columns("t")?,
        [
            "a int(11) NO",
            "id int(11) NO",
            "b text YES NULL",
            "c bigint(20) YES 5",
            "d tinyint(4) YES NULL",
        ]
    );
    assert_eq!(
        database.rows("SELECT id, a, b, c, d FROM t ORDER BY id")?,
        [
            "1|1|NULL|5|NULL",
            "2|2|x|5|NULL",
            "3|3|y|6|1",
            "4|4|NULL|5|NULL"
        ]
    );
    Ok(())
}

#[test]
fn what_is_not_allowed_is_refused_in_the_words_of_the_reference() -> Result<()> {
    let database = MySqlDatabase::create()?;
    let name = &database.name;
    let refused = |settings: Settings<'_>, schema: &SchemaRef| -> Result<String> {
        let mut sink = Sink::with_url(&database.jdbc_url(), &[settings])?;
        let values = schema.fields().iter();
        let values: Vec<_> = values
            .map(|field| match field.schema.kind() {
                Type::Int32 => 1i32.into(),
                _ => "x".into(),
            })
            .collect();
        let value = tether_api::data::Struct::from_values(schema.clone(), values)?;
        let record = Topic::new("t", Type::Int32).raw(
            None,
            tether_api::data::Value::Null,
            Some(schema.clone()),
            value.into(),
        );
        sink.refused(&[record])
    };
    assert_eq!(
        refused(&[], &narrow())?,
        format!("Table \"{name}\".\"t\" is missing and auto-creation is disabled")
    );
    database.rows("CREATE TABLE base (a int); CREATE VIEW t AS SELECT * FROM base")?;
    let only_tables = refused(&[], &narrow())?;
    assert!(
        only_tables.contains("table.types allows only TABLE"),
        "{only_tables}"
    );
    let views: Settings = &[("table.types", "TABLE,VIEW"), ("auto.evolve", "true")];
    let view = refused(views, &wide())?;
    assert!(view.contains("ALTER VIEW is unsupported"), "{view}");
    database.rows("DROP VIEW t; CREATE TABLE t (a int)")?;
    let disabled = refused(&[], &wide())?;
    assert!(
        disabled.contains("auto-evolution is disabled, for the record at (topic='t'"),
        "{disabled}"
    );
    let mandatory = structure(&[("a", required(Type::Int32)), ("b", required(Type::String))]);
    let mandatory = refused(EVOLVE, &mandatory)?;
    assert!(
        mandatory.contains("the field is not optional"),
        "{mandatory}"
    );
    Ok(())
}

#[test]
fn a_view_takes_rows_where_views_are_allowed() -> Result<()> {
    let database = MySqlDatabase::create()?;
    database.rows("CREATE TABLE base (a int); CREATE VIEW t AS SELECT * FROM base")?;
    let views: Settings = &[("table.types", "TABLE,VIEW")];
    let mut sink = Sink::with_url(&database.jdbc_url(), &[views])?;
    sink.put(&[Topic::new("t", Type::Int32).record(0i32, &narrow(), [1i32.into()])])?;
    assert_eq!(database.rows("SELECT * FROM base")?, ["1"]);
    Ok(())
}

#[test]
fn a_table_that_a_person_changed_is_looked_at_again() -> Result<()> {
    let database = MySqlDatabase::create()?;
    let upsert: Settings = &[("insert.mode", "upsert")];
    let mut sink = Sink::with_url(&database.jdbc_url(), &[&BY_KEY, EVOLVE, upsert])?;
    let mut topic = Topic::new("t", Type::Int32);
    let values = || [1i32.into(), "x".into()];
    sink.put(&[topic.record(1i32, &wide(), values())])?;
    database.rows("ALTER TABLE t DROP COLUMN b")?;
    sink.put(&[topic.record(2i32, &wide(), values())])?;
    database.rows("DROP TABLE t")?;
    sink.put(&[topic.record(3i32, &wide(), values())])?;
    assert_eq!(database.rows("SELECT id, a, b FROM t")?, ["3|1|x"]);
    Ok(())
}

#[test]
fn tasks_create_one_table_together() -> Result<()> {
    let database = MySqlDatabase::create()?;
    let barrier = Barrier::new(3);
    let task = |number: i32| -> Result<()> {
        let mut sink = Sink::with_url(&database.jdbc_url(), &[&BY_KEY, EVOLVE])?;
        let mut topic = Topic::new("t", Type::Int32);
        let record = topic.record(number, &narrow(), [number.into()]);
        let more = topic.record(number + 10, &wide(), [number.into(), "x".into()]);
        barrier.wait();
        sink.put(&[record])?;
        barrier.wait();
        Ok(sink.put(&[more])?)
    };
    std::thread::scope(|scope| {
        let tasks = [1, 2, 3].map(|number| scope.spawn(move || task(number)));
        tasks.into_iter().try_for_each(|task| {
            task.join()
                .unwrap_or_else(|_| Err(anyhow::anyhow!("a task panicked")))
        })
    })?;
    assert_eq!(database.rows("SELECT count(*) FROM t")?, ["6"]);
    Ok(())
}
