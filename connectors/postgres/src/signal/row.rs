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
