//! Change events, rows without them, and what the key is taken from.

use serde_json::{Value, json};

use super::record::{Record, optional, required, structure, with_schema};
use super::scenario::Scenario;

pub(super) fn scenarios() -> Vec<Scenario> {
    let events = Events::default();
    vec![
        Scenario {
            name: "by_key",
            settings: &[("truncate.enabled", "true")],
            records: by_key(),
            ..Scenario::default()
        },
        Scenario {
            name: "by_value",
            settings: &[
                ("primary.key.mode", "record_value"),
                ("primary.key.fields", "id"),
                ("delete.enabled", "false"),
            ],
            records: vec![
                events.write("c", 1, "a"),
                events.write("c", 2, "b"),
                events.delete(1),
                events.tombstone(1),
                events.tombstone(2),
            ],
            ..Scenario::default()
        },
        Scenario {
            name: "deleted_by_value",
            settings: &[
                ("primary.key.mode", "record_value"),
                ("primary.key.fields", "id"),
            ],
            records: vec![events.write("c", 1, "a"), events.delete(1)],
            fails: Some("Error configuring an instance of JdbcSinkConnectorConfig"),
            ..Scenario::default()
        },
        Scenario {
            name: "no_deletes",
            settings: &[("delete.enabled", "false")],
            records: vec![
                events.write("c", 1, "a"),
                events.delete(1),
                events.tombstone(1),
                events.truncate(),
            ],
            ..Scenario::default()
        },
        Scenario {
            name: "coordinates",
            settings: &[
                ("primary.key.mode", "kafka"),
                ("insert.mode", "insert"),
                ("delete.enabled", "false"),
            ],
            records: vec![events.write("c", 1, "a"), events.write("u", 1, "b")],
            ..Scenario::default()
        },
        Scenario {
            name: "keyless",
            settings: &[
                ("primary.key.mode", "none"),
                ("insert.mode", "insert"),
                ("delete.enabled", "false"),
            ],
            records: vec![events.write("c", 1, "a"), events.write("u", 1, "b")],
            ..Scenario::default()
        },
        Scenario {
            name: "headers",
            settings: &[
                ("primary.key.mode", "record_header"),
                ("delete.enabled", "false"),
            ],
            records: vec![
                events.write("c", 1, "a").header("tenant", "x"),
                events.write("c", 2, "b").header("tenant", "x"),
                events.write("c", 3, "c").header("tenant", "y"),
                events.delete(3).header("tenant", "y"),
                events.tombstone(1).header("tenant", "x"),
            ],
            ..Scenario::default()
        },
        Scenario {
            name: "filtered",
            settings: &[("field.exclude.list", "name")],
            records: vec![
                events.write("c", 1, "a"),
                events.delete(1),
                events.write("c", 2, "a"),
            ],
            ..Scenario::default()
        },
        Scenario {
            name: "part_of_the_key",
            settings: &[
                ("primary.key.mode", "record_value"),
                ("primary.key.fields", "name,id"),
                ("delete.enabled", "false"),
            ],
            records: vec![events.write("c", 1, "a"), events.write("u", 1, "a")],
            ..Scenario::default()
        },
        Scenario {
            name: "rows",
            records: vec![
                events.row(1, Some("a")),
                events.row(2, Some("b")),
                events.row(1, Some("c")),
                events.row(2, None),
            ],
            ..Scenario::default()
        },
        Scenario {
            name: "updates",
            settings: &[("insert.mode", "update")],
            records: vec![events.write("c", 1, "a"), events.write("u", 1, "b")],
            ..Scenario::default()
        },
        Scenario {
            name: "evolving",
            records: vec![
                events.write("c", 1, "a"),
                events.evolved().write("c", 2, "b"),
                events.write("c", 3, "c"),
            ],
            ..Scenario::default()
        },
        Scenario {
            name: "cloud",
            records: vec![
                events.in_cloud_event("c", 1, "a"),
                events.in_cloud_event("c", 2, "b"),
            ],
            ..Scenario::default()
        },
        Scenario {
            name: "quoted",
            settings: &[("quote.identifiers", "true")],
            records: vec![
                Events::with_names("Id", "Name").write("c", 1, "a"),
                Events::with_names("Id", "Name").write("c", 2, "a"),
            ],
            ..Scenario::default()
        },
        Scenario {
            name: "folded",
            records: vec![Events::with_names("Id", "Name").write("c", 1, "a")],
            ..Scenario::default()
        },
        Scenario {
            name: "schema_changes",
            records: vec![schema_change()],
            ..Scenario::default()
        },
    ]
}

/// All kinds of events.
pub(super) fn by_key() -> Vec<Record> {
    let events = Events::default();
    vec![
        events.write("c", 1, "gone"),
        events.write("r", 2, "gone"),
        events.truncate(),
        events.write("r", 1, "a"),
        events.write("c", 2, "b"),
        events.write("u", 2, "c"),
        events.write("c", 3, "d"),
        events.delete(3),
        events.tombstone(3),
        events.write("c", 4, "e"),
        events.delete(4),
        events.write("c", 4, "f"),
    ]
}

fn schema_change() -> Record {
    let name = "io.debezium.connector.mysql.SchemaChangeValue";
    let schema = structure(name, &[("ddl", optional("string"))], false);
    Record::new(
        None,
        Some(with_schema(&schema, json!({"ddl": "DROP TABLE t"}))),
    )
}

/// The events of a table.
#[derive(Clone)]
struct Events {
    id: &'static str,
    name: &'static str,
    more: Vec<(&'static str, Value, Value)>,
}

impl Default for Events {
    fn default() -> Self {
        Self::with_names("id", "name")
    }
}

impl Events {
    fn with_names(id: &'static str, name: &'static str) -> Self {
        Self {
            id,
            name,
            more: Vec::new(),
        }
    }

    /// The same after columns were added.
    fn evolved(&self) -> Self {
        let mut flag = optional("boolean");
        flag["default"] = json!(true);
        let mut size = required("int32");
        size["default"] = json!(5);
        Self {
            more: vec![
                ("flag", flag, json!(false)),
                ("size", size, json!(6)),
                ("note", optional("string"), json!("n")),
            ],
            ..self.clone()
        }
    }

    fn row_schema(&self) -> Value {
        let mut fields = vec![
            (self.id, required("int32")),
            (self.name, optional("string")),
        ];
        let more = self.more.iter();
        fields.extend(more.map(|(name, schema, _)| (*name, schema.clone())));
        structure("server.shop.orders.Value", &fields, true)
    }

    fn envelope(&self) -> Value {
        let source = structure("source", &[("table", required("string"))], false);
        let fields = [
            ("before", self.row_schema()),
            ("after", self.row_schema()),
            ("source", source),
            ("op", required("string")),
            ("ts_ms", optional("int64")),
        ];
        structure("server.shop.orders.Envelope", &fields, false)
    }

    fn data(&self, id: i32, name: &str) -> Value {
        let mut row = json!({self.id: id, self.name: name});
        for (name, _, value) in &self.more {
            row[*name] = value.clone();
        }
        row
    }

    fn key(&self, id: i32) -> Value {
        let schema = structure(
            "server.shop.orders.Key",
            &[(self.id, required("int32"))],
            false,
        );
        with_schema(&schema, json!({self.id: id}))
    }

    fn payload(op: &str, before: Value, after: Value) -> Value {
        let source = json!({"table": "orders"});
        json!({"before": before, "after": after, "source": source, "op": op, "ts_ms": 1})
    }

    fn event(&self, key: Option<Value>, op: &str, before: Value, after: Value) -> Record {
        let payload = Self::payload(op, before, after);
        Record::new(key, Some(with_schema(&self.envelope(), payload)))
    }

    fn write(&self, op: &str, id: i32, name: &str) -> Record {
        self.event(Some(self.key(id)), op, Value::Null, self.data(id, name))
    }

    fn delete(&self, id: i32) -> Record {
        self.event(Some(self.key(id)), "d", self.data(id, "old"), Value::Null)
    }

    fn truncate(&self) -> Record {
        self.event(None, "t", Value::Null, Value::Null)
    }

    fn tombstone(&self, id: i32) -> Record {
        Record::new(Some(self.key(id)), None)
    }

    /// A row that is no event; null with a schema if it has no name.
    fn row(&self, id: i32, name: Option<&str>) -> Record {
        let row = name.map_or(Value::Null, |name| self.data(id, name));
        Record::new(
            Some(self.key(id)),
            Some(with_schema(&self.row_schema(), row)),
        )
    }

    fn in_cloud_event(&self, op: &str, id: i32, name: &str) -> Record {
        let fields = [("id", required("string")), ("data", self.envelope())];
        let schema = structure("server.shop.orders.CloudEvents.Envelope", &fields, false);
        let data = Self::payload(op, Value::Null, self.data(id, name));
        let event = json!({"id": "1", "data": data});
        Record::new(Some(self.key(id)), Some(with_schema(&schema, event)))
    }
}
