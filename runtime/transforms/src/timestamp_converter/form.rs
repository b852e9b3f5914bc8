//! The forms of points in time.

use tether_api::data::logical::{self, Logical, MILLIS_PER_DAY};
use tether_api::data::{Schema, SchemaRef, Type, Value};
use tether_api::{ConnectError, Result};

use crate::date_format::DateFormat;

/// A form of a point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Unix,
    Date,
    Time,
    Timestamp,
}

/// What a number of a point in time counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Precision {
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
}

/// How texts and numbers are written.
pub(super) struct Forms {
    pub(super) format: Option<DateFormat>,
    pub(super) pattern: String,
    pub(super) precision: Precision,
}

impl Form {
    /// The names in configurations.
    pub(super) const NAMES: [&'static str; 5] = ["string", "unix", "Date", "Time", "Timestamp"];

    /// The form of a name, which was checked.
    pub(super) fn named(name: &str) -> Self {
        match name {
            "string" => Self::Text,
            "unix" => Self::Unix,
            "Date" => Self::Date,
            "Time" => Self::Time,
            _ => Self::Timestamp,
        }
    }

    /// The form of the values of a schema.
    ///
    /// # Errors
    /// Other, if they are no points in time.
    pub(super) fn of_schema(schema: &Schema) -> Result<Self> {
        match (Logical::of(schema), schema.kind()) {
            (Some(Logical::Timestamp), _) => Ok(Self::Timestamp),
            (Some(Logical::Date), _) => Ok(Self::Date),
            (Some(Logical::Time), _) => Ok(Self::Time),
            (_, Type::String) => Ok(Self::Text),
            (_, Type::Int64) => Ok(Self::Unix),
            _ => Err(ConnectError::other(format!(
                "Schema {schema:?} does not correspond to a known timestamp type format"
            ))),
        }
    }

    /// The form of a value without a schema.
    ///
    /// # Errors
    /// Data, if it is no point in time.
    pub(super) fn of_value(value: &Value) -> Result<Self> {
        match value {
            Value::Date(_) | Value::Time(_) | Value::Timestamp(_) => Ok(Self::Timestamp),
            Value::Int64(_) => Ok(Self::Unix),
            Value::String(_) => Ok(Self::Text),
            value => Err(ConnectError::data(format!(
                "TimestampConverter does not support class {} objects as timestamps",
                value.java_class()
            ))),
        }
    }

    /// The schema of values of this form.
    pub(super) fn schema(self, optional: bool) -> SchemaRef {
        let builder = match self {
            Self::Text => return Schema::primitive(Type::String, optional),
            Self::Unix => return Schema::primitive(Type::Int64, optional),
            Self::Date => logical::date_builder(),
            Self::Time => logical::time_builder(),
            Self::Timestamp => logical::timestamp_builder(),
        };
        builder.with_optional(optional).build()
    }
}

impl Precision {
    /// The names in configurations.
    pub(super) const NAMES: [&'static str; 4] =
        ["nanoseconds", "microseconds", "milliseconds", "seconds"];

    /// The precision of a name, which was checked.
    pub(super) fn named(name: &str) -> Self {
        match name {
            "seconds" => Self::Seconds,
            "microseconds" => Self::Microseconds,
            "nanoseconds" => Self::Nanoseconds,
            _ => Self::Milliseconds,
        }
    }

    // As in `java.util.concurrent.TimeUnit`: what is too large becomes the end
    // of the range, and fractions are cut off.

    fn to_millis(self, number: i64) -> i64 {
        match self {
            Self::Seconds => number.saturating_mul(1000),
            Self::Milliseconds => number,
            Self::Microseconds => number / 1000,
            Self::Nanoseconds => number / 1_000_000,
        }
    }

    fn of_millis(self, millis: i64) -> i64 {
        match self {
            Self::Seconds => millis / 1000,
            Self::Milliseconds => millis,
            Self::Microseconds => millis.saturating_mul(1000),
            Self::Nanoseconds => millis.saturating_mul(1_000_000),
        }
    }
}

impl Forms {
    /// The milliseconds since the epoch of a value of a form.
    ///
    /// # Errors
    /// Data, if the value has another form or cannot be read.
    pub(super) fn read(&self, value: &Value, form: Form) -> Result<i64> {
        let (name, class) = match (form, value) {
            (Form::Text, Value::String(text)) => return self.parse(text),
            (Form::Unix, Value::Int64(number)) => return Ok(self.precision.to_millis(*number)),
            (Form::Date | Form::Time | Form::Timestamp, Value::Date(days)) => {
                return Ok(i64::from(*days) * MILLIS_PER_DAY);
            }
            (Form::Date | Form::Time | Form::Timestamp, Value::Time(millis)) => {
                return Ok(i64::from(*millis));
            }
            (Form::Date | Form::Time | Form::Timestamp, Value::Timestamp(millis)) => {
                return Ok(*millis);
            }
            (Form::Text, _) => ("string timestamp", "String"),
            (Form::Unix, _) => ("Unix timestamp", "Long"),
            (Form::Date, _) => ("Date", "java.util.Date"),
            (Form::Time, _) => ("Time", "java.util.Date"),
            (Form::Timestamp, _) => ("Timestamp", "java.util.Date"),
        };
        Err(ConnectError::data(format!(
            "Expected {name} to be a {class}, but found class {}",
            value.java_class()
        )))
    }

    fn parse(&self, text: &str) -> Result<i64> {
        let Some(format) = &self.format else {
            return Err(ConnectError::data(
                "The key format is missing, which says how texts are read as timestamps",
            ));
        };
        format.parse(text).ok_or_else(|| {
            ConnectError::data(format!(
                "Could not parse timestamp: value ({text}) does not match pattern ({})",
                self.pattern
            ))
        })
    }

    /// The value of a form for milliseconds since the epoch.
    ///
    /// # Errors
    /// Data, if a date is too far away.
    pub(super) fn write(&self, millis: i64, form: Form) -> Result<Value> {
        Ok(match form {
            Form::Text => match &self.format {
                Some(format) => format.format(millis).into(),
                None => Value::Null,
            },
            Form::Unix => Value::Int64(self.precision.of_millis(millis)),
            Form::Date => {
                let days = i32::try_from(millis.div_euclid(MILLIS_PER_DAY));
                Value::Date(days.map_err(|_| {
                    ConnectError::data(format!("The timestamp {millis} is too far away for a Date"))
                })?)
            }
            Form::Time => Value::Time(millis.rem_euclid(MILLIS_PER_DAY) as i32),
            Form::Timestamp => Value::Timestamp(millis),
        })
    }
}
