//! Avro with a schema registry (`io.confluent.connect.avro.AvroConverter`).
//!
//! A record is a zero byte, the four bytes of its schema's id and Avro's binary
//! encoding. How a schema's values are written and read is worked out once;
//! they then go straight between [`Value`](tether_api::data::Value) and bytes.

mod anything;
mod binary;
mod config;
mod decode;
mod encode;
mod from_connect;
#[cfg(any(test, feature = "fuzzing"))]
mod fuzz;
mod names;
mod read;
#[cfg(test)]
mod resolution_tests;
mod schema;
#[cfg(test)]
mod tests;
mod to_connect;
mod write;

use std::sync::Arc;

use tether_api::Result;
use tether_api::config::ConfigMap;
use tether_api::converter::{Converter, ConverterKind};
use tether_api::plugin::PluginDescriptor;

use self::config::AvroConverterConfig;
#[cfg(feature = "fuzzing")]
pub(crate) use self::fuzz::{fuzz_data, fuzz_resolve, fuzz_schema};
use self::read::AvroReader;
use self::write::AvroWriter;
use crate::registry::{self, FormatWords, RegistryConverter};

/// How the format is called in messages.
const WORDS: FormatWords = FormatWords {
    name: "Avro",
    data: "Avro data",
    write: |topic| format!("Failed to serialize Avro data from topic {topic} :"),
    // The space at the end is the reference's.
    read: |topic| format!("Failed to deserialize data for topic {topic} to Avro: "),
};

/// Makes a converter from its configuration, prefixes removed.
///
/// # Errors
/// Config, if a setting is wrong.
pub(crate) fn converter(config: &ConfigMap, kind: ConverterKind) -> Result<Arc<dyn Converter>> {
    let config = AvroConverterConfig::parse(config, kind)?;
    Ok(Arc::new(RegistryConverter {
        reader: AvroReader::new(&config),
        writer: AvroWriter::new(&config),
        serde: config.serde,
    }))
}

/// The descriptor of the converter.
pub(crate) fn descriptor() -> PluginDescriptor {
    registry::descriptor(
        "io.confluent.connect.avro.AvroConverter",
        config::config_def,
        converter,
    )
}
