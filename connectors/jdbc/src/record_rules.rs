//! Which records the sink takes (spec section 4.1).

use tether_api::data::{Schema, Type, Value};
use tether_api::record::SinkRecord;
use tether_api::{ConnectError, Result};

use crate::change_event::{self, Asked, RowPath, Shape};
use crate::config::{Choice, FieldFilter, KeyMode, SinkConfig};

/// What is done about a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Intent {
    /// Its row is written.
    Write,
    /// The row of its key is deleted.
    Delete,
    /// The table is emptied.
    Truncate,
    /// Nothing is done.
    Skip,
}

/// Checks that key and value of a record have the shapes that the
/// configuration needs, and says what is done about it.
///
/// # Errors
/// With the reference's text, which names the record's position.
pub(crate) fn check(config: &SinkConfig, shape: Shape, record: &SinkRecord) -> Result<Intent> {
    let value = &record.record.value;
    let is_null = value.is_null();
    if shape == Shape::SchemaChange {
        tracing::warn!(
            %record,
            "leaving out a change of a schema; adjust topics or topics.regex to exclude its topic"
        );
        return Ok(Intent::Skip);
    }
    let asked = match is_null {
        true => Asked::Delete,
        false => shape.asked(value),
    };
    match asked {
        Asked::Truncate if config.truncate_enabled => return Ok(Intent::Truncate),
        Asked::Truncate => return Ok(Intent::Skip),
        Asked::Delete if !config.delete_enabled && (!is_null || config.values.skips_null) => {
            return Ok(Intent::Skip);
        }
        Asked::Delete | Asked::Write => {}
    }
    if config.key_mode == KeyMode::RecordKey {
        check_key(config, record)?;
    }
    if asked == Asked::Delete && config.delete_enabled {
        return check_deletion(config, shape, record);
    }
    check_value(config, record)?;
    check_row(shape.written(), "after", record)?;
    Ok(Intent::Write)
}

/// A deletion without a row deletes nothing where the row has the key, nor does
/// a tombstone where the headers have it.
fn check_deletion(config: &SinkConfig, shape: Shape, record: &SinkRecord) -> Result<Intent> {
    let is_null = record.record.value.is_null();
    let is_tombstone = is_null && record.record.value_schema.is_none();
    match config.key_mode {
        KeyMode::RecordValue if is_null => Ok(Intent::Skip),
        KeyMode::RecordHeader if is_tombstone => Ok(Intent::Skip),
        KeyMode::RecordValue => {
            check_value(config, record)?;
            check_row(shape.deleted(), "before", record)?;
            Ok(Intent::Delete)
        }
        _ => Ok(Intent::Delete),
    }
}

/// An event has to have the row that it is about, and rows are read by index,
/// so it must be of the schema that the event's schema says.
fn check_row(path: Option<RowPath>, part: &str, record: &SinkRecord) -> Result<()> {
    if path == Some(RowPath::Value) {
        return Ok(());
    }
    let row = path.and_then(|path| {
        let schema = record.record.value_schema.as_ref()?;
        let declared = change_event::row(schema, path)?.schema;
        let row = path.row(&record.record.value)?;
        declared.describes(row.schema()).then_some(row)
    });
    match row {
        Some(_) => Ok(()),
        None => Err(ConnectError::data(format!(
            "The event at {} has no row in its field {part}",
            position(record)
        ))),
    }
}

fn check_key(config: &SinkConfig, record: &SinkRecord) -> Result<()> {
    let (schema, key) = (record.record.key_schema.as_ref(), &record.record.key);
    let has_schema =
        schema.is_some_and(|schema| schema.kind() == Type::Struct || schema.kind().is_primitive());
    if has_schema && !key.is_null() {
        return check_struct(schema.map(|schema| &**schema), key, "key", record);
    }
    Err(ConnectError::other(format!(
        "{} and therefore requires records with a non-null key and non-null Struct or primitive \
         key schema, but found record at {} with a {} key and {} key schema.",
        setting(config),
        position(record),
        shown_value(key),
        shown_schema(schema.map(|schema| &**schema)),
    )))
}

fn check_value(config: &SinkConfig, record: &SinkRecord) -> Result<()> {
    let (schema, value) = (record.record.value_schema.as_ref(), &record.record.value);
    let kind = schema.map(|schema| schema.kind());
    if !value.is_null() && kind == Some(Type::Struct) {
        return check_struct(schema.map(|schema| &**schema), value, "value", record);
    }
    let takes_text = config.values.text_column.is_some();
    if !value.is_null() && kind == Some(Type::String) && takes_text {
        return check_text_options(config);
    }
    let hint = match (value, schema) {
        (Value::Null, _) => {
            " To delete rows by records without a value, set delete.enabled=true; to leave such \
             records out, use the transformation Filter with the predicate RecordIsTombstone."
        }
        (Value::Map(_), None) => {
            " Use a converter that gives records a schema, such as JsonConverter with \
             schemas.enable=true or AvroConverter, or set schemaless.mode=infer_from_table to \
             write the entries of maps to columns of the same names."
        }
        _ => "",
    };
    Err(ConnectError::other(format!(
        "{} and therefore requires records with a non-null Struct or String value and non-null \
         Struct or String schema, but found record at {} with a {} value and {} value schema.{hint}",
        setting(config),
        position(record),
        shown_value(value),
        shown_schema(schema.map(|schema| &**schema)),
    )))
}

/// Fields are reached by index, so a struct must be of the record's schema.
fn check_struct(
    schema: Option<&Schema>,
    value: &Value,
    part: &str,
    record: &SinkRecord,
) -> Result<()> {
    let Some(schema) = schema.filter(|schema| schema.kind() == Type::Struct) else {
        return Ok(());
    };
    match value {
        Value::Struct(value) if **value.schema() == *schema => Ok(()),
        _ => Err(ConnectError::data(format!(
            "The {part} of the record at {} does not have the {part} schema of the record",
            position(record)
        ))),
    }
}

fn check_text_options(config: &SinkConfig) -> Result<()> {
    let mut conflicting = Vec::new();
    if config.fields != FieldFilter::All {
        conflicting.push("fields.whitelist");
    }
    if !config.time.epoch_fields.is_empty() {
        conflicting.push("timestamp.fields.list");
    }
    if conflicting.is_empty() {
        return Ok(());
    }
    Err(ConnectError::other(format!(
        "Sink connector '{}' is configured with field-level options that are not applicable to \
         String values: {}. Remove these options, or have the upstream producer emit Struct \
         values instead.",
        config.connector,
        conflicting.join(", ")
    )))
}

fn setting(config: &SinkConfig) -> String {
    format!(
        "Sink connector '{}' is configured with 'delete.enabled={}' and 'pk.mode={}'",
        config.connector,
        config.delete_enabled,
        config.key_mode.word()
    )
}

/// `(topic='t',partition=0,offset=1,timestamp=2)`
pub(crate) fn position(record: &SinkRecord) -> String {
    let timestamp = match record.record.timestamp {
        Some(timestamp) => timestamp.to_string(),
        None => "null".to_owned(),
    };
    format!(
        "(topic='{}',partition={},offset={},timestamp={timestamp})",
        record.original.topic,
        record.original.partition,
        record.offset()
    )
}

/// The simple name of a value's Java class.
fn shown_value(value: &Value) -> &'static str {
    match value {
        Value::Bytes(_) => "byte[]",
        value => {
            let class = value.java_class();
            class.rsplit('.').next().unwrap_or(class)
        }
    }
}

fn shown_schema(schema: Option<&Schema>) -> String {
    match schema.map(Schema::kind) {
        None => "null".to_owned(),
        Some(Type::Struct) => "Struct".to_owned(),
        Some(kind) => kind.name().to_lowercase(),
    }
}

#[cfg(test)]
mod tests;
