//! Tables that are missing, lack columns or change (specification, section 7).

use std::sync::Barrier;

use anyhow::Result;
use tether_api::data::{Schema, SchemaRef, Struct, Type};

use super::sink::{BY_KEY, Settings, Sink, database, rows};
use super::topic::{Topic, optional, required, structure};

const CREATE: Settings = &[("auto.create", "true")];
const EVOLVE: Settings = &[("auto.create", "true"), ("auto.evolve", "true")];

fn narrow() -> SchemaRef {
    structure(&[("a", required(Type::Int32))])
}

fn wide() -> SchemaRef {
    structure(&[("a", required(Type::Int32)), ("b", optional(Type::String))])
}

#[test]
fn the_first_pipeline_gets_its_table() -> Result<()> {
    let database = database()?;
    let settings: Settings = &[
        ("insert.mode", "upsert"),
        ("pk.mode", "record_key"),
        ("pk.fields", "id"),
        ("table.name.format", "users"),
        (
            "key.subject.name.strategy",
            "io.confluent.kafka.serializers.subject.PrimitiveSubjectNameStrategy",
        ),
    ];
    let text = [
        "name",
        "username",
        "email",
        "address_street",
        "address_suite",
        "address_city",
        "address_zipcode",
        "address_geo_lat",
        "address_geo_lng",
        "phone",
        "website",
        "company_name",
        "company_catchPhrase",
        "company_bs",
        "timestamp",
    ];
    let mut fields = vec![("id", required(Type::Int32))];
    fields.extend(text.map(|name| (name, required(Type::String))));
    fields.push(("count", required(Type::Int64)));
    let schema = structure(&fields);
    let key_schema = structure(&[("id", required(Type::Int32))]);
    let mut sink = Sink::start(&database, &[EVOLVE, settings])?;
    let mut topic = Topic::new("processed-users", Type::Int32);
    let mut records = Vec::new();
    for (id, count) in [(1i32, 1i64), (2, 1), (1, 2)] {
        let mut values = vec![id.into()];
        values.extend(text.map(|name| format!("{name} of {id}").into()));
        values.push(count.into());
        let key = Struct::from_values(key_schema.clone(), vec![id.into()])?;
        let value = Struct::from_values(schema.clone(), values)?;
        records.push(topic.raw(
            Some(key_schema.clone()),
            key.into(),
            Some(schema.clone()),
            value.into(),
        ));
    }
    sink.put(&records)?;
    sink.put(&records)?;
    let mut expected = vec!["id integer NOT NULL".to_owned()];
    expected.extend(text.map(|name| format!("{name} text NOT NULL")));
    expected.push("count bigint NOT NULL".to_owned());
    assert_eq!(database.columns("users")?, expected);
    assert_eq!(database.primary_key("users")?, ["id"]);
    assert_eq!(
        rows(
            &database,
            "SELECT id, count, \"company_catchPhrase\" FROM users ORDER BY id"
        )?,
        [
            "1|2|company_catchPhrase of 1",
            "2|1|company_catchPhrase of 2"
        ]
    );
    Ok(())
}

#[test]
fn a_missing_table_needs_auto_create() -> Result<()> {
    let database = database()?;
    let mut sink = Sink::start(&database, &[])?;
    let record = Topic::new("t", Type::Int32).record(0i32, &narrow(), [1i32.into()]);
    let error = sink.refused(&[record])?;
    let name = database.column("SELECT current_database()")?.remove(0);
    assert_eq!(
        error,
        format!("Table \"{name}\".\"public\".\"t\" is missing and auto-creation is disabled")
    );
    Ok(())
}

#[test]
fn new_fields_become_columns() -> Result<()> {
    let database = database()?;
    let mut sink = Sink::start(&database, &[&BY_KEY, EVOLVE])?;
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
    let records = [
        topic.record(1i32, &narrow(), [1i32.into()]),
        topic.record(2i32, &wide(), [2i32.into(), "x".into()]),
        topic.record(
            3i32,
            &newest,
            [3i32.into(), "y".into(), 6i64.into(), true.into()],
        ),
        topic.record(4i32, &narrow(), [4i32.into()]),
    ];
    sink.put(&records)?;
    assert_eq!(
        database.columns("t")?,
        [
            "a integer NOT NULL",
            "id integer NOT NULL",
            "b text",
            "c bigint",
            "d boolean"
        ]
    );
    assert_eq!(
        rows(&database, "SELECT id, a, b, c, d FROM t ORDER BY id")?,
        [
            "1|1|null|5|null",
            "2|2|x|5|null",
            "3|3|y|6|t",
            "4|4|null|5|null"
        ]
    );
    Ok(())
}

#[test]
fn refusals_in_the_order_of_the_reference() -> Result<()> {
    let database = database()?;
    database.rows("CREATE TABLE t (id int PRIMARY KEY); CREATE VIEW v AS SELECT * FROM t")?;
    let needed = structure(&[("x", required(Type::Int32))]);
    let free = structure(&[("x", optional(Type::Int32))]);
    let field = "SinkRecordField{schema=Schema{INT32}, name='x', isPrimaryKey=false}";
    let views: Settings = &[("table.types", "TABLE,VIEW")];
    let cases: [(&str, &[Settings], &SchemaRef, String); 4] = [
        (
            "v",
            &[&BY_KEY, EVOLVE, views],
            &needed,
            format!("is missing fields ([{field}]) and ALTER VIEW is unsupported"),
        ),
        (
            "t",
            &[&BY_KEY, EVOLVE],
            &needed,
            format!(
                "to add missing field {field}, as the field is not optional and does not have a default value"
            ),
        ),
        (
            "t",
            &[&BY_KEY, CREATE],
            &free,
            format!("is missing fields ([{field}]) and auto-evolution is disabled"),
        ),
        (
            "v",
            &[&BY_KEY],
            &free,
            "exists, but table.types allows only TABLE".to_owned(),
        ),
    ];
    for (table, settings, schema, words) in cases {
        let mut sink = Sink::start(&database, settings)?;
        let record = Topic::new(table, Type::Int32).record(1i32, schema, [1i32.into()]);
        let error = sink.refused(&[record])?;
        // What a record is to blame for names it.
        let record =
            format!(", for the record at (topic='{table}',partition=0,offset=0,timestamp=null)");
        let error = error.strip_suffix(&record).unwrap_or(&error);
        assert!(error.ends_with(&words), "{error}");
    }
    Ok(())
}

#[test]
fn a_view_and_a_partitioned_table_are_written_to() -> Result<()> {
    let database = database()?;
    database.rows(
        "CREATE TABLE base (id int PRIMARY KEY, a int); CREATE VIEW v AS SELECT * FROM base; \
         CREATE TABLE p (id int PRIMARY KEY, a int) PARTITION BY RANGE (id); \
         CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10); \
         CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20)",
    )?;
    let upsert: Settings = &[("insert.mode", "upsert"), ("delete.enabled", "true")];
    for (table, types) in [("v", "VIEW"), ("p", "TABLE"), ("p", "PARTITIONED TABLE")] {
        let types: Settings = &[("table.types", types)];
        let mut sink = Sink::start(&database, &[&BY_KEY, upsert, types, EVOLVE])?;
        let mut topic = Topic::new(table, Type::Int32);
        let records = [
            topic.record(1i32, &narrow(), [1i32.into()]),
            topic.record(11i32, &narrow(), [2i32.into()]),
            topic.record(1i32, &narrow(), [3i32.into()]),
            topic.record(2i32, &narrow(), [4i32.into()]),
            topic.tombstone(2i32),
        ];
        sink.put(&records)?;
        let all = format!("SELECT * FROM {table} ORDER BY id");
        assert_eq!(rows(&database, &all)?, ["1|3", "11|2"]);
        let record = topic.record(3i32, &wide(), [1i32.into(), "x".into()]);
        let error = sink.refused(&[record])?;
        assert!(
            error.contains("is missing fields") && error.contains("is unsupported, for the record"),
            "{error}"
        );
    }
    Ok(())
}

#[test]
fn tasks_that_create_and_amend_one_table_together() -> Result<()> {
    let database = database()?;
    let tasks = 3;
    let barrier = Barrier::new(tasks);
    std::thread::scope(|scope| {
        let tasks: Vec<_> = (0..tasks as i32)
            .map(|number| {
                let (database, barrier) = (&database, &barrier);
                scope.spawn(move || -> Result<()> {
                    let mut sink =
                        Sink::start(database, &[&BY_KEY, EVOLVE, &[("insert.mode", "upsert")]])?;
                    let mut topic = Topic::new("t", Type::Int32);
                    barrier.wait();
                    sink.put(&[topic.record(number, &narrow(), [1i32.into()])])?;
                    barrier.wait();
                    sink.put(&[topic.record(number + 10, &wide(), [2i32.into(), "x".into()])])?;
                    Ok(())
                })
            })
            .collect();
        for task in tasks {
            task.join()
                .map_err(|_| anyhow::anyhow!("a task panicked"))??;
        }
        Ok::<_, anyhow::Error>(())
    })?;
    assert_eq!(
        rows(&database, "SELECT count(*), count(b) FROM t")?,
        ["6|3"]
    );
    Ok(())
}

#[test]
fn what_a_person_changes_is_noticed() -> Result<()> {
    let database = database()?;
    let mut sink = Sink::start(&database, &[&BY_KEY, EVOLVE])?;
    let mut topic = Topic::new("t", Type::Int32);
    sink.put(&[topic.record(1i32, &wide(), [1i32.into(), "x".into()])])?;
    database.rows("ALTER TABLE t DROP COLUMN b")?;
    sink.put(&[topic.record(2i32, &wide(), [2i32.into(), "y".into()])])?;
    database.rows("ALTER TABLE t ALTER COLUMN b TYPE varchar(20), ALTER COLUMN a TYPE bigint")?;
    sink.put(&[topic.record(3i32, &wide(), [3i32.into(), "z".into()])])?;
    assert_eq!(
        rows(&database, "SELECT id, b FROM t ORDER BY id")?,
        ["1|null", "2|y", "3|z"]
    );
    database.rows("DROP TABLE t")?;
    sink.put(&[topic.record(4i32, &wide(), [4i32.into(), "z".into()])])?;
    assert_eq!(rows(&database, "SELECT id FROM t")?, ["4"]);
    Ok(())
}

#[test]
fn a_key_without_a_unique_constraint() -> Result<()> {
    let database = database()?;
    database.rows("CREATE TABLE t (id int, a int)")?;
    let mut sink = Sink::start(&database, &[&BY_KEY, &[("insert.mode", "upsert")]])?;
    let record = Topic::new("t", Type::Int32).record(1i32, &narrow(), [1i32.into()]);
    let error = sink.refused(&[record])?;
    assert!(error.contains("SQLSTATE 42P10"), "{error}");
    Ok(())
}
