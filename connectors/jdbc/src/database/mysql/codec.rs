//! How values of a field become literals for a column.

use tether_api::data::logical::Logical;
use tether_api::data::{Type, Value};

use super::column_type::{BaseType, MySqlType};
use super::debezium::DebeziumCodec;
use crate::config::TypeMapping;
use crate::database::column_value::WRONG_TYPE;
use crate::dialect::mysql::literal::{self, LiteralError};
use crate::fields::SinkField;
use crate::json::{self, JsonError};
use crate::time::{Clock, TimeError};

/// Why a value cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Misfit {
    /// The value has not the type that its schema says.
    #[error("{}", WRONG_TYPE)]
    WrongType,
    /// The value itself has no literal.
    #[error("{0}")]
    Literal(#[from] LiteralError),
    /// A geometry that is none.
    #[error("the geometry has no bytes")]
    NotAGeometry,
    /// Bits that are too many.
    #[error("it has too many bits")]
    TooManyBits,
    /// A date or timestamp out of range.
    #[error("{0}")]
    Time(#[from] TimeError),
    /// A value that JSON has no form for.
    #[error("{0}")]
    Json(#[from] JsonError),
}

/// How values of one column are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    /// As what they are.
    Plain,
    /// An integer as a text, for a column of texts: a number would be compared
    /// with such a column as a float, without an index.
    IntegerText,
    Date,
    Time,
    /// The wall clock of an instant.
    WallClock,
    /// The instant itself, as wall clock of UTC, which is the session's zone
    /// once there is such a column.
    Instant,
    /// The wall clock of an epoch number.
    EpochWallClock,
    /// The instant of an epoch number.
    EpochInstant,
    /// Any value as JSON.
    Json,
    /// A value of Debezium's, and whether values are wall clock of UTC whatever
    /// zone is configured.
    Debezium(DebeziumCodec, bool),
    /// Nothing but null can be written.
    Unsupported,
}

impl Codec {
    /// The way to write values of a field to a column.
    pub(super) fn of(field: &SinkField, column: &MySqlType) -> Self {
        let is_instant = column.base == BaseType::Timestamp;
        if field.is_epoch {
            return match is_instant {
                true => Self::EpochInstant,
                false => Self::EpochWallClock,
            };
        }
        if field.is_json {
            return Self::Json;
        }
        if let Some(codec) = DebeziumCodec::of(field, column) {
            return Self::Debezium(codec, codec.needs_utc(column));
        }
        match (field.logical(), field.schema.kind()) {
            (Some(Logical::Date), _) => Self::Date,
            (Some(Logical::Time), _) => Self::Time,
            (Some(Logical::Timestamp), _) if is_instant => Self::Instant,
            (Some(Logical::Timestamp), _) => Self::WallClock,
            (None, Type::Int8 | Type::Int16 | Type::Int32 | Type::Int64)
                if column.base == BaseType::Text =>
            {
                Self::IntegerText
            }
            (None, Type::Map) if field.mapping != TypeMapping::Connect => Self::Json,
            (None, Type::Array | Type::Map | Type::Struct) => Self::Unsupported,
            _ => Self::Plain,
        }
    }

    /// Whether values are wall clock of UTC whatever zone is configured.
    pub(super) fn needs_utc(self) -> bool {
        matches!(
            self,
            Self::Instant | Self::EpochInstant | Self::Debezium(_, true)
        )
    }

    /// Appends a value that is not null as a literal.
    pub(super) fn push(
        self,
        value: &Value,
        clock: &Clock,
        out: &mut Vec<u8>,
    ) -> Result<(), Misfit> {
        match (self, value) {
            (Self::Plain, value) => literal::push(value, out)?,
            (Self::Json, value) => literal::push_text(&json::text(value)?, out),
            (Self::IntegerText, value) => {
                let number = value.as_i64().ok_or(Misfit::WrongType)?;
                out.push(b'\'');
                literal::push_integer(number, out);
                out.push(b'\'');
            }
            (Self::Date, Value::Date(days)) => literal::push_date(clock.date(*days)?, out)?,
            (Self::Time, Value::Time(millis)) => literal::push_time(clock.time(*millis), 3, out),
            (Self::WallClock, Value::Timestamp(millis)) => {
                let local = clock.timestamp(Clock::instant(*millis)?)?;
                literal::push_timestamp(local, 3, out)?;
            }
            (Self::Instant, Value::Timestamp(millis)) => {
                literal::push_timestamp(Clock::instant(*millis)?, 3, out)?;
            }
            (Self::Debezium(codec, _), value) => codec.push(value, clock, out)?,
            (Self::EpochWallClock, value) => {
                literal::push_timestamp(clock.timestamp(epoch(value, clock)?)?, 6, out)?;
            }
            (Self::EpochInstant, value) => {
                literal::push_timestamp(epoch(value, clock)?, 6, out)?;
            }
            _ => return Err(Misfit::WrongType),
        }
        Ok(())
    }
}

/// The instant of an epoch number in microseconds.
fn epoch(value: &Value, clock: &Clock) -> Result<i64, Misfit> {
    match value {
        Value::Int64(number) => Ok(clock.epoch_instant(*number)),
        Value::String(text) => Ok(clock.epoch_text_instant(text)?),
        _ => Err(Misfit::WrongType),
    }
}
