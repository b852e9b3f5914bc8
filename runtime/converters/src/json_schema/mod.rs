//! JSON with a schema registry (`io.confluent.connect.json.JsonSchemaConverter`).
//!
//! A record is a zero byte, the four bytes of its schema's id and JSON text.
//! What a schema means is worked out once; values then go straight between
//! [`Value`] and text, by the plans of the [`json`](crate::json) converter.

mod config;
mod from_connect;
#[cfg(any(test, feature = "fuzzing"))]
mod fuzz;
mod hash_order;
mod indent;
pub(crate) mod names;
mod read;
mod schema;
#[cfg(test)]
mod tests;
mod to_connect;
mod validate;
mod write;

use std::sync::Arc;

use async_trait::async_trait;
use tether_api::config::ConfigMap;
use tether_api::converter::{Converter, ConverterKind, Decoded, Encoded};
use tether_api::data::{Bytes, SchemaAndValue, SchemaRef, Text, Value};
use tether_api::plugin::{PluginDescriptor, PluginFactory};
use tether_api::{ConnectError, Result};

use self::config::{JsonSchemaConverterConfig, Options};
#[cfg(feature = "fuzzing")]
pub(crate) use self::fuzz::{fuzz_data, fuzz_schema};
use self::read::JsonSchemaReader;
use self::schema::Document;
use self::write::JsonSchemaWriter;
use crate::registry::{
    CachedRegistry, FormatWords, ReferenceError, RegisteredText, SchemaKind, SerdeConfig,
};

/// The reference's class tells no version, and REST leaves it out then.
const VERSION: &str = "undefined";

const WORDS: FormatWords = FormatWords {
    name: "JSON",
    data: "JSON Schema data",
    // The spaces at the end are the reference's.
    write: |topic| {
        format!(
            "Converting Kafka Connect data to byte[] failed due to serialization error of topic \
             {topic}: "
        )
    },
    read: |topic| {
        format!(
            "Converting byte[] to Kafka Connect data failed due to serialization error of topic \
             {topic}: "
        )
    },
};

/// Converts between Connect data and JSON with a registered schema.
struct JsonSchemaConverter {
    serde: SerdeConfig,
    reader: JsonSchemaReader,
    writer: JsonSchemaWriter,
}

impl JsonSchemaConverter {
    fn new(config: &ConfigMap, kind: ConverterKind) -> Result<Self> {
        let config = JsonSchemaConverterConfig::parse(config, kind)?;
        Ok(Self {
            reader: JsonSchemaReader::new(&config),
            writer: JsonSchemaWriter::new(&config),
            serde: config.serde,
        })
    }
}

#[async_trait]
impl Converter for JsonSchemaConverter {
    fn from_connect(
        &self,
        topic: &str,
        schema: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<Encoded> {
        let start = out.len();
        let encoded = self.writer.write(topic, schema, value, out);
        if encoded.is_err() {
            out.truncate(start);
        }
        encoded
    }

    async fn prepare_from_connect(&self, topic: &str, schema: Option<&SchemaRef>) -> Result<()> {
        self.writer.prepare(&self.serde, topic, schema).await
    }

    fn to_connect(&self, topic: &str, bytes: Option<&Bytes>) -> Result<Decoded> {
        match bytes {
            Some(bytes) => self.reader.read(topic, bytes),
            None => Ok(Decoded::Data(SchemaAndValue::NULL)),
        }
    }

    async fn prepare_to_connect(&self, topic: &str, bytes: &Bytes) -> Result<()> {
        self.reader.prepare(&self.serde, topic, bytes).await
    }
}

/// Why a registered schema could not be read.
enum ParseError {
    /// Another one that it refers to is not known.
    Reference(ReferenceError),
    /// It is in another language.
    Foreign(ConnectError),
    /// It is no JSON schema.
    Schema(ConnectError),
}

/// Reads a registered schema and those that it refers to.
async fn parse(
    registry: &CachedRegistry,
    text: &RegisteredText,
    options: Options,
) -> Result<Document, ParseError> {
    if text.kind != SchemaKind::Json {
        return Err(ParseError::Foreign(ConnectError::data(
            "the schema is not a JSON Schema; use the converter of its kind",
        )));
    }
    let referred = registry.referred(text).await;
    let referred: Vec<_> = referred
        .map_err(ParseError::Reference)?
        .into_iter()
        .map(|referred| (referred.name, Text::from(&*referred.schema.text)))
        .collect();
    schema::load(&Text::from(&*text.text), &referred, options.ignore_modern)
        .map_err(ParseError::Schema)
}

/// The descriptor of the converter.
pub(crate) fn descriptor() -> PluginDescriptor {
    PluginDescriptor {
        class: "io.confluent.connect.json.JsonSchemaConverter",
        aliases: &[],
        version: VERSION,
        config_def: config::config_def,
        factory: PluginFactory::Converter(|config, kind| {
            Ok(Arc::new(JsonSchemaConverter::new(config, kind)?))
        }),
    }
}
