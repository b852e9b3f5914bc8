//! Dates before 1582-10-15, the first day of the Gregorian calendar.

use super::TimeError;

/// The day on which the Gregorian calendar begins, 1582-10-15, counted from
/// 1970-01-01.
const REFORM: i64 = -141_427;

/// How a day before the reform is read (`date.calendar.system`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Calendar {
    /// As a day of the Julian calendar, as `java.util.GregorianCalendar` does.
    Legacy,
    /// As a day of the Gregorian calendar extended backwards.
    ProlepticGregorian,
}

impl Calendar {
    /// The word of [`Calendar::Legacy`].
    pub(crate) const LEGACY: &'static str = "LEGACY";
    /// The word of [`Calendar::ProlepticGregorian`].
    pub(crate) const PROLEPTIC: &'static str = "PROLEPTIC_GREGORIAN";

    /// The calendar of a word that has been validated.
    pub(crate) fn of(word: &str) -> Self {
        match word {
            Self::PROLEPTIC => Self::ProlepticGregorian,
            _ => Self::Legacy,
        }
    }

    /// The day whose date in the proleptic Gregorian calendar reads as the date
    /// of `day` in this calendar. Days count from 1970-01-01.
    ///
    /// # Errors
    /// If the Gregorian calendar lacks that date: the 29th of February of
    /// centuries that 400 does not divide.
    pub(crate) fn proleptic(self, day: i64) -> Result<i64, TimeError> {
        if self == Self::ProlepticGregorian || day >= REFORM {
            return Ok(day);
        }
        let (year, month, day_of_month) = julian(day);
        if month == 2 && day_of_month == 29 && !is_gregorian_leap_year(year) {
            return Err(TimeError::NoSuchDay);
        }
        Ok(gregorian_day(year, month, day_of_month))
    }
}

fn is_gregorian_leap_year(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Year, month and day of a day in the Julian calendar. Years begin in March
/// here, so that the day that leap years add is the last one.
fn julian(day: i64) -> (i64, i64, i64) {
    // 0000-03-01 of the Julian calendar is 719,470 days before 1970-01-01.
    let shifted = day + 719_470;
    let cycle = shifted.div_euclid(1461);
    let day_of_cycle = shifted.rem_euclid(1461);
    let year_of_cycle = (day_of_cycle - day_of_cycle / 1460) / 365;
    let day_of_year = day_of_cycle - 365 * year_of_cycle;
    let (month, day_of_month) = month_and_day(day_of_year);
    (
        cycle * 4 + year_of_cycle + i64::from(month <= 2),
        month,
        day_of_month,
    )
}

/// Month and day of a day of a year that begins in March.
fn month_and_day(day_of_year: i64) -> (i64, i64) {
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    (if month < 10 { month + 3 } else { month - 9 }, day)
}

/// The inverse of [`tether_api::data::logical::civil`].
fn gregorian_day(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tether_api::data::logical::civil;

    use super::*;

    #[test]
    fn the_day_before_the_reform_is_the_4th_of_october() {
        assert_eq!(julian(REFORM - 1), (1582, 10, 4));
        let stored = Calendar::Legacy.proleptic(REFORM - 1);
        assert_eq!(stored.map(civil), Ok((1582, 10, 4)));
        assert_eq!(
            Calendar::Legacy.proleptic(REFORM).map(civil),
            Ok((1582, 10, 15))
        );
        assert_eq!(
            Calendar::ProlepticGregorian
                .proleptic(REFORM - 1)
                .map(civil),
            Ok((1582, 10, 14))
        );
    }

    #[test]
    fn a_leap_day_that_gregory_dropped_is_refused() {
        // 1500-02-29 Julian is 1500-03-10 Gregorian.
        let day = gregorian_day(1500, 3, 10);
        assert_eq!(julian(day), (1500, 2, 29));
        assert_eq!(Calendar::Legacy.proleptic(day), Err(TimeError::NoSuchDay));
    }

    proptest! {
        #[test]
        fn days_and_dates_are_inverse(day in -10_000_000i64..10_000_000) {
            let (year, month, day_of_month) = civil(day);
            prop_assert_eq!(gregorian_day(year, month.into(), day_of_month.into()), day);
        }

        #[test]
        fn julian_dates_advance_by_one_day(day in -10_000_000i64..REFORM) {
            let (year, month, day_of_month) = julian(day);
            let next = julian(day + 1);
            prop_assert!(next == (year, month, day_of_month + 1) || next.2 == 1);
        }
    }
}
