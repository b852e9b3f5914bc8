//! Keys that are equal because their values are, whatever the database would
//! say.
//!
//! That is enough to insert only the last of several records with one key
//! (`use.reduction.buffer`): keys that only the database takes for equal are an
//! error then as they are without.

use tether_api::Result;
use tether_api::data::Value;
use tether_api::record::SinkRecord;

use crate::database::column_value::{push_key_value, with_value};
use crate::fields::SinkField;
use crate::json::{self, JsonError};
use crate::table::TableId;

/// Appends bytes that are equal for records whose keys have equal values.
///
/// # Errors
/// If a value has not the shape of its schema.
pub(crate) fn push<'f>(
    table: &TableId,
    fields: impl Iterator<Item = &'f SinkField>,
    record: &SinkRecord,
    out: &mut Vec<u8>,
) -> Result<()> {
    for field in fields {
        with_value(table, (field, true), record, |value| {
            push_key_value(value, record, out, |out| push_value(value, out))
        })?;
    }
    Ok(())
}

fn push_value(value: &Value, out: &mut Vec<u8>) -> Result<(), JsonError> {
    match value {
        Value::String(text) => push_delimited(text.as_bytes(), out),
        Value::Bytes(bytes) => push_delimited(bytes, out),
        value => match value.as_i64() {
            Some(number) => out.extend(number.to_be_bytes()),
            None => push_delimited(json::text(value)?.as_bytes(), out),
        },
    }
    Ok(())
}

fn push_delimited(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend((bytes.len() as u64).to_be_bytes());
    out.extend_from_slice(bytes);
}
