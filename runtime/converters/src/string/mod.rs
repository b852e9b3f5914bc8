//! Text (`org.apache.kafka.connect.storage.StringConverter`).

mod charset;
mod java_text;

use std::io::Write as _;
use std::sync::{Arc, LazyLock};

use tether_api::config::{ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, Width};
use tether_api::converter::{ConverterKind, Encoded};
use tether_api::data::{Bytes, Schema, SchemaAndValue, SchemaRef, Text, Type, Value};
use tether_api::{ConnectError, Result};

use self::charset::Charset;
use self::java_text::JavaText;
use crate::definition::{converter_def, parse};
use crate::format::Format;

const ENCODING: &str = "converter.encoding";

/// The text of any value, as Java's `toString` gives it.
pub(crate) struct StringFormat {
    charset: Charset,
}

impl Format for StringFormat {
    fn config_def() -> Arc<ConfigDef> {
        static DEF: LazyLock<Arc<ConfigDef>> = LazyLock::new(|| {
            let encoding = ConfigKey::new(ENCODING, ConfigType::String)
                .default_string("UTF-8")
                .importance(Importance::High)
                .doc("The character set of the bytes.");
            Arc::new(converter_def().define(ConfigKey {
                width: Width::Medium,
                display_name: "Encoding".into(),
                ..encoding
            }))
        });
        DEF.clone()
    }

    fn new(config: &ConfigMap, kind: ConverterKind) -> Result<Self> {
        let encoding = parse(&Self::config_def(), config, kind)?.string(ENCODING)?;
        let Some(charset) = Charset::named(&encoding) else {
            return Err(ConnectError::config(format!(
                "Unsupported encoding {encoding} in {ENCODING}; use one of {}",
                Charset::NAMES.join(", ")
            )));
        };
        Ok(Self { charset })
    }

    fn encode(
        &self,
        _schema: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<Encoded> {
        match (value, self.charset) {
            (Value::Null, _) => return Ok(Encoded::Null),
            (Value::String(text), Charset::Utf8) => out.extend_from_slice(text.as_bytes()),
            (Value::String(text), charset) => charset.encode(text, out),
            (value, Charset::Utf8) => {
                // Writing to memory cannot fail.
                let _ = write!(out, "{}", JavaText(value));
            }
            (value, charset) => charset.encode(&JavaText(value).to_string(), out),
        }
        Ok(Encoded::Written)
    }

    fn decode(&self, bytes: Option<&Bytes>) -> Result<SchemaAndValue> {
        let text: Option<Text> = bytes.map(|bytes| self.charset.decode(bytes));
        Ok(SchemaAndValue::new(
            Schema::primitive(Type::String, true),
            text.into(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(encoding: &str, value: &Value) -> Vec<u8> {
        let config = [(ENCODING.to_owned(), encoding.to_owned())].into();
        let format = StringFormat::new(&config, ConverterKind::Value).unwrap();
        let mut out = Vec::new();
        format.encode(None, value, &mut out).unwrap();
        out
    }

    #[test]
    fn other_character_sets_are_javas() {
        let text = Value::from("x\u{e9}\u{20ac}\u{1f600}");
        assert_eq!(encoded("US-ASCII", &text), b"x???");
        assert_eq!(encoded("latin1", &text), b"x\xe9??");
        assert_eq!(
            encoded("utf-16", &Value::from("x\u{1f600}")),
            [0xfe, 0xff, 0, 0x78, 0xd8, 0x3d, 0xde, 0]
        );
        assert_eq!(encoded("UTF-16LE", &Value::from("x")), [0x78, 0]);
        let config = [(ENCODING.to_owned(), "foo".to_owned())].into();
        assert!(StringFormat::new(&config, ConverterKind::Value).is_err());
    }
}
