//! Structs, with the reference's words where a value is none or lacks a field.

use std::sync::Arc;

use tether_api::data::{Field, Schema, Struct, Type, Value, validate};
use tether_api::{ConnectError, Result};

/// The struct that a value is (`Requirements.requireStruct`).
///
/// # Errors
/// Data, if it is something else.
pub(crate) fn require_struct(value: Value, purpose: &str) -> Result<Struct> {
    match value {
        Value::Struct(value) => Ok(Arc::unwrap_or_clone(value)),
        value => Err(no_struct(&value, purpose)),
    }
}

/// The struct that a value is, which stays there.
///
/// # Errors
/// Data, if it is something else.
pub(crate) fn require_struct_ref<'a>(value: &'a Value, purpose: &str) -> Result<&'a Struct> {
    value.as_struct().ok_or_else(|| no_struct(value, purpose))
}

fn no_struct(value: &Value, purpose: &str) -> ConnectError {
    let found = match value {
        Value::Null => "null",
        value => value.java_class(),
    };
    ConnectError::data(format!(
        "Only Struct objects supported for [{purpose}], found: {found}"
    ))
}

/// A field of this name and type (`Struct.getString` and its like).
///
/// # Errors
/// Data, if there is none or it has another type.
pub(crate) fn typed_field<'a>(schema: &'a Schema, name: &str, kind: Type) -> Result<&'a Field> {
    let field = existing_field(schema, name)?;
    if field.schema.kind() == kind {
        return Ok(field);
    }
    Err(ConnectError::data(format!(
        "Field '{name}' is not of type {kind}"
    )))
}

/// A field of this name (`Struct.get`).
///
/// # Errors
/// Data, if there is none.
pub(crate) fn existing_field<'a>(schema: &'a Schema, name: &str) -> Result<&'a Field> {
    schema
        .field(name)
        .ok_or_else(|| ConnectError::data(format!("{name} is not a valid field name")))
}

/// The field of this name, if there is one (`Schema.field`).
///
/// # Errors
/// Data, if the schema is not one of a struct.
pub(crate) fn look_up<'a>(schema: &'a Schema, name: &str) -> Result<Option<&'a Field>> {
    if schema.kind() != Type::Struct {
        return Err(ConnectError::data(
            "Cannot look up fields on non-struct type",
        ));
    }
    Ok(schema.field(name))
}

/// Refuses nulls in fields that must not be null, as `Struct.put` does even
/// where a field has a default.
///
/// # Errors
/// Data, for the first such field.
pub(crate) fn check_nulls(schema: &Schema, values: &[Value]) -> Result<()> {
    for (field, value) in schema.fields().iter().zip(values) {
        if value.is_null() && !field.schema.is_optional() {
            validate(Some(&field.name), &field.schema, value)?;
        }
    }
    Ok(())
}

/// Puts defaults in the place of nulls.
pub(crate) fn replace_nulls(schema: &Schema, values: &mut [Value]) {
    for (field, value) in schema.fields().iter().zip(values) {
        if value.is_null()
            && let Some(default) = field.schema.default_value()
        {
            *value = default.clone();
        }
    }
}

/// The value of a field that has to be null or a value of this schema.
///
/// # Errors
/// Data, if it is neither.
pub(crate) fn checked(name: &str, schema: &Schema, value: Value) -> Result<Value> {
    validate(Some(name), schema, &value)?;
    Ok(value)
}

/// What the reference's missing check for null comes to.
pub(crate) fn null_pointer(what: &str) -> ConnectError {
    ConnectError::other(format!("{what} is null")).with_class("java.lang.NullPointerException")
}
