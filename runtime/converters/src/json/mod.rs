//! JSON (`org.apache.kafka.connect.json.JsonConverter`), with or without an
//! envelope that carries the schema.
//!
//! Bytes are those of the reference. Values are written straight into the
//! record's buffer and read straight from the message; text in what is read is
//! a slice of the message.

mod config;
mod envelope;
mod number;
mod parts;
mod plan;
mod read;
mod scan;
mod schema_read;
mod schema_write;
mod text;
mod tree;
mod union;
mod write;

use std::sync::{Arc, Mutex};

use tether_api::config::{ConfigDef, ConfigMap};
use tether_api::converter::{ConverterKind, Encoded};
use tether_api::data::{Bytes, SchemaAndValue, SchemaCache, SchemaRef, Text, Value};
use tether_api::{ConnectError, Result};

use self::config::JsonConverterConfig;
pub(crate) use self::config::{DecimalFormat, Options};
use self::envelope::{EnvelopeReader, not_an_envelope};
use self::parts::Parts;
pub(crate) use self::plan::{Dialect, Plan};
pub(crate) use self::read::{Reader, read_value};
pub(crate) use self::scan::Cursor;
use self::schema_read::read_schema;
use self::schema_write::write_schema;
pub(crate) use self::text::{write_string, write_string_of_text};
pub(crate) use self::tree::{Tree, TreeShape};
pub(crate) use self::write::Writer;
use crate::format::Format;

/// JSON, with or without schemas.
pub(crate) struct JsonFormat {
    options: Options,
    written: SchemaCache<Arc<Written>>,
    envelopes: EnvelopeReader,
    /// The plan of all messages, if the configuration gives their schema.
    fixed: Option<Plan>,
}

/// What is known of a schema that is written.
struct Written {
    plan: Plan,
    /// The message up to its payload; empty without envelope.
    beginning: Vec<u8>,
    /// The structs within the latest values. Who finds them in use does without.
    parts: Mutex<Parts>,
}

/// The message up to its payload where there is no schema.
const SCHEMALESS: &[u8] = b"{\"schema\":null,\"payload\":";

impl JsonFormat {
    fn to_write(&self, schema: &SchemaRef) -> Result<Arc<Written>> {
        let plan = Plan::to_write(schema, Dialect::Envelope)?;
        let mut beginning = Vec::new();
        if self.options.schemas_enable {
            beginning.extend_from_slice(b"{\"schema\":");
            write_schema(Some(schema), self.options, &mut beginning)?;
            beginning.extend_from_slice(b",\"payload\":");
        }
        Ok(Arc::new(Written {
            plan,
            beginning,
            parts: Mutex::default(),
        }))
    }

    fn write(&self, schema: Option<&SchemaRef>, value: &Value, out: &mut Vec<u8>) -> Result<()> {
        let options = self.options;
        match schema {
            Some(schema) => self.written.with(
                schema,
                |schema| self.to_write(schema),
                |written| {
                    out.extend_from_slice(&written.beginning);
                    let mut parts = written.parts.try_lock().ok();
                    Writer::new(options, out)
                        .remembering(parts.as_deref_mut())
                        .value(Some(&written.plan), value)
                },
            )??,
            None => {
                if options.schemas_enable {
                    out.extend_from_slice(SCHEMALESS);
                }
                Writer::new(options, out).value(None, value)?;
            }
        }
        if options.schemas_enable {
            out.push(b'}');
        }
        Ok(())
    }
}

impl JsonFormat {
    /// Reads a text of JSON as one of the schema that is the other text of JSON;
    /// without that, or if it is null, the value is schemaless. Without a text
    /// it is what replaces null.
    ///
    /// # Errors
    /// Data, if either is wrong. The cause is named in the message, as the
    /// reference does where it calls its converter in a roundabout way.
    pub(crate) fn read_with(&self, schema: Option<&str>, value: Option<&str>) -> Result<Value> {
        let seen = match schema {
            Some(schema) => self.envelopes.seen(schema)?,
            None => Arc::default(),
        };
        let read = match (value, seen.plan()) {
            (Some(value), plan) => read_value(&value.into(), plan, self.options),
            (None, Some(plan)) => read::null(plan, self.options),
            (None, None) => Err(ConnectError::data("there is no value")),
        };
        read.map_err(|error| {
            ConnectError::data(format!("{}: {}", error.java_class(), error.message()))
        })
    }
}

impl Format for JsonFormat {
    fn config_def() -> Arc<ConfigDef> {
        config::config_def()
    }

    fn new(config: &ConfigMap, kind: ConverterKind) -> Result<Self> {
        let config = JsonConverterConfig::parse(config, kind)?;
        let options = config.options;
        let fixed = match &config.schema_content {
            Some(text) => read_schema(&parse_content(text)?, options)?,
            None => None,
        };
        Ok(Self {
            options,
            written: SchemaCache::new(config.schemas_cache_size),
            envelopes: EnvelopeReader::new(options, config.schemas_cache_size),
            fixed: fixed
                .as_ref()
                .map(|schema| Plan::of(schema, Dialect::Envelope)),
        })
    }

    fn encode(
        &self,
        schema: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<Encoded> {
        if schema.is_none() && value.is_null() {
            return Ok(Encoded::Null);
        }
        self.write(schema, value, out)?;
        Ok(Encoded::Written)
    }

    fn decode(&self, bytes: Option<&Bytes>) -> Result<SchemaAndValue> {
        let Some(bytes) = bytes else {
            return Ok(SchemaAndValue::NULL);
        };
        if self.fixed.is_none()
            && self.options.schemas_enable
            && let Some(data) = self.envelopes.read_known(bytes)
        {
            return Ok(data);
        }
        let text = decode_text(bytes)?;
        let empty = Cursor::new(&text).at_end();
        match (&self.fixed, self.options.schemas_enable) {
            (Some(plan), true) => Ok(SchemaAndValue {
                schema: Some(plan.schema.clone()),
                value: if empty {
                    read::null(plan, self.options)?
                } else {
                    read_value(&text, Some(plan), self.options)?
                },
            }),
            (None, true) if empty => Err(not_an_envelope()),
            (None, true) => self.envelopes.read(&text),
            (_, false) if empty => Ok(SchemaAndValue::NULL),
            (_, false) => Ok(SchemaAndValue::schemaless(read_value(
                &text,
                None,
                self.options,
            )?)),
        }
    }
}

fn parse_content(text: &str) -> Result<Tree<'_>> {
    Tree::parse(text).map_err(|error| {
        ConnectError::data(
            "Failed to parse schema in converter config due to serialization error: ",
        )
        .caused_by(error)
    })
}

/// The message as text, without the mark that some writers put at its start.
pub(crate) fn decode_text(bytes: &Bytes) -> Result<Text> {
    let bytes = match bytes.strip_prefix("\u{feff}".as_bytes()) {
        Some(rest) => bytes.slice_ref(rest),
        None => bytes.clone(),
    };
    Text::try_from(bytes).map_err(|error| scan::SyntaxError::not_text(error.valid_up_to()).into())
}

#[cfg(test)]
mod tests;
