//! What the latest event was.

use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tether_api::data::{Struct, Value};
use tether_api::record::SourceRecord;

use super::events::now;
use crate::event::Operation;

/// No event yet.
const NEVER: i64 = -1;

/// How much of a long key is shown, in characters.
const SHOWN: usize = 1000;

/// What the latest event was, and when it came. Its text is made when somebody
/// asks for it.
#[derive(Debug, Default)]
pub(super) struct LastEvent(Mutex<State>);

#[derive(Debug)]
struct State {
    /// In milliseconds since 1970.
    time: i64,
    what: Option<What>,
}

/// What there is to say of an event.
#[derive(Debug, Clone, PartialEq)]
struct What {
    lsn: Option<i64>,
    xmin: Option<i64>,
    key: Value,
}

impl Default for State {
    fn default() -> Self {
        Self {
            time: NEVER,
            what: None,
        }
    }
}

impl LastEvent {
    /// One came just now.
    pub(super) fn came(&self) {
        self.state().time = now();
    }

    /// How many milliseconds ago that was; -1 without an event.
    pub(super) fn millis_since(&self) -> i64 {
        match self.state().time {
            NEVER => NEVER,
            last => now().saturating_sub(last),
        }
    }

    /// Keeps what the event of a record was.
    pub(super) fn set(&self, event: &Struct, key: &Value) {
        let source = match event.get("source") {
            Some(Value::Struct(source)) => Some(source),
            _ => None,
        };
        let number = |name| source.and_then(|source| source.get(name)?.as_i64());
        let what = What {
            lsn: number("lsn"),
            xmin: number("xmin"),
            key: key.clone(),
        };
        self.state().what = Some(what);
    }

    /// The text of the reference (`EventFormatter`): where the event stands, and
    /// its key. `None` without an event.
    pub(super) fn text(&self) -> Option<String> {
        let What { lsn, xmin, key } = self.state().what.clone()?;
        let mut parts = Vec::new();
        if let Some(lsn) = lsn {
            // The order is that of the reference's hash map.
            let xmin = xmin.map(|xmin| format!("xmin: {xmin}, "));
            parts.push(format!(
                "position: {{{}lsn: {lsn}}}",
                xmin.unwrap_or_default()
            ));
        }
        if !key.is_null() {
            let mut text = String::from("key: ");
            push(&mut text, &key);
            if let Some((end, _)) = text.char_indices().nth(SHOWN) {
                text.truncate(end);
                text.push('…');
            }
            parts.push(text);
        }
        Some(parts.join(", "))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What is inside is right after each statement.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The latest of these records that is an event of one of these operations, and
/// its key.
pub(super) fn latest(
    records: &[SourceRecord],
    wanted: impl Fn(Operation) -> bool,
) -> Option<(&Struct, &Value)> {
    records.iter().rev().find_map(|placed| {
        let Value::Struct(value) = &placed.record.value else {
            return None;
        };
        value.get("source")?;
        let operation = Operation::of_code(value.get("op")?.as_str()?)?;
        wanted(operation).then_some((&**value, &placed.record.key))
    })
}

/// A value as the reference writes it in detail (`SchemaUtil`).
fn push(text: &mut String, value: &Value) {
    match value {
        Value::Struct(value) => {
            text.push('{');
            let fields = value.schema().fields().iter().zip(value.values());
            for (place, (field, value)) in fields.enumerate() {
                if place > 0 {
                    text.push_str(", ");
                }
                // Writing to a text does not fail.
                let _ = write!(text, "{} : ", serde_json::Value::from(&*field.name));
                push(text, value);
            }
            text.push('}');
        }
        Value::Array(values) => push_list(text, values, push),
        Value::Bytes(bytes) => push_list(text, bytes, |text, byte| {
            let _ = write!(text, "{}", byte.cast_signed());
        }),
        Value::Null => text.push_str("null"),
        // Numbers have quotes too.
        value => {
            let _ = write!(text, "{}", serde_json::Value::from(value.to_string()));
        }
    }
}

fn push_list<T>(text: &mut String, values: &[T], push: impl Fn(&mut String, &T)) {
    text.push('[');
    for (place, value) in values.iter().enumerate() {
        if place > 0 {
            text.push_str(", ");
        }
        push(text, value);
    }
    text.push(']');
}

#[cfg(test)]
mod tests {
    use tether_api::Result;
    use tether_api::data::{Schema, SchemaBuilder, Type};

    use super::*;

    #[test]
    fn an_event_is_told_by_place_and_key() -> Result<()> {
        let last = LastEvent::default();
        assert_eq!((last.millis_since(), last.text()), (-1, None));
        let long = |name| (name, Schema::primitive(Type::Int64, true));
        let of = |fields: &[(&str, _)]| {
            let mut schema = SchemaBuilder::structure();
            for (name, field) in fields {
                schema = schema.field(*name, std::sync::Arc::clone(field));
            }
            schema.build()
        };
        let source = of(&[long("lsn"), long("xmin")]);
        let event = of(&[("source", source.clone())]);
        let text = Schema::primitive(Type::String, true);
        let bytes = Schema::primitive(Type::Bytes, true);
        let key = of(&[long("id"), ("name", text), ("bytes", bytes)]);
        let bytes = Value::Bytes(vec![1, 255].into());
        let values = vec![7_i64.into(), "a\"b".into(), bytes];
        let key = Value::from(Struct::from_values(key, values)?);
        let event = |values| {
            let source = Struct::from_values(source.clone(), values)?;
            Struct::from_values(event.clone(), vec![source.into()])
        };
        last.came();
        last.set(&event(vec![12_i64.into(), Value::Null])?, &key);
        let shown = r#"position: {lsn: 12}, key: {"id" : "7", "name" : "a\"b", "bytes" : [1, -1]}"#;
        assert_eq!(last.text().as_deref(), Some(shown));
        assert!(last.millis_since() >= 0);
        last.set(&event(vec![12_i64.into(), 5_i64.into()])?, &Value::Null);
        let shown = "position: {xmin: 5, lsn: 12}";
        assert_eq!(last.text().as_deref(), Some(shown));
        // Rows of incremental snapshots have no place.
        last.set(&event(vec![Value::Null, Value::Null])?, &"x".into());
        assert_eq!(last.text().as_deref(), Some(r#"key: "x""#));
        Ok(())
    }
}
