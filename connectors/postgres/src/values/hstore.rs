//! Maps of texts of the extension `hstore`.

use std::borrow::Cow;

use tether_api::data::{Bytes, MapValue, Text, Value, java_hash_order};

use super::conversion::{self, Misfit};
use crate::config::HstoreMode;

/// A key and its value.
type Entry<'a> = (Cow<'a, str>, Option<Cow<'a, str>>);

impl HstoreMode {
    /// The value of a text such as `"a"=>"1", "b"=>NULL`.
    pub(super) fn value(self, text: &Bytes) -> Result<Value, Misfit> {
        let text = conversion::utf8(text)?;
        let entries = entries(&text).ok_or(Misfit::Text)?;
        Ok(self.of_entries(entries))
    }

    /// The map with one entry, which has this text as key and as value.
    pub(super) fn of_one(self, text: &str) -> Value {
        self.of_entries(vec![(text.into(), Some(text.into()))])
    }

    /// The empty map.
    pub(super) fn empty(self) -> Value {
        self.of_entries(Vec::new())
    }

    fn of_entries(self, entries: Vec<Entry<'_>>) -> Value {
        let entries = java_hash_order(entries, |(key, _)| key);
        match self {
            Self::Json => json(&entries).into(),
            Self::Map => {
                let owned = |text: Cow<'_, str>| Value::String(Text::from(text.into_owned()));
                let entries = entries
                    .into_iter()
                    .map(|(key, value)| (owned(key), value.map_or(Value::Null, owned)))
                    .collect();
                // The server lets no key occur twice; a hostile text costs itself only.
                MapValue::from_distinct(entries).into()
            }
        }
    }
}

/// The entries of a text.
fn entries(text: &str) -> Option<Vec<Entry<'_>>> {
    let mut entries = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (key, after) = quoted(rest)?;
        let after = after.strip_prefix("=>")?;
        let (value, after) = match after.strip_prefix("NULL") {
            Some(after) => (None, after),
            None => {
                let (value, after) = quoted(after)?;
                (Some(value), after)
            }
        };
        entries.push((key, value));
        rest = match after.strip_prefix(", ") {
            Some(more) if !more.is_empty() => more,
            None if after.is_empty() => after,
            _ => return None,
        };
    }
    Some(entries)
}

/// The text within quotes at the start, and what comes after them.
fn quoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let inner = text.strip_prefix('"')?;
    let end = memchr::memchr2(b'"', b'\\', inner.as_bytes())?;
    if inner.as_bytes()[end] == b'"' {
        return Some((Cow::Borrowed(&inner[..end]), &inner[end + 1..]));
    }
    let mut unescaped = String::new();
    let mut characters = inner.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((Cow::Owned(unescaped), &inner[at + 1..])),
            '\\' => unescaped.push(characters.next()?.1),
            other => unescaped.push(other),
        }
    }
    None
}

/// A JSON object, escaped as Jackson does.
fn json(entries: &[Entry<'_>]) -> String {
    let mut text = String::from("{");
    for (index, (key, value)) in entries.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        write_string(&mut text, key);
        text.push(':');
        match value {
            Some(value) => write_string(&mut text, value),
            None => text.push_str("null"),
        }
    }
    text.push('}');
    text
}

fn write_string(to: &mut String, text: &str) {
    to.push('"');
    for character in text.chars() {
        match character {
            '"' => to.push_str("\\\""),
            '\\' => to.push_str("\\\\"),
            '\u{8}' => to.push_str("\\b"),
            '\t' => to.push_str("\\t"),
            '\n' => to.push_str("\\n"),
            '\u{c}' => to.push_str("\\f"),
            '\r' => to.push_str("\\r"),
            control @ '\0'..='\u{1f}' => to.push_str(&format!("\\u{:04X}", control as u32)),
            other => to.push(other),
        }
    }
    to.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(text: &'static str, mode: HstoreMode) -> Option<Value> {
        mode.value(&Bytes::from_static(text.as_bytes())).ok()
    }

    #[test]
    fn keys_are_in_the_order_of_javas_hashes() {
        let text = r#""a"=>"1", "d"=>NULL, "b c"=>"x\"y\\z""#;
        assert_eq!(
            value(text, HstoreMode::Json),
            Some(r#"{"a":"1","d":null,"b c":"x\"y\\z"}"#.into())
        );
        let other = r#""d"=>"3", "b c"=>"2", "a"=>"1""#;
        assert_eq!(
            value(other, HstoreMode::Json),
            Some(r#"{"a":"1","d":"3","b c":"2"}"#.into())
        );
        assert_eq!(value("", HstoreMode::Json), Some("{}".into()));
        assert_eq!(
            value(r#""a"=>NULL"#, HstoreMode::Map).map(|value| value.to_string()),
            Some("{a=null}".into())
        );
        assert_eq!(HstoreMode::Json.of_one("T"), r#"{"T":"T"}"#.into());
        for wrong in [
            "a",
            "\"a",
            "\"a\"",
            "\"a\"=>",
            "\"a\"=>b",
            "\"a\"=>NULL,",
            "\"a\"=>NULL, ",
            "\"a\"=>\"\\",
        ] {
            assert_eq!(value(wrong, HstoreMode::Json), None, "{wrong}");
        }
    }

    /// Texts of what has a meaning in maps, and others.
    fn likely() -> impl Strategy<Value = String> {
        "([\"\\\\=>, NUL]|.){0,8}"
    }

    proptest! {
        #[test]
        fn what_is_escaped_is_read(
            entries in proptest::collection::vec(
                (likely(), proptest::option::of(likely())),
                0..6,
            )
        ) {
            let quote = |text: &str| {
                format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
            };
            let text: Vec<String> = entries
                .iter()
                .map(|(key, value)| {
                    let value = value.as_deref().map_or_else(|| "NULL".into(), quote);
                    format!("{}=>{value}", quote(key))
                })
                .collect();
            let text = text.join(", ");
            let read = super::entries(&text).unwrap_or_default();
            let read: Vec<_> = read
                .into_iter()
                .map(|(key, value)| (key.into_owned(), value.map(Cow::into_owned)))
                .collect();
            prop_assert_eq!(read, entries);
        }

        #[test]
        fn anything_is_a_map_or_not(text: Vec<u8>) {
            let _ = HstoreMode::Json.value(&text.into());
        }
    }
}
