//! Points in time.

use tether_api::data::{Text, Value, logical};

use super::date::Date;
use super::format::iso_timestamp;
use super::{DAY, SECOND};
use crate::values::conversion::Route;

/// A timestamp as its text has it, or one of the two that are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::values) enum Stamp {
    /// A day, microseconds of it, and seconds by which its zone is ahead.
    At {
        date: Date,
        micros: i64,
        offset: i64,
    },
    /// After all others.
    Infinity,
    /// Before all others.
    NegativeInfinity,
}

/// Days since 1970-01-01 and microseconds of a day: the server's timestamps do
/// not all fit 64 bits of microseconds from there.
#[derive(Debug, Clone, Copy)]
struct Instant {
    days: i64,
    micros: i64,
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

/// What the driver makes of `-infinity` with a zone in an array.
const ELEMENT_NEGATIVE_INFINITY: ((i64, u8, u8), i64) = ((292_269_055, 12, 2), 23 * 3600 * SECOND);

impl Stamp {
    /// The value in this form; `None` if it does not fit, as nanoseconds before
    /// 1677 and after 2262.
    pub(in crate::values) fn value(self, form: TimestampForm, route: Route) -> Option<Value> {
        let instant = match self {
            Self::At {
                date,
                micros,
                offset,
            } => {
                let days = match route {
                    Route::Query | Route::Stream | Route::Correct => date.epoch_day(),
                    Route::Element => date.epoch_day_of_driver(),
                };
                Instant::new(days, micros - offset * SECOND)
            }
            Self::Infinity => Instant::new(0, INFINITY),
            Self::NegativeInfinity => Instant::new(0, NEGATIVE_INFINITY),
        };
        Some(match form {
            TimestampForm::Millis => Value::Int64(instant.millis()),
            TimestampForm::Micros => Value::Int64(instant.micros()),
            TimestampForm::Nanos => Value::Int64(match self {
                Self::At { .. } => instant.nanos()?,
                Self::Infinity => i64::MAX,
                Self::NegativeInfinity => i64::MIN,
            }),
            TimestampForm::Connect => Value::Timestamp(instant.millis()),
            TimestampForm::Iso => {
                Value::String(iso_timestamp(civil(instant.days), instant.micros, None))
            }
        })
    }

    /// The text of a timestamp with a zone, with so many digits of a fraction.
    /// The reference shows as many as are needed where the column has none.
    pub(in crate::values) fn zoned(self, digits: usize, route: Route) -> Text {
        let digits = (digits > 0).then_some(digits);
        match (self, route) {
            // The driver takes its own calendar's date without the era.
            (
                Self::At {
                    date,
                    micros,
                    offset: 0,
                },
                Route::Element,
            ) if micros < DAY => iso_timestamp(date.of_driver(), micros, digits),
            (
                Self::At {
                    date,
                    micros,
                    offset,
                },
                _,
            ) => {
                let instant = Instant::new(date.epoch_day(), micros - offset * SECOND);
                iso_timestamp(civil(instant.days), instant.micros, digits)
            }
            (Self::NegativeInfinity, Route::Element) => {
                let (date, micros) = ELEMENT_NEGATIVE_INFINITY;
                iso_timestamp(date, micros, digits)
            }
            (Self::Infinity, _) => Text::from_static("infinity"),
            (Self::NegativeInfinity, _) => Text::from_static("-infinity"),
        }
    }
}

impl Instant {
    /// So many microseconds after the beginning of a day.
    fn new(days: i64, micros: i64) -> Self {
        Self {
            days: days + micros.div_euclid(DAY),
            micros: micros.rem_euclid(DAY),
        }
    }

    fn millis(self) -> i64 {
        self.days * (DAY / 1000) + self.micros / 1000
    }

    /// The steps of Java: seconds that do not fit are as many as do, and the
    /// fraction is added whatever comes of it.
    fn micros(self) -> i64 {
        let seconds = self.days * (DAY / SECOND) + self.micros / SECOND;
        seconds
            .saturating_mul(SECOND)
            .wrapping_add(self.micros % SECOND)
    }

    /// Day and time are added up only after both fitted.
    fn nanos(self) -> Option<i64> {
        self.days
            .checked_mul(DAY * 1000)?
            .checked_add(self.micros * 1000)
    }
}

/// Year, month and day of a day since the epoch.
pub(super) fn civil(days: i64) -> (i64, u8, u8) {
    let (year, month, day) = logical::civil(days);
    (year, month as u8, day as u8)
}

impl TimestampForm {
    /// The last or first timestamp of Java, which stand for the infinities in
    /// defaults; `None` in forms that they do not fit.
    pub(in crate::values) fn of_java(self, last: bool) -> Option<Value> {
        Some(match (self, last) {
            (Self::Micros, true) => Value::Int64(i64::MAX.wrapping_add(SECOND - 1)),
            (Self::Micros, false) => Value::Int64(i64::MIN),
            (Self::Iso, true) => {
                Value::String(Text::from_static("+999999999-12-31T23:59:59.999999999Z"))
            }
            (Self::Iso, false) => Value::String(Text::from_static("-999999999-01-01T00:00:00Z")),
            (Self::Millis | Self::Nanos | Self::Connect, _) => return None,
        })
    }

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
        parse::timestamp(text.as_bytes()).and_then(|stamp| stamp.value(form, Route::Stream))
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
        assert_eq!(
            value("99999999-01-01 00:00:00", TimestampForm::Millis),
            None
        );
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
        let text = |text: &str, digits| {
            parse::zoned_timestamp(text.as_bytes()).map(|stamp| stamp.zoned(digits, Route::Query))
        };
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

    /// Seen in the reference; the last one of all does not fit microseconds.
    #[test]
    fn the_last_timestamps_saturate() {
        let last = "294276-12-31 23:59:59.999999";
        assert_eq!(
            value(last, TimestampForm::Micros),
            Some(Value::Int64(-9_223_372_036_853_775_810))
        );
        assert_eq!(
            value("294277-01-01 00:00:00", TimestampForm::Micros),
            Some(Value::Int64(i64::MAX))
        );
        assert_eq!(
            value(last, TimestampForm::Millis),
            Some(Value::Int64(9_224_318_015_999_999))
        );
        let iso = "+294276-12-31T23:59:59.999999Z";
        assert_eq!(value(last, TimestampForm::Iso), Some(iso.into()));
    }

    /// Seen in the reference, whose driver has a calendar with a change in 1582.
    #[test]
    fn elements_of_arrays_take_the_drivers_way() {
        let millis = |text: &str| {
            let stamp = parse::timestamp(text.as_bytes())?;
            stamp.value(TimestampForm::Millis, Route::Element)
        };
        let zoned = |text: &str| {
            parse::zoned_timestamp(text.as_bytes()).map(|stamp| stamp.zoned(6, Route::Element))
        };
        let cases = [
            ("0044-03-15 12:00:00 BC", -63_517_953_600_000),
            ("0001-01-01 00:00:00", -62_135_769_600_000),
            ("1582-10-10 01:02:03.5", -12_218_857_076_500),
            ("1500-02-28 00:00:00", -14_825_980_800_000),
            ("2024-03-15 00:00:00", 1_710_460_800_000),
        ];
        for (text, expected) in cases {
            assert_eq!(millis(text), Some(Value::Int64(expected)), "{text}");
        }
        let cases = [
            ("0044-03-15 12:00:00+00 BC", "0044-03-15T12:00:00.000000Z"),
            ("1582-10-10 01:02:03+00", "1582-10-20T01:02:03.000000Z"),
            ("1500-02-28 00:00:00+00", "1500-02-28T00:00:00.000000Z"),
            ("2024-03-15 12:00:00+01", "2024-03-15T11:00:00.000000Z"),
            ("infinity", "infinity"),
            ("-infinity", "+292269055-12-02T23:00:00.000000Z"),
        ];
        for (text, expected) in cases {
            assert_eq!(zoned(text).as_deref(), Some(expected), "{text}");
        }
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

        #[test]
        fn no_date_overflows(
            text in "[0-9]{4,8}-[01][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?( BC)?"
        ) {
            let forms = [
                TimestampForm::Millis,
                TimestampForm::Micros,
                TimestampForm::Nanos,
                TimestampForm::Iso,
            ];
            for route in [Route::Query, Route::Stream, Route::Element] {
                for form in forms {
                    let _ = parse::timestamp(text.as_bytes()).map(|stamp| stamp.value(form, route));
                }
                let zoned = text.replace(" BC", "-15:59:59 BC");
                let _ = parse::zoned_timestamp(zoned.as_bytes()).map(|stamp| stamp.zoned(6, route));
            }
        }
    }
}
