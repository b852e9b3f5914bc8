//! What becomes of a value without a schema in a column.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tether_api::data::logical::{decimal_schema, timestamp_schema};
use tether_api::data::{Decimal, Schema, SchemaBuilder, SchemaRef, Type, Value};

use crate::json;
use crate::time::{Clock, date_text, time_text, timestamp_text};

/// What a column takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    /// An integer of up to 64 bits.
    Integer,
    /// A float.
    Float,
    /// A decimal.
    Decimal,
    /// True or false.
    Boolean,
    /// A text, or what the database reads from one.
    Text,
    /// JSON.
    Json,
    /// Bytes; a text is base64.
    Bytes,
    /// An array that the database reads from a text.
    Array,
    /// A day; a number counts them from the epoch.
    Date,
    /// A time of day; a number counts milliseconds from midnight.
    Time,
    /// A wall clock; a number counts milliseconds from the epoch.
    WallClock,
    /// An instant, which the database reads from a text.
    InstantText,
    /// An instant to the millisecond.
    Instant,
    /// Whatever the database makes of it.
    Any,
}

/// A type of column that says what it takes.
pub(crate) trait TypedColumn {
    /// What it takes.
    fn kind(&self) -> ColumnKind;
}

impl ColumnKind {
    /// The schema of the values that are written.
    pub(crate) fn schema(self) -> SchemaRef {
        let optional = |kind| Schema::primitive(kind, true);
        match self {
            Self::Integer => optional(Type::Int64),
            Self::Float => optional(Type::Float64),
            // Each value has a scale of its own, and none is the largest.
            Self::Decimal => decimal_schema(i32::MAX).to_builder().optional().build(),
            Self::Boolean => optional(Type::Boolean),
            Self::Bytes => optional(Type::Bytes),
            Self::Array => SchemaBuilder::array(optional(Type::String))
                .optional()
                .build(),
            Self::Instant => timestamp_schema().to_builder().optional().build(),
            Self::Text
            | Self::Json
            | Self::Date
            | Self::Time
            | Self::WallClock
            | Self::InstantText
            | Self::Any => optional(Type::String),
        }
    }

    /// A value as the column takes it; `None` if it does not.
    pub(crate) fn convert<'v>(self, value: &'v Value, clock: &Clock) -> Option<Cow<'v, Value>> {
        Some(match (self, value) {
            (_, Value::Null)
            | (Self::Json, _)
            | (Self::Integer, Value::Int64(_))
            | (Self::Float, Value::Float64(_))
            | (Self::Decimal, Value::Decimal(_))
            | (Self::Boolean, Value::Boolean(_))
            | (Self::Bytes, Value::Bytes(_))
            | (Self::Array, Value::Array(_))
            | (Self::Instant, Value::Timestamp(_))
            | (Self::Text | Self::Date | Self::Time | Self::InstantText, Value::String(_)) => {
                Cow::Borrowed(value)
            }
            (Self::Any, Value::Array(_) | Value::Map(_) | Value::Struct(_)) => json_text(value)?,
            (Self::Any, _) => Cow::Borrowed(value),
            (Self::Text, _) => json_text(value)?,
            (Self::Integer, value) => Cow::Owned(Value::Int64(integer(value)?)),
            (Self::Float, value) => Cow::Owned(Value::Float64(float(value)?)),
            (Self::Decimal, value) => Cow::Owned(Value::from(decimal(value)?)),
            (Self::Boolean, value) => Cow::Owned(Value::Boolean(boolean(value)?)),
            (Self::Bytes, value) => {
                let bytes = STANDARD.decode(value.as_str()?).ok()?;
                Cow::Owned(Value::Bytes(bytes.into()))
            }
            (Self::Date, value) => {
                let days = i32::try_from(integer(value)?).ok()?;
                owned_text(date_text(clock.date(days).ok()?))
            }
            (Self::Time, value) => {
                let millis = i32::try_from(integer(value)?).ok()?;
                owned_text(time_text(clock.time(millis), 3))
            }
            (Self::WallClock, Value::String(text)) => match instant(text) {
                Some(micros) => owned_text(wall_clock(micros, clock)?),
                // A wall clock, if anything.
                None => Cow::Borrowed(value),
            },
            (Self::WallClock, value) => {
                let micros = integer(value)?.checked_mul(1000)?;
                owned_text(wall_clock(micros, clock)?)
            }
            (Self::InstantText, value) => {
                let micros = integer(value)?.checked_mul(1000)?;
                owned_text(format!("{}+00", timestamp_text(micros, 3)))
            }
            (Self::Instant, Value::String(text)) => {
                let micros = instant(text).or_else(|| local(text, clock))?;
                Cow::Owned(Value::Timestamp(micros.div_euclid(1000)))
            }
            (Self::Instant, value) => Cow::Owned(Value::Timestamp(integer(value)?)),
            (Self::Array, _) => return None,
        })
    }
}

fn owned_text(text: String) -> Cow<'static, Value> {
    Cow::Owned(Value::String(text.into()))
}

/// The value as JSON, which for a plain value is its text.
fn json_text(value: &Value) -> Option<Cow<'static, Value>> {
    Some(owned_text(json::text(value).ok()?))
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Boolean(flag) => Some((*flag).into()),
        Value::Float64(number) => whole(*number),
        Value::Float32(number) => whole((*number).into()),
        Value::String(text) => text.trim().parse().ok(),
        Value::Date(number) | Value::Time(number) => Some((*number).into()),
        Value::Timestamp(number) => Some(*number),
        value => value.as_i64(),
    }
}

/// A float without a fraction, as far as floats count one by one.
fn whole(number: f64) -> Option<i64> {
    const LARGEST: f64 = (1i64 << 53) as f64;
    (number.fract() == 0.0 && number.abs() <= LARGEST).then_some(number as i64)
}

fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Float32(number) => Some((*number).into()),
        // Java's words for what is no number are Rust's as well.
        Value::String(text) => text.trim().parse().ok(),
        value => value.as_i64().map(|number| number as f64),
    }
}

fn decimal(value: &Value) -> Option<Decimal> {
    match value {
        // The shortest digits that mean the float.
        Value::Float64(number) => number.to_string().parse().ok(),
        Value::Float32(number) => number.to_string().parse().ok(),
        Value::String(text) => text.trim().parse().ok(),
        value => value.as_i64().map(|number| Decimal::from_i64(number, 0)),
    }
}

fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::String(text) => text.trim().to_lowercase().parse().ok(),
        value => match value.as_i64()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        },
    }
}

/// The instant of a text that says its offset, in microseconds.
fn instant(text: &str) -> Option<i64> {
    let parsed: jiff::Timestamp = text.trim().parse().ok()?;
    Some(parsed.as_microsecond())
}

/// The instant of a wall clock in the configured zone, in microseconds.
fn local(text: &str, clock: &Clock) -> Option<i64> {
    let parsed: jiff::civil::DateTime = text.trim().parse().ok()?;
    let utc = parsed.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(clock.instant_of(utc.timestamp().as_microsecond()))
}

fn wall_clock(micros: i64, clock: &Clock) -> Option<String> {
    Some(timestamp_text(clock.timestamp(micros).ok()?, 6))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use tether_api::data::validate;

    use super::*;
    use crate::fixture::{any_value, config};

    fn converted(kind: ColumnKind, value: impl Into<Value>) -> Option<Value> {
        let clock = Clock::new(&config(&[("db.timezone", "+02:00")]).time);
        let value = value.into();
        kind.convert(&value, &clock).map(Cow::into_owned)
    }

    #[test]
    fn numbers_and_texts_become_what_the_column_takes() {
        use ColumnKind::*;
        for (kind, value, expected) in [
            (Integer, Value::from("12"), Some(Value::Int64(12))),
            (Integer, 12.0f64.into(), Some(Value::Int64(12))),
            (Integer, 12.5f64.into(), None),
            (Integer, 1e300f64.into(), None),
            (Integer, true.into(), Some(Value::Int64(1))),
            (Integer, "x".into(), None),
            (Float, 3i64.into(), Some(Value::Float64(3.0))),
            (Float, "1e3".into(), Some(Value::Float64(1000.0))),
            (
                Float,
                "-Infinity".into(),
                Some(Value::Float64(f64::NEG_INFINITY)),
            ),
            (
                Decimal,
                0.1f64.into(),
                Some(Value::from(super::Decimal::from_i64(1, 1))),
            ),
            (Decimal, f64::NAN.into(), None),
            (Boolean, "TRUE".into(), Some(true.into())),
            (Boolean, 0i64.into(), Some(false.into())),
            (Boolean, 2i64.into(), None),
            (Text, 1.5f64.into(), Some("1.5".into())),
            (Text, Value::Null, Some(Value::Null)),
            (
                Bytes,
                "AP8=".into(),
                Some(Value::Bytes(vec![0, 255].into())),
            ),
            (Bytes, "?".into(), None),
            (Any, 5i64.into(), Some(5i64.into())),
            (Array, "x".into(), None),
        ] {
            assert_eq!(
                converted(kind, value.clone()),
                expected,
                "{kind:?} {value:?}"
            );
        }
        let list = Value::Array(Arc::new(vec![1i64.into()]));
        assert_eq!(converted(Text, list.clone()), Some("[1]".into()));
        assert_eq!(converted(Any, list.clone()), Some("[1]".into()));
        assert_eq!(converted(Array, list.clone()), Some(list));
    }

    #[test]
    fn moments_are_texts_or_numbers() {
        use ColumnKind::*;
        for (kind, value, expected) in [
            (Date, Value::from("1970-01-02"), Value::from("1970-01-02")),
            (Date, 1i64.into(), "1970-01-02".into()),
            (Time, 1i64.into(), "02:00:00.001".into()),
            (
                WallClock,
                "1970-01-01T00:00:00.123456Z".into(),
                "1970-01-01 02:00:00.123456".into(),
            ),
            (
                WallClock,
                "1970-01-01 00:00".into(),
                "1970-01-01 00:00".into(),
            ),
            (WallClock, 1i64.into(), "1970-01-01 02:00:00.001000".into()),
            (
                InstantText,
                1i64.into(),
                "1970-01-01 00:00:00.001+00".into(),
            ),
            (Instant, "1970-01-01T00:00:00Z".into(), Value::Timestamp(0)),
            (
                Instant,
                "1970-01-01 02:00:01".into(),
                Value::Timestamp(1000),
            ),
            (Instant, 5i64.into(), Value::Timestamp(5)),
        ] {
            assert_eq!(
                converted(kind, value.clone()),
                Some(expected),
                "{kind:?} {value:?}"
            );
        }
        assert_eq!(converted(Instant, "yesterday"), None);
        assert_eq!(converted(WallClock, i64::MAX), None);
    }

    const ALL: [ColumnKind; 14] = [
        ColumnKind::Integer,
        ColumnKind::Float,
        ColumnKind::Decimal,
        ColumnKind::Boolean,
        ColumnKind::Text,
        ColumnKind::Json,
        ColumnKind::Bytes,
        ColumnKind::Array,
        ColumnKind::Date,
        ColumnKind::Time,
        ColumnKind::WallClock,
        ColumnKind::InstantText,
        ColumnKind::Instant,
        ColumnKind::Any,
    ];

    proptest! {
        #[test]
        fn what_fits_is_of_the_columns_schema(value in any_value(), kind in prop::sample::select(&ALL[..])) {
            if let Some(found) = converted(kind, value)
                && !matches!(kind, ColumnKind::Json | ColumnKind::Any)
            {
                let is_fit = match kind.schema().kind() {
                    // The elements are the database's business.
                    Type::Array => found.is_null() || found.as_array().is_some(),
                    _ => validate(None, &kind.schema(), &found).is_ok(),
                };
                prop_assert!(is_fit, "{kind:?} {found:?}");
            }
        }
    }
}
