//! Schemas of events and their data.

use std::sync::{Arc, Mutex, PoisonError};

use tether_api::data::{Schema, SchemaBuilder, SchemaCache, SchemaRef, Text, Type};
use tether_api::{ConnectError, Result};
use tether_debezium_naming::adjust_schema;

use super::config::{Config, Formats};
use super::metadata::Origin;
use super::record::{Record, null_pointer};

/// What the names of attributes begin with that are not CloudEvents' own.
const EXTENSION: &str = "iodebezium";
const TRANSACTION: &str = "tx";
/// The fields of a transaction block.
const TRANSACTION_FIELDS: [&str; 3] = ["id", "total_order", "data_collection_order"];
/// The fields of an event that are its data.
const DATA_FIELDS: [&str; 2] = ["before", "after"];
/// What the name of the schema of events ends with.
pub(super) const EVENT_SCHEMA: &str = "CloudEvents.Envelope";
/// The field with the data.
pub(super) const DATA: &str = "data";

/// How many schemas of records are remembered.
const SCHEMAS: usize = 1000;
/// How many kinds of events of each.
const KINDS: usize = 16;

/// The schemas of one kind of events.
pub(super) struct Shape {
    pub(super) event: SchemaRef,
    /// `None` if the record lacks a row; only who asks for the data fails.
    data: Option<SchemaRef>,
}

/// What tells kinds of events apart whose records have one schema.
#[derive(Clone, PartialEq)]
struct Kind {
    source: SchemaRef,
    /// The name of the schema of events, before it is adjusted.
    name: Text,
    data_name: Text,
}

/// The shapes of events that were seen.
pub(super) struct Shapes(SchemaCache<Arc<KnownShapes>>);

/// The shapes of events whose records have one schema, nearly always one.
type KnownShapes = Mutex<Vec<(Kind, Arc<Shape>)>>;

impl Shapes {
    /// None so far.
    pub(super) fn new() -> Self {
        Self(SchemaCache::new(SCHEMAS))
    }

    /// The shape of the event that a record becomes.
    ///
    /// # Errors
    /// Data or Other, if an attribute cannot be made.
    pub(super) fn of(
        &self,
        record: &Record<'_>,
        name: Text,
        data_name: Text,
        config: &Config,
    ) -> Result<Arc<Shape>> {
        let kind = Kind {
            source: record.source().schema().clone(),
            name,
            data_name,
        };
        let known = self
            .0
            .get_or_make(record.schema(), |_| Ok(Arc::default()))?;
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, shape)) = known.iter().find(|(known, _)| *known == kind) {
            return Ok(shape.clone());
        }
        let shape = Arc::new(Shape::new(record.schema(), &kind, config)?);
        if known.len() >= KINDS {
            known.clear();
        }
        known.push((kind, shape.clone()));
        Ok(shape)
    }
}

impl Shape {
    /// The schema of the data.
    ///
    /// # Errors
    /// Other, if the record lacks a row.
    pub(super) fn data(&self) -> Result<&SchemaRef> {
        let data = self.data.as_ref();
        data.ok_or_else(|| null_pointer("a row of the event"))
    }

    fn new(record: &Schema, kind: &Kind, config: &Config) -> Result<Self> {
        let data = data_schema(record, &kind.data_name, config);
        let text = || Schema::primitive(Type::String, false);
        let mut builder = SchemaBuilder::structure()
            .name(adjust_schema(config.schema_names, &kind.name).into_owned());
        for name in [
            "id",
            "source",
            "specversion",
            "type",
            "time",
            "datacontenttype",
        ] {
            builder = builder.field(name, text());
        }
        if !matches!(config.formats, Formats::Json { .. }) {
            builder = builder.field("dataschema", text());
        }
        if config.tracing {
            builder = builder.field("traceparent", text());
        }
        if config.extensions {
            builder = builder.try_field(extension("op"), text())?;
            for field in kind.source.fields() {
                let schema = attribute(&field.schema)?;
                builder = builder.try_field(extension(&field.name), schema)?;
            }
            for name in TRANSACTION_FIELDS {
                let name = extension(&format!("{TRANSACTION}{name}"));
                builder = builder.try_field(name, Schema::primitive(Type::String, true))?;
            }
        }
        let data_type = match &config.formats {
            Formats::Json {
                with_schemas: true, ..
            } => SchemaBuilder::structure().build(),
            Formats::Json { .. } => data
                .clone()
                .unwrap_or_else(|| SchemaBuilder::structure().build()),
            Formats::AvroInJson { .. } | Formats::Avro(_) => Schema::primitive(Type::Bytes, false),
        };
        let event = builder.try_field(DATA, data_type)?.build();
        Ok(Self { event, data })
    }
}

/// The schema of the data; `None` if the record lacks a row.
fn data_schema(record: &Schema, name: &str, config: &Config) -> Option<SchemaRef> {
    let mut builder = SchemaBuilder::structure().name(name);
    if config.metadata.global == Origin::Header {
        for field in record.fields() {
            builder = builder.field(field.name.clone(), field.schema.clone());
        }
        return Some(builder.build());
    }
    for name in DATA_FIELDS {
        builder = builder.field(name, record.field(name)?.schema.clone());
    }
    Some(builder.build())
}

/// The name of an attribute that is not CloudEvents' own: of ASCII letters and
/// digits only.
fn extension(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    EXTENSION.chars().chain(letters).collect()
}

/// The schema of an attribute for a field of the source. CloudEvents knows no
/// larger integers than 32 bits.
fn attribute(schema: &Schema) -> Result<SchemaRef> {
    let kind = match schema.kind() {
        Type::Boolean => Type::Boolean,
        Type::Int8 | Type::Int16 | Type::Int32 => Type::Int32,
        Type::Int64 | Type::String => Type::String,
        other => {
            return Err(ConnectError::other(format!(
                "Source field of type {other} cannot be converted into CloudEvents extension \
                 attribute."
            ))
            .with_class("java.lang.IllegalArgumentException"));
        }
    };
    Ok(Schema::primitive(kind, schema.is_optional()))
}
