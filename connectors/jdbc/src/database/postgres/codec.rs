//! Values in PostgreSQL's binary form.

use tether_api::data::logical::Logical;
use tether_api::data::{Type, Value};

use super::array::Elements;
use super::catalog::{BaseType, PostgresType};
use super::debezium::DebeziumCodec;
use super::numeric::{self, TooManyDigits};
use crate::config::TypeMapping;
use crate::database::column_value::WRONG_TYPE;
use crate::dialect::postgres::elements;
use crate::fields::SinkField;
use crate::json::{self, JsonError};
use crate::time::{Clock, TimeError};

/// Days from 1970-01-01 to 2000-01-01, from which PostgreSQL counts.
const EPOCH_DAYS: i64 = 10_957;
const EPOCH_MICROS: i64 = EPOCH_DAYS * 86_400_000_000;

/// Why a value has no binary form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Misfit {
    /// The value has not the type that its schema says.
    #[error("{}", WRONG_TYPE)]
    WrongType,
    /// A text with a NUL character.
    #[error("PostgreSQL cannot store NUL characters in text")]
    Nul,
    /// A text that is no UUID for a column of UUIDs.
    #[error("the text is not a UUID")]
    NotAUuid,
    /// A geometry that cannot be read.
    #[error("the geometry is not one of the column's type")]
    NotAGeometry,
    /// A text for a column of pairs that is no JSON object.
    #[error("the text is not a JSON object")]
    NotAnObject,
    /// Bits that are too many.
    #[error("it has too many bits")]
    TooManyBits,
    /// A date or timestamp out of range.
    #[error("{0}")]
    Time(#[from] TimeError),
    /// A decimal out of range.
    #[error("{0}")]
    Numeric(#[from] TooManyDigits),
    /// A value that JSON has no form for.
    #[error("{0}")]
    Json(#[from] JsonError),
}

/// How values of one column are sent: the type of the parameter's elements and
/// the way to write them.
///
/// The type is the natural one of the field's schema rather than the column's.
/// The statement casts to the column's type where the two differ, which works
/// for every type that has a text form, and the server checks the range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Bool,
    Text,
    Bytea,
    Numeric,
    Date,
    Time,
    /// The wall clock of an instant.
    Timestamp,
    /// The instant itself.
    Timestamptz,
    /// The wall clock of an epoch number.
    EpochTimestamp,
    /// The instant of an epoch number.
    EpochTimestamptz,
    Uuid,
    /// An array as its text form.
    Array(Elements),
    /// Any value as JSON.
    Json,
    /// A value of Debezium's.
    Debezium(DebeziumCodec),
    /// Nothing but null can be written.
    Unsupported,
}

/// Name and OID of a type and the OID of its array type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: &'static str,
    pub(super) oid: u32,
    pub(super) array_oid: u32,
}

pub(super) const fn element(name: &'static str, oid: u32, array_oid: u32) -> Element {
    Element {
        name,
        oid,
        array_oid,
    }
}

impl Codec {
    /// The way to send values of a field to a column.
    pub(super) fn of(field: &SinkField, column: &PostgresType) -> Self {
        let is_instant = column.is_timestamptz();
        if field.is_epoch {
            return match is_instant {
                true => Self::EpochTimestamptz,
                false => Self::EpochTimestamp,
            };
        }
        if field.is_json {
            return Self::Json;
        }
        if let Some(codec) = DebeziumCodec::of(field, column) {
            return Self::Debezium(codec);
        }
        match (field.logical(), field.schema.kind()) {
            (Some(Logical::Decimal), _) => Self::Numeric,
            (Some(Logical::Date), _) => Self::Date,
            (Some(Logical::Time), _) => Self::Time,
            (Some(Logical::Timestamp), _) if is_instant => Self::Timestamptz,
            (Some(Logical::Timestamp), _) => Self::Timestamp,
            (None, Type::Int8 | Type::Int16) => Self::Int2,
            (None, Type::Int32) => Self::Int4,
            (None, Type::Int64) => Self::Int8,
            (None, Type::Float32) => Self::Float4,
            (None, Type::Float64) => Self::Float8,
            (None, Type::Boolean) => Self::Bool,
            (None, Type::String) if column.is_uuid() => Self::Uuid,
            (None, Type::String) => Self::Text,
            (None, Type::Bytes) => Self::Bytea,
            (None, Type::Array) if column.base == BaseType::Json => Self::Json,
            (None, Type::Array) => array(field).map_or(Self::Unsupported, Self::Array),
            (None, Type::Map | Type::Struct) => Self::Unsupported,
        }
    }

    /// The type of the parameter's elements.
    pub(super) fn element(self) -> Element {
        match self {
            Self::Int2 => element("int2", 21, 1005),
            Self::Int4 => element("int4", 23, 1007),
            Self::Int8 => element("int8", 20, 1016),
            Self::Float4 => element("float4", 700, 1021),
            Self::Float8 => element("float8", 701, 1022),
            Self::Bool => element("bool", 16, 1000),
            Self::Text | Self::Array(_) | Self::Json | Self::Unsupported => {
                element("text", 25, 1009)
            }
            Self::Bytea => element("bytea", 17, 1001),
            Self::Numeric => element("numeric", 1700, 1231),
            Self::Date => element("date", 1082, 1182),
            Self::Time => element("time", 1083, 1183),
            Self::Timestamp | Self::EpochTimestamp => element("timestamp", 1114, 1115),
            Self::Timestamptz | Self::EpochTimestamptz => element("timestamptz", 1184, 1185),
            Self::Uuid => element("uuid", 2950, 2951),
            Self::Debezium(codec) => codec.element(),
        }
    }

    /// Appends a value that is not null.
    pub(super) fn push(
        self,
        value: &Value,
        clock: &Clock,
        out: &mut Vec<u8>,
    ) -> Result<(), Misfit> {
        match (self, value) {
            (Self::Int2, Value::Int8(number)) => out.extend(i16::from(*number).to_be_bytes()),
            (Self::Int2, Value::Int16(number)) => out.extend(number.to_be_bytes()),
            (Self::Int4, Value::Int32(number)) => out.extend(number.to_be_bytes()),
            (Self::Int8, Value::Int64(number)) => out.extend(number.to_be_bytes()),
            (Self::Float4, Value::Float32(number)) => out.extend(number.to_be_bytes()),
            (Self::Float8, Value::Float64(number)) => out.extend(number.to_be_bytes()),
            (Self::Bool, Value::Boolean(flag)) => out.push(u8::from(*flag)),
            (Self::Text, Value::String(text)) => push_text(text, out)?,
            (Self::Bytea, Value::Bytes(bytes)) => out.extend_from_slice(bytes),
            (Self::Numeric, Value::Decimal(number)) => numeric::push(number, out)?,
            (Self::Date, Value::Date(days)) => push_date(clock.date(*days)?, out)?,
            (Self::Time, Value::Time(millis)) => out.extend(clock.time(*millis).to_be_bytes()),
            (Self::Uuid, Value::String(text)) => out.extend(uuid(text).ok_or(Misfit::NotAUuid)?),
            (Self::Array(kind), Value::Array(elements)) => {
                let mut text = String::new();
                kind.push(elements, clock, &mut text)?;
                push_text(&text, out)?;
            }
            (Self::Json, value) => {
                if json::push(value, out)? {
                    return Err(Misfit::Nul);
                }
            }
            (Self::Debezium(codec), value) => codec.push(value, out)?,
            (Self::Timestamp | Self::EpochTimestamp, value) => {
                push_micros(clock.timestamp(self.instant(value, clock)?)?, out)?;
            }
            (Self::Timestamptz | Self::EpochTimestamptz, value) => {
                push_micros(self.instant(value, clock)?, out)?;
            }
            _ => return Err(Misfit::WrongType),
        }
        Ok(())
    }

    /// The instant that a value stands for, in microseconds.
    fn instant(self, value: &Value, clock: &Clock) -> Result<i64, Misfit> {
        let is_epoch = matches!(self, Self::EpochTimestamp | Self::EpochTimestamptz);
        Ok(match value {
            Value::Timestamp(millis) if !is_epoch => Clock::instant(*millis)?,
            Value::Int64(number) if is_epoch => clock.epoch_instant(*number),
            Value::String(text) if is_epoch => clock.epoch_text_instant(text)?,
            _ => return Err(Misfit::WrongType),
        })
    }
}

/// What arrays of a field hold, if they can be written.
fn array(field: &SinkField) -> Option<Elements> {
    match field.mapping {
        TypeMapping::Connect => elements(&field.schema).map(|_| Elements::Plain),
        mapping => Elements::of(mapping, &field.schema),
    }
}

fn push_text(text: &str, out: &mut Vec<u8>) -> Result<(), Misfit> {
    if memchr::memchr(0, text.as_bytes()).is_some() {
        return Err(Misfit::Nul);
    }
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

/// The lowest and the highest number of a date or timestamp mean infinity.
pub(super) fn push_date(days: i64, out: &mut Vec<u8>) -> Result<(), Misfit> {
    match i32::try_from(days - EPOCH_DAYS) {
        Ok(i32::MIN | i32::MAX) | Err(_) => Err(TimeError::OutOfRange.into()),
        Ok(days) => {
            out.extend(days.to_be_bytes());
            Ok(())
        }
    }
}

pub(super) fn push_micros(micros: i64, out: &mut Vec<u8>) -> Result<(), Misfit> {
    match micros.checked_sub(EPOCH_MICROS) {
        Some(i64::MIN | i64::MAX) | None => Err(TimeError::OutOfRange.into()),
        Some(micros) => {
            out.extend(micros.to_be_bytes());
            Ok(())
        }
    }
}

/// The bytes of a UUID, in any of the forms that PostgreSQL reads: hyphens
/// after any four digits, braces around.
pub(super) fn uuid(text: &str) -> Option<[u8; 16]> {
    let text = match text.strip_prefix('{') {
        Some(inner) => inner.strip_suffix('}')?,
        None => text,
    };
    let mut bytes = [0; 16];
    let mut digits = 0;
    let mut after_hyphen = true;
    for character in text.bytes() {
        if character == b'-' {
            if after_hyphen || digits % 4 != 0 {
                return None;
            }
            after_hyphen = true;
            continue;
        }
        after_hyphen = false;
        let digit = char::from(character).to_digit(16)? as u8;
        let byte = bytes.get_mut(digits / 2)?;
        *byte = *byte << 4 | digit;
        digits += 1;
    }
    (digits == 32 && !after_hyphen).then_some(bytes)
}

#[cfg(test)]
mod tests;
