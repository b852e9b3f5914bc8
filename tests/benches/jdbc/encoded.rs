//! Rows in PostgreSQL's binary form, made before they are measured: the benchmark is not optimized, and
//! what limits a bare client should be the database.

use std::error::Error;

use anyhow::{Result, anyhow};
use bytes::{BufMut, Bytes, BytesMut};
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::row::{Cell, Column};

/// What `COPY … FROM STDIN BINARY` begins with: signature, flags, length of an extension.
const COPY_HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const COPY_END: i16 = -1;

/// The values of a column as an array.
#[derive(Debug)]
pub(crate) struct Array(Bytes);

/// What one `COPY` of these rows takes.
pub(crate) fn copy(columns: &[Column], rows: impl Iterator<Item = Vec<Cell>>) -> Result<Bytes> {
    let mut out = BytesMut::from(COPY_HEADER);
    for row in rows {
        out.put_i16(i16::try_from(row.len())?);
        for (column, cell) in columns.iter().zip(&row) {
            put(column, cell, &mut out)?;
        }
    }
    out.put_i16(COPY_END);
    Ok(out.freeze())
}

/// One array for each column of these rows.
pub(crate) fn arrays(columns: &[Column], rows: &[Vec<Cell>]) -> Result<Vec<Array>> {
    let array = |(index, column): (usize, &Column)| {
        let mut out = BytesMut::new();
        // Dimensions, no nulls, type, length, first index.
        out.put_i32(1);
        out.put_i32(0);
        out.put_u32(column.kind.postgres().oid());
        out.put_i32(i32::try_from(rows.len())?);
        out.put_i32(1);
        for row in rows {
            put(column, &row[index], &mut out)?;
        }
        Ok(Array(out.freeze()))
    };
    columns.iter().enumerate().map(array).collect()
}

/// One array of these rows, of the table's row type.
pub(crate) fn rows(columns: &[Column], row_type: u32, rows: &[Vec<Cell>]) -> Result<Array> {
    let mut out = BytesMut::new();
    // Dimensions, no nulls, type, length, first index.
    out.put_i32(1);
    out.put_i32(0);
    out.put_u32(row_type);
    out.put_i32(i32::try_from(rows.len())?);
    out.put_i32(1);
    for row in rows {
        let start = out.len();
        out.put_i32(0);
        out.put_i32(i32::try_from(row.len())?);
        for (column, cell) in columns.iter().zip(row) {
            out.put_u32(column.kind.postgres().oid());
            put(column, cell, &mut out)?;
        }
        let length = i32::try_from(out.len() - start - 4)?;
        out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    }
    Ok(Array(out.freeze()))
}

/// A value after its length.
fn put(column: &Column, cell: &Cell, out: &mut BytesMut) -> Result<()> {
    let start = out.len();
    out.put_i32(0);
    cell.to_sql(&column.kind.postgres(), out)
        .map_err(|error| anyhow!("{error}"))?;
    let length = i32::try_from(out.len() - start - 4)?;
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    Ok(())
}

impl ToSql for Array {
    fn to_sql(
        &self,
        _kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(&self.0);
        Ok(IsNull::No)
    }

    fn accepts(_kind: &Type) -> bool {
        true
    }

    to_sql_checked!();
}
