//! Numbers and truth values in the fewest bytes
//! (`org.apache.kafka.connect.converters.*Converter`).

use std::sync::{Arc, LazyLock};

use tether_api::config::{ConfigDef, ConfigMap};
use tether_api::converter::{ConverterKind, Encoded};
use tether_api::data::{Bytes, Schema, SchemaAndValue, SchemaRef, Type, Value};
use tether_api::{ConnectError, Result};

use crate::definition::{converter_def, parse};
use crate::format::Format;

/// The class of causes, which Kafka's own serializers raise.
const SERIALIZATION_EXCEPTION: &str = "org.apache.kafka.common.errors.SerializationException";

fn config_def() -> Arc<ConfigDef> {
    static DEF: LazyLock<Arc<ConfigDef>> = LazyLock::new(|| Arc::new(converter_def()));
    DEF.clone()
}

fn failed(message: String, cause: String) -> ConnectError {
    ConnectError::data(message)
        .caused_by(ConnectError::data(cause).with_class(SERIALIZATION_EXCEPTION))
}

macro_rules! number_formats {
    ($($(#[$doc:meta])* $format:ident: $variant:ident($kind:ty), $name:literal, $class:literal;)*) => {
        $($(#[$doc])*
        pub(crate) struct $format;

        impl Format for $format {
            fn config_def() -> Arc<ConfigDef> {
                config_def()
            }

            fn new(config: &ConfigMap, kind: ConverterKind) -> Result<Self> {
                parse(&config_def(), config, kind)?;
                Ok(Self)
            }

            fn encode(
                &self,
                _schema: Option<&SchemaRef>,
                value: &Value,
                out: &mut Vec<u8>,
            ) -> Result<Encoded> {
                match value {
                    Value::Null => Ok(Encoded::Null),
                    Value::$variant(value) => {
                        out.extend_from_slice(&value.to_be_bytes());
                        Ok(Encoded::Written)
                    }
                    _ => Err(ConnectError::data(format!(
                        "Failed to serialize to {} (was class {}): ",
                        $name,
                        value.java_class()
                    ))),
                }
            }

            fn decode(&self, bytes: Option<&Bytes>) -> Result<SchemaAndValue> {
                let value = match bytes {
                    None => Value::Null,
                    Some(bytes) => match <[u8; size_of::<$kind>()]>::try_from(&**bytes) {
                        Ok(bytes) => Value::$variant(<$kind>::from_be_bytes(bytes)),
                        Err(_) => {
                            return Err(failed(
                                format!("Failed to deserialize {}: ", $name),
                                format!(
                                    "Size of data received by {} is not {}",
                                    $class,
                                    size_of::<$kind>()
                                ),
                            ));
                        }
                    },
                };
                Ok(SchemaAndValue::new(Schema::primitive(Type::$variant, true), value))
            }
        })*
    };
}

number_formats! {
    /// Two bytes, the high one first.
    ShortFormat: Int16(i16), "short", "ShortDeserializer";
    /// Four bytes, the high one first.
    IntegerFormat: Int32(i32), "integer", "IntegerDeserializer";
    /// Eight bytes, the high one first.
    LongFormat: Int64(i64), "long", "LongDeserializer";
    /// Four bytes of IEEE 754.
    FloatFormat: Float32(f32), "float", "Deserializer";
    /// Eight bytes of IEEE 754.
    DoubleFormat: Float64(f64), "double", "Deserializer";
}

/// One byte, 0 or 1.
pub(crate) struct BooleanFormat;

impl Format for BooleanFormat {
    fn config_def() -> Arc<ConfigDef> {
        config_def()
    }

    fn new(config: &ConfigMap, kind: ConverterKind) -> Result<Self> {
        parse(&config_def(), config, kind)?;
        Ok(Self)
    }

    fn encode(
        &self,
        schema: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<Encoded> {
        if let Some(schema) = schema
            && schema.kind() != Type::Boolean
        {
            return Err(ConnectError::data(format!(
                "Invalid schema type for BooleanConverter: {}",
                schema.kind()
            )));
        }
        match value {
            Value::Null => Ok(Encoded::Null),
            Value::Boolean(value) => {
                out.push(u8::from(*value));
                Ok(Encoded::Written)
            }
            _ => Err(ConnectError::data(format!(
                "BooleanConverter is not compatible with objects of type class {}",
                value.java_class()
            ))),
        }
    }

    fn decode(&self, bytes: Option<&Bytes>) -> Result<SchemaAndValue> {
        let value = match bytes.map(|bytes| &**bytes) {
            None => Value::Null,
            Some([0]) => Value::Boolean(false),
            Some([1]) => Value::Boolean(true),
            Some(bytes) => {
                let cause = match bytes {
                    [byte] => format!(
                        "Unexpected byte received by BooleanDeserializer: {}",
                        *byte as i8
                    ),
                    _ => "Size of data received by BooleanDeserializer is not 1".to_owned(),
                };
                return Err(failed("Failed to deserialize boolean: ".to_owned(), cause));
            }
        };
        Ok(SchemaAndValue::new(
            Schema::primitive(Type::Boolean, true),
            value,
        ))
    }
}
