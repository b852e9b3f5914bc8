//! Some rows of a table on their way.

use tether_api::data::Value;

use crate::event::Change;

/// A piece is sent once its rows have so many bytes.
const FULL: usize = 1024 * 1024;

/// About what a record takes besides the text and the values of its row:
/// envelope, source block, key, headers, offset.
const RECORD: usize = 2048;

/// A row and about how much memory its record will hold.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) change: Change,
    pub(super) bytes: usize,
}

impl Row {
    /// A row that came as a text of this length and has so many values.
    pub(super) fn new(key: Value, row: Value, length: usize, values: usize) -> Self {
        Self {
            change: Change::Read { key, row },
            bytes: length + values * size_of::<Value>() + RECORD,
        }
    }
}

/// Some rows of a table.
#[derive(Debug)]
pub(super) struct Piece {
    /// The table's place in the order of tables.
    pub(super) table: usize,
    /// The rows; `None` is one that is left out, as it cannot be read.
    pub(super) rows: Vec<Option<Row>>,
    /// Whether the table has no more.
    pub(super) is_last: bool,
    bytes: usize,
}

impl Piece {
    /// An empty piece of a table.
    pub(super) fn of(table: usize) -> Self {
        Self {
            table,
            rows: Vec::new(),
            is_last: false,
            bytes: 0,
        }
    }

    pub(super) fn push(&mut self, row: Row) {
        self.bytes += row.bytes;
        self.rows.push(Some(row));
    }

    /// A row is left out.
    pub(super) fn leave_out(&mut self) {
        self.rows.push(None);
    }

    /// Whether it has so many rows, or many bytes.
    pub(super) fn is_full(&self, rows: usize) -> bool {
        self.rows.len() >= rows || self.bytes >= FULL
    }
}
