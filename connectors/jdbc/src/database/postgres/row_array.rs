//! Many rows as one array of the table's row type, in place of an array for
//! each column.
//!
//! `UNNEST` makes a table in memory of each array that it is given, and puts
//! them together row by row; of an array of rows it makes one. So the more
//! columns there are, the more it saves the server. The rows have all columns
//! of the table; those that are not written are null in them, and the statement
//! does not look at them.

use std::ops::Range;

use tether_api::Result;
use tether_api::data::Value;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error, Statement};

use super::binder::{ArrayParameter, MOST_BYTES, PostgresBinder, push_sized};
use super::catalog::PostgresType;
use super::codec::Misfit;
use crate::buffer::Row;
use crate::database::column_value::with_value;
use crate::table::{Column, TableId};

/// The fewest values that are sent so, without those of two columns: fewer are
/// not worth it to look whether the columns are still the same.
const LEAST_VALUES: usize = 4000;

/// A statement that takes rows as one array.
pub(super) struct RowArray {
    pub(super) statement: Statement,
    /// What comes before it in the same transaction. The server reads the array
    /// as rows of the table as it is then, and once more when it runs the
    /// statement; in between, and since it was looked at, a column must not have
    /// become another one.
    pub(super) keep_rows: String,
    pub(super) row_type: RowType,
}

/// The type of a table's rows.
#[derive(Debug)]
pub(super) struct RowType {
    oid: u32,
    columns: Vec<RowColumn>,
}

/// A column of a table.
#[derive(Debug)]
struct RowColumn {
    name: String,
    /// `attnum`.
    number: i16,
    /// Its type.
    oid: u32,
    /// Its place among those that are written.
    written: Option<usize>,
}

/// The type of a table's rows and of its columns, and whether one is a domain,
/// which may refuse null. Views are none, as they cannot be locked like tables;
/// servers that only speak the protocol may not know arrays of rows.
const ROW_TYPE: &str = "\
SELECT c.reltype, a.attname::text, a.attnum, a.atttypid, t.typtype = 'd' \
FROM pg_catalog.pg_class c \
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
WHERE pg_catalog.version() LIKE 'PostgreSQL %' AND pg_catalog.version() NOT LIKE '%Redshift%' \
  AND c.relkind IN ('r', 'p') AND c.relname = $2 \
  AND pg_catalog.has_table_privilege(c.oid, 'INSERT, UPDATE') \
  AND CASE WHEN $1 IS NULL THEN pg_catalog.pg_table_is_visible(c.oid) ELSE n.nspname = $1 END \
ORDER BY a.attnum";

impl RowType {
    /// The type of the rows of a table; `None` if rows with these columns cannot
    /// be sent as ones of it.
    pub(super) async fn of(
        client: &Client,
        table: &TableId,
        written: &[&Column<PostgresType>],
    ) -> Result<Option<Self>, Error> {
        let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 2] =
            [(&table.schema, Type::TEXT), (&table.name, Type::TEXT)];
        let mut row_type = None;
        let mut found = 0;
        for row in client.query_typed(ROW_TYPE, &parameters).await? {
            let (name, oid): (String, u32) = (row.try_get(1)?, row.try_get(3)?);
            let is_domain: bool = row.try_get(4)?;
            let is_it = |column: &&Column<PostgresType>| {
                column.name == name && column.column_type.oid == oid
            };
            let place = written.iter().position(is_it);
            if place.is_none() && is_domain {
                return Ok(None);
            }
            found += usize::from(place.is_some());
            let whole = row_type.get_or_insert(Self {
                oid: row.try_get(0)?,
                columns: Vec::new(),
            });
            whole.columns.push(RowColumn {
                name,
                number: row.try_get(2)?,
                oid,
                written: place,
            });
        }
        // Rows with many columns for few that are written cost more than they
        // save.
        let is_fit =
            |row_type: &Self| found == written.len() && row_type.columns.len() <= 2 * found;
        Ok(row_type.filter(is_fit))
    }

    /// The place of each of the table's columns among those that are written.
    pub(super) fn places(&self) -> Vec<Option<usize>> {
        self.columns.iter().map(|column| column.written).collect()
    }

    /// Number, name and type of each of the table's columns.
    pub(super) fn columns(&self) -> impl Iterator<Item = (i16, &str, u32)> {
        let columns = self.columns.iter();
        columns.map(|column| (column.number, &*column.name, column.oid))
    }
}

/// Whether so many rows are sent as one array.
pub(super) fn is_worth_it(rows: usize, columns: usize) -> bool {
    rows * columns.saturating_sub(2) >= LEAST_VALUES
}

impl PostgresBinder {
    /// The array of rows from `start` on, and which rows it holds: as many as
    /// `most_rows` and the size of a statement allow.
    pub(super) fn row_array(
        &self,
        row_type: &RowType,
        rows: &[Row<'_>],
        start: usize,
        most_rows: usize,
    ) -> Result<(ArrayParameter, Range<usize>)> {
        let count = most_rows.min(rows.len().saturating_sub(start));
        let mut array = ArrayParameter::of_type(row_type.oid, count);
        // There are far fewer columns: a table has at most 1,600.
        let columns = (row_type.columns.len() as u32).to_be_bytes();
        let mut end = start;
        for row in rows.iter().skip(start).take(most_rows) {
            array.push(|out| {
                out.extend(columns);
                let mut types = row_type.columns.iter();
                types.try_for_each(|column| self.push_column(column, row, out))
            })?;
            end += 1;
            if array.len() >= MOST_BYTES {
                break;
            }
        }
        Ok((array, start..end))
    }

    fn push_column(&self, column: &RowColumn, row: &Row<'_>, out: &mut Vec<u8>) -> Result<()> {
        const NULL: [u8; 4] = (-1i32).to_be_bytes();
        out.extend(column.oid.to_be_bytes());
        let Some(bound) = column.written.and_then(|place| self.columns.get(place)) else {
            out.extend(NULL);
            return Ok(());
        };
        with_value(
            &self.table,
            bound.parts(),
            row.record,
            |value| match value {
                Value::Null => {
                    out.extend(NULL);
                    Ok::<_, Misfit>(())
                }
                value => push_sized(out, |out| bound.codec.push(value, &self.clock, out)),
            },
        )
    }
}

#[cfg(test)]
mod tests;
