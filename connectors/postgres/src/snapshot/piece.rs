//! Some rows of a table on their way.

use tether_api::data::Value;

use super::ledger::Step;
use super::sequence::Place;
use crate::event::{Change, RECORD_BYTES};

/// A piece is sent once its rows have so many bytes.
const FULL: usize = 1024 * 1024;

/// A row and about how much memory its record will hold.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) change: Change,
    pub(super) bytes: usize,
    /// What has been sent once it is.
    pub(super) steps: Vec<Step>,
}

impl Row {
    /// A row that came as a text of this length and has so many values.
    pub(super) fn new(key: Value, row: Value, length: usize, values: usize) -> Self {
        Self {
            change: Change::Read { key, row },
            bytes: length + values * size_of::<Value>() + RECORD_BYTES,
            steps: Vec::new(),
        }
    }
}

/// Some rows of a part of a table.
#[derive(Debug)]
pub(super) struct Piece {
    /// Where they come from.
    pub(super) place: Place,
    /// The rows; `None` is one that is left out, as it cannot be read.
    pub(super) rows: Vec<Option<Row>>,
    /// Whether the part begins with them.
    pub(super) is_first: bool,
    /// Whether the part has no more.
    pub(super) is_last: bool,
    /// What has been read with it, if that is to be stored.
    pub(super) step: Option<Step>,
    /// How many rows the part has; known with its last piece.
    pub(super) total: u64,
    bytes: usize,
}

impl Piece {
    /// An empty piece with which a part begins.
    pub(super) fn first_of(place: Place) -> Self {
        Self {
            is_first: true,
            ..Self::of(place)
        }
    }

    /// An empty piece of a part.
    pub(super) fn of(place: Place) -> Self {
        Self {
            place,
            rows: Vec::new(),
            is_first: false,
            is_last: false,
            step: None,
            total: 0,
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
