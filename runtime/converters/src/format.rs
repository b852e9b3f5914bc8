//! Formats in which keys, values and headers look alike and nothing has to be
//! asked for before a record is converted.

use std::sync::Arc;

use tether_api::Result;
use tether_api::config::{ConfigDef, ConfigMap};
use tether_api::converter::{Converter, ConverterKind, Decoded, Encoded, HeaderConverter};
use tether_api::data::{Bytes, SchemaAndValue, SchemaRef, Value};
use tether_api::plugin::{PluginDescriptor, PluginFactory};

use crate::definition::KAFKA_VERSION;

/// A format of bytes. [`FormatConverter`] makes converters of it.
pub(crate) trait Format: Send + Sync + Sized + 'static {
    /// The keys of the converter.
    fn config_def() -> Arc<ConfigDef>;

    /// Makes the format from a converter's configuration, prefixes removed.
    ///
    /// # Errors
    /// Config, if a setting is wrong.
    fn new(config: &ConfigMap, kind: ConverterKind) -> Result<Self>;

    /// Appends the bytes of a value. What was appended before an error does
    /// not matter.
    ///
    /// # Errors
    /// Data, if the value does not fit its schema or the format.
    fn encode(
        &self,
        schema: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<Encoded>;

    /// Reads bytes; `None` is Kafka's null.
    ///
    /// # Errors
    /// Data, if the bytes are not what the format says.
    fn decode(&self, bytes: Option<&Bytes>) -> Result<SchemaAndValue>;
}

/// Converts keys, values and headers by a format.
pub(crate) struct FormatConverter<F>(F);

impl<F: Format> FormatConverter<F> {
    /// Makes a converter from its configuration, prefixes removed.
    ///
    /// # Errors
    /// Config, if a setting is wrong.
    pub(crate) fn new(config: &ConfigMap, kind: ConverterKind) -> Result<Self> {
        F::new(config, kind).map(Self)
    }

    fn encode(
        &self,
        schema: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<Encoded> {
        let start = out.len();
        let encoded = self.0.encode(schema, value, out);
        if encoded.is_err() {
            out.truncate(start);
        }
        encoded
    }
}

impl<F: Format> Converter for FormatConverter<F> {
    fn from_connect(
        &self,
        _topic: &str,
        schema: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<Encoded> {
        self.encode(schema, value, out)
    }

    fn to_connect(&self, _topic: &str, bytes: Option<&Bytes>) -> Result<Decoded> {
        self.0.decode(bytes).map(Decoded::Data)
    }
}

impl<F: Format> HeaderConverter for FormatConverter<F> {
    fn from_connect_header(
        &self,
        _topic: &str,
        _name: &str,
        schema: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<bool> {
        Ok(self.encode(schema, value, out)? == Encoded::Written)
    }

    fn to_connect_header(
        &self,
        _topic: &str,
        _name: &str,
        bytes: Option<&Bytes>,
    ) -> Result<SchemaAndValue> {
        self.0.decode(bytes)
    }
}

/// The descriptors of a format's converter, as one and as header converter.
pub(crate) fn descriptors<F: Format>(class: &'static str) -> [PluginDescriptor; 2] {
    let descriptor = |factory| PluginDescriptor {
        class,
        aliases: &[],
        version: KAFKA_VERSION,
        config_def: F::config_def,
        factory,
    };
    [
        descriptor(PluginFactory::Converter(|config, kind| {
            Ok(Arc::new(FormatConverter::<F>::new(config, kind)?))
        })),
        descriptor(PluginFactory::HeaderConverter(|config| {
            Ok(Arc::new(FormatConverter::<F>::new(
                config,
                ConverterKind::Header,
            )?))
        })),
    ]
}
