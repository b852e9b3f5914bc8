//! Puts headers into the values of records
//! (`io.debezium.transforms.HeaderToValue`).

mod layout;
mod path;

use std::sync::{Arc, LazyLock};

use tether_api::config::{ConfigDef, ConfigKey, ConfigType, Importance, Width};
use tether_api::data::{SchemaAndValue, SchemaCache, SchemaRef, Text};
use tether_api::record::ConnectRecord;
use tether_api::transform::Transformation;
use tether_api::{ConnectError, Result};

use self::layout::{Layout, new_schema};
use self::path::FieldPath;
use crate::plugin::EventTransformation;
use crate::schema::CACHE_SIZE;
use crate::settings::{Settings, key, list};
use crate::structs::require_struct;

const HEADERS: &str = "headers";
const FIELDS: &str = "fields";
const OPERATION: &str = "operation";
const OPERATIONS: [&str; 2] = ["move", "copy"];

pub(crate) struct HeaderToValue {
    headers: Vec<Text>,
    /// The fields for the headers, in the same order.
    fields: Vec<FieldPath>,
    /// Whether records lose the headers.
    moves: bool,
    known: SchemaCache<Arc<Known>>,
}

/// What is known of values of one schema.
struct Known {
    /// The schema with the fields. As in the reference it is made for the
    /// headers of the first record, and others have to fit it.
    schema: SchemaRef,
    /// The places in the configuration of the headers of the first record.
    headers: Vec<usize>,
    /// How such records become values of the new schema.
    layout: Layout,
}

/// A field that is added: its place in the configuration, and the header.
struct Entry {
    place: usize,
    header: SchemaAndValue,
}

impl EventTransformation for HeaderToValue {
    fn config_def() -> Arc<ConfigDef> {
        static DEF: LazyLock<Arc<ConfigDef>> = LazyLock::new(|| {
            let wanted = |mut key: ConfigKey| {
                key.width = Width::None;
                key.importance(Importance::High)
            };
            Arc::new(
                ConfigDef::new()
                    .define(wanted(key(
                        HEADERS,
                        ConfigType::List,
                        "Header names list",
                        "The headers whose values become fields.",
                    )))
                    .define(wanted(key(
                        FIELDS,
                        ConfigType::List,
                        "Field names list",
                        "The fields for these headers, in the same order; dots lead into structs.",
                    )))
                    .define(wanted(key(
                        OPERATION,
                        ConfigType::String,
                        "Operation: mover or copy",
                        "Whether records lose the headers (move) or keep them (copy).",
                    ))),
            )
        });
        DEF.clone()
    }

    fn new(settings: &Settings<'_>) -> Result<Self> {
        let elements = |name| {
            let missing = settings.missing(name);
            missing.or_else(|| {
                let elements = list(settings.text(name)?);
                if elements.contains(&"") {
                    return Some("Empty string element(s) not permitted".into());
                }
                let is_spaced = elements.iter().any(|element| element.contains(' '));
                is_spaced.then(|| "Element(s) containing space not permitted".into())
            })
        };
        let operation = settings.missing(OPERATION);
        let operation = operation.or_else(|| settings.no_word(OPERATION, &OPERATIONS));
        settings.check(vec![
            (FIELDS, elements(FIELDS)),
            (HEADERS, elements(HEADERS)),
            (OPERATION, operation),
        ])?;
        let elements = |name| list(settings.text(name).unwrap_or_default());
        let (headers, fields) = (elements(HEADERS), elements(FIELDS));
        if headers.len() != fields.len() {
            return Err(ConnectError::config(format!(
                "'{FIELDS}' config must have the same number of elements as '{HEADERS}' config."
            )));
        }
        let operation = settings.text(OPERATION).unwrap_or_default().trim();
        Ok(Self {
            headers: headers.into_iter().map(Text::from).collect(),
            fields: fields.into_iter().map(FieldPath::new).collect(),
            moves: operation.eq_ignore_ascii_case(OPERATIONS[0]),
            known: SchemaCache::new(CACHE_SIZE),
        })
    }
}

impl HeaderToValue {
    fn entries(&self, record: &ConnectRecord) -> Vec<Entry> {
        let headers = record.headers.iter();
        let entries = headers.filter_map(|header| {
            let place = self.headers.iter().position(|name| *name == header.key)?;
            let header = header.value.clone();
            Some(Entry { place, header })
        });
        entries.collect()
    }

    fn know(&self, schema: &SchemaRef, entries: &[Entry]) -> Result<Arc<Known>> {
        self.known.get_or_make(schema, |schema| {
            let new = new_schema(schema, &self.fields, entries)?;
            let headers: Vec<usize> = entries.iter().map(|entry| entry.place).collect();
            let layout = Layout::new(schema, &new, &self.fields, &headers);
            Ok(Arc::new(Known {
                schema: new,
                headers,
                layout,
            }))
        })
    }
}

impl Transformation for HeaderToValue {
    fn apply(&mut self, mut record: ConnectRecord) -> Result<Option<ConnectRecord>> {
        if record.value.is_null() {
            return Ok(Some(record));
        }
        let entries = self.entries(&record);
        let value = std::mem::take(&mut record.value);
        if entries.is_empty() {
            record.value = require_struct(value, PURPOSE)?.into();
            return Ok(Some(record));
        }
        let value = require_struct(value, PURPOSE)?;
        let known = self.know(value.schema(), &entries)?;
        let places = entries.iter().map(|entry| entry.place);
        record.value = if places.eq(known.headers.iter().copied()) {
            known.layout.apply(&value, &entries)?.into()
        } else {
            let places: Vec<usize> = entries.iter().map(|entry| entry.place).collect();
            let layout = Layout::new(value.schema(), &known.schema, &self.fields, &places);
            layout.apply(&value, &entries)?.into()
        };
        record.value_schema = Some(known.schema.clone());
        if self.moves {
            let headers = &self.headers;
            record
                .headers
                .retain(|header| !headers.contains(&header.key));
        }
        Ok(Some(record))
    }
}

const PURPOSE: &str = "Header field insertion";
