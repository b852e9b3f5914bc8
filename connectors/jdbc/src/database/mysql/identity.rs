//! When the database takes two keys for the same.
//!
//! Records are reduced to the last of each key, and written in the order of
//! their keys, by the bytes of these keys. That is right only if the database
//! tells keys apart exactly when their bytes differ, which depends on the
//! column: to most collations `a` and `A` are one. For pairs of types that are
//! not listed here records are written in their order.

use tether_api::data::logical::Logical;
use tether_api::data::{Type, Value};

use super::codec::{Codec, Misfit};
use super::column_type::{BaseType, MySqlType};
use super::debezium::DebeziumCodec;
use crate::fields::SinkField;
use crate::time::Clock;

/// How to write a key column's value so that its bytes are equal exactly if
/// the database takes the values for equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Identity {
    /// An integer of any width. The bytes are in the order of the numbers, which
    /// is that of the index.
    Integer,
    /// Text or bytes.
    Exact,
    /// Text whose blanks at the end do not count.
    Padded,
    /// The literal's bytes.
    Literal(Codec),
}

impl Identity {
    /// The identity of a field's values in a column, if it can be told.
    pub(super) fn of(field: &SinkField, column: &MySqlType) -> Option<Self> {
        let codec = Codec::of(field, column);
        let kind = field.schema.kind();
        Some(match (codec, kind, column.base) {
            (
                Codec::Plain,
                Type::Boolean | Type::Int8 | Type::Int16 | Type::Int32 | Type::Int64,
                BaseType::Integer,
            ) => Self::Integer,
            (Codec::Plain, Type::String, BaseType::Text) if column.compares_bytes() => {
                match column.counts_trailing_blanks() {
                    true => Self::Exact,
                    false => Self::Padded,
                }
            }
            (Codec::Plain, Type::Bytes, BaseType::Bytes)
                if field.logical() != Some(Logical::Decimal) =>
            {
                Self::Exact
            }
            (Codec::Date, _, BaseType::Date) => Self::Literal(codec),
            (Codec::Time, _, BaseType::Time)
            | (Codec::WallClock, _, BaseType::DateTime)
            | (Codec::Instant, _, BaseType::Timestamp)
                if column.digits >= 3 =>
            {
                Self::Literal(codec)
            }
            (Codec::Debezium(DebeziumCodec::Days, _), _, BaseType::Date) => Self::Literal(codec),
            (Codec::Debezium(DebeziumCodec::Time(_), _), _, BaseType::Time)
            | (Codec::Debezium(DebeziumCodec::WallClock(_), _), _, BaseType::DateTime)
                if column.digits >= 6 =>
            {
                Self::Literal(codec)
            }
            (Codec::EpochWallClock, _, BaseType::DateTime)
            | (Codec::EpochInstant, _, BaseType::Timestamp)
                if column.digits >= 6 =>
            {
                Self::Literal(codec)
            }
            _ => return None,
        })
    }

    /// Appends the bytes of a value that is not null. They say where they end.
    pub(super) fn push(
        self,
        value: &Value,
        clock: &Clock,
        out: &mut Vec<u8>,
    ) -> Result<(), Misfit> {
        match (self, value) {
            (Self::Integer, Value::Boolean(flag)) => push_integer(i64::from(*flag), out),
            (Self::Integer, value) => push_integer(value.as_i64().ok_or(Misfit::WrongType)?, out),
            (Self::Exact, Value::String(text)) => push_delimited(text.as_bytes(), out),
            (Self::Exact, Value::Bytes(bytes)) => push_delimited(bytes, out),
            (Self::Padded, Value::String(text)) => {
                push_delimited(text.trim_end_matches(' ').as_bytes(), out);
            }
            // A quote is where it ends.
            (Self::Literal(codec), value) => codec.push(value, clock, out)?,
            _ => return Err(Misfit::WrongType),
        }
        Ok(())
    }
}

fn push_integer(number: i64, out: &mut Vec<u8>) {
    // With the sign bit turned around bytes are in the order of the numbers.
    out.extend(((number as u64) ^ (1 << 63)).to_be_bytes());
}

fn push_delimited(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend((bytes.len() as u64).to_be_bytes());
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests;
