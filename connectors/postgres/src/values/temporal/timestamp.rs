//! Points in time.

use tether_api::data::{Text, Value};

use super::DAY;
use super::format::iso_timestamp;

/// A point in time, or one of the two that are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::values) enum Instant {
    /// Microseconds since 1970-01-01T00:00Z.
    Micros(i64),
    /// After all others.
    Infinity,
    /// Before all others.
    NegativeInfinity,
}

/// What a timestamp without a zone becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::values) enum TimestampForm {
    /// Milliseconds since the epoch.
    Millis,
    /// Microseconds.
    Micros,
    /// Nanoseconds.
    Nanos,
    /// Milliseconds as Connect's logical type.
    Connect,
    /// ISO 8601 with a `Z`.
    Iso,
}

/// The driver's points in time for the infinities, in microseconds.
const INFINITY: i64 = 9_223_372_036_825_200_000;
const NEGATIVE_INFINITY: i64 = -9_223_372_036_832_400_000;

impl Instant {
    /// Microseconds since the epoch.
    fn micros(self) -> i64 {
        match self {
            Self::Micros(micros) => micros,
            Self::Infinity => INFINITY,
            Self::NegativeInfinity => NEGATIVE_INFINITY,
        }
    }

    /// The value in this form; `None` if it does not fit, as nanoseconds before
    /// 1677 and after 2262.
    pub(in crate::values) fn value(self, form: TimestampForm) -> Option<Value> {
        let millis = || self.micros().div_euclid(1000);
        Some(match form {
            TimestampForm::Millis => Value::Int64(millis()),
            TimestampForm::Micros => Value::Int64(self.micros()),
            TimestampForm::Nanos => Value::Int64(match self {
                // Day and time are added up only after both fitted.
                Self::Micros(micros) => micros
                    .div_euclid(DAY)
                    .checked_mul(DAY * 1000)?
                    .checked_add(micros.rem_euclid(DAY) * 1000)?,
                Self::Infinity => i64::MAX,
                Self::NegativeInfinity => i64::MIN,
            }),
            TimestampForm::Connect => Value::Timestamp(millis()),
            TimestampForm::Iso => Value::String(iso_timestamp(self.micros(), None)),
        })
    }

    /// The text of a timestamp with a zone, with so many digits of a fraction.
    /// The reference shows as many as are needed where the column has none.
    pub(in crate::values) fn zoned(self, digits: usize) -> Text {
        match self {
            Self::Micros(micros) => iso_timestamp(micros, (digits > 0).then_some(digits)),
            Self::Infinity => Text::from_static("infinity"),
            Self::NegativeInfinity => Text::from_static("-infinity"),
        }
    }
}

impl TimestampForm {
    /// What a timestamp becomes that may not be null and is.
    pub(in crate::values) fn fallback(self) -> Value {
        match self {
            Self::Millis | Self::Micros | Self::Nanos => Value::Int64(0),
            Self::Connect => Value::Timestamp(0),
            Self::Iso => Value::String(Text::from_static("1970-01-01T00:00:00Z")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tether_api::data::logical::Timestamp;

    use super::super::parse;
    use super::*;

    fn value(text: &str, form: TimestampForm) -> Option<Value> {
        parse::timestamp(text.as_bytes()).and_then(|instant| instant.value(form))
    }

    #[test]
    fn timestamps_are_counted_from_the_epoch() {
        let text = "2024-03-15 13:14:15.123456";
        let millis = 1_710_508_455_123;
        assert_eq!(
            value(text, TimestampForm::Millis),
            Some(Value::Int64(millis))
        );
        assert_eq!(
            value(text, TimestampForm::Micros),
            Some(Value::Int64(millis * 1000 + 456))
        );
        assert_eq!(
            value(text, TimestampForm::Nanos),
            Some(Value::Int64((millis * 1000 + 456) * 1000))
        );
        assert_eq!(
            value(text, TimestampForm::Connect),
            Some(Value::Timestamp(millis))
        );
        assert_eq!(
            value(text, TimestampForm::Iso),
            Some("2024-03-15T13:14:15.123456Z".into())
        );
        let even = "2024-03-15 13:14:00";
        assert_eq!(
            value(even, TimestampForm::Iso),
            Some("2024-03-15T13:14:00Z".into())
        );
        let before = "1969-12-31 23:59:59.9995";
        assert_eq!(value(before, TimestampForm::Millis), Some(Value::Int64(-1)));
        assert_eq!(value("1600-01-01 00:00:00", TimestampForm::Nanos), None);
    }

    #[test]
    fn infinities_are_the_drivers() {
        let cases = [
            (
                TimestampForm::Millis,
                9_223_372_036_825_200,
                -9_223_372_036_832_400,
            ),
            (
                TimestampForm::Micros,
                9_223_372_036_825_200_000,
                -9_223_372_036_832_400_000,
            ),
            (TimestampForm::Nanos, i64::MAX, i64::MIN),
        ];
        for (form, positive, negative) in cases {
            assert_eq!(value("infinity", form), Some(Value::Int64(positive)));
            assert_eq!(value("-infinity", form), Some(Value::Int64(negative)));
        }
        let iso = |text| value(text, TimestampForm::Iso);
        assert_eq!(iso("infinity"), Some("+294247-01-10T04:00:25.2Z".into()));
        assert_eq!(iso("-infinity"), Some("-290308-12-21T19:59:27.6Z".into()));
    }

    #[test]
    fn zoned_timestamps_show_the_digits_of_the_column() {
        let text =
            |text: &str, digits| parse::zoned_timestamp(text.as_bytes()).map(|at| at.zoned(digits));
        let at = "2024-03-15 13:14:15.123456+02";
        assert_eq!(text(at, 6).as_deref(), Some("2024-03-15T11:14:15.123456Z"));
        let short = "2024-03-15 13:14:15.1+02";
        assert_eq!(text(short, 3).as_deref(), Some("2024-03-15T11:14:15.100Z"));
        assert_eq!(
            text("2024-03-15 13:14:15+00", 0).as_deref(),
            Some("2024-03-15T13:14:15Z")
        );
        assert_eq!(text("infinity", 6).as_deref(), Some("infinity"));
        assert_eq!(text("-infinity", 6).as_deref(), Some("-infinity"));
        let ides = "0044-03-15 12:00:00+00 BC";
        assert_eq!(
            text(ides, 6).as_deref(),
            Some("-0043-03-15T12:00:00.000000Z")
        );
        let far = "12024-03-15 12:00:00-03:30";
        assert_eq!(
            text(far, 6).as_deref(),
            Some("+12024-03-15T15:30:00.000000Z")
        );
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(micros in -2_000_000_000_000_000_i64..8_000_000_000_000_000) {
            let millis = micros.div_euclid(1000);
            let text = Timestamp(millis).to_string().replace('T', " ").replace('Z', "");
            prop_assume!(!text.starts_with('-') && !text.starts_with('+'));
            prop_assert_eq!(value(&text, TimestampForm::Millis), Some(Value::Int64(millis)));
        }

        #[test]
        fn anything_is_a_time_or_not(text: Vec<u8>) {
            let _ = (parse::date(&text), parse::time(&text), parse::offset_time(&text));
            let _ = (parse::timestamp(&text), parse::zoned_timestamp(&text));
        }
    }
}
