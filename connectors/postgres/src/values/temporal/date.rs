//! Dates.

use tether_api::data::{Text, Value};

use super::format::IsoText;
use crate::values::conversion::Route;

/// A date, or one of the two that are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::values) enum Date {
    /// A day, with the year of its era and whether that is before Christ.
    Day {
        year: i64,
        month: u8,
        day: u8,
        before_christ: bool,
    },
    /// After all others.
    Infinity,
    /// Before all others.
    NegativeInfinity,
}

/// What a date becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::values) enum DateForm {
    /// Days since 1970-01-01.
    Days,
    /// The same as Connect's logical type.
    Connect,
    /// ISO 8601 with a `Z`.
    Iso,
}

/// The days that stand for the infinities. A snapshot has them from the driver's
/// largest point in time, the stream from 32 bits of days; days that need more
/// bits lose them.
const INFINITY: (i64, u8, u8) = (292_278_994, 8, 16);
const NEGATIVE_INFINITY: (i64, u8, u8) = (292_269_055, 12, 2);
const STREAMED_INFINITY: (i64, u8, u8) = (-5_877_611, 6, 21);
const STREAMED_NEGATIVE_INFINITY: (i64, u8, u8) = (-5_877_611, 6, 22);

impl Date {
    /// A day of the Gregorian calendar, also before there was one; `None` if
    /// there is no such day.
    pub(super) fn new(year: i64, month: u8, day: u8, before_christ: bool) -> Option<Self> {
        let proleptic = if before_christ { 1 - year } else { year };
        (year > 0
            && (1..=12).contains(&month)
            && (1..=days_of_month(proleptic, month)).contains(&day))
        .then_some(Self::Day {
            year,
            month,
            day,
            before_christ,
        })
    }

    /// Days since 1970-01-01; 0 for an infinity.
    pub(super) fn epoch_day(self) -> i64 {
        match self {
            Self::Day {
                year,
                month,
                day,
                before_christ,
            } => {
                let year = if before_christ { 1 - year } else { year };
                epoch_day(year, month, day)
            }
            Self::Infinity | Self::NegativeInfinity => 0,
        }
    }

    /// Days since 1970-01-01 of a date that the driver's calendar has this name
    /// for: a Julian one up to the reform.
    pub(super) fn epoch_day_of_driver(self) -> i64 {
        match self {
            Self::Day {
                year,
                month,
                day,
                before_christ,
            } => {
                let year = if before_christ { 1 - year } else { year };
                if (year, month, day) < REFORM {
                    julian_epoch_day(year, month, day)
                } else {
                    epoch_day(year, month, day)
                }
            }
            Self::Infinity | Self::NegativeInfinity => 0,
        }
    }

    /// Year, month and day as the driver gives them: without the era.
    pub(super) fn of_driver(self) -> (i64, u8, u8) {
        self.civil(Route::Element)
    }

    /// Year (that before 1 is 0), month and day as the reference has them.
    fn civil(self, route: Route) -> (i64, u8, u8) {
        match (self, route) {
            // The driver forgets the era.
            (
                Self::Day {
                    year, month, day, ..
                },
                Route::Query | Route::Element,
            ) => after_the_gap(year, month, day),
            (
                Self::Day {
                    year,
                    month,
                    day,
                    before_christ,
                },
                Route::Stream | Route::Correct,
            ) => (if before_christ { 1 - year } else { year }, month, day),
            (Self::Infinity, Route::Query | Route::Element) => INFINITY,
            (Self::Infinity, Route::Stream | Route::Correct) => STREAMED_INFINITY,
            (Self::NegativeInfinity, Route::Query | Route::Element) => NEGATIVE_INFINITY,
            (Self::NegativeInfinity, Route::Stream | Route::Correct) => STREAMED_NEGATIVE_INFINITY,
        }
    }

    /// The value in this form.
    pub(in crate::values) fn value(self, form: DateForm, route: Route) -> Value {
        match (self, route) {
            (Self::Infinity, Route::Correct) => form.infinity(false),
            (Self::NegativeInfinity, Route::Correct) => form.infinity(true),
            _ => form.of_civil(self.civil(route)),
        }
    }
}

/// The last and the first date that Java knows.
const LAST: (i64, u8, u8) = (999_999_999, 12, 31);
const FIRST: (i64, u8, u8) = (-999_999_999, 1, 1);

impl DateForm {
    /// The last or first date of Java, which stand for the infinities in
    /// defaults.
    pub(in crate::values) fn of_java(self, last: bool) -> Value {
        self.of_civil(if last { LAST } else { FIRST })
    }

    /// An infinity: the last or first day that fits, or its name.
    fn infinity(self, negative: bool) -> Value {
        let days = if negative { i32::MIN } else { i32::MAX };
        let name = if negative { "-infinity" } else { "infinity" };
        match self {
            Self::Days => Value::Int32(days),
            Self::Connect => Value::Date(days),
            Self::Iso => Value::String(Text::from_static(name)),
        }
    }

    fn of_civil(self, (year, month, day): (i64, u8, u8)) -> Value {
        // Days that need more bits than there are lose them, as in Java.
        let days = || epoch_day(year, month, day) as i32;
        match self {
            Self::Days => Value::Int32(days()),
            Self::Connect => Value::Date(days()),
            Self::Iso => {
                let mut text = IsoText::new();
                text.date(year, month, day);
                Value::String(text.utc())
            }
        }
    }

    /// What a date becomes that may not be null and is.
    pub(in crate::values) fn fallback(self) -> Value {
        match self {
            Self::Days => Value::Int32(0),
            Self::Connect => Value::Date(0),
            Self::Iso => Value::String(Text::from_static("1970-01-01Z")),
        }
    }
}

/// The ten days that the Gregorian calendar left out: the driver's calendar
/// takes them for the days after.
fn after_the_gap(year: i64, month: u8, day: u8) -> (i64, u8, u8) {
    match (year, month, day) {
        (1582, 10, 5..=14) => (year, month, day + 10),
        _ => (year, month, day),
    }
}

/// The first day of the Gregorian calendar.
const REFORM: (i64, u8, u8) = (1582, 10, 15);

/// Days since 1970-01-01 in the Julian calendar.
fn julian_epoch_day(year: i64, month: u8, day: u8) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month_index = (i64::from(month) + 9) % 12;
    let day_of_year = (153 * month_index + 2) / 5 + i64::from(day) - 1;
    year * 365 + year.div_euclid(4) + day_of_year - 719_470
}

/// Year (that before 1 is 0), month and day of days since 1970-01-01 in the
/// driver's calendar: a Julian one up to the reform.
pub(super) fn civil_of_driver(days: i64) -> (i64, u8, u8) {
    let (year, month, day) = REFORM;
    if days >= epoch_day(year, month, day) {
        return super::timestamp::civil(days);
    }
    // Years that begin in March, of which every fourth one is longer.
    let days = days.saturating_add(719_470);
    let four_years = days.div_euclid(1_461);
    let day_of_four = days.rem_euclid(1_461);
    let year_of_four = (day_of_four - day_of_four / 1_460) / 365;
    let day_of_year = day_of_four - 365 * year_of_four;
    let month_index = (5 * day_of_year + 2) / 153;
    // Small, all of them.
    let day = (day_of_year - (153 * month_index + 2) / 5 + 1) as u8;
    let month = ((month_index + 2) % 12 + 1) as u8;
    let year = 4 * four_years + year_of_four + i64::from(month <= 2);
    (year, month, day)
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar.
pub(super) fn epoch_day(year: i64, month: u8, day: u8) -> i64 {
    // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_index = (i64::from(month) + 9) % 12;
    let day_of_year = (153 * month_index + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn days_of_month(year: i64, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.rem_euclid(4) == 0
            && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0) =>
        {
            29
        }
        2 => 28,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn value(text: &str, form: DateForm, route: Route) -> Option<Value> {
        parse::date(text.as_bytes()).map(|date| date.value(form, route))
    }

    #[test]
    fn days_are_counted_from_the_epoch() {
        for route in [Route::Query, Route::Stream] {
            let days = |text| value(text, DateForm::Days, route);
            assert_eq!(days("1970-01-01"), Some(Value::Int32(0)));
            assert_eq!(days("2024-03-15"), Some(Value::Int32(19_797)));
            assert_eq!(days("0001-01-01"), Some(Value::Int32(-719_162)));
            assert_eq!(days("5874897-12-31"), Some(Value::Int32(2_145_042_905)));
            for wrong in [
                "",
                "2024-02-30",
                "2024-13-01",
                "24-01-01",
                "2024-01-01 ",
                "0000-01-01",
            ] {
                assert_eq!(days(wrong), None, "{wrong}");
            }
        }
    }

    /// The two ways of the reference differ here.
    #[test]
    fn odd_dates_depend_on_the_way() {
        let days = |text, route| value(text, DateForm::Days, route);
        let iso = |text, route| value(text, DateForm::Iso, route);
        let cases = [
            ("infinity", -622_191_234, -2_147_472_692),
            ("-infinity", -625_821_272, -2_147_472_691),
            ("0044-03-15 BC", -703_383, -735_160),
        ];
        for (text, snapshot, streaming) in cases {
            assert_eq!(days(text, Route::Query), Some(Value::Int32(snapshot)));
            assert_eq!(days(text, Route::Stream), Some(Value::Int32(streaming)));
        }
        let cases = [
            ("infinity", "+292278994-08-16Z", "-5877611-06-21Z"),
            ("-infinity", "+292269055-12-02Z", "-5877611-06-22Z"),
            ("0044-03-15 BC", "0044-03-15Z", "-0043-03-15Z"),
            ("2024-03-15", "2024-03-15Z", "2024-03-15Z"),
            ("12024-03-15", "+12024-03-15Z", "+12024-03-15Z"),
        ];
        for (text, snapshot, streaming) in cases {
            assert_eq!(iso(text, Route::Query), Some(Value::from(snapshot)));
            assert_eq!(iso(text, Route::Stream), Some(Value::from(streaming)));
        }
    }
}
