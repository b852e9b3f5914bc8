//! CloudEvents as Connect data.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tether_api::data::{
    Bytes, MapValue, SchemaAndValue, SchemaBuilder, SchemaCache, SchemaRef, Struct, Type, Value,
    validate,
};
use tether_api::{ConnectError, Result};

use super::record::null_pointer;
use super::shape::{DATA, EVENT_SCHEMA};
use crate::format::Format as _;
use crate::json::{JsonFormat, Tree, decode_text};

/// What every event has to have.
const REQUIRED: [&str; 4] = ["id", "source", "specversion", "type"];

/// The error for what is no event. What it is may be secret.
pub(super) fn no_event() -> ConnectError {
    ConnectError::data("A deserialized record's value is not a CloudEvent")
}

/// Reads an event in JSON, without its data.
///
/// # Errors
/// Data, if it is none.
pub(super) fn event(json: &JsonFormat, bytes: Option<&Bytes>) -> Result<MapValue> {
    let Value::Map(event) = json.decode(bytes)?.value else {
        return Err(no_event());
    };
    let has_all = REQUIRED.iter().all(|name| event.get_text(name).is_some());
    if has_all {
        Ok(std::sync::Arc::unwrap_or_clone(event))
    } else {
        Err(no_event())
    }
}

/// Reads the data of an event in JSON.
///
/// # Errors
/// Data or Other, if there is none or it does not fit its schema.
pub(super) fn json_data(json: &JsonFormat, bytes: &Bytes, with_schema: bool) -> Result<Value> {
    let text = decode_text(bytes)?;
    let tree = Tree::parse(&text)?;
    let data = tree.get(DATA).ok_or_else(|| null_pointer(DATA))?;
    if !with_schema {
        return json.read_with(None, Some(data.text));
    }
    let schema = data.get("schema").ok_or_else(|| null_pointer("schema"))?;
    json.read_with(Some(schema.text), data.get("payload").map(|tree| tree.text))
}

/// The data of an event in JSON, where it is Avro; `None` if there is none.
///
/// # Errors
/// Data, if it is no Base64.
pub(super) fn avro_data(event: &MapValue) -> Result<Option<Bytes>> {
    match event.get_text(DATA) {
        None => Err(null_pointer(DATA)),
        Some(Value::String(text)) => {
            let bytes = STANDARD.decode(text.as_bytes()).map_err(|error| {
                ConnectError::data("The data of the CloudEvent is no Base64")
                    .caused_by(error.to_string())
            })?;
            Ok(Some(bytes.into()))
        }
        Some(Value::Null) => Ok(None),
        Some(_) => Err(ConnectError::data(
            "The data of the CloudEvent is no text with Base64",
        )),
    }
}

/// Checks that data in Avro is an event whose schema has this name, or ends
/// like those of events.
///
/// # Errors
/// Data or Other, if it is none.
pub(super) fn check_avro<'a>(data: &'a SchemaAndValue, name: Option<&str>) -> Result<&'a Struct> {
    let schema = data.schema.as_ref().ok_or_else(|| null_pointer("schema"))?;
    let found = schema.name().ok_or_else(|| null_pointer("name"))?;
    let is_named = match name {
        Some(name) => found == name,
        None => found.ends_with(EVENT_SCHEMA),
    };
    let has_all = || REQUIRED.iter().all(|name| schema.field(name).is_some());
    match &data.value {
        Value::Struct(event) if is_named && has_all() => Ok(event),
        _ => Err(no_event()),
    }
}

/// The bytes of the data of an event in Avro.
///
/// # Errors
/// Data, if there is no such field.
pub(super) fn data_bytes(event: &Struct) -> Result<Option<Bytes>> {
    let field = event
        .schema()
        .field(DATA)
        .ok_or_else(|| ConnectError::data(format!("{DATA} is not a valid field name")))?;
    if field.schema.kind() != Type::Bytes {
        return Err(ConnectError::data(format!(
            "Field '{DATA}' is not of type {}",
            Type::Bytes
        )));
    }
    match event.values().get(field.index) {
        Some(Value::Bytes(bytes)) => Ok(Some(bytes.clone())),
        _ => Ok(None),
    }
}

/// Schemas of events in Avro with the schema of their data in its place.
pub(super) struct WholeSchemas(SchemaCache<(SchemaRef, SchemaRef)>);

impl WholeSchemas {
    pub(super) fn new() -> Self {
        Self(SchemaCache::new(64))
    }

    /// An event in Avro with its data.
    ///
    /// # Errors
    /// Data, if the data has no schema or does not fit it.
    pub(super) fn put_in(&self, event: &Struct, data: SchemaAndValue) -> Result<SchemaAndValue> {
        let Some(data_schema) = data.schema else {
            let message = format!("fieldSchema for field {DATA} cannot be null.");
            return Err(ConnectError::data(message)
                .with_class("org.apache.kafka.connect.errors.SchemaBuilderException"));
        };
        let schema = match self.0.get(event.schema()) {
            Some((known, whole)) if known == data_schema => whole,
            _ => {
                let whole = whole(event.schema(), &data_schema);
                let known = (data_schema.clone(), whole.clone());
                self.0.insert(event.schema(), known);
                whole
            }
        };
        let mut values = Vec::with_capacity(schema.fields().len());
        for field in schema.fields() {
            let value = if *field.name == *DATA {
                data.value.clone()
            } else {
                event.get_at(field.index).cloned().unwrap_or_default()
            };
            validate(Some(&field.name), &field.schema, &value)?;
            values.push(value);
        }
        let value = Struct::from_values(schema.clone(), values)?;
        Ok(SchemaAndValue::new(schema, value.into()))
    }
}

fn whole(event: &SchemaRef, data: &SchemaRef) -> SchemaRef {
    let mut builder = SchemaBuilder::structure()
        .with_name(event.name().map(Into::into))
        .with_version(event.version())
        .parameters(event.parameters().clone());
    if let Some(doc) = event.doc() {
        builder = builder.doc(doc);
    }
    for field in event.fields() {
        let schema = if *field.name == *DATA {
            data
        } else {
            &field.schema
        };
        builder = builder.field(field.name.clone(), schema.clone());
    }
    builder.build()
}
