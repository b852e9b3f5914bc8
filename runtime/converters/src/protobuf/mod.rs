//! Protobuf with a schema registry
//! (`io.confluent.connect.protobuf.ProtobufConverter`).
//!
//! A record is a zero byte, the four bytes of its schema's id, the indexes of
//! its message within that schema and Protobuf's binary encoding. How a
//! schema's values are written and read is worked out once; they then go
//! straight between [`Value`] and bytes.

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

use async_trait::async_trait;
use tether_api::Result;
use tether_api::config::ConfigMap;
use tether_api::converter::{Converter, ConverterKind, Decoded, Encoded};
use tether_api::data::{Bytes, SchemaAndValue, SchemaRef, Value};
use tether_api::plugin::{PluginDescriptor, PluginFactory};

use self::config::ProtobufConverterConfig;
#[cfg(feature = "fuzzing")]
pub(crate) use self::fuzz::{fuzz_data, fuzz_schema};
use self::read::ProtobufReader;
use self::write::ProtobufWriter;
use crate::registry::{FormatWords, SerdeConfig};

/// The reference's class tells no version, and REST leaves it out then.
const VERSION: &str = "undefined";

/// Converts between Connect data and Protobuf.
struct ProtobufConverter {
    serde: SerdeConfig,
    reader: ProtobufReader,
    writer: ProtobufWriter,
}

impl ProtobufConverter {
    fn new(config: &ConfigMap, kind: ConverterKind) -> Result<Self> {
        let config = ProtobufConverterConfig::parse(config, kind)?;
        Ok(Self {
            reader: ProtobufReader::new(&config),
            writer: ProtobufWriter::new(&config),
            serde: config.serde,
        })
    }
}

#[async_trait]
impl Converter for ProtobufConverter {
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

/// How the format is called in messages.
const WORDS: FormatWords = FormatWords {
    name: "Protobuf",
    data: "Protobuf data",
    write: |topic| format!("Failed to serialize Protobuf data from topic {topic} :"),
    // The space at the end is the reference's.
    read: |topic| format!("Failed to deserialize data for topic {topic} to Protobuf: "),
};

/// The descriptor of the converter.
pub(crate) fn descriptor() -> PluginDescriptor {
    PluginDescriptor {
        class: "io.confluent.connect.protobuf.ProtobufConverter",
        aliases: &[],
        version: VERSION,
        config_def: config::config_def,
        factory: PluginFactory::Converter(|config, kind| {
            Ok(Arc::new(ProtobufConverter::new(config, kind)?))
        }),
    }
}
