//! When the database takes two keys for the same.
//!
//! Records are put together by the bytes of their keys, and two keys with
//! different bytes may change places. That is right only if the database tells
//! them apart as well, which depends on the column's type: `1.0` and `1.00` are
//! one `numeric`, `a` and `A` one `citext`. For pairs of types that are not
//! listed here records are written one by one.

use tether_api::data::logical::{Logical, decimal_scale};
use tether_api::data::{Decimal, Type, Value};

use super::catalog::{BaseType, PostgresType};
use super::codec::{Codec, Misfit, uuid};
use super::debezium::DebeziumCodec;
use super::numeric;
use crate::fields::SinkField;
use crate::time::Clock;

/// How to write a key column's value so that its bytes are equal exactly if
/// the database takes the values for equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Identity {
    /// An integer of any width.
    Integer,
    /// A number of any scale.
    Number,
    /// A float, where 0 and -0 are equal.
    Float,
    /// Text, byte by byte.
    Text,
    /// Text whose trailing blanks do not count.
    PaddedText,
    /// A UUID in any spelling.
    Uuid,
    /// The parameter's bytes.
    Encoded(Codec),
}

impl Identity {
    /// The identity of a field's values in a column, if it can be told.
    pub(super) fn of(field: &SinkField, column: &PostgresType) -> Option<Self> {
        let codec = Codec::of(field, column);
        let is_text = codec == Codec::Text && column.has_exact_equality;
        Some(match (codec, column.base) {
            (
                Codec::Int2 | Codec::Int4 | Codec::Int8,
                BaseType::Int2 | BaseType::Int4 | BaseType::Int8,
            ) => Self::Integer,
            (Codec::Int2 | Codec::Int4 | Codec::Int8, BaseType::Numeric)
                if column.numeric_scale().is_none_or(|scale| scale >= 0) =>
            {
                Self::Number
            }
            (Codec::Numeric, BaseType::Numeric) if keeps_scale(field, column) => Self::Number,
            (Codec::Float4, BaseType::Float4 | BaseType::Float8)
            | (Codec::Float8, BaseType::Float8) => Self::Float,
            (Codec::Text, BaseType::Text | BaseType::Varchar) if is_text => Self::Text,
            (Codec::Text, BaseType::Enum) => Self::Text,
            (Codec::Text, BaseType::Bpchar) if is_text => Self::PaddedText,
            (Codec::Uuid, BaseType::Uuid) => Self::Uuid,
            (Codec::Bool, BaseType::Bool)
            | (Codec::Bytea, BaseType::Bytea)
            | (Codec::Date, BaseType::Date) => Self::Encoded(codec),
            (Codec::Time, BaseType::Time)
            | (Codec::Timestamp, BaseType::Timestamp)
            | (Codec::Timestamptz, BaseType::Timestamptz)
                if column.keeps_digits(3) =>
            {
                Self::Encoded(codec)
            }
            (Codec::Debezium(DebeziumCodec::Days), BaseType::Date) => Self::Encoded(codec),
            (Codec::Debezium(DebeziumCodec::Time(unit)), BaseType::Time)
            | (Codec::Debezium(DebeziumCodec::WallClock(unit)), BaseType::Timestamp)
            | (Codec::Debezium(DebeziumCodec::Instant(unit)), BaseType::Timestamptz)
                if column.keeps_digits(unit.digits()) =>
            {
                Self::Encoded(codec)
            }
            (Codec::EpochTimestamp, BaseType::Timestamp)
            | (Codec::EpochTimestamptz, BaseType::Timestamptz)
                if column.keeps_digits(6) =>
            {
                Self::Encoded(codec)
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
            (Self::Integer, value) => {
                out.extend(value.as_i64().ok_or(Misfit::WrongType)?.to_be_bytes());
            }
            (Self::Float, Value::Float32(number)) => push_float(f64::from(*number), out),
            (Self::Float, Value::Float64(number)) => push_float(*number, out),
            (Self::Uuid, Value::String(text)) => {
                out.extend(uuid(text).ok_or(Misfit::NotAUuid)?);
            }
            (Self::Text, Value::String(text)) => push_delimited(text.as_bytes(), out),
            (Self::PaddedText, Value::String(text)) => {
                push_delimited(text.trim_end_matches(' ').as_bytes(), out);
            }
            (Self::Number, value) => {
                let mut bytes = Vec::new();
                match (value, value.as_i64()) {
                    (Value::Decimal(number), _) => numeric::push_canonical(number, &mut bytes)?,
                    (_, Some(number)) => {
                        numeric::push_canonical(&Decimal::new(number, 0), &mut bytes)?;
                    }
                    _ => return Err(Misfit::WrongType),
                }
                push_delimited(&bytes, out);
            }
            (Self::Encoded(codec), value) => {
                let mut bytes = Vec::new();
                codec.push(value, clock, &mut bytes)?;
                push_delimited(&bytes, out);
            }
            _ => return Err(Misfit::WrongType),
        }
        Ok(())
    }
}

/// Whether a column stores all digits that a field's decimals may have.
fn keeps_scale(field: &SinkField, column: &PostgresType) -> bool {
    let scale = match Logical::of(&field.schema) {
        Some(Logical::Decimal) if field.schema.kind() == Type::Bytes => {
            decimal_scale(&field.schema)
        }
        _ => None,
    };
    match (column.numeric_scale(), scale) {
        (None, _) => true,
        (Some(kept), Some(scale)) => scale <= kept,
        (Some(_), None) => false,
    }
}

fn push_float(number: f64, out: &mut Vec<u8>) {
    let bits = match number {
        number if number.is_nan() => f64::NAN.to_bits(),
        0.0 => 0,
        number => number.to_bits(),
    };
    out.extend(bits.to_be_bytes());
}

fn push_delimited(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend((bytes.len() as u64).to_be_bytes());
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests;
