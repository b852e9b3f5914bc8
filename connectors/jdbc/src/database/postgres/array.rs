//! Arrays in their text form: `{1,NULL,"a b"}`.

use std::fmt::Write as _;

use tether_api::data::{Schema, Value, java_f32, java_f64};

use super::codec::Misfit;
use crate::config::TypeMapping;
use crate::database::variable_scale::VariableScale;
use crate::debezium_type::{DebeziumType, Unit};
use crate::time::{Clock, MICROS_PER_DAY, TimeError, date_text, time_text, timestamp_text};

/// The most digits of a decimal that is written out.
const LONGEST_DECIMAL: usize = 150_000;

/// What the elements of an array are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Elements {
    /// What their values are.
    Plain,
    /// Days since the epoch.
    Days,
    /// Time since midnight.
    Time(Unit),
    /// Wall clock, as time since the epoch.
    WallClock(Unit),
    /// Decimals with a scale of their own.
    VariableScale(VariableScale),
}

impl Elements {
    /// The elements of an array of this schema; those of arrays of arrays are
    /// those of the innermost. `None` if they cannot be written.
    pub(super) fn of(mapping: TypeMapping, schema: &Schema) -> Option<Self> {
        let elements = schema.value_schema()?;
        if elements.kind() == tether_api::data::Type::Array {
            return Self::of(mapping, elements);
        }
        Some(match DebeziumType::of(mapping, elements) {
            Some(DebeziumType::Date) => Self::Days,
            Some(DebeziumType::Time(unit)) => Self::Time(unit),
            Some(DebeziumType::Timestamp(unit)) => Self::WallClock(unit),
            Some(DebeziumType::VariableScaleDecimal) => {
                Self::VariableScale(VariableScale::of(elements)?)
            }
            _ if elements.kind().is_primitive() => Self::Plain,
            _ => return None,
        })
    }

    /// Appends an array.
    pub(super) fn push(
        self,
        elements: &[Value],
        clock: &Clock,
        text: &mut String,
    ) -> Result<(), Misfit> {
        text.push('{');
        for (index, element) in elements.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            match element {
                Value::Null => text.push_str("NULL"),
                Value::Array(elements) => self.push(elements, clock, text)?,
                element => self.push_element(element, clock, text)?,
            }
        }
        text.push('}');
        Ok(())
    }

    fn push_element(self, value: &Value, clock: &Clock, text: &mut String) -> Result<(), Misfit> {
        match self {
            Self::Plain => return push_plain(value, clock, text),
            Self::VariableScale(parts) => {
                let number = parts.decimal(value).ok_or(Misfit::WrongType)?;
                return push_plain(&Value::from(number), clock, text);
            }
            Self::Days | Self::Time(_) | Self::WallClock(_) => {}
        }
        let number = value.as_i64().ok_or(Misfit::WrongType)?;
        let micros = |unit: Unit| unit.micros(number).ok_or(TimeError::OutOfRange);
        match self {
            Self::Time(unit) => match micros(unit)? {
                time @ 0..=MICROS_PER_DAY => push_quoted(&time_text(time, 6), text),
                _ => return Err(TimeError::OutOfRange.into()),
            },
            Self::WallClock(unit) => push_quoted(&timestamp_text(micros(unit)?, 6), text),
            _ => {
                let days = i32::try_from(number).map_err(|_| TimeError::OutOfRange)?;
                push_quoted(&date_text(days.into()), text);
            }
        }
        Ok(())
    }
}

fn push_plain(value: &Value, clock: &Clock, text: &mut String) -> Result<(), Misfit> {
    match value {
        Value::Int8(number) => push_display(text, number),
        Value::Int16(number) => push_display(text, number),
        Value::Int32(number) => push_display(text, number),
        Value::Int64(number) => push_display(text, number),
        Value::Float32(number) => text.push_str(&java_f32(*number)),
        Value::Float64(number) => text.push_str(&java_f64(*number)),
        Value::Boolean(flag) => push_display(text, flag),
        Value::String(element) => push_quoted(element, text),
        Value::Bytes(bytes) => {
            text.push_str("\"\\\\x");
            for byte in bytes.iter() {
                push_display(text, format_args!("{byte:02x}"));
            }
            text.push('"');
        }
        Value::Decimal(number) => {
            let digits = number.to_plain_string(LONGEST_DECIMAL);
            text.push_str(&digits.ok_or(super::numeric::TooManyDigits)?);
        }
        Value::Date(days) => push_quoted(&date_text(clock.date(*days)?), text),
        Value::Time(millis) => push_quoted(&time_text(clock.time(*millis), 6), text),
        Value::Timestamp(millis) => {
            let local = clock.timestamp(Clock::instant(*millis)?)?;
            push_quoted(&timestamp_text(local, 6), text);
        }
        Value::Null | Value::Array(_) | Value::Map(_) | Value::Struct(_) => {
            return Err(Misfit::WrongType);
        }
    }
    Ok(())
}

/// Appends a text in double quotes.
pub(super) fn push_quoted(part: &str, text: &mut String) {
    text.push('"');
    for character in part.chars() {
        if matches!(character, '"' | '\\') {
            text.push('\\');
        }
        text.push(character);
    }
    text.push('"');
}

fn push_display(text: &mut String, value: impl std::fmt::Display) {
    // Writing to a string cannot fail.
    let _ = write!(text, "{value}");
}
