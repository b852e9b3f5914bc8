//! Turns records into the parameters of a statement: one array for each column.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::BytesMut;
use tether_api::Result;
use tether_api::data::Value;
use tether_api::record::SinkRecord;
use tokio_postgres::Statement;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::codec::{Codec, Misfit};
use super::copy::Copy;
use super::identity::Identity;
use super::row_array::RowArray;
use crate::buffer::Row;
use crate::database::column_value::{push_key_value, with_value};
use crate::fields::SinkField;
use crate::plan::{Binder, Grouping};
use crate::table::TableId;
use crate::time::Clock;

/// The bytes of parameters after which a statement ends. The protocol's limit
/// of 1 GiB per message is far away.
pub(super) const MOST_BYTES: usize = 32 << 20;

/// A field and how its values are sent.
#[derive(Debug)]
pub(super) struct BoundColumn {
    pub(super) field: SinkField,
    pub(super) codec: Codec,
}

impl BoundColumn {
    /// The field, and whether any value but null can be written.
    pub(super) fn parts(&self) -> (&SinkField, bool) {
        (&self.field, !matches!(self.codec, Codec::Unsupported))
    }
}

/// The statement of a plan.
pub(super) enum PlanStatement {
    /// Kept by the server.
    Prepared(Statement),
    /// Sent each time, with the types of its parameters.
    Unnamed(String, Vec<Type>),
}

/// Turns records of one plan into parameters.
pub(crate) struct PostgresBinder {
    pub(super) table: Arc<TableId>,
    /// The columns in the order of the statement's parameters, the key's first.
    pub(super) columns: Vec<BoundColumn>,
    /// How the keys of records are compared; of as many columns as the key has.
    pub(super) identities: Vec<Identity>,
    pub(super) grouping: Grouping,
    pub(super) statement: PlanStatement,
    /// `COPY` in place of the statement, where it does the same.
    pub(super) copy: Option<Copy>,
    /// The same with one array of rows, where it can be used.
    pub(super) rows: Option<RowArray>,
    pub(super) clock: Arc<Clock>,
}

impl fmt::Debug for PostgresBinder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresBinder")
            .field("table", &self.table)
            .field("columns", &self.columns)
            .field("grouping", &self.grouping)
            .finish_non_exhaustive()
    }
}

impl Binder for PostgresBinder {
    fn grouping(&self) -> Grouping {
        self.grouping
    }

    fn key(&self, record: &SinkRecord, key: &mut Vec<u8>) -> Result<()> {
        for (column, identity) in self.columns.iter().zip(&self.identities) {
            with_value(&self.table, column.parts(), record, |value| {
                push_key_value(value, record, key, |key| {
                    identity.push(value, &self.clock, key)
                })
            })?;
        }
        Ok(())
    }
}

impl PostgresBinder {
    /// The parameters for rows from `start` on, and which rows they hold: as
    /// many as `most_rows` and the size of a statement allow.
    pub(super) fn parameters(
        &self,
        rows: &[Row<'_>],
        start: usize,
        most_rows: usize,
    ) -> Result<(Vec<ArrayParameter>, Range<usize>)> {
        let count = most_rows.min(rows.len().saturating_sub(start));
        let mut arrays: Vec<_> = self
            .columns
            .iter()
            .map(|column| ArrayParameter::of_type(column.codec.element().oid, count))
            .collect();
        let mut end = start;
        let mut size = 0;
        for row in rows.iter().skip(start).take(most_rows) {
            for (column, array) in self.columns.iter().zip(&mut arrays) {
                let before = array.len();
                with_value(
                    &self.table,
                    column.parts(),
                    row.record,
                    |value| match value {
                        Value::Null => {
                            array.push_null();
                            Ok::<_, Misfit>(())
                        }
                        value => array.push(|out| column.codec.push(value, &self.clock, out)),
                    },
                )?;
                size += array.len() - before;
            }
            end += 1;
            if size >= MOST_BYTES {
                break;
            }
        }
        Ok((arrays, start..end))
    }
}

/// An array in binary form, one dimension. Its debug form hides the values.
pub(super) struct ArrayParameter {
    bytes: Vec<u8>,
    count: i32,
    has_null: bool,
}

/// Dimensions, flags, element type, length, lower bound.
const HEADER: usize = 20;

/// The bytes of a small element: its length and an integer.
const SMALL: usize = 8;

/// The most elements that memory is taken for in advance.
const MOST_ROOM: usize = 4096;

impl ArrayParameter {
    /// An array of a type without elements, with room for so many small ones.
    pub(super) fn of_type(element: u32, count: usize) -> Self {
        let mut bytes = Vec::with_capacity(HEADER + count.min(MOST_ROOM) * SMALL);
        for word in [1, 0, element, 0, 1] {
            bytes.extend_from_slice(&word.to_be_bytes());
        }
        Self {
            bytes,
            count: 0,
            has_null: false,
        }
    }

    fn push_null(&mut self) {
        self.bytes.extend((-1i32).to_be_bytes());
        self.count += 1;
        self.has_null = true;
    }

    /// Its size in bytes.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Adds an element that is what `write` appends.
    pub(super) fn push<E>(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        push_sized(&mut self.bytes, write)?;
        self.count += 1;
        Ok(())
    }
}

/// Appends what `write` appends, after its length.
pub(super) fn push_sized<E>(
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    let start = out.len();
    out.extend([0; 4]);
    write(out)?;
    // Values come from Kafka records, which are far smaller than 2 GiB.
    let length = (out.len() - start - 4) as i32;
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    Ok(())
}

impl fmt::Debug for ArrayParameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} values]", self.count)
    }
}

impl ToSql for ArrayParameter {
    fn to_sql(
        &self,
        _type: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        out.reserve(self.bytes.len());
        out.extend_from_slice(&self.bytes[..4]);
        out.extend_from_slice(&u32::from(self.has_null).to_be_bytes());
        out.extend_from_slice(&self.bytes[8..12]);
        out.extend_from_slice(&self.count.to_be_bytes());
        out.extend_from_slice(&self.bytes[16..]);
        Ok(IsNull::No)
    }

    fn accepts(_type: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

#[cfg(test)]
mod tests;
