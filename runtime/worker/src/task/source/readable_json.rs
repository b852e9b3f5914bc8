//! Connect data as JSON that a person can read, for dead letters.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tether_api::data::{MapValue, Struct, Value};
use tether_api::offset::OffsetMap;

/// Nesting beyond this is left out.
const MAX_DEPTH: usize = 64;

/// What stands for something that was left out.
const LEFT_OUT: &str = "…";

/// A character takes at most this many in JSON: `\u001f`.
const LONGEST_ESCAPE: usize = 6;

/// Quotes and a mark fit even if nothing else does.
const MARGIN: usize = 8;

/// Writes a value as JSON, with or without a schema, whatever it is: where JSON
/// has no such thing, as text. It takes about `limit` bytes at most; what does
/// not fit is replaced by `…`.
pub(super) fn readable_json(value: &Value, limit: usize) -> String {
    let mut writer = Writer {
        out: String::new(),
        limit,
    };
    writer.value(value, 0);
    writer.out
}

/// Writes a source partition or offset likewise.
pub(super) fn readable_map(map: &OffsetMap, limit: usize) -> String {
    let mut writer = Writer {
        out: "{".to_owned(),
        limit,
    };
    for (index, (name, value)) in map.iter().enumerate() {
        writer.comma(index);
        if !writer.entry(name, value, 0) {
            break;
        }
    }
    writer.out.push('}');
    writer.out
}

struct Writer {
    out: String,
    limit: usize,
}

impl Writer {
    fn value(&mut self, value: &Value, depth: usize) {
        match value {
            Value::Null => self.out.push_str("null"),
            Value::Boolean(_)
            | Value::Int8(_)
            | Value::Int16(_)
            | Value::Int32(_)
            | Value::Int64(_) => self.out.push_str(&value.to_string()),
            Value::Float32(number) => self.number(f64::from(*number), value),
            Value::Float64(number) => self.number(*number, value),
            Value::String(text) => self.text(text),
            Value::Bytes(bytes) => self.bytes(bytes),
            Value::Decimal(_) | Value::Date(_) | Value::Time(_) | Value::Timestamp(_) => {
                self.text(&value.to_string());
            }
            Value::Array(_) | Value::Map(_) | Value::Struct(_) if depth >= MAX_DEPTH => {
                self.text(LEFT_OUT);
            }
            Value::Array(values) => self.array(values, depth),
            Value::Map(entries) => self.map(entries, depth),
            Value::Struct(fields) => self.fields(fields, depth),
        }
    }

    fn number(&mut self, number: f64, value: &Value) {
        if number.is_finite() {
            self.out.push_str(&value.to_string());
        } else {
            self.text(&value.to_string());
        }
    }

    fn array(&mut self, values: &[Value], depth: usize) {
        self.out.push('[');
        for (index, value) in values.iter().enumerate() {
            self.comma(index);
            if self.is_full() {
                self.text(LEFT_OUT);
                break;
            }
            self.value(value, depth + 1);
        }
        self.out.push(']');
    }

    fn map(&mut self, entries: &MapValue, depth: usize) {
        self.out.push('{');
        for (index, (key, value)) in entries.iter().enumerate() {
            self.comma(index);
            let key = match key {
                Value::String(text) => text.to_string(),
                other => readable_json(other, self.room()),
            };
            if !self.entry(&key, value, depth) {
                break;
            }
        }
        self.out.push('}');
    }

    fn fields(&mut self, fields: &Struct, depth: usize) {
        self.out.push('{');
        let names = fields.schema().fields().iter().map(|field| &*field.name);
        for (index, (name, value)) in names.zip(fields.values()).enumerate() {
            self.comma(index);
            if !self.entry(name, value, depth) {
                break;
            }
        }
        self.out.push('}');
    }

    /// Writes an entry of an object; false if there was no room.
    fn entry(&mut self, key: &str, value: &Value, depth: usize) -> bool {
        let full = self.is_full();
        self.text(if full { LEFT_OUT } else { key });
        self.out.push(':');
        if full {
            self.text(LEFT_OUT);
        } else {
            self.value(value, depth + 1);
        }
        !full
    }

    fn text(&mut self, text: &str) {
        let room = self.room();
        let cut = |length: usize| {
            let text = match text.len() <= length || text == LEFT_OUT {
                true => text.into(),
                false => format!("{}{LEFT_OUT}", &text[..text.floor_char_boundary(length)]),
            };
            serde_json::Value::String(text).to_string()
        };
        let mut json = cut(room);
        if json.len() > room.saturating_add(MARGIN) {
            json = cut(room / LONGEST_ESCAPE);
        }
        self.out.push_str(&json);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        let fits = bytes.len().min(self.room() / 4 * 3);
        let mut text = format!("base64:{}", STANDARD.encode(&bytes[..fits]));
        if fits < bytes.len() {
            text.push_str(LEFT_OUT);
        }
        self.out.push_str(&format!("\"{text}\""));
    }

    fn comma(&mut self, index: usize) {
        if index > 0 {
            self.out.push(',');
        }
    }

    fn room(&self) -> usize {
        self.limit.saturating_sub(self.out.len())
    }

    fn is_full(&self) -> bool {
        self.room() == 0
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use tether_api::data::{Bytes, MapValue, Value};
    use tether_api::testing::data::{Features, data};

    use super::*;

    #[test]
    fn every_value_has_a_text() {
        let mut map = MapValue::default();
        map.insert(Value::Int32(1), Value::Float64(f64::NAN));
        map.insert("k".into(), Value::Float32(1.5));
        let value = Value::from(vec![
            Value::Null,
            Value::Boolean(true),
            Value::Int64(-7),
            "a\"b".into(),
            Value::Bytes(Bytes::from_static(b"\0\x01")),
            Value::Map(Arc::new(map)),
        ]);
        assert_eq!(
            readable_json(&value, 1000),
            r#"[null,true,-7,"a\"b","base64:AAE=",{"1":"NaN","k":1.5}]"#
        );
    }

    #[test]
    fn what_is_too_long_is_cut() {
        let value = Value::from(vec!["aaaaaaaa".into(), "bbbbbbbb".into(), Value::Null]);
        assert_eq!(readable_json(&value, 40), r#"["aaaaaaaa","bbbbbbbb",null]"#);
        assert_eq!(readable_json(&value, 16), r#"["aaaaaaaa","bbbb…","…"]"#);
        let escapes = Value::from("\u{1}".repeat(1000));
        assert!(readable_json(&escapes, 60).len() <= 70);
    }

    proptest! {
        #[test]
        fn it_is_json_and_within_the_limit((_, value) in data(Features::ALL), limit in 0usize..300) {
            let json = readable_json(&value, limit);
            prop_assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok(), "{json}");
            // Each open bracket is closed, and what did not fit leaves a mark.
            prop_assert!(json.len() <= limit + 200, "{} {json}", json.len());
        }
    }
}
