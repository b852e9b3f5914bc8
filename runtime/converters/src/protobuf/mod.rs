//! Protobuf with a schema registry
//! (`io.confluent.connect.protobuf.ProtobufConverter`).
//!
//! A record is a zero byte, the four bytes of its schema's id, the indexes of
//! its message within that schema and Protobuf's binary encoding. How a
//! schema's values are written and read is worked out once; they then go
//! straight between [`Value`](tether_api::data::Value) and bytes.

mod compatibility;
mod config;
mod decode;
mod descriptor;
mod encode;
mod from_connect;
#[cfg(any(test, feature = "fuzzing"))]
mod fuzz;
mod indexes;
mod logical;
mod names;
mod proto;
mod read;
mod references;
#[cfg(test)]
mod tests;
mod to_connect;
mod wire;
mod write;

use std::sync::Arc;

use tether_api::Result;
use tether_api::config::ConfigMap;
use tether_api::converter::{Converter, ConverterKind};
use tether_api::plugin::PluginDescriptor;

use self::config::ProtobufConverterConfig;
#[cfg(feature = "fuzzing")]
pub(crate) use self::fuzz::{fuzz_data, fuzz_schema};
use self::read::ProtobufReader;
use self::write::ProtobufWriter;
use crate::registry::{self, FormatWords, RegistryConverter};

/// How the format is called in messages.
const WORDS: FormatWords = FormatWords {
    name: "Protobuf",
    data: "Protobuf data",
    write: |topic| format!("Failed to serialize Protobuf data from topic {topic} :"),
    // The space at the end is the reference's.
    read: |topic| format!("Failed to deserialize data for topic {topic} to Protobuf: "),
};

/// Makes a converter from its configuration, prefixes removed.
fn converter(config: &ConfigMap, kind: ConverterKind) -> Result<Arc<dyn Converter>> {
    let config = ProtobufConverterConfig::parse(config, kind)?;
    Ok(Arc::new(RegistryConverter {
        reader: ProtobufReader::new(&config),
        writer: ProtobufWriter::new(&config),
        serde: config.serde,
    }))
}

/// The descriptor of the converter.
pub(crate) fn descriptor() -> PluginDescriptor {
    registry::descriptor(
        "io.confluent.connect.protobuf.ProtobufConverter",
        config::config_def,
        converter,
    )
}
