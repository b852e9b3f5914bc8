//! The headers that say which connector made a record (specification, section
//! 4.6).

use tether_api::data::{Schema, SchemaAndValue, SchemaRef, Text, Type, Value};
use tether_api::header::Headers;
use uuid::Uuid;

/// The new key of a row, on the deletion that a change of its key begins with.
const NEW_KEY: &str = "__debezium.newkey";
/// The old key of a row, on the creation that a change of its key ends with.
const OLD_KEY: &str = "__debezium.oldkey";

/// There is one task only.
const TASK_ID: &str = "0";
const CONNECTOR_NAME: &str = "postgresql";

/// The headers that the records of a task have in common.
#[derive(Debug, Clone, Default)]
pub struct ContextHeaders(Headers);

impl ContextHeaders {
    /// Those of a task that starts now; `name` is `topic.prefix`.
    pub fn new(name: &str) -> Self {
        let mut headers = Headers::new();
        let mut add = |key: &'static str, value: Text| {
            let schema = Schema::primitive(Type::String, false);
            headers.add(
                Text::from_static(key),
                SchemaAndValue::new(schema, Value::String(value)),
            );
        };
        add("__debezium.context.connectorLogicalName", name.into());
        add("__debezium.context.taskId", Text::from_static(TASK_ID));
        add(
            "__debezium.context.connectorName",
            Text::from_static(CONNECTOR_NAME),
        );
        add(
            "__debezium.context.runId",
            Uuid::now_v7().to_string().into(),
        );
        Self(headers)
    }

    /// No headers (`extended.headers.enabled=false`).
    pub fn none() -> Self {
        Self::default()
    }

    /// The headers of a record.
    pub(super) fn plain(&self) -> Headers {
        self.0.clone()
    }

    /// The headers of a deletion that makes room for a row of this key.
    pub(super) fn with_new_key(&self, schema: Option<&SchemaRef>, key: Value) -> Headers {
        self.with_key(NEW_KEY, schema, key)
    }

    /// The headers of the creation of a row that had this key.
    pub(super) fn with_old_key(&self, schema: Option<&SchemaRef>, key: Value) -> Headers {
        self.with_key(OLD_KEY, schema, key)
    }

    fn with_key(&self, name: &'static str, schema: Option<&SchemaRef>, key: Value) -> Headers {
        let value = match schema {
            Some(schema) => SchemaAndValue::new(schema.clone(), key),
            None => SchemaAndValue::schemaless(key),
        };
        let mut headers = Headers::new();
        headers.add(Text::from_static(name), value);
        for header in &self.0 {
            headers.add(header.key.clone(), header.value.clone());
        }
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_has_a_uuid_of_version_7() {
        let run = || {
            let headers = ContextHeaders::new("srv").plain();
            let id = headers
                .iter()
                .last()
                .map(|header| header.value.value.clone());
            Uuid::parse_str(id.unwrap().as_str().unwrap()).unwrap()
        };
        let (id, other) = (run(), run());
        assert_ne!(id, other);
        assert_eq!(id.get_version_num(), 7);
    }

    #[test]
    fn the_key_comes_before_the_context() {
        let headers = ContextHeaders::new("srv").with_old_key(None, Value::Int32(1));
        let names: Vec<&str> = headers.iter().map(|header| &*header.key).collect();
        let expected = [
            "__debezium.oldkey",
            "__debezium.context.connectorLogicalName",
            "__debezium.context.taskId",
            "__debezium.context.connectorName",
            "__debezium.context.runId",
        ];
        assert_eq!(names, expected);
        assert!(ContextHeaders::none().plain().is_empty());
    }
}
