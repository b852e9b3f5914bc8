//! Logical values as the messages that stand for them.

use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive, Zero};
use tether_api::data::logical::{MILLIS_PER_DAY, civil};
use tether_api::data::{Decimal, Value};
use tether_api::{ConnectError, Result};

/// The first day of the Gregorian calendar, 1582-10-15. Like Java's, dates
/// before it are of the Julian one.
const GREGORIAN: i64 = -141_427;
/// 0001-01-01 and 9999-12-31.
const SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
const NANOS_PER_MILLI: u32 = 1_000_000;

/// Year within its era, month and day of a day since the epoch.
pub(super) fn civil_date(days: i32) -> (i32, u32, u32) {
    let days = i64::from(days);
    let (year, month, day) = if days >= GREGORIAN {
        civil(days)
    } else {
        julian(days)
    };
    // There is no year 0; before it years are counted backwards.
    let year = if year > 0 { year } else { 1 - year };
    (year as i32, month, day)
}

/// Julian years are four to a cycle of 1461 days; the cycle begins in March.
fn julian(days: i64) -> (i64, u32, u32) {
    // Days since March 1st of the year 0.
    let shifted = days + 719_470;
    let cycle = shifted.div_euclid(1461);
    let day_of_cycle = shifted.rem_euclid(1461);
    let year_of_cycle = (day_of_cycle - day_of_cycle / 1460) / 365;
    let day_of_year = day_of_cycle - 365 * year_of_cycle;
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = 4 * cycle + year_of_cycle + i64::from(month <= 2);
    (year, month as u32, day as u32)
}

/// The day since the epoch of a date, if there is such a date.
pub(super) fn days_of_date(year: i32, month: i32, day: i32) -> Result<i32, String> {
    let limits = [
        ("YEAR", year, 292_278_994),
        ("MONTH", month, 12),
        ("DAY_OF_MONTH", day, 31),
    ];
    if let Some((part, ..)) = limits
        .iter()
        .find(|(_, value, most)| *value < 1 || value > most)
    {
        return Err((*part).to_owned());
    }
    // March is the first month of a year that ends with its leap day.
    let (y, m) = if month > 2 {
        (i64::from(year), i64::from(month) - 3)
    } else {
        (i64::from(year) - 1, i64::from(month) + 9)
    };
    let day_of_year = (153 * m + 2) / 5 + i64::from(day) - 1;
    let gregorian =
        365 * y + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + day_of_year - 719_468;
    let days = if gregorian >= GREGORIAN {
        gregorian
    } else {
        365 * y + y.div_euclid(4) + day_of_year - 719_470
    };
    let days = i32::try_from(days).map_err(|_| "YEAR".to_owned())?;
    let (_, real_month, real_day) = civil_date(days);
    // Java's months begin with 0.
    if real_month as i32 != month {
        return Err(format!("MONTH: {} -> {}", month - 1, real_month - 1));
    }
    if real_day as i32 != day {
        return Err(format!("DAY_OF_MONTH: {day} -> {real_day}"));
    }
    Ok(days)
}

/// The milliseconds since midnight of a time of day.
pub(super) fn millis_of_day(value: &Value) -> Result<u64> {
    let millis = match value {
        Value::Time(millis) => i64::from(*millis),
        Value::Timestamp(millis) => *millis,
        Value::Date(days) => i64::from(*days) * MILLIS_PER_DAY,
        _ => {
            return Err(ConnectError::data(format!(
                "Invalid type for Time, expected Date but was class {}",
                value.java_class()
            )));
        }
    };
    if !(0..=MILLIS_PER_DAY).contains(&millis) {
        return Err(ConnectError::data(
            "Time values must use number of millis greater than 0 and less than 86400000",
        ));
    }
    Ok(millis as u64)
}

/// The parts of a timestamp.
pub(super) fn seconds_and_nanos(millis: i64) -> Result<(i64, u32)> {
    let seconds = millis.div_euclid(1000);
    let nanos = millis.rem_euclid(1000) as u32 * NANOS_PER_MILLI;
    check_timestamp(seconds, nanos as i32)
        .map_err(|message| {
            ConnectError::data(message).with_class("java.lang.IllegalArgumentException")
        })
        .map(|()| (seconds, nanos))
}

/// The timestamp of its parts.
pub(super) fn timestamp(seconds: i64, nanos: i32) -> Result<i64, String> {
    check_timestamp(seconds, nanos)?;
    Ok(seconds * 1000 + i64::from(nanos) / i64::from(NANOS_PER_MILLI))
}

fn check_timestamp(seconds: i64, nanos: i32) -> Result<(), String> {
    if SECONDS.contains(&seconds) && (0..1_000_000_000).contains(&nanos) {
        return Ok(());
    }
    Err(format!(
        "Timestamp is not valid. See proto definition for valid values. Seconds ({seconds}) must \
         be in range [-62,135,596,800, +253,402,300,799]. Nanos ({nanos}) must be in range [0, \
         +999,999,999]."
    ))
}

/// The number of digits of a decimal.
pub(super) fn decimal_precision(decimal: &Decimal) -> u32 {
    let magnitude = decimal.unscaled().abs();
    match magnitude.to_u64() {
        Some(0) => 1,
        Some(small) => small.ilog10() + 1,
        None => magnitude.to_string().len() as u32,
    }
}

/// A decimal with no more digits than this, halves rounded away from zero; 0
/// leaves it as it is (`MathContext`).
pub(super) fn rounded(decimal: Decimal, precision: u32) -> Decimal {
    let mut decimal = decimal;
    // Rounding up 99.9 makes a digit more.
    while precision > 0 && decimal_precision(&decimal) > precision {
        let drop = decimal_precision(&decimal) - precision;
        let divisor = BigInt::from(10).pow(drop);
        let unscaled = &*decimal.unscaled();
        let (mut quotient, rest) = (unscaled / &divisor, unscaled % &divisor);
        if !rest.is_zero() && rest.abs() * 2 >= divisor {
            quotient += unscaled.signum();
        }
        decimal = Decimal::new(quotient, decimal.scale().saturating_sub(drop as i32));
    }
    decimal
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates_before_the_gregorian_calendar_are_julian() {
        assert_eq!(civil_date(0), (1970, 1, 1));
        assert_eq!(civil_date(-141_427), (1582, 10, 15));
        assert_eq!(civil_date(-141_428), (1582, 10, 4));
        assert_eq!(civil_date(-719_164), (1, 1, 1));
        assert_eq!(days_of_date(1, 1, 1), Ok(-719_164));
        for (date, error) in [
            ((2024, 2, 30), "MONTH: 1 -> 2"),
            ((2024, 13, 1), "MONTH"),
            ((0, 1, 1), "YEAR"),
            ((1, 1, 0), "DAY_OF_MONTH"),
            ((1582, 10, 10), "DAY_OF_MONTH: 10 -> 20"),
        ] {
            let (year, month, day) = date;
            assert_eq!(days_of_date(year, month, day), Err(error.to_owned()));
        }
    }

    #[test]
    fn decimals_are_rounded() {
        let round =
            |unscaled: i64, scale, precision| rounded(Decimal::new(unscaled, scale), precision);
        assert_eq!(round(12345, 2, 3), Decimal::new(123, 0));
        assert_eq!(round(12355, 2, 4), Decimal::new(1236, 1));
        assert_eq!(round(-999, 1, 2), Decimal::new(-10, -1));
        assert_eq!(round(12345, 2, 0), Decimal::new(12345, 2));
    }

    proptest! {
        #[test]
        fn dates_are_read_as_they_were_written(days in -700_000i32..3_000_000) {
            let (year, month, day) = civil_date(days);
            prop_assert_eq!(days_of_date(year, month as i32, day as i32), Ok(days));
        }

        #[test]
        fn timestamps_are_read_as_they_were_written(
            millis in -62_135_596_800_000i64..253_402_300_800_000
        ) {
            let (seconds, nanos) = seconds_and_nanos(millis).unwrap();
            prop_assert_eq!(timestamp(seconds, nanos as i32), Ok(millis));
        }
    }
}
