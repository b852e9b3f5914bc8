//! Bytes as they are (`org.apache.kafka.connect.converters.ByteArrayConverter`).

use std::sync::{Arc, LazyLock};

use tether_api::config::{ConfigDef, ConfigMap};
use tether_api::converter::{ConverterKind, Encoded};
use tether_api::data::{Bytes, Schema, SchemaAndValue, SchemaRef, Type, Value};
use tether_api::{ConnectError, Result};

use crate::definition::converter_def;
use crate::format::Format;

/// Bytes as they are.
pub(crate) struct BytesFormat;

impl Format for BytesFormat {
    fn config_def() -> Arc<ConfigDef> {
        static DEF: LazyLock<Arc<ConfigDef>> = LazyLock::new(|| Arc::new(converter_def()));
        DEF.clone()
    }

    fn new(_config: &ConfigMap, _kind: ConverterKind) -> Result<Self> {
        Ok(Self)
    }

    fn encode(
        &self,
        schema: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<Encoded> {
        if let Some(schema) = schema
            && schema.kind() != Type::Bytes
        {
            return Err(ConnectError::data(format!(
                "Invalid schema type for ByteArrayConverter: {}",
                schema.kind()
            )));
        }
        match value {
            Value::Null => Ok(Encoded::Null),
            Value::Bytes(bytes) => {
                out.extend_from_slice(bytes);
                Ok(Encoded::Written)
            }
            _ => Err(ConnectError::data(format!(
                "ByteArrayConverter is not compatible with objects of type class {}",
                value.java_class()
            ))),
        }
    }

    fn decode(&self, bytes: Option<&Bytes>) -> Result<SchemaAndValue> {
        Ok(SchemaAndValue::new(
            Schema::primitive(Type::Bytes, true),
            bytes.cloned().into(),
        ))
    }
}
