//! JSON with a schema registry (`io.confluent.connect.json.JsonSchemaConverter`).
//!
//! A record is a zero byte, the four bytes of its schema's id and JSON text.
//! What a schema means is worked out once; values then go straight between
//! [`Value`](tether_api::data::Value) and text, by the plans of the [`json`](crate::json) converter.

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

use tether_api::Result;
use tether_api::config::ConfigMap;
use tether_api::converter::{Converter, ConverterKind};
use tether_api::data::Text;
use tether_api::plugin::PluginDescriptor;

use self::config::{JsonSchemaConverterConfig, Options};
#[cfg(feature = "fuzzing")]
pub(crate) use self::fuzz::{fuzz_data, fuzz_schema};
use self::read::JsonSchemaReader;
use self::schema::Document;
use self::write::JsonSchemaWriter;
use crate::registry::{
    self, CachedRegistry, FormatWords, RegisteredText, RegistryConverter, SchemaFailure, SchemaKind,
};

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

/// Reads a registered schema and those that it refers to.
async fn parse(
    registry: &CachedRegistry,
    text: &RegisteredText,
    options: Options,
) -> Result<Document, SchemaFailure> {
    let referred = registry.referred_in(SchemaKind::Json, text).await?;
    let referred: Vec<_> = referred
        .into_iter()
        .map(|referred| (referred.name, Text::from(&*referred.schema.text)))
        .collect();
    schema::load(&Text::from(&*text.text), &referred, options.ignore_modern)
        .map_err(SchemaFailure::Invalid)
}

/// Makes a converter from its configuration, prefixes removed.
fn converter(config: &ConfigMap, kind: ConverterKind) -> Result<Arc<dyn Converter>> {
    let config = JsonSchemaConverterConfig::parse(config, kind)?;
    Ok(Arc::new(RegistryConverter {
        reader: JsonSchemaReader::new(&config),
        writer: JsonSchemaWriter::new(&config),
        serde: config.serde,
    }))
}

/// The descriptor of the converter.
pub(crate) fn descriptor() -> PluginDescriptor {
    registry::descriptor(
        "io.confluent.connect.json.JsonSchemaConverter",
        config::config_def,
        converter,
    )
}
