//! Debezium's change events, as they come from a topic.

use tether_api::data::{Schema, SchemaAndValue, SchemaBuilder, SchemaRef, Struct, Type, Value};
use tether_api::record::SinkRecord;

use crate::support::{Sink, Topic, int, optional, structure};

const DEBEZIUM: [(&str, &str); 5] = [
    (
        "connector.class",
        "io.debezium.connector.jdbc.JdbcSinkConnector",
    ),
    ("connection.username", "u"),
    ("schema.evolution", "basic"),
    ("insert.mode", "upsert"),
    ("delete.enabled", "true"),
];

/// The rows of a table with its events.
struct Events {
    topic: Topic,
    key: SchemaRef,
    row: SchemaRef,
    envelope: SchemaRef,
}

impl Events {
    fn new() -> Self {
        let row = SchemaBuilder::structure()
            .name("server.shop.orders.Value")
            .field("id", int())
            .field("name", optional(Type::String))
            .optional()
            .build();
        let envelope = SchemaBuilder::structure()
            .name("server.shop.orders.Envelope")
            .field("before", row.clone())
            .field("after", row.clone())
            .field("op", Schema::primitive(Type::String, false))
            .build();
        Self {
            topic: Topic::named("orders"),
            key: structure(&[("id", int())]),
            row,
            envelope,
        }
    }

    fn row(&self, id: i32, name: &str) -> Value {
        let values = vec![id.into(), name.into()];
        Struct::from_values(self.row.clone(), values)
            .unwrap()
            .into()
    }

    fn event(&mut self, op: &str, before: Value, after: Value) -> SinkRecord {
        let id = [&after, &before]
            .iter()
            .find_map(|row| Some(row.as_struct()?.values()[0].clone()))
            .unwrap_or_default();
        let key = Struct::from_values(self.key.clone(), vec![id]).unwrap();
        let value =
            Struct::from_values(self.envelope.clone(), vec![before, after, op.into()]).unwrap();
        self.topic.raw(
            Some(self.key.clone()),
            key.into(),
            Some(self.envelope.clone()),
            value.into(),
        )
    }

    fn write(&mut self, op: &str, id: i32, name: &str) -> SinkRecord {
        let after = self.row(id, name);
        self.event(op, Value::Null, after)
    }

    fn delete(&mut self, id: i32) -> SinkRecord {
        let before = self.row(id, "");
        self.event("d", before, Value::Null)
    }

    fn truncate(&mut self) -> SinkRecord {
        let mut record = self.event("t", Value::Null, Value::Null);
        (record.record.key_schema, record.record.key) = (None, Value::Null);
        record
    }

    fn tombstone(&mut self, id: i32) -> SinkRecord {
        let key = Struct::from_values(self.key.clone(), vec![id.into()]).unwrap();
        self.topic
            .raw(Some(self.key.clone()), key.into(), None, Value::Null)
    }
}

async fn sink(settings: &[(&str, &str)]) -> Sink {
    Sink::start(&[&DEBEZIUM, settings].concat()).await
}

const ALL: &str = "SELECT id, name FROM orders ORDER BY id";

#[tokio::test]
async fn operations_change_rows_by_the_records_key() {
    let mut sink = sink(&[("primary.key.mode", "record_key")]).await;
    let mut events = Events::new();
    let records = [
        events.write("r", 1, "a"),
        events.write("c", 2, "b"),
        events.write("u", 2, "c"),
        events.write("c", 3, "d"),
        events.delete(3),
        events.tombstone(3),
    ];
    sink.put(&records).await.unwrap();
    assert_eq!(sink.rows(ALL), ["1|a", "2|c"]);
    sink.put(&[events.delete(1), events.write("c", 1, "e")])
        .await
        .unwrap();
    assert_eq!(sink.rows(ALL), ["1|e", "2|c"]);
    assert_eq!(
        sink.definition("orders"),
        "CREATE TABLE `orders` (\n`id` INTEGER NOT NULL,\n`name` TEXT NULL,\nPRIMARY KEY(`id`))"
    );
}

#[tokio::test]
async fn deletions_by_the_row_before() {
    let settings = [
        ("primary.key.mode", "record_value"),
        ("primary.key.fields", "id"),
    ];
    let mut sink = sink(&settings).await;
    let mut events = Events::new();
    let records = [
        events.write("c", 1, "a"),
        events.write("c", 2, "b"),
        events.delete(1),
        events.tombstone(2),
    ];
    sink.put(&records).await.unwrap();
    assert_eq!(sink.rows(ALL), ["2|b"]);
    let nothing_before = events.event("d", Value::Null, Value::Null);
    let error = sink.put(&[nothing_before]).await.unwrap_err().to_string();
    assert!(error.contains("has no row in its field before"), "{error}");
}

#[tokio::test]
async fn an_event_without_its_row_is_an_error() {
    let mut sink = sink(&[("primary.key.mode", "record_key")]).await;
    let mut events = Events::new();
    let nothing_after = events.event("c", Value::Null, Value::Null);
    let error = sink.put(&[nothing_after]).await.unwrap_err().to_string();
    assert!(error.contains("has no row in its field after"), "{error}");
}

#[tokio::test]
async fn tables_are_emptied_in_the_order_of_records() {
    let settings = [
        ("primary.key.mode", "record_key"),
        ("truncate.enabled", "true"),
    ];
    let mut sink = sink(&settings).await;
    let mut events = Events::new();
    sink.put(&[events.truncate()]).await.unwrap();
    let records = [
        events.write("c", 1, "a"),
        events.write("c", 2, "b"),
        events.truncate(),
        events.truncate(),
        events.write("c", 2, "c"),
        events.write("c", 3, "d"),
    ];
    sink.put(&records).await.unwrap();
    assert_eq!(sink.rows(ALL), ["2|c", "3|d"]);
    sink.put(&[events.truncate()]).await.unwrap();
    assert_eq!(sink.rows(ALL), [""; 0]);
}

#[tokio::test]
async fn what_is_not_enabled_is_left_out() {
    let settings = [
        ("primary.key.mode", "record_key"),
        ("delete.enabled", "false"),
    ];
    let mut sink = sink(&settings).await;
    let mut events = Events::new();
    let records = [
        events.write("c", 1, "a"),
        events.delete(1),
        events.tombstone(1),
        events.truncate(),
    ];
    sink.put(&records).await.unwrap();
    assert_eq!(sink.rows(ALL), ["1|a"]);
}

#[tokio::test]
async fn changes_of_schemas_are_left_out() {
    let mut sink = sink(&[("primary.key.mode", "record_key")]).await;
    let schema = SchemaBuilder::structure()
        .name("io.debezium.connector.mysql.SchemaChangeValue")
        .field("ddl", optional(Type::String))
        .build();
    let value = Struct::from_values(schema.clone(), vec!["DROP".into()]).unwrap();
    let record = Topic::named("server").raw(None, Value::Null, Some(schema), value.into());
    sink.put(&[record]).await.unwrap();
    assert_eq!(sink.rows("SELECT name FROM sqlite_schema"), [""; 0]);
}

#[tokio::test]
async fn headers_are_the_key() {
    let mut sink = sink(&[("primary.key.mode", "record_header")]).await;
    let mut events = Events::new();
    let with_header = |mut record: SinkRecord, id: i32| {
        let value = SchemaAndValue::new(int(), id.into());
        record.record.headers.add("tenant", value);
        record
    };
    let records = [
        with_header(events.write("c", 1, "a"), 7),
        with_header(events.write("u", 2, "b"), 7),
        with_header(events.write("c", 3, "c"), 8),
        with_header(events.write("c", 4, "d"), 9),
        with_header(events.delete(4), 9),
        with_header(events.tombstone(3), 8),
    ];
    sink.put(&records).await.unwrap();
    let rows = sink.rows("SELECT tenant, id, name FROM orders ORDER BY tenant");
    assert_eq!(rows, ["7|2|b", "8|3|c"]);
    let error = sink.put(&[events.write("c", 1, "a")]).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("cannot have empty message headers"),
        "{error}"
    );
}

#[tokio::test]
async fn the_data_of_a_cloud_event_is_taken_out() {
    let mut sink = sink(&[("primary.key.mode", "record_key")]).await;
    let mut events = Events::new();
    let wrapped = |mut record: SinkRecord| {
        let schema = SchemaBuilder::structure()
            .name("server.shop.orders.CloudEvents.Envelope")
            .field("id", Schema::primitive(Type::String, false))
            .field("data", record.record.value_schema.take().unwrap())
            .build();
        let value = vec!["1".into(), record.record.value];
        record.record.value = Struct::from_values(schema.clone(), value).unwrap().into();
        record.record.value_schema = Some(schema);
        record
    };
    let records = [
        wrapped(events.write("c", 1, "a")),
        wrapped(events.write("c", 2, "b")),
        wrapped(events.delete(1)),
    ];
    sink.put(&records).await.unwrap();
    assert_eq!(sink.rows(ALL), ["2|b"]);
}

/// What `ExtractNewRecordState` makes of deletions: null with a schema.
#[tokio::test]
async fn rows_without_an_event() {
    let mut sink = sink(&[("primary.key.mode", "record_key")]).await;
    let mut events = Events::new();
    let (schema, row) = (events.row.clone(), events.row(1, "a"));
    let mut flat = |row| {
        let mut record = events.write("c", 1, "a");
        record.record.value_schema = Some(schema.clone());
        record.record.value = row;
        record
    };
    let written = flat(row);
    let deleted = flat(Value::Null);
    sink.put(std::slice::from_ref(&written)).await.unwrap();
    assert_eq!(sink.rows(ALL), ["1|a"]);
    sink.put(&[deleted]).await.unwrap();
    assert_eq!(sink.rows(ALL), [""; 0]);
}
