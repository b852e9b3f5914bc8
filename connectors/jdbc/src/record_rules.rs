//! Which records the sink takes (spec section 4.1).

use tether_api::data::{Schema, SchemaRef, Type, Value};
use tether_api::record::SinkRecord;
use tether_api::{ConnectError, Result};

use crate::config::{Choice, FieldFilter, KeyMode, SinkConfig};

/// What a record asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Intent {
    /// Its row is written.
    Write,
    /// The row of its key is deleted.
    Delete,
    /// Nothing is done.
    Skip,
}

/// Checks that key and value of a record have the shapes that the
/// configuration needs, and says what the record asks for.
///
/// # Errors
/// With the reference's text, which names the record's position.
pub(crate) fn check(config: &SinkConfig, record: &SinkRecord) -> Result<Intent> {
    let is_null = record.record.value.is_null();
    if is_null && !config.delete_enabled && config.values.skips_null {
        return Ok(Intent::Skip);
    }
    if config.key_mode == KeyMode::RecordKey {
        check_key(config, record)?;
    }
    if config.delete_enabled && is_null {
        return Ok(Intent::Delete);
    }
    check_value(config, record)?;
    Ok(Intent::Write)
}

/// Refuses schemas of values that would have to be taken apart.
///
/// # Errors
/// Always for these schemas.
pub(crate) fn check_schema(config: &SinkConfig, schema: Option<&SchemaRef>) -> Result<()> {
    let name = schema.and_then(|schema| schema.name()).unwrap_or_default();
    let patterns = &config.values.cloud_events;
    let is_cloud_event = patterns
        .as_ref()
        .is_some_and(|pattern| pattern.matches(name));
    let is_envelope = config.values.unwraps_envelopes && name.ends_with(".Envelope");
    if !is_cloud_event && !is_envelope {
        return Ok(());
    }
    Err(ConnectError::other(format!(
        "Values of schema {name} cannot be taken apart yet; use the transformation \
         ExtractNewRecordState"
    )))
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
             schemas.enable=true or AvroConverter."
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
