//! The rows that records hold: the same ones for every way to write them.

use std::error::Error;

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

/// How many columns a row has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Width {
    /// Six columns.
    Narrow,
    /// Fifty columns.
    Wide,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Int32,
    Int64,
    Boolean,
    Float64,
    Text,
    /// With two digits after the point.
    Decimal,
    /// Whole seconds, as milliseconds since 1970: Debezium's sink drops fractions when it writes arrays.
    Timestamp,
}

/// A column.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// A value of a column.
#[derive(Debug, Clone)]
pub(crate) enum Cell {
    Int32(i32),
    Int64(i64),
    Boolean(bool),
    Float64(f64),
    Text(String),
    /// In hundredths.
    Decimal(i64),
    /// Milliseconds since 1970.
    Timestamp(i64),
}

/// The column that is the key: numbers from 1 on.
pub(crate) const KEY: &str = "id";
/// A column that is negative in rows which nobody has written yet.
pub(crate) const MARK: &str = "customer";

const START: i64 = 1_700_000_000_000;
const OTHER_KINDS: [Kind; 7] = [
    Kind::Int32,
    Kind::Int64,
    Kind::Text,
    Kind::Decimal,
    Kind::Timestamp,
    Kind::Boolean,
    Kind::Float64,
];
const WIDE: usize = 50;

impl Width {
    /// All of them.
    pub(crate) const ALL: [Self; 2] = [Self::Narrow, Self::Wide];

    /// The name in the report and of the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Narrow => "narrow",
            Self::Wide => "wide",
        }
    }

    /// How many rows are as much as so many narrow ones.
    pub(crate) fn rows(self, narrow: u64) -> u64 {
        match self {
            Self::Narrow => narrow,
            Self::Wide => narrow / 10,
        }
    }

    /// The columns, the key first and the mark second.
    pub(crate) fn columns(self) -> Vec<Column> {
        let column = |name: &str, kind| Column {
            name: name.to_owned(),
            kind,
        };
        let mut columns = vec![column(KEY, Kind::Int64), column(MARK, Kind::Int32)];
        match self {
            Self::Narrow => columns.extend([
                column("amount", Kind::Decimal),
                column("active", Kind::Boolean),
                column("note", Kind::Text),
                column("at", Kind::Timestamp),
            ]),
            Self::Wide => {
                let others = (columns.len()..WIDE).zip(OTHER_KINDS.into_iter().cycle());
                columns.extend(others.map(|(number, kind)| column(&format!("c{number}"), kind)));
            }
        }
        columns
    }

    /// The row with this key.
    pub(crate) fn row(self, columns: &[Column], key: i64) -> Vec<Cell> {
        let mut row = vec![Cell::Int64(key), Cell::Int32(small(key))];
        let others = (0..).zip(columns).skip(row.len());
        row.extend(others.map(|(number, column)| column.kind.cell(number, key)));
        row
    }

    /// `CREATE TABLE` with the key as primary key.
    pub(crate) fn create_table(self) -> String {
        let columns = self.columns();
        let columns: Vec<_> = columns
            .iter()
            .map(|column| format!("{} {} NOT NULL", column.name, column.kind.sql()))
            .collect();
        format!(
            "CREATE TABLE {} ({}, PRIMARY KEY ({KEY}))",
            self.name(),
            columns.join(", ")
        )
    }
}

impl Kind {
    fn sql(self) -> &'static str {
        match self {
            Self::Int32 => "int",
            Self::Int64 => "bigint",
            Self::Boolean => "boolean",
            Self::Float64 => "double precision",
            Self::Text => "text",
            Self::Decimal => "numeric(12, 2)",
            Self::Timestamp => "timestamp",
        }
    }

    /// PostgreSQL's type.
    pub(crate) fn postgres(self) -> Type {
        match self {
            Self::Int32 => Type::INT4,
            Self::Int64 => Type::INT8,
            Self::Boolean => Type::BOOL,
            Self::Float64 => Type::FLOAT8,
            Self::Text => Type::TEXT,
            Self::Decimal => Type::NUMERIC,
            Self::Timestamp => Type::TIMESTAMP,
        }
    }

    fn cell(self, column: i64, key: i64) -> Cell {
        let seed = key + column * 7919;
        match self {
            Self::Int32 => Cell::Int32(small(seed)),
            Self::Int64 => Cell::Int64(seed * 1_000_003),
            Self::Boolean => Cell::Boolean(seed % 3 == 0),
            Self::Float64 => Cell::Float64(f64::from(small(seed)) * 0.25),
            Self::Text => Cell::Text(format!("the note of row {seed}")),
            Self::Decimal => Cell::Decimal(seed % 100_000_000),
            Self::Timestamp => Cell::Timestamp(START + seed * 1000),
        }
    }
}

fn small(number: i64) -> i32 {
    i32::try_from(number % 100_000).unwrap_or_default()
}

/// Milliseconds from 1970 to 2000, from which PostgreSQL counts microseconds.
const MILLENNIUM: i64 = 946_684_800_000;

impl ToSql for Cell {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Int32(number) => number.to_sql(kind, out),
            Self::Int64(number) => number.to_sql(kind, out),
            Self::Boolean(flag) => flag.to_sql(kind, out),
            Self::Float64(number) => number.to_sql(kind, out),
            Self::Text(text) => text.to_sql(kind, out),
            Self::Decimal(hundredths) => {
                put_numeric(*hundredths, out)?;
                Ok(IsNull::No)
            }
            Self::Timestamp(millis) => {
                out.put_i64((millis - MILLENNIUM) * 1000);
                Ok(IsNull::No)
            }
        }
    }

    fn accepts(_kind: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A `numeric` with two digits after the point, not negative: groups of four digits.
fn put_numeric(hundredths: i64, out: &mut BytesMut) -> Result<(), Box<dyn Error + Sync + Send>> {
    let mut groups = vec![hundredths % 100 * 100];
    let mut whole = hundredths / 100;
    while whole > 0 {
        groups.push(whole % 10_000);
        whole /= 10_000;
    }
    groups.reverse();
    out.put_i16(i16::try_from(groups.len())?);
    // The weight of the first group; positive; two digits after the point.
    out.put_i16(i16::try_from(groups.len())? - 2);
    out.put_i16(0);
    out.put_i16(2);
    for group in groups {
        out.put_i16(i16::try_from(group)?);
    }
    Ok(())
}
