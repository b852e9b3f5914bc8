//! Converters of the formats whose schemas a registry keeps.
//!
//! A format writes with a [`RegistryWriter`] and reads with a
//! [`RegistryReader`]; both are synchronous once they have seen a schema, and
//! ask the registry at the first sight of it.

use std::sync::Arc;

use async_trait::async_trait;
use tether_api::Result;
use tether_api::config::ConfigDef;
use tether_api::converter::{Converter, Decoded, Encoded, NewConverter};
use tether_api::data::{Bytes, SchemaAndValue, SchemaRef, Value};
use tether_api::plugin::{PluginDescriptor, PluginFactory};

use super::SerdeConfig;

/// The reference's classes tell no version, and REST leaves it out then.
const VERSION: &str = "undefined";

/// Writes records of a format.
pub(crate) trait RegistryWriter: Send + Sync + 'static {
    /// Appends a record. What was appended before an error does not matter.
    ///
    /// # Errors
    /// Data, if the value does not fit its schema or the format.
    fn write(
        &self,
        topic: &str,
        schema: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<Encoded>;

    /// Registers the schema for a topic, or finds the one to write with.
    ///
    /// # Errors
    /// As [`Converter::prepare_from_connect`].
    fn prepare(
        &self,
        serde: &SerdeConfig,
        topic: &str,
        schema: Option<&SchemaRef>,
    ) -> impl Future<Output = Result<()>> + Send;
}

/// Reads records of a format.
pub(crate) trait RegistryReader: Send + Sync + 'static {
    /// Reads a record.
    ///
    /// # Errors
    /// Data, if the bytes are not what the format says.
    fn read(&self, topic: &str, bytes: &Bytes) -> Result<Decoded>;

    /// Asks for the schema of a record and works out how it is read.
    ///
    /// # Errors
    /// As [`Converter::prepare_to_connect`].
    fn prepare(
        &self,
        serde: &SerdeConfig,
        topic: &str,
        bytes: &Bytes,
    ) -> impl Future<Output = Result<()>> + Send;
}

/// Converts keys and values by a format.
pub(crate) struct RegistryConverter<R, W> {
    pub(crate) serde: SerdeConfig,
    pub(crate) reader: R,
    pub(crate) writer: W,
}

#[async_trait]
impl<R: RegistryReader, W: RegistryWriter> Converter for RegistryConverter<R, W> {
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

/// The descriptor of a format's converter.
pub(crate) fn descriptor(
    class: &'static str,
    config_def: fn() -> Arc<ConfigDef>,
    new: NewConverter,
) -> PluginDescriptor {
    PluginDescriptor {
        class,
        aliases: &[],
        version: VERSION,
        config_def,
        factory: PluginFactory::Converter(new),
    }
}
