//! Whether a value fits a schema (`ConnectSchema.validateValue`).

use std::fmt;

use super::logical::Logical;
use super::{Schema, SchemaRef, Type, Value};
use crate::{ConnectError, Result};

/// Checks a value, and the parts of an array or map, against a schema. Structs
/// are compared by schema; their fields were checked when they were set.
///
/// `field` names the field for the message.
///
/// # Errors
/// Data, with the reference's text.
pub fn validate(field: Option<&str>, schema: &Schema, value: &Value) -> Result<()> {
    validate_at(&Location::Top(field), schema, value)
}

/// Where a value stands, for the message.
enum Location<'a> {
    /// The value of a field, or one on its own.
    Top(Option<&'a str>),
    /// A part of a value: `element of array`, `key of map` or `value of map`.
    Within(&'static str, &'a Location<'a>),
}

impl fmt::Display for Location<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Top(None) => f.write_str("value"),
            Self::Top(Some(name)) => write!(f, "field: \"{name}\""),
            Self::Within(part, whole) => write!(f, "{part} {whole}"),
        }
    }
}

fn validate_at(location: &Location<'_>, schema: &Schema, value: &Value) -> Result<()> {
    if value.is_null() {
        if schema.is_optional() {
            return Ok(());
        }
        return Err(ConnectError::data(format!(
            "Invalid value: null used for required {location}, schema type: {}",
            schema.kind()
        )));
    }
    if !fits(schema, value) {
        let named = schema
            .name()
            .map_or_else(String::new, |name| format!(" \"{name}\""));
        return Err(ConnectError::data(format!(
            "Invalid Java object for schema{named} with type {}: class {} for {location}",
            schema.kind(),
            value.java_class()
        )));
    }
    match value {
        Value::Struct(value) if !schema.describes(value.schema()) => {
            Err(ConnectError::data("Struct schemas do not match."))
        }
        Value::Array(values) => {
            let location = Location::Within("element of array", location);
            let elements = part_schema(schema.value_schema(), &location)?;
            values
                .iter()
                .try_for_each(|value| validate_at(&location, elements, value))
        }
        Value::Map(entries) => {
            let key_location = Location::Within("key of map", location);
            let value_location = Location::Within("value of map", location);
            let keys = part_schema(schema.key_schema(), &key_location)?;
            let values = part_schema(schema.value_schema(), &value_location)?;
            entries.iter().try_for_each(|(key, value)| {
                validate_at(&key_location, keys, key)?;
                validate_at(&value_location, values, value)
            })
        }
        _ => Ok(()),
    }
}

fn part_schema<'a>(
    schema: Option<&'a SchemaRef>,
    location: &Location<'_>,
) -> Result<&'a SchemaRef> {
    schema.ok_or_else(|| ConnectError::data(format!("No schema defined for {location}")))
}

fn fits(schema: &Schema, value: &Value) -> bool {
    match (value, schema.kind()) {
        (Value::Decimal(_), Type::Bytes) => Logical::of(schema) == Some(Logical::Decimal),
        (Value::Date(_), Type::Int32) => Logical::of(schema) == Some(Logical::Date),
        (Value::Time(_), Type::Int32) => Logical::of(schema) == Some(Logical::Time),
        (Value::Timestamp(_), Type::Int64) => Logical::of(schema) == Some(Logical::Timestamp),
        (Value::Int32(_), Type::Int32)
        | (Value::Int64(_), Type::Int64)
        | (Value::Bytes(_), Type::Bytes) => Logical::of(schema).is_none(),
        (Value::Int8(_), Type::Int8)
        | (Value::Int16(_), Type::Int16)
        | (Value::Float32(_), Type::Float32)
        | (Value::Float64(_), Type::Float64)
        | (Value::Boolean(_), Type::Boolean)
        | (Value::String(_), Type::String)
        | (Value::Array(_), Type::Array)
        | (Value::Map(_), Type::Map)
        | (Value::Struct(_), Type::Struct) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{SchemaBuilder, logical};
    use super::*;

    #[test]
    fn logical_values_need_their_schema() {
        assert!(validate(None, &logical::date_schema(), &Value::Date(1)).is_ok());
        assert!(validate(None, &logical::date_schema(), &Value::Int32(1)).is_err());
        let error = validate(
            Some("a"),
            &Schema::primitive(Type::Int32, false),
            &Value::from("x"),
        );
        assert_eq!(
            error.err().map(|e| e.to_string()).as_deref(),
            Some(
                "Invalid Java object for schema with type INT32: class java.lang.String for field: \"a\""
            )
        );
    }

    #[test]
    fn elements_are_checked() {
        let schema = SchemaBuilder::array(Schema::primitive(Type::Int8, false)).build();
        assert!(validate(None, &schema, &vec![Value::Int8(1)].into()).is_ok());
        assert!(validate(None, &schema, &vec![Value::Null].into()).is_err());
    }
}
