//! Statements that are sent at once.
//!
//! One message takes several statements, so a delivery that is not too large
//! is one round trip, whatever tables it goes to. The server runs them in
//! order and stops at the first that fails.

use std::ops::Range;

use tether_api::Result;
use tether_api::record::SinkRecord;

use super::binder::MySqlBinder;
use crate::buffer::Batch;
use crate::error::SqlError;

const BEGIN: &[u8] = b"START TRANSACTION;";

/// Which rows of which batch a statement writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// The index of the batch.
    pub(super) batch: usize,
    /// The rows within the batch.
    pub(super) rows: Range<usize>,
}

/// How large statements and messages may be, in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// A message with more is sent before anything is added.
    pub(super) full: usize,
    /// The largest message that the server takes.
    pub(super) largest: usize,
}

/// What is to be sent next.
#[derive(Debug)]
pub(super) struct Script {
    /// The statements, the first of which begins a transaction.
    sql: Vec<u8>,
    /// What they write.
    pub(super) parts: Vec<Part>,
    /// Whether the last one ends the transaction.
    commits: bool,
}

/// Where in the batches the next statement begins.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Position {
    batch: usize,
    row: usize,
}

/// Why no statement could be made.
pub(super) enum Unwritable {
    /// A record does not fit.
    Record(tether_api::ConnectError),
    /// A record is too large for the server.
    TooLarge(SqlError, Part),
}

impl Script {
    pub(super) fn new() -> Self {
        Self {
            sql: BEGIN.to_vec(),
            parts: Vec::new(),
            commits: false,
        }
    }

    /// The statements, with or without the one that begins a transaction.
    pub(super) fn sql(&self, begins: bool) -> &[u8] {
        if begins {
            return &self.sql;
        }
        self.sql.get(BEGIN.len()..).unwrap_or_default()
    }

    /// How many statements there are, with or without the one that begins a
    /// transaction.
    pub(super) fn statements(&self, begins: bool) -> usize {
        usize::from(begins) + self.parts.len() + usize::from(self.commits)
    }

    /// Ends the transaction.
    pub(super) fn commit(&mut self) {
        if !self.parts.is_empty() {
            self.sql.push(b';');
        }
        self.sql.extend_from_slice(b"COMMIT");
        self.commits = true;
    }

    /// Forgets all statements and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.sql.truncate(BEGIN.len());
        self.parts.clear();
    }

    /// Adds statements from a position on until the message is full. Whether
    /// more are to come.
    pub(super) fn fill(
        &mut self,
        batches: &[Batch<'_, MySqlBinder>],
        position: &mut Position,
        limits: Limits,
    ) -> Result<bool, Unwritable> {
        while let Some(batch) = batches.get(position.batch) {
            if position.row >= batch.rows.len() {
                *position = Position {
                    batch: position.batch + 1,
                    row: 0,
                };
                continue;
            }
            if self.sql.len() >= limits.full {
                return Ok(true);
            }
            if !self.add_statement(batch, position, limits)? {
                // It would be too large together with those before.
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Adds one statement for as many rows as it takes. `false` if there is not
    /// even room for one.
    fn add_statement(
        &mut self,
        batch: &Batch<'_, MySqlBinder>,
        position: &mut Position,
        limits: Limits,
    ) -> Result<bool, Unwritable> {
        let binder = &batch.plan.binder;
        let template = &binder.template;
        let (start, first) = (self.sql.len(), position.row);
        if !self.parts.is_empty() {
            self.sql.push(b';');
        }
        self.sql.extend_from_slice(template.head.as_bytes());
        // What follows the rows, the end of the transaction, and the header.
        let reserved = template.tail.len() + 64;
        let most_rows = template.most_rows.min(batch.rows_per_statement());
        let rows = batch.rows.iter().skip(first).take(most_rows);
        for row in rows {
            let before = self.sql.len();
            if position.row > first {
                if before >= limits.full {
                    break;
                }
                self.sql.extend_from_slice(template.separator.as_bytes());
            }
            self.add_row(binder, row.record)?;
            if self.sql.len() + reserved > limits.largest {
                let size = self.sql.len() - before;
                let is_alone = position.row == first;
                self.sql.truncate(if is_alone { start } else { before });
                if !is_alone {
                    break;
                }
                if !self.parts.is_empty() {
                    return Ok(false);
                }
                let part = Part {
                    batch: position.batch,
                    rows: first..first + 1,
                };
                return Err(Unwritable::TooLarge(too_large(size, limits), part));
            }
            position.row += 1;
        }
        self.sql.extend_from_slice(template.tail.as_bytes());
        self.parts.push(Part {
            batch: position.batch,
            rows: first..position.row,
        });
        Ok(true)
    }

    fn add_row(&mut self, binder: &MySqlBinder, record: &SinkRecord) -> Result<(), Unwritable> {
        binder
            .push_row(record, &mut self.sql)
            .map_err(Unwritable::Record)
    }
}

fn too_large(size: usize, limits: Limits) -> SqlError {
    let mut error = SqlError::permanent(format!(
        "a row of {size} bytes as SQL exceeds what the server takes at once, {} bytes \
         (max_allowed_packet)",
        limits.largest
    ));
    error.is_record_fault = true;
    error
}
