//! Whether a value fits a schema (`ConnectSchema.validateValue`).

use super::logical::Logical;
use super::{Schema, Type, Value};
use crate::{ConnectError, Result};

/// Checks a value, and the parts of an array or map, against a schema. Structs
/// are compared by schema; their fields were checked when they were set.
///
/// `field` names the field for the message.
///
/// # Errors
/// Data, with the reference's text.
pub fn validate(field: Option<&str>, schema: &Schema, value: &Value) -> Result<()> {
    if value.is_null() {
        if schema.is_optional() {
            return Ok(());
        }
        return Err(ConnectError::data(match field {
            Some(name) => format!(
                "Invalid value: null used for required field: \"{name}\", schema type: {}",
                schema.kind()
            ),
            None => format!(
                "Invalid value: null used for required field: null, schema type: {}",
                schema.kind()
            ),
        }));
    }
    if !fits(schema, value) {
        let named = schema
            .name()
            .map_or_else(String::new, |name| format!(" \"{name}\""));
        let at = field.map_or_else(|| "null".to_owned(), |name| format!("\"{name}\""));
        return Err(ConnectError::data(format!(
            "Invalid Java object for schema{named} with type {}: class {} for field: {at}",
            schema.kind(),
            value.java_class()
        )));
    }
    match value {
        Value::Struct(value) if !schema.describes(value.schema()) => {
            let at = field.map_or_else(|| "null".to_owned(), |name| format!("\"{name}\""));
            Err(ConnectError::data(format!(
                "Invalid struct schema for field {at}: {:?} does not equal {schema:?}",
                value.schema()
            )))
        }
        Value::Array(values) => match schema.value_schema() {
            Some(elements) => values
                .iter()
                .try_for_each(|value| validate(field, elements, value)),
            None => Ok(()),
        },
        Value::Map(entries) => {
            for (key, value) in entries.iter() {
                if let Some(keys) = schema.key_schema() {
                    validate(field, keys, key)?;
                }
                if let Some(values) = schema.value_schema() {
                    validate(field, values, value)?;
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
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
