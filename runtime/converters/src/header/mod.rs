//! Headers as readable text whose types are guessed when it is read
//! (`org.apache.kafka.connect.storage.SimpleHeaderConverter`).

use std::sync::{Arc, LazyLock};

use tether_api::Result;
use tether_api::config::ConfigDef;
use tether_api::converter::HeaderConverter;
use tether_api::data::text::{parse, write};
use tether_api::data::{Bytes, Schema, SchemaAndValue, SchemaRef, Text, Type, Value};
use tether_api::plugin::{PluginDescriptor, PluginFactory};

use crate::definition::KAFKA_VERSION;

/// Writes headers as text and guesses their types when it reads them.
pub(crate) struct SimpleHeaderConverter;

impl HeaderConverter for SimpleHeaderConverter {
    fn from_connect_header(
        &self,
        _topic: &str,
        _name: &str,
        _schema: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<bool> {
        if value.is_null() {
            return Ok(false);
        }
        write(value, out);
        Ok(true)
    }

    fn to_connect_header(
        &self,
        topic: &str,
        name: &str,
        bytes: Option<&Bytes>,
    ) -> Result<SchemaAndValue> {
        let Some(bytes) = bytes else {
            return Ok(SchemaAndValue::NULL);
        };
        let text = match Text::try_from(bytes.clone()) {
            Ok(text) => text,
            Err(_) => String::from_utf8_lossy(bytes).into_owned().into(),
        };
        Ok(parse(&text).unwrap_or_else(|_| {
            tracing::warn!(
                topic,
                header = name,
                "header is no text of a value; using its bytes"
            );
            SchemaAndValue::new(Schema::primitive(Type::Bytes, false), bytes.clone().into())
        }))
    }
}

/// The descriptor of the header converter.
pub(crate) fn descriptor() -> PluginDescriptor {
    PluginDescriptor {
        class: "org.apache.kafka.connect.storage.SimpleHeaderConverter",
        aliases: &[],
        version: KAFKA_VERSION,
        config_def: || {
            static DEF: LazyLock<Arc<ConfigDef>> = LazyLock::new(Arc::default);
            DEF.clone()
        },
        factory: PluginFactory::HeaderConverter(|_| Ok(Arc::new(SimpleHeaderConverter))),
    }
}

#[cfg(test)]
mod tests;
