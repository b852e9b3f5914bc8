//! Text to dates, times and timestamps, as lenient as Java's `SimpleDateFormat`
//! and in UTC.

use crate::data::logical::{self, MILLIS_PER_DAY};
use crate::data::{SchemaAndValue, Value};

const DATE_LENGTH: usize = "yyyy-MM-dd".len();
const TIME_LENGTH: usize = "HH:mm:ss.SSSZ".len();
const TIMESTAMP_LENGTH: usize = "yyyy-MM-ddTHH:mm:ss.SSSZ".len();

/// The first day of the Gregorian calendar, 1582-10-15.
const GREGORIAN_CUTOVER: i64 = -141_427;

/// The date, time or timestamp, if the text is one: its length says which.
pub(super) fn parse(text: &str) -> Option<SchemaAndValue> {
    let unescaped;
    let text = if text.contains("\\:") {
        unescaped = text.replace("\\:", ":");
        &unescaped
    } else {
        text
    };
    match text.encode_utf16().count() {
        DATE_LENGTH => {
            let (days, _) = date(text)?;
            let days = i32::try_from(days).ok()?;
            Some(SchemaAndValue::new(
                logical::date_schema(),
                Value::Date(days),
            ))
        }
        TIME_LENGTH => {
            let millis = i32::try_from(time(text)?).ok()?;
            Some(SchemaAndValue::new(
                logical::time_schema(),
                Value::Time(millis),
            ))
        }
        TIMESTAMP_LENGTH => {
            let (days, rest) = date(text)?;
            let millis = days * MILLIS_PER_DAY + time(rest.strip_prefix('T')?)?;
            Some(SchemaAndValue::new(
                logical::timestamp_schema(),
                Value::Timestamp(millis),
            ))
        }
        _ => None,
    }
}

/// Days since the epoch, and the text after the date.
fn date(text: &str) -> Option<(i64, &str)> {
    let (year, text) = number(text)?;
    let (month, text) = number(text.strip_prefix('-')?)?;
    let (day, text) = number(text.strip_prefix('-')?)?;
    Some((days(year, month, day), text))
}

/// Milliseconds since midnight of a text that goes on to the `Z`.
fn time(text: &str) -> Option<i64> {
    let (hour, text) = number(text)?;
    let (minute, text) = number(text.strip_prefix(':')?)?;
    let (second, text) = number(text.strip_prefix(':')?)?;
    let (millis, text) = number(text.strip_prefix('.')?)?;
    text.strip_prefix('Z')?;
    Some(((hour * 60 + minute) * 60 + second) * 1000 + millis)
}

/// A number of any size and sign, with blanks before it, and the text after it.
fn number(text: &str) -> Option<(i64, &str)> {
    let text = text.trim_start_matches([' ', '\t']);
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let length = digits
        .bytes()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let number = i64::from(digits[..length].parse::<i64>().ok()? as i32);
    Some((if negative { -number } else { number }, &digits[length..]))
}

/// Days since the epoch of a date in the calendar of its time: months and days
/// beyond their range run into the next ones.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year + (month - 1).div_euclid(12);
    // Years begin in March, so that a leap day is their last.
    let month = (month - 1).rem_euclid(12) + 1;
    let (year, month) = if month <= 2 {
        (year - 1, month + 9)
    } else {
        (year, month - 3)
    };
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let julian_leaps = year.div_euclid(4);
    let gregorian_leaps = julian_leaps - year.div_euclid(100) + year.div_euclid(400);
    let gregorian = 365 * year + gregorian_leaps + day_of_year - 719_468;
    if gregorian >= GREGORIAN_CUTOVER {
        gregorian
    } else {
        365 * year + julian_leaps + day_of_year - 719_470
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn calendars_change_in_1582() {
        assert_eq!(days(1970, 1, 1), 0);
        assert_eq!(days(2024, 2, 29), 19_782);
        assert_eq!(days(1582, 10, 15), GREGORIAN_CUTOVER);
        assert_eq!(days(1582, 10, 4), GREGORIAN_CUTOVER - 1);
        assert_eq!(days(2019, 13, 45), days(2020, 2, 14));
        assert_eq!(days(1, 1, 1), -719_164);
    }

    proptest! {
        #[test]
        fn every_date_reads_back(day in GREGORIAN_CUTOVER..2_932_000i64) {
            let text = logical::Date(day as i32).to_string();
            let value = parse(&text).map(|data| data.value);
            prop_assert_eq!(value, Some(Value::Date(day as i32)));
        }

        #[test]
        fn every_timestamp_reads_back(millis in 0..253_402_300_800_000i64) {
            let text = logical::Timestamp(millis).to_string();
            let value = parse(&text).map(|data| data.value);
            prop_assert_eq!(value, Some(Value::Timestamp(millis)));
        }
    }
}
