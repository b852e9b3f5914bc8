//! Signals that are rows of the signal table.

use tether_api::data::{Struct, Value};

use super::Signal;
use crate::event::Change;

/// The signal that a change of the signal table is, if it is one: a new row,
/// or with `incremental.snapshot.watermarking.strategy=INSERT_DELETE`
/// (`deletions`) a deleted one, which closes the window that it opened.
pub fn signal_of(change: &Change, deletions: bool) -> Option<Signal> {
    match change {
        Change::Create { row, .. } => columns(row),
        Change::Delete { before, .. } if deletions => {
            let signal = columns(before)?;
            Some(Signal {
                id: signal.id.replace("open", "close"),
                kind: "snapshot-window-close".to_owned(),
                ..signal
            })
        }
        _ => None,
    }
}

fn columns(row: &Value) -> Option<Signal> {
    let Value::Struct(row) = row else {
        tracing::warn!("A change of the signal table has no row");
        return None;
    };
    let fields = row.schema().fields().len();
    if fields != 3 {
        tracing::warn!("The signal event should have 3 fields but has {fields}");
        return None;
    }
    let text = |index| column(row, index);
    Some(Signal {
        id: text(0)?,
        kind: text(1)?,
        data: text(2)?,
        channel_offset: None,
    })
}

/// The text of a column; nothing for null.
fn column(row: &Struct, index: usize) -> Option<String> {
    match row.values().get(index) {
        Some(Value::String(text)) => Some(text.to_string()),
        None | Some(Value::Null) => Some(String::new()),
        Some(_) => {
            tracing::warn!("Column {} of a signal is not text", index + 1);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use tether_api::data::{Schema, SchemaBuilder, Type};

    use super::*;

    fn row(values: Vec<Value>) -> Value {
        let mut schema = SchemaBuilder::structure();
        for index in 0..values.len() {
            schema = schema.field(format!("c{index}"), Schema::primitive(Type::String, true));
        }
        Struct::from_values(schema.build(), values).unwrap().into()
    }

    fn created(values: Vec<Value>) -> Change {
        Change::Create {
            key: Value::Null,
            row: row(values),
        }
    }

    #[test]
    fn new_rows_are_signals() {
        let change = created(vec!["1".into(), "log".into(), Value::Null]);
        let signal = signal_of(&change, false);
        let expected = Signal {
            id: "1".to_owned(),
            kind: "log".to_owned(),
            ..Signal::default()
        };
        assert_eq!(signal, Some(expected));
        let two = created(vec!["1".into(), "log".into()]);
        assert_eq!(signal_of(&two, true), None);
        let read = Change::Read {
            key: Value::Null,
            row: row(vec!["1".into(), "log".into(), "".into()]),
        };
        assert_eq!(signal_of(&read, true), None);
    }

    #[test]
    fn deleted_rows_close_the_windows_they_opened() {
        let change = Change::Delete {
            key: Value::Null,
            before: row(vec![
                "x-open".into(),
                "snapshot-window-open".into(),
                "{}".into(),
            ]),
        };
        assert_eq!(signal_of(&change, false), None);
        let signal = signal_of(&change, true).unwrap();
        assert_eq!(
            (&*signal.id, &*signal.kind),
            ("x-close", "snapshot-window-close")
        );
    }
}
