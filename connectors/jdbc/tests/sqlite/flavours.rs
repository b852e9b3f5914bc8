//! What differs between the connectors that are stood in for.

use tether_api::data::{Schema, SchemaBuilder, Type, Value};

use crate::support::{Sink, Topic, int, optional, structure};

const AIVEN: (&str, &str) = ("connector.class", "io.aiven.connect.jdbc.JdbcSinkConnector");
const DEBEZIUM: (&str, &str) = (
    "connector.class",
    "io.debezium.connector.jdbc.JdbcSinkConnector",
);

/// Settings of Debezium's connector with a key.
const BY_KEY: [(&str, &str); 6] = [
    DEBEZIUM,
    ("connection.username", "u"),
    ("insert.mode", "upsert"),
    ("primary.key.mode", "record_key"),
    ("primary.key.fields", "ID"),
    ("schema.evolution", "basic"),
];

#[tokio::test]
async fn a_row_whose_key_exists_stays_as_it_is() {
    let settings = [
        ("insert.mode", "ignore"),
        ("pk.mode", "record_key"),
        ("pk.fields", "id"),
        ("auto.create", "true"),
        ("delete.enabled", "true"),
    ];
    let mut sink = Sink::start(&settings).await;
    let schema = structure(&[("a", int())]);
    let mut topic = Topic::named("t");
    let mut record = |key: i32, a: i32| topic.record(key, &schema, vec![a.into()]);
    let records = [record(1, 1), record(1, 2), record(2, 1)];
    sink.put(&records).await.unwrap();
    sink.put(&[record(2, 3), record(3, 3)]).await.unwrap();
    assert_eq!(
        sink.rows("SELECT * FROM t ORDER BY id"),
        ["1|1", "1|2", "3|3"]
    );
    let required = [Schema::primitive(Type::Int32, true)];
    sink.execute("CREATE TABLE strict (id INTEGER PRIMARY KEY, a INTEGER NOT NULL)");
    let schema = structure(&[("a", required[0].clone())]);
    let mut topic = Topic::named("strict");
    let record = topic.record(1i32, &schema, vec![Value::Null]);
    assert!(
        sink.put(&[record]).await.is_err(),
        "a null is not a key that exists"
    );
}

#[tokio::test]
async fn aivens_names_of_tables() {
    let settings = [
        AIVEN,
        ("table.name.normalize", "true"),
        ("table.name.format", "x-${topic}"),
        ("auto.create", "true"),
        ("insert.mode", "multi"),
    ];
    let mut sink = Sink::start(&settings).await;
    let schema = structure(&[("a", int())]);
    let mut dotted = Topic::named("a.b");
    let record = dotted.record(1i32, &schema, vec![1i32.into()]);
    sink.put(&[record]).await.unwrap();
    assert_eq!(sink.rows("SELECT a FROM x_a_b"), ["1"]);

    let mapped = [
        AIVEN,
        ("topics.to.tables.mapping", "a.b:t"),
        ("auto.create", "true"),
    ];
    let mut sink = sink.another(&mapped).await;
    let record = dotted.record(1i32, &schema, vec![2i32.into()]);
    sink.put(&[record]).await.unwrap();
    assert_eq!(sink.rows("SELECT a FROM t"), ["2"]);
    let record = Topic::named("c").record(1i32, &schema, vec![3i32.into()]);
    let error = sink.put(&[record]).await.unwrap_err().to_string();
    assert!(
        error.contains("couldn't be found in the topics to tables mapping: 'a.b->t'"),
        "{error}"
    );
    let text = dotted.raw(None, Value::Null, Some(optional(Type::String)), "x".into());
    assert!(sink.put(&[text]).await.is_err(), "a text is no row");
}

#[tokio::test]
async fn debeziums_tables() {
    let mut sink = Sink::start(&BY_KEY).await;
    let with_default = SchemaBuilder::new(Type::Int32)
        .optional()
        .default_value(7i32.into())
        .build();
    let schema = structure(&[
        ("Name", optional(Type::String)),
        ("_n", with_default),
        ("a b", int()),
    ]);
    let mut topic = Topic::named("server.public.orders");
    let values = vec!["x".into(), Value::Null, 1i32.into()];
    let record = topic.record(1i32, &schema, values);
    sink.put(&[record]).await.unwrap();
    assert_eq!(
        sink.definition("server_public_orders"),
        "CREATE TABLE `server_public_orders` (\n`id` INTEGER NOT NULL,\n`name` TEXT NULL,\n\
         `_n` INTEGER DEFAULT 7 NULL,\n`a b` INTEGER NOT NULL,\nPRIMARY KEY(`id`))"
    );
    assert_eq!(sink.rows("SELECT * FROM server_public_orders"), ["1|x|7|1"]);
    let quoted = [&BY_KEY[..], &[("quote.identifiers", "true")]].concat();
    let mut sink = Sink::start(&quoted).await;
    let schema = structure(&[("Name", optional(Type::String))]);
    let record = topic.record(1i32, &schema, vec!["x".into()]);
    sink.put(&[record]).await.unwrap();
    assert_eq!(
        sink.definition("server_public_orders"),
        "CREATE TABLE `server_public_orders` (\n`ID` INTEGER NOT NULL,\n`Name` TEXT NULL,\n\
         PRIMARY KEY(`ID`))"
    );
}

#[tokio::test]
async fn debezium_leaves_out_what_it_need_not_delete() {
    let mut sink = Sink::start(&BY_KEY).await;
    let schema = structure(&[("a", int())]);
    let mut topic = Topic::named("t");
    let records = [
        topic.record(1i32, &schema, vec![1i32.into()]),
        topic.tombstone(1i32),
    ];
    sink.put(&records).await.unwrap();
    assert_eq!(sink.rows("SELECT * FROM t"), ["1|1"]);
    let deleting = [&BY_KEY[..], &[("delete.enabled", "true")]].concat();
    let mut sink = sink.another(&deleting).await;
    sink.put(&[topic.tombstone(1i32)]).await.unwrap();
    assert_eq!(sink.rows("SELECT * FROM t"), [""; 0]);
}

#[tokio::test]
async fn fields_are_chosen_by_topic() {
    let settings = [
        &BY_KEY[..],
        &[
            ("field.include.list", "ID,one:a,two:b"),
            ("collection.name.format", "t"),
        ],
    ]
    .concat();
    let mut sink = Sink::start(&settings).await;
    let schema = structure(&[("a", optional(Type::Int32)), ("b", optional(Type::Int32))]);
    let record = |topic: &str, key: i32| {
        Topic::named(topic).record(key, &schema, vec![1i32.into(), 2i32.into()])
    };
    sink.put(&[record("one", 1), record("two", 2), record("one", 3)])
        .await
        .unwrap();
    assert_eq!(
        sink.rows("SELECT id, a, b FROM t ORDER BY id"),
        ["1|1|null", "2|null|2", "3|1|null"]
    );
}

#[tokio::test]
async fn schema_evolution_is_the_key_that_forbids() {
    let settings = [&BY_KEY[..5], &[("schema.evolution", "none")]].concat();
    let mut sink = Sink::start(&settings).await;
    let schema = structure(&[("a", int()), ("b", optional(Type::Int32))]);
    let mut topic = Topic::named("t");
    let record = topic.record(1i32, &schema, vec![1i32.into(), Value::Null]);
    let error = sink.put(std::slice::from_ref(&record)).await.unwrap_err();
    let error = error.to_string();
    assert!(
        error.contains("Cannot create table \"t\" because schema evolution is disabled"),
        "{error}"
    );
    sink.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER)");
    let error = sink.put(&[record]).await.unwrap_err().to_string();
    assert!(
        error.contains("Cannot alter table \"t\" because schema evolution is disabled"),
        "{error}"
    );
}

#[tokio::test]
async fn tables_are_named_after_the_source_of_events_alone() {
    let settings = [
        &BY_KEY[..],
        &[("collection.name.format", "${source.table}_events")],
    ]
    .concat();
    let mut sink = Sink::start(&settings).await;
    let schema = structure(&[("a", int())]);
    let mut topic = Topic::named("t");
    let record = topic.record(1i32, &schema, vec![1i32.into()]);
    sink.put(&[record]).await.unwrap();
    assert_eq!(sink.rows("SELECT name FROM sqlite_schema"), [""; 0]);
}
