//! Tables that are missing, lack columns or change (spec section 7).

use tether_api::data::{Schema, Type};

use crate::support::{Sink, Topic, int, optional, structure};

const KEY: [(&str, &str); 2] = [("pk.mode", "record_key"), ("pk.fields", "id")];

#[tokio::test]
async fn a_missing_table_needs_auto_create() {
    let mut sink = Sink::start(&KEY).await;
    let schema = structure(&[("a", int())]);
    let record = Topic::named("t").record(1i32, &schema, vec![1i32.into()]);
    let error = sink.put(&[record]).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "Table \"t\" is missing and auto-creation is disabled"
    );
    assert_eq!(
        error.java_class(),
        "io.confluent.connect.jdbc.sink.TableAlterOrCreateException"
    );
}

#[tokio::test]
async fn a_new_optional_field_becomes_a_column() {
    let settings = [
        KEY[0],
        KEY[1],
        ("auto.create", "true"),
        ("auto.evolve", "true"),
    ];
    let mut sink = Sink::start(&settings).await;
    let mut topic = Topic::named("t");
    let old = structure(&[("a", int())]);
    sink.put(&[topic.record(1i32, &old, vec![1i32.into()])])
        .await
        .unwrap();
    let with_default = Schema::builder(Type::String)
        .default_value("it's".into())
        .build();
    let new = structure(&[
        ("a", int()),
        ("b", optional(Type::Int64)),
        ("c", with_default),
    ]);
    let values = vec![2i32.into(), 3i64.into(), "x".into()];
    sink.put(&[topic.record(2i32, &new, values)]).await.unwrap();
    sink.put(&[topic.record(3i32, &old, vec![3i32.into()])])
        .await
        .unwrap();
    assert_eq!(
        sink.rows("SELECT id, a, b, c FROM t"),
        ["1|1|null|it's", "2|2|3|x", "3|3|null|it's"]
    );
}

#[tokio::test]
async fn columns_that_cannot_be_added() {
    let mut sink = Sink::start(&KEY).await;
    sink.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)");
    let mut topic = Topic::named("t");
    let required = structure(&[("a", int())]);
    let record = topic.record(1i32, &required, vec![1i32.into()]);
    let error = sink.put(&[record]).await.unwrap_err().to_string();
    assert_eq!(
        error,
        "Cannot ALTER TABLE \"t\" to add missing field SinkRecordField{schema=Schema{INT32}, \
         name='a', isPrimaryKey=false}, as the field is not optional and does not have a default \
         value, for the record at (topic='t',partition=0,offset=0,timestamp=null)"
    );
    let free = structure(&[("a", optional(Type::Int32))]);
    let record = topic.record(1i32, &free, vec![1i32.into()]);
    let error = sink.put(&[record]).await.unwrap_err().to_string();
    assert_eq!(
        error,
        "Table \"t\" is missing fields ([SinkRecordField{schema=Schema{INT32}, name='a', \
         isPrimaryKey=false}]) and auto-evolution is disabled, for the record at \
         (topic='t',partition=0,offset=1,timestamp=null)"
    );
}

#[tokio::test]
async fn views_are_written_to_but_not_altered() {
    let settings = [
        KEY[0],
        KEY[1],
        ("table.types", "VIEW"),
        ("auto.evolve", "true"),
    ];
    let mut sink = Sink::start(&settings).await;
    sink.execute(
        "CREATE TABLE base (id INTEGER, a INTEGER); CREATE VIEW t AS SELECT * FROM base; \
         CREATE TRIGGER w INSTEAD OF INSERT ON t BEGIN INSERT INTO base VALUES (new.id, new.a); END",
    );
    let mut topic = Topic::named("t");
    let schema = structure(&[("a", int())]);
    sink.put(&[topic.record(1i32, &schema, vec![2i32.into()])])
        .await
        .unwrap();
    assert_eq!(sink.rows("SELECT * FROM base"), ["1|2"]);
    let more = structure(&[("a", int()), ("b", optional(Type::String))]);
    let record = topic.record(1i32, &more, vec![2i32.into(), "x".into()]);
    let error = sink.put(&[record]).await.unwrap_err().to_string();
    assert!(
        error.starts_with("View \"t\" is missing fields (["),
        "{error}"
    );
    assert!(
        error.contains(") and ALTER VIEW is unsupported, for the record at (topic='t'"),
        "{error}"
    );
    let mut tables_only = sink.another(&KEY).await;
    let record = topic.record(1i32, &schema, vec![2i32.into()]);
    let error = tables_only.put(&[record]).await.unwrap_err().to_string();
    assert_eq!(
        error,
        "View \"t\" exists, but table.types allows only TABLE"
    );
}

#[tokio::test]
async fn a_table_that_is_dropped_is_created_again() {
    let settings = [KEY[0], KEY[1], ("auto.create", "true")];
    let mut sink = Sink::start(&settings).await;
    let schema = structure(&[("a", int())]);
    let mut topic = Topic::named("t");
    for _ in 0..3 {
        sink.put(&[topic.record(1i32, &schema, vec![1i32.into()])])
            .await
            .unwrap();
        sink.execute("DROP TABLE t");
    }
}

#[tokio::test]
async fn names_are_found_in_any_case() {
    let settings = [KEY[0], KEY[1], ("table.name.format", "Orders_${topic}")];
    let mut sink = Sink::start(&settings).await;
    sink.execute("CREATE TABLE orders_T (ID INTEGER, userid INTEGER)");
    let schema = structure(&[("userId", int())]);
    let record = Topic::named("t").record(1i32, &schema, vec![2i32.into()]);
    sink.put(&[record]).await.unwrap();
    assert_eq!(sink.rows("SELECT * FROM orders_T"), ["1|2"]);
}

#[tokio::test]
async fn hostile_names_and_defaults_stay_names_and_values() {
    let settings = [
        ("auto.create", "true"),
        ("table.name.format", "`x``; DROP TABLE victim; --`"),
    ];
    let mut sink = Sink::start(&settings).await;
    sink.execute("CREATE TABLE victim (a)");
    let default = Schema::builder(Type::String)
        .default_value("'); DROP TABLE victim; --".into())
        .build();
    let schema = structure(&[("a`); DROP TABLE victim; --", int()), ("b", default)]);
    let values = vec![1i32.into(), "'; DROP TABLE victim; --".into()];
    let record = Topic::named("t").record(1i32, &schema, values);
    sink.put(&[record]).await.unwrap();
    assert_eq!(sink.rows("SELECT count(*) FROM victim"), ["0"]);
    assert_eq!(
        sink.rows("SELECT name FROM sqlite_schema ORDER BY name"),
        ["victim", "x`; DROP TABLE victim; --"]
    );
}

#[tokio::test]
async fn names_that_sqlite_cannot_have() {
    let mut sink = Sink::start(&[("auto.create", "true")]).await;
    let schema = structure(&[("a", int())]);
    let record = Topic::named("server1.public.orders").record(1i32, &schema, vec![1i32.into()]);
    let error = sink.put(&[record]).await.unwrap_err().to_string();
    assert!(
        error.contains("SQLite knows database and table only"),
        "{error}"
    );
    let record = Topic::named("main.orders").record(1i32, &schema, vec![1i32.into()]);
    sink.put(&[record]).await.unwrap();
    assert_eq!(sink.rows("SELECT * FROM orders"), ["1"]);
}
