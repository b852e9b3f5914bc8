//! Values of Debezium's types as SQLite's. Times are texts, which keep all
//! digits and which SQLite's functions read.

use rusqlite::types::Value as SqliteValue;
use tether_api::data::{Type, Value};

use super::binder::Misfit;
use crate::config::TypeMapping;
use crate::database::variable_scale::VariableScale;
use crate::debezium_type::{DebeziumType, Unit};
use crate::fields::SinkField;
use crate::json;
use crate::time::{MICROS_PER_DAY, TimeError, date_text, time_text, timestamp_text};

/// The digits of a second's fraction.
const DIGITS: usize = 6;

/// How values of one column are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DebeziumCodec {
    /// Days since the epoch.
    Days,
    /// Time since midnight.
    Time(Unit),
    /// Wall clock.
    WallClock(Unit),
    /// A decimal with a scale of its own.
    VariableScale(VariableScale),
    /// A map as JSON.
    Json,
}

impl DebeziumCodec {
    /// The way to write values of a field, if it is not the one of the schema's
    /// plain type.
    pub(super) fn of(field: &SinkField) -> Option<Self> {
        if field.mapping == TypeMapping::Connect || field.is_json {
            return None;
        }
        Some(match (field.debezium(), field.schema.kind()) {
            (Some(DebeziumType::Date), Type::Int32) => Self::Days,
            (Some(DebeziumType::Time(unit)), Type::Int32 | Type::Int64) => Self::Time(unit),
            (Some(DebeziumType::Timestamp(unit)), Type::Int64) => Self::WallClock(unit),
            (Some(DebeziumType::VariableScaleDecimal), Type::Struct) => {
                Self::VariableScale(VariableScale::of(&field.schema)?)
            }
            (None, Type::Map) => Self::Json,
            _ => return None,
        })
    }

    /// The parameter for a value that is not null.
    pub(super) fn parameter(self, value: &Value) -> Result<SqliteValue, Misfit> {
        let number = || value.as_i64().ok_or(Misfit::WrongType);
        let micros =
            |unit: Unit| Ok::<_, Misfit>(unit.micros(number()?).ok_or(TimeError::OutOfRange)?);
        let text = match self {
            Self::Days => {
                let days = i32::try_from(number()?).map_err(|_| TimeError::OutOfRange)?;
                Some(date_text(days.into()))
            }
            Self::Time(unit) => match micros(unit)? {
                time @ 0..=MICROS_PER_DAY => Some(time_text(time, DIGITS)),
                _ => return Err(TimeError::OutOfRange.into()),
            },
            Self::WallClock(unit) => Some(timestamp_text(micros(unit)?, DIGITS)),
            // The column's affinity makes a number of it.
            Self::VariableScale(parts) => parts.decimal(value).map(|number| number.to_string()),
            Self::Json => return Ok(SqliteValue::Text(json::text(value)?)),
        };
        text.map(SqliteValue::Text).ok_or(Misfit::WrongType)
    }
}
