//! `COPY` of new rows, where it does what `INSERT` would do.
//!
//! It costs the server less than `INSERT` from arrays, all the more the more
//! columns there are, but takes two round trips more: one until the types of the
//! columns are known to be as before, and one because the client library waits
//! for the server's word before it sends rows. So few rows are still inserted.

use std::ops::Range;
use std::pin::pin;

use bytes::Bytes;
use futures::SinkExt;
use tether_api::Result;
use tether_api::data::Value;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error, Statement};

use super::binder::{MOST_BYTES, PostgresBinder, push_sized};
use super::catalog::{BaseType, PostgresType};
use super::codec::Element;
use crate::buffer::Row;
use crate::database::column_value::with_value;
use crate::table::TableId;

/// The fewest values that are copied, without those of two columns.
///
/// A bare client on the same machine wrote rows of 6 columns, in batches of 400,
/// 3,000 and 10,000, at 385,000, 417,000 and 477,000 a second with arrays, and
/// at 343,000, 480,000 and 660,000 with `COPY`; rows of 50 columns, in batches
/// of 10, 100 and 3,000, at 28,000, 76,000 and 81,000 with arrays, and at 20,000,
/// 96,000 and 201,000 with `COPY` (`make bench-jdbc ARGS=--ways`). So `COPY` saves
/// 0.15 µs for each value but those of two columns, and the round trip, with the
/// start of the statement, costs 0.4 ms there. Servers are farther away than
/// that, so rows have to save more.
const LEAST_VALUES: usize = 4000;

/// What the binary form begins with: signature, flags, length of an extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What it ends with, in place of a row's number of columns.
const END: [u8; 2] = (-1i16).to_be_bytes();
const NULL: [u8; 4] = (-1i32).to_be_bytes();
/// The bytes of a message, so that the server takes rows while others are on
/// their way.
const MESSAGE: usize = 64 << 10;

/// `COPY` in place of a statement that inserts.
pub(super) struct Copy {
    pub(super) statement: Statement,
    /// What comes before it in the same transaction. `COPY` casts nothing, so
    /// that values of a type that a column had before would become others, if
    /// they have as many bytes.
    pub(super) keep_types: String,
}

/// Whether `COPY` into a table does what `INSERT` does. It passes over rules,
/// which views have as well; it is refused under row-level security; and it
/// writes to columns that are always generated as identity. Servers that only
/// speak the protocol are not asked for what they may not know.
const IS_ALIKE: &str = "\
SELECT pg_catalog.version() LIKE 'PostgreSQL %' AND pg_catalog.version() NOT LIKE '%Redshift%' \
  AND c.relkind IN ('r', 'p') AND NOT c.relhasrules AND NOT c.relrowsecurity \
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a \
    WHERE a.attrelid = c.oid AND pg_catalog.to_jsonb(a) ->> 'attidentity' = 'a') \
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
WHERE c.relname = $2 \
  AND CASE WHEN $1 IS NULL THEN pg_catalog.pg_table_is_visible(c.oid) ELSE n.nspname = $1 END";

/// Whether `COPY` into a table does what `INSERT` does.
pub(super) async fn is_like_insert(client: &Client, table: &TableId) -> Result<bool, Error> {
    let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 2] =
        [(&table.schema, Type::TEXT), (&table.name, Type::TEXT)];
    match client.query_typed_opt(IS_ALIKE, &parameters).await? {
        Some(row) => row.try_get(0),
        None => Ok(false),
    }
}

/// Whether copying so many rows makes up for the round trip.
pub(super) fn is_worth_it(rows: usize, columns: usize) -> bool {
    rows * columns.saturating_sub(2) >= LEAST_VALUES
}

/// Whether a column takes the binary form of values of this type, which `COPY`
/// never casts.
pub(super) fn takes(column: &PostgresType, element: Element) -> bool {
    let is_text = element.oid == Type::TEXT.oid();
    element.oid == column.oid
        || is_text
            && matches!(
                column.base,
                BaseType::Text | BaseType::Varchar | BaseType::Bpchar | BaseType::Enum
            )
}

/// Copies rows into the table of a statement.
///
/// # Errors
/// What the server says of them.
pub(super) async fn run(
    client: &Client,
    statement: &Statement,
    mut rows: Bytes,
) -> Result<u64, Error> {
    let mut sink = pin!(client.copy_in(statement).await?);
    while !rows.is_empty() {
        let message = rows.split_to(MESSAGE.min(rows.len()));
        sink.feed(message).await?;
    }
    sink.finish().await
}

impl PostgresBinder {
    /// The binary form of rows from `start` on, and which rows it holds: as
    /// many as the size of a statement allows.
    pub(super) fn copied(&self, rows: &[Row<'_>], start: usize) -> Result<(Bytes, Range<usize>)> {
        // There are far fewer columns than 32,767: a table has at most 1,600.
        let columns = (self.columns.len() as i16).to_be_bytes();
        let mut out = HEADER.to_vec();
        let mut end = start;
        for row in rows.iter().skip(start) {
            out.extend(columns);
            for column in &self.columns {
                let push = |value: &Value| match value {
                    Value::Null => {
                        out.extend(NULL);
                        Ok(())
                    }
                    value => {
                        let write = |out: &mut Vec<u8>| column.codec.push(value, &self.clock, out);
                        push_sized(&mut out, write)
                    }
                };
                with_value(&self.table, column.parts(), row.record, push)?;
            }
            end += 1;
            if out.len() >= MOST_BYTES {
                break;
            }
        }
        out.extend(END);
        Ok((out.into(), start..end))
    }
}

#[cfg(test)]
mod tests;
