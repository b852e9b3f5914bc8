//! Times of day without a zone.

use tether_api::data::{Text, Value};

use super::format::iso_offset_time;
use super::{DAY, SECOND};
use crate::values::conversion::Route;

/// What a time of day becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::values) enum TimeForm {
    /// Milliseconds.
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

impl TimeForm {
    /// The value of microseconds since midnight, 24:00 included.
    pub(in crate::values) fn value(self, micros: i64) -> Value {
        match self {
            Self::Millis => Value::Int32((micros / 1000) as i32),
            Self::Micros => Value::Int64(micros),
            Self::Nanos => Value::Int64(micros * 1000),
            Self::Connect => Value::Time((micros / 1000) as i32),
            Self::Iso => Value::String(iso_offset_time(micros)),
        }
    }

    /// The value of an element of an array: the driver leaves it milliseconds,
    /// and of 24:00 nothing.
    pub(in crate::values) fn element(self, micros: i64) -> Value {
        self.value(micros % DAY / 1000 * 1000)
    }

    /// The last time of a day that Java knows, which stands for 24:00 in
    /// defaults.
    pub(in crate::values) fn last(self) -> Value {
        match self {
            Self::Nanos => Value::Int64(DAY * 1000 - 1),
            Self::Iso => Value::String(Text::from_static("23:59:59.999999999Z")),
            form => form.value(DAY - 1),
        }
    }

    /// What a time becomes that may not be null and is.
    pub(in crate::values) fn fallback(self) -> Value {
        match self {
            Self::Iso => Value::String(Text::from_static("00:00:00Z")),
            form => form.value(0),
        }
    }
}

/// The text of a time of day with a zone, at Greenwich. Elements of arrays have
/// no fractions of seconds.
pub(in crate::values) fn zoned_time(micros: i64, route: Route) -> Text {
    match route {
        Route::Query | Route::Stream | Route::Correct => iso_offset_time(micros),
        Route::Element => iso_offset_time(micros / SECOND * SECOND),
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    #[test]
    fn times_are_counted_from_midnight() {
        let value = |text: &str, form: TimeForm| {
            parse::time(text.as_bytes()).map(|micros| form.value(micros))
        };
        let text = "13:14:15.123456";
        assert_eq!(
            value(text, TimeForm::Millis),
            Some(Value::Int32(47_655_123))
        );
        assert_eq!(
            value(text, TimeForm::Micros),
            Some(Value::Int64(47_655_123_456))
        );
        assert_eq!(
            value(text, TimeForm::Nanos),
            Some(Value::Int64(47_655_123_456_000))
        );
        assert_eq!(
            value(text, TimeForm::Connect),
            Some(Value::Time(47_655_123))
        );
        assert_eq!(value(text, TimeForm::Iso), Some("13:14:15.123456Z".into()));
        assert_eq!(
            value("13:14:15.5", TimeForm::Iso),
            Some("13:14:15.5Z".into())
        );
        assert_eq!(
            value("24:00:00", TimeForm::Micros),
            Some(Value::Int64(86_400_000_000))
        );
        assert_eq!(value("24:00:00", TimeForm::Iso), Some("00:00:00Z".into()));
        for wrong in [
            "",
            "24:00:01",
            "13:14",
            "13:14:15.",
            "13:14:15.1234567",
            "1:1:1",
        ] {
            assert_eq!(value(wrong, TimeForm::Micros), None, "{wrong}");
        }
    }

    #[test]
    fn zoned_times_are_moved_to_greenwich() {
        let of = |text: &str, route| {
            parse::offset_time(text.as_bytes()).map(|micros| zoned_time(micros, route))
        };
        let text = |text: &str| of(text, Route::Stream);
        let element = of("13:14:15.123456+05:30", Route::Element);
        assert_eq!(element.as_deref(), Some("07:44:15Z"));
        assert_eq!(
            text("13:14:15.123456+05:30").as_deref(),
            Some("07:44:15.123456Z")
        );
        assert_eq!(text("12:00:00+00").as_deref(), Some("12:00:00Z"));
        assert_eq!(text("13:14:15.123-03").as_deref(), Some("16:14:15.123Z"));
        assert_eq!(text("24:00:00+00").as_deref(), Some("00:00:00Z"));
        assert_eq!(text("00:00:00+01").as_deref(), Some("23:00:00Z"));
        assert_eq!(text("12:00:00"), None);
    }
}
