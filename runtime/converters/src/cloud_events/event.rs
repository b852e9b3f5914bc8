//! Change events as CloudEvents (`PostgresCloudEventsMaker`).

use std::sync::Arc;

use tether_api::data::logical::Timestamp;
use tether_api::data::{SchemaRef, Struct, Text, Type, Value, validate};
use tether_api::{ConnectError, Result};

use super::config::{Config, Formats};
use super::metadata::Origin;
use super::record::{Record, null_pointer};
use super::shape::{EVENT_SCHEMA, Shape, Shapes};

const NAME: &str = "name";
const DATABASE: &str = "db";
const MILLIS: &str = "ts_ms";
const LSN: &str = "lsn";
const TRANSACTION: &str = "txId";
const SEQUENCE: &str = "sequence";

/// The only connector whose events the reference's plug-in knows.
const CONNECTOR: &str = "postgresql";

/// A record on the way to an event.
pub(super) struct Event<'a> {
    record: &'a Record<'a>,
    config: &'a Config,
    pub(super) shape: Arc<Shape>,
}

/// Refuses events of other connectors.
///
/// # Errors
/// Data, if the event is not of PostgreSQL or does not tell.
pub(super) fn check_connector(record: &Record<'_>) -> Result<()> {
    let connector = record.connector()?;
    if connector.as_str() == Some(CONNECTOR) {
        return Ok(());
    }
    Err(ConnectError::data(format!(
        "No usable CloudEvents converters for connector type \"{connector}\""
    )))
}

impl<'a> Event<'a> {
    /// Makes ready to make an event of a record.
    ///
    /// # Errors
    /// Data or Other, if the record does not tell what it has to.
    pub(super) fn new(record: &'a Record<'a>, config: &'a Config, shapes: &Shapes) -> Result<Self> {
        let data_name = record.data_name()?;
        let name = match &config.schema_name {
            Some(name) => name.clone(),
            None => {
                let (name, database) = (field(record, NAME)?, field(record, DATABASE)?);
                Text::from(format!("{name}.{database}.{EVENT_SCHEMA}"))
            }
        };
        Ok(Self {
            record,
            config,
            shape: shapes.of(record, name, data_name, config)?,
        })
    }

    /// The rows before and after the change, or the whole record where headers
    /// tell the rest.
    ///
    /// # Errors
    /// Data, if a row does not fit.
    pub(super) fn data(&self) -> Result<Struct> {
        let schema = self.shape.data()?;
        let mut values = Vec::with_capacity(schema.fields().len());
        for field in schema.fields() {
            // As in the reference, places count and not names.
            let value = self.record.value.get_at(field.index);
            let value = value.cloned().unwrap_or_default();
            validate(Some(&field.name), &field.schema, &value)?;
            values.push(value);
        }
        Struct::from_values(schema.clone(), values)
    }

    /// The event with this data; `schema` is the address of the data's schema,
    /// where a registry has it.
    ///
    /// # Errors
    /// Data or Other, if an attribute is missing or does not fit.
    pub(super) fn make(&self, data: Value, schema: Option<String>) -> Result<Struct> {
        let record = self.record;
        let origins = record.origins;
        let mut attributes = Attributes::new(&self.shape.event);
        attributes.put(match origins.id {
            Origin::Generate => generated_id(record)?.into(),
            _ => record.id()?,
        })?;
        let connector = record.connector()?;
        let name = record.source_text(NAME)?;
        let kind = match origins.kind {
            Origin::Generate => format!("io.debezium.connector.{connector}.DataChangeEvent").into(),
            _ => record.kind()?,
        };
        attributes.put(format!("/debezium/{connector}/{name}").into())?;
        attributes.put("1.0".into())?;
        attributes.put(kind)?;
        attributes.put(time(record)?.into())?;
        attributes.put(
            match self.config.formats {
                Formats::Json { .. } => "application/json",
                _ => "application/avro",
            }
            .into(),
        )?;
        if let Some(schema) = schema {
            attributes.put(schema.into())?;
        }
        if self.config.tracing {
            attributes.put(record.trace_parent()?)?;
        }
        if self.config.extensions {
            self.extend(&mut attributes)?;
        }
        attributes.put(data)?;
        attributes.finish()
    }

    fn extend(&self, attributes: &mut Attributes) -> Result<()> {
        let source = self.record.source();
        let transaction = self.record.transaction()?;
        attributes.put(self.record.operation()?)?;
        for field in source.schema().fields() {
            let value = source.get_at(field.index).cloned().unwrap_or_default();
            attributes.put(match (field.schema.kind(), value) {
                (Type::Int64, Value::Null) => Value::Null,
                (Type::Int64, value) => value.to_string().into(),
                (_, value) => value,
            })?;
        }
        let transaction = transaction.as_struct();
        for place in 0..3 {
            let value = transaction.and_then(|transaction| transaction.get_at(place));
            attributes.put(match value.cloned().unwrap_or_default() {
                Value::Int64(number) => number.to_string().into(),
                value => value,
            })?;
        }
        Ok(())
    }
}

/// The attributes of an event, in the order of the schema's fields.
struct Attributes {
    schema: SchemaRef,
    values: Vec<Value>,
}

impl Attributes {
    fn new(schema: &SchemaRef) -> Self {
        Self {
            schema: schema.clone(),
            values: Vec::with_capacity(schema.fields().len()),
        }
    }

    /// Sets the next one.
    fn put(&mut self, value: Value) -> Result<()> {
        if let Some(field) = self.schema.fields().get(self.values.len()) {
            validate(Some(&field.name), &field.schema, &value)?;
        }
        self.values.push(value);
        Ok(())
    }

    fn finish(self) -> Result<Struct> {
        Struct::from_values(self.schema, self.values)
    }
}

/// A field of the source; its default counts.
fn field<'a>(record: &'a Record<'_>, name: &str) -> Result<&'a Value> {
    record
        .source()
        .get(name)
        .ok_or_else(|| ConnectError::data(format!("{name} is not a valid field name")))
}

fn generated_id(record: &Record<'_>) -> Result<String> {
    Ok(format!(
        "name:{};lsn:{};txId:{};sequence:{}",
        field(record, NAME)?,
        field(record, LSN)?,
        field(record, TRANSACTION)?,
        field(record, SEQUENCE)?
    ))
}

fn time(record: &Record<'_>) -> Result<String> {
    match field(record, MILLIS)? {
        Value::Int64(millis) => Ok(Timestamp(*millis).to_string()),
        _ => Err(null_pointer("the time of the change")),
    }
}
