//! Databases: how to connect, look at tables, change them and write batches.
//!
//! [`crate::writer`] is generic over [`Database`]; what differs between
//! systems is behind these traits.

pub(crate) mod column_value;
pub(crate) mod mysql;
pub(crate) mod postgres;
pub(crate) mod sqlite;
mod time_limit;
mod variable_scale;

use std::fmt::Debug;
use std::future::Future;

use tether_api::Result;

use crate::buffer::Batch;
use crate::dialect::Dialect;
use crate::error::{Failure, SqlError};
use crate::fields::SinkField;
use crate::plan::{Binder, Operation};
use crate::schemaless::column_kind::TypedColumn;
use crate::table::{Column, TableDefinition, TableId};

/// A database that can be connected to.
pub(crate) trait Database: Send + Sync + 'static {
    /// A connection to it.
    type Session: Session;

    /// Connects. Takes no longer than the configured timeouts.
    fn connect(&self) -> impl Future<Output = Result<Self::Session, SqlError>> + Send;

    /// Checks that a connection can be made, and leaves nothing behind.
    fn check(&self) -> impl Future<Output = Result<(), SqlError>> + Send;
}

/// A connection to a database.
pub(crate) trait Session: Send {
    /// Turns records into parameters.
    type Binder: Binder + Debug;
    /// What is known of a column's type.
    type ColumnType: TypedColumn + Send + Sync + Debug;
    /// The database's SQL.
    type Dialect: Dialect;

    /// The database's SQL.
    fn dialect(&self) -> &Self::Dialect;

    /// The full name of a table as it was configured.
    ///
    /// # Errors
    /// If the database cannot have such a table.
    fn table_id(&self, name: &str) -> Result<TableId>;

    /// What the database says of a table; `None` if there is none.
    fn describe(
        &mut self,
        table: &TableId,
    ) -> impl Future<Output = Result<Option<TableDefinition<Self::ColumnType>>, SqlError>> + Send;

    /// Runs statements that create or change a table, and makes them durable.
    fn apply_ddl(
        &mut self,
        statements: &[String],
    ) -> impl Future<Output = Result<(), SqlError>> + Send;

    /// Prepares to write records with these columns.
    fn bind(
        &mut self,
        target: Target<'_, Self::ColumnType>,
    ) -> impl Future<Output = Result<Self::Binder, Failure>> + Send;

    /// Writes batches in their order in one transaction: all or nothing. Of a
    /// guard that does not hold nothing is written either.
    fn write(
        &mut self,
        batches: &[Batch<'_, Self::Binder>],
        guard: Option<&Guard>,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Writes batches in the transaction that was begun with
    /// [`Session::execute`]: all or, after an error, nothing of them.
    fn write_within(
        &mut self,
        batches: &[Batch<'_, Self::Binder>],
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Whether rows of a table are written with the transaction or without it,
    /// whatever becomes of it.
    fn is_transactional(
        &mut self,
        _table: &TableId,
    ) -> impl Future<Output = Result<bool, SqlError>> + Send {
        std::future::ready(Ok(true))
    }

    /// Runs one statement and says how many rows it changed.
    fn execute(&mut self, sql: &str) -> impl Future<Output = Result<u64, SqlError>> + Send;

    /// Runs a query; its values as text.
    fn query(&mut self, sql: &str) -> impl Future<Output = Result<Vec<TextRow>, SqlError>> + Send;

    /// Whether another call may succeed on this connection.
    fn is_usable(&self) -> bool;
}

/// A row of values as text.
pub(crate) type TextRow = Vec<Option<String>>;

/// A statement at the beginning of a transaction that must change so many
/// rows. If it does not, the transaction must not be committed.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    /// The statement, an `UPDATE`.
    pub(crate) sql: String,
    /// How many rows it has to change.
    pub(crate) rows: u64,
}

/// The name of the savepoint of [`Session::write_within`].
const SAVEPOINT: &str = "tether_batch";

/// What is to be written where.
pub(crate) struct Target<'a, T> {
    /// The table.
    pub(crate) table: &'a TableId,
    /// What is done to it.
    pub(crate) operation: Operation,
    /// Fields and their columns: those of the key first.
    pub(crate) columns: Vec<(&'a SinkField, &'a Column<T>)>,
    /// How many of them are the key.
    pub(crate) key_count: usize,
    /// Whether other records of the table may delete rows.
    pub(crate) with_deletes: bool,
}

/// What was done to what, for errors: `UPSERT of 3 records into "t" (topic-0
/// offsets 1 to 3)`.
pub(crate) fn context<B>(batch: &Batch<'_, B>, rows: std::ops::Range<usize>) -> String {
    let rows = batch.rows.get(rows).unwrap_or_default();
    let mut ranges: Vec<(&tether_api::offset::TopicPartition, i64, i64)> = Vec::new();
    for record in rows.iter().map(|row| row.record) {
        match ranges.iter_mut().find(|range| *range.0 == record.original) {
            Some(range) => {
                range.1 = range.1.min(record.offset());
                range.2 = range.2.max(record.offset());
            }
            None => ranges.push((&record.original, record.offset(), record.offset())),
        }
    }
    let ranges: Vec<_> = ranges
        .iter()
        .map(|(partition, first, last)| match first == last {
            true => format!("{partition} offset {first}"),
            false => format!("{partition} offsets {first} to {last}"),
        })
        .collect();
    format!(
        "{} of {} record{} in table {} ({})",
        batch.plan.operation.name(),
        rows.len(),
        if rows.len() == 1 { "" } else { "s" },
        batch.plan.table,
        ranges.join(", ")
    )
}
