//! Records as `JsonConverter` reads them.

use serde_json::{Value, json};
use tether_tests::topics;

/// A record of a topic.
#[derive(Debug, Clone, Default)]
pub(super) struct Record {
    key: Option<Value>,
    value: Option<Value>,
    headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Record {
    /// A record of a key and a value, each with its schema.
    pub(super) fn new(key: Option<Value>, value: Option<Value>) -> Self {
        Self {
            key,
            value,
            headers: Vec::new(),
        }
    }

    /// The same with one more header, a text.
    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers
            .push((name.to_owned(), Some(value.as_bytes().to_vec())));
        self
    }

    pub(super) fn in_topic(&self) -> topics::Record {
        let bytes = |data: &Option<Value>| data.as_ref().map(|data| data.to_string().into_bytes());
        topics::Record {
            partition: 0,
            offset: 0,
            timestamp: None,
            key: bytes(&self.key),
            value: bytes(&self.value),
            headers: self.headers.clone(),
        }
    }
}

/// Data with its schema.
pub(super) fn with_schema(schema: &Value, payload: Value) -> Value {
    json!({"schema": schema, "payload": payload})
}

/// The schema of an optional value of a type.
pub(super) fn optional(kind: &str) -> Value {
    json!({"type": kind, "optional": true})
}

/// The schema of a value of a type that is never null.
pub(super) fn required(kind: &str) -> Value {
    json!({"type": kind, "optional": false})
}

/// The schema of an optional value with a name.
pub(super) fn named(kind: &str, name: &str) -> Value {
    json!({"type": kind, "optional": true, "name": name, "version": 1})
}

/// The same schema with parameters.
pub(super) fn with_parameters(mut schema: Value, parameters: &[(&str, &str)]) -> Value {
    for (name, value) in parameters {
        schema["parameters"][*name] = Value::from(*value);
    }
    schema
}

/// The schema of a struct.
pub(super) fn structure(name: &str, fields: &[(&str, Value)], is_optional: bool) -> Value {
    let fields: Vec<Value> = fields
        .iter()
        .map(|(name, schema)| {
            let mut field = schema.clone();
            field["field"] = Value::from(*name);
            field
        })
        .collect();
    json!({"type": "struct", "optional": is_optional, "name": name, "fields": fields})
}
