//! A record's value for a column, and what is said if it does not fit.

use std::fmt::Display;

use tether_api::data::{Type, Value};
use tether_api::record::SinkRecord;
use tether_api::{ConnectError, Result};

use crate::fields::SinkField;
use crate::table::TableId;

/// Why a value cannot be written that has another type than its schema says.
pub(super) const WRONG_TYPE: &str = "the value does not have the type of its schema";

/// What `use_value` makes of a record's value for a field.
///
/// # Errors
/// Which record and which field it is, if the value does not fit, or is not null
/// although the column takes nothing else.
pub(crate) fn with_value<T, M: Display>(
    table: &TableId,
    (field, takes_values): (&SinkField, bool),
    record: &SinkRecord,
    use_value: impl FnOnce(&Value) -> Result<T, M>,
) -> Result<T> {
    if takes_values && let Some(value) = field.direct(record) {
        return use_value(value).map_err(|reason| misfit(table, field, record, value, reason));
    }
    let Some(value) = field.value(record) else {
        let reason = match field.inferred {
            Some(_) => "it does not fit the column",
            None => WRONG_TYPE,
        };
        return Err(misfit(table, field, record, &Value::Null, reason));
    };
    if !takes_values && !value.is_null() {
        let reason = unsupported(field, record);
        return Err(misfit(table, field, record, &value, reason));
    }
    use_value(&value).map_err(|reason| misfit(table, field, record, &value, reason))
}

/// Appends a value of a key, of which `push` appends what is not null.
///
/// # Errors
/// Those of `push`.
pub(crate) fn push_key_value<M>(
    value: &Value,
    record: &SinkRecord,
    key: &mut Vec<u8>,
    push: impl FnOnce(&mut Vec<u8>) -> Result<(), M>,
) -> Result<(), M> {
    key.push(u8::from(!value.is_null()));
    if !value.is_null() {
        return push(key);
    }
    // No null is equal to another one.
    key.extend(record.offset().to_be_bytes());
    key.extend(record.original.partition.to_be_bytes());
    key.extend(record.original.topic.as_bytes());
    Ok(())
}

/// The error for a value that does not fit its column: which record, which
/// field, which type of value, and why. The value itself may be secret.
#[cold]
fn misfit(
    table: &TableId,
    field: &SinkField,
    record: &SinkRecord,
    value: &Value,
    reason: impl Display,
) -> ConnectError {
    ConnectError::data(format!(
        "Cannot write field {} of the record at ({record}) to table {table}: {reason} \
         (schema type {}, value type {})",
        field.name,
        field.schema.kind(),
        value.java_class()
    ))
}

/// The reason for values that no parameter can hold, with what helps.
fn unsupported(field: &SinkField, record: &SinkRecord) -> String {
    let kind = field.schema.kind();
    let is_envelope = record
        .record
        .value_schema
        .as_ref()
        .and_then(|schema| schema.name())
        .is_some_and(|name| name.ends_with(".Envelope"));
    let hint = match kind {
        _ if is_envelope => "; a Debezium envelope needs the transformation ExtractNewRecordState",
        Type::Struct => {
            "; nested.mode=flatten makes columns of its fields, nested.mode=json one of JSON"
        }
        Type::Map | Type::Array => "; nested.mode=json makes a column of JSON",
        _ => "",
    };
    format!("Unsupported source data type: {kind}{hint}")
}
