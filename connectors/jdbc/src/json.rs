//! Values as JSON, for columns that hold values with parts.
//!
//! Nothing is lost: decimals are numbers with all their digits, bytes are
//! base64, dates and times are what ISO 8601 makes of them in UTC, floats that
//! are no numbers are texts. A map whose keys are no texts has them as texts.

use std::fmt::{self, Display, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tether_api::data::logical::{MILLIS_PER_DAY, civil};
use tether_api::data::{Value, java_f32, java_f64};

/// The most values within each other.
const MOST_LEVELS: usize = 200;

/// The most digits of a decimal that is written out.
const LONGEST_DECIMAL: usize = 10_000;

/// Why a value cannot be JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JsonError {
    /// Too many values within each other.
    #[error("more than {MOST_LEVELS} values are within each other")]
    TooDeep,
    /// A decimal of very many digits.
    #[error("a number has more than {LONGEST_DECIMAL} digits")]
    TooManyDigits,
    /// A map with a key that has parts itself.
    #[error("the key of a map has parts")]
    KeyWithParts,
}

/// A value as JSON.
///
/// # Errors
/// If it is too deep, or has something that JSON has no form for.
pub(crate) fn text(value: &Value) -> Result<String, JsonError> {
    let mut text = String::new();
    push(value, &mut text)?;
    Ok(text)
}

/// Appends a value as JSON. Says whether a string in it has a NUL character,
/// which some databases refuse.
///
/// # Errors
/// If it is too deep, or has something that JSON has no form for.
pub(crate) fn push<O: Output>(value: &Value, out: &mut O) -> Result<bool, JsonError> {
    let mut writer = Writer {
        out,
        has_nul: false,
    };
    writer.push(value, MOST_LEVELS)?;
    Ok(writer.has_nul)
}

/// Where text is appended.
pub(crate) trait Output {
    /// Appends a text.
    fn append(&mut self, text: &str);
}

impl Output for String {
    fn append(&mut self, text: &str) {
        self.push_str(text);
    }
}

impl Output for Vec<u8> {
    fn append(&mut self, text: &str) {
        self.extend_from_slice(text.as_bytes());
    }
}

struct Writer<'o, O> {
    out: &'o mut O,
    has_nul: bool,
}

impl<O: Output> fmt::Write for Writer<'_, O> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.out.append(text);
        Ok(())
    }
}

impl<O: Output> Writer<'_, O> {
    fn push(&mut self, value: &Value, levels: usize) -> Result<(), JsonError> {
        let below = levels.checked_sub(1).ok_or(JsonError::TooDeep)?;
        match value {
            Value::Null => self.out.append("null"),
            Value::Boolean(flag) => self.push_shown(flag),
            Value::Int8(number) => self.push_shown(number),
            Value::Int16(number) => self.push_shown(number),
            Value::Int32(number) => self.push_shown(number),
            Value::Int64(number) => self.push_shown(number),
            Value::Float32(number) if number.is_finite() => self.push_shown(java_f32(*number)),
            Value::Float64(number) if number.is_finite() => self.push_shown(java_f64(*number)),
            Value::Float32(number) => self.push_text(&java_f32(*number)),
            Value::Float64(number) => self.push_text(&java_f64(*number)),
            Value::Decimal(number) => {
                let digits = number.to_plain_string(LONGEST_DECIMAL);
                self.out.append(&digits.ok_or(JsonError::TooManyDigits)?);
            }
            Value::String(text) => self.push_text(text),
            Value::Bytes(bytes) => self.push_text(&STANDARD.encode(bytes)),
            Value::Date(days) => self.push_text(&date(i64::from(*days))),
            Value::Time(millis) => self.push_text(&time(i64::from(*millis))),
            Value::Timestamp(millis) => self.push_text(&timestamp(*millis)),
            Value::Array(elements) => {
                self.out.append("[");
                for (index, element) in elements.iter().enumerate() {
                    self.separate(index);
                    self.push(element, below)?;
                }
                self.out.append("]");
            }
            Value::Map(entries) => {
                self.out.append("{");
                for (index, (key, value)) in entries.iter().enumerate() {
                    self.separate(index);
                    self.push_key(key)?;
                    self.push(value, below)?;
                }
                self.out.append("}");
            }
            Value::Struct(structure) => {
                self.out.append("{");
                let values = structure.values().iter();
                for (field, value) in structure.schema().fields().iter().zip(values) {
                    self.separate(field.index);
                    self.push_text(&field.name);
                    self.out.append(":");
                    self.push(value, below)?;
                }
                self.out.append("}");
            }
        }
        Ok(())
    }

    fn separate(&mut self, index: usize) {
        if index > 0 {
            self.out.append(",");
        }
    }

    fn push_key(&mut self, key: &Value) -> Result<(), JsonError> {
        match key {
            Value::String(text) => self.push_text(text),
            Value::Array(_) | Value::Map(_) | Value::Struct(_) => {
                return Err(JsonError::KeyWithParts);
            }
            key => {
                let written = text(key)?;
                self.push_text(written.trim_matches('"'));
            }
        }
        self.out.append(":");
        Ok(())
    }

    fn push_shown(&mut self, value: impl Display) {
        // Writing to memory cannot fail.
        let _ = write!(self, "{value}");
    }

    fn push_text(&mut self, text: &str) {
        self.out.append("\"");
        let mut plain = 0;
        for (at, byte) in text.bytes().enumerate() {
            if byte >= 0x20 && byte != b'"' && byte != b'\\' {
                continue;
            }
            self.out.append(&text[plain..at]);
            plain = at + 1;
            match byte {
                b'"' => self.out.append("\\\""),
                b'\\' => self.out.append("\\\\"),
                b'\n' => self.out.append("\\n"),
                b'\r' => self.out.append("\\r"),
                b'\t' => self.out.append("\\t"),
                byte => {
                    self.has_nul |= byte == 0;
                    let _ = write!(self, "\\u{byte:04x}");
                }
            }
        }
        self.out.append(&text[plain..]);
        self.out.append("\"");
    }
}

fn date(days: i64) -> String {
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}")
}

fn time(millis: i64) -> String {
    let seconds = millis / 1000;
    format!(
        "{:02}:{:02}:{:02}.{:03}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        millis % 1000
    )
}

fn timestamp(millis: i64) -> String {
    let day = date(millis.div_euclid(MILLIS_PER_DAY));
    format!("{day}T{}Z", time(millis.rem_euclid(MILLIS_PER_DAY)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tether_api::data::{Decimal, MapValue};

    use super::*;
    use crate::fixture::{any_value, int, struct_of, structure, text};

    fn written(value: impl Into<Value>) -> String {
        super::text(&value.into()).unwrap()
    }

    fn map(key: impl Into<Value>, value: impl Into<Value>) -> Value {
        Value::Map(std::sync::Arc::new(MapValue::from_iter([(
            key.into(),
            value.into(),
        )])))
    }

    #[test]
    fn plain_values() {
        assert_eq!(written(Value::Null), "null");
        assert_eq!(written(true), "true");
        assert_eq!(written(-5i64), "-5");
        assert_eq!(written(1.5f64), "1.5");
        assert_eq!(written(f64::NAN), "\"NaN\"");
        assert_eq!(written(f32::NEG_INFINITY), "\"-Infinity\"");
        assert_eq!(
            written(Decimal::from_i64(12_345_678_901_234_567, 3)),
            "12345678901234.567"
        );
        assert_eq!(written(Value::Bytes(vec![0, 255].into())), "\"AP8=\"");
        assert_eq!(written(Value::Date(-1)), "\"1969-12-31\"");
        assert_eq!(written(Value::Time(3_723_004)), "\"01:02:03.004\"");
        assert_eq!(
            written(Value::Timestamp(-1)),
            "\"1969-12-31T23:59:59.999Z\""
        );
    }

    #[test]
    fn texts_are_escaped() {
        assert_eq!(
            written("a\"b\\c\n\t\u{1}ä"),
            "\"a\\\"b\\\\c\\n\\t\\u0001ä\""
        );
        let mut out = Vec::new();
        assert_eq!(push(&"a\0".into(), &mut out), Ok(true));
        assert_eq!(out, b"\"a\\u0000\"");
    }

    #[test]
    fn values_with_parts() {
        let inner = structure(&[("x", int()), ("y", text())]);
        let value = struct_of(&inner, vec![1i32.into(), Value::Null]);
        let list = Value::Array(vec![value, 2i32.into()].into());
        assert_eq!(written(list), "[{\"x\":1,\"y\":null},2]");
        assert_eq!(written(map("k\"", 1i32)), "{\"k\\\"\":1}");
        assert_eq!(written(map(7i32, "v")), "{\"7\":\"v\"}");
        assert_eq!(written(map(Value::Date(0), "v")), "{\"1970-01-01\":\"v\"}");
        let key = Value::Array(Vec::new().into());
        let error = super::text(&map(key, 1i32)).unwrap_err();
        assert_eq!(error, JsonError::KeyWithParts);
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |levels: usize| {
            let empty = Value::Array(Vec::new().into());
            (1..levels).fold(empty, |inner, _| Value::Array(vec![inner].into()))
        };
        assert!(super::text(&nested(MOST_LEVELS)).is_ok());
        let error = super::text(&nested(MOST_LEVELS + 1)).unwrap_err();
        assert_eq!(error, JsonError::TooDeep);
    }

    fn agree(value: &Value, json: &serde_json::Value) -> bool {
        match (value, json) {
            (Value::Array(values), serde_json::Value::Array(list)) => {
                values.len() == list.len() && values.iter().zip(list).all(|(a, b)| agree(a, b))
            }
            (Value::Map(map), serde_json::Value::Object(object)) => {
                let has = |(key, value): &(Value, Value)| {
                    let found = key.as_str().and_then(|key| object.get(key));
                    found.is_some_and(|json| agree(value, json))
                };
                map.len() == object.len() && map.iter().all(has)
            }
            (Value::String(text), json) => json.as_str() == Some(text),
            (Value::Int64(number), json) => json.as_i64() == Some(*number),
            (Value::Float64(number), json) if number.is_finite() => {
                // The reader may be off by the last bit.
                json.as_f64()
                    .is_some_and(|read| (read - number).abs() <= number.abs() * 1e-15)
            }
            (Value::Boolean(flag), json) => json.as_bool() == Some(*flag),
            (Value::Null, json) => json.is_null(),
            (value, json) => {
                json.is_string() || matches!(value, Value::Float32(_) | Value::Decimal(_))
            }
        }
    }

    proptest! {
        #[test]
        fn any_value_is_read_back(value in any_value()) {
            let json: serde_json::Value = serde_json::from_str(&super::text(&value).unwrap()).unwrap();
            prop_assert!(agree(&value, &json), "{value:?} {json}");
        }
    }
}
