//! What a part must be, with the reference's words where it is not
//! (`org.apache.kafka.connect.transforms.util.Requirements`).

use std::sync::Arc;

use tether_api::data::{Field, MapValue, Schema, Struct, Text, Type, Value};
use tether_api::{ConnectError, Result};

/// The map of a schemaless part.
///
/// # Errors
/// Data, if it is something else.
pub(crate) fn require_map(value: Value, purpose: &str) -> Result<MapValue> {
    match value {
        Value::Map(map) => Ok(Arc::unwrap_or_clone(map)),
        value => Err(no_map(&value, purpose)),
    }
}

/// The map of a schemaless part, which stays there.
///
/// # Errors
/// Data, if it is something else.
pub(crate) fn require_map_ref<'a>(value: &'a Value, purpose: &str) -> Result<&'a MapValue> {
    value.as_map().ok_or_else(|| no_map(value, purpose))
}

/// The struct of a part with a schema.
///
/// # Errors
/// Data, if it is something else.
pub(crate) fn require_struct(value: Value, purpose: &str) -> Result<Struct> {
    match value {
        Value::Struct(value) => Ok(Arc::unwrap_or_clone(value)),
        value => Err(no_struct(&value, purpose)),
    }
}

/// The struct of a part with a schema, which stays there.
///
/// # Errors
/// Data, if it is something else.
pub(crate) fn require_struct_ref<'a>(value: &'a Value, purpose: &str) -> Result<&'a Struct> {
    value.as_struct().ok_or_else(|| no_struct(value, purpose))
}

/// The name of an entry of a schemaless part.
///
/// # Errors
/// Data, if the key is no text.
pub(crate) fn require_name(key: &Value) -> Result<&Text> {
    match key {
        Value::String(name) => Ok(name),
        key => Err(ConnectError::data(format!(
            "class {} cannot be cast to class java.lang.String",
            key.java_class()
        ))
        .with_class("java.lang.ClassCastException")),
    }
}

/// The fields of a struct schema.
///
/// # Errors
/// Data, if it is the schema of something else.
pub(crate) fn require_fields(schema: &Schema) -> Result<&[Field]> {
    match schema.kind() {
        Type::Struct => Ok(schema.fields()),
        _ => Err(ConnectError::data("Cannot list fields on non-struct type")),
    }
}

fn no_map(value: &Value, purpose: &str) -> ConnectError {
    ConnectError::data(format!(
        "Only Map objects supported in absence of schema for [{purpose}], found: {}",
        value.java_class()
    ))
}

fn no_struct(value: &Value, purpose: &str) -> ConnectError {
    ConnectError::data(format!(
        "Only Struct objects supported for [{purpose}], found: {}",
        value.java_class()
    ))
}
