//! The calendar of `java.util.GregorianCalendar`: Julian until 1582-10-04,
//! Gregorian from 1582-10-15. Days count from 1970-01-01, years are those of
//! the common era, with a year 0; weeks begin on Sunday, and the first one of a
//! year is that of its first day, as in the United States.

pub(super) use tether_api::data::logical::MILLIS_PER_DAY;
use tether_api::data::logical::civil;

/// The first day of the Gregorian calendar, 1582-10-15.
const CUTOVER: i64 = -141_427;
const CUTOVER_YEAR: i64 = 1582;
/// Days of the week; Sunday is 1.
pub(super) const SUNDAY: i64 = 1;

/// A day as a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Day {
    pub(super) days: i64,
    pub(super) year: i64,
    /// From 1 on.
    pub(super) month: i64,
    pub(super) day: i64,
}

/// The day of an instant.
pub(super) fn day_of(millis: i64) -> i64 {
    millis.div_euclid(MILLIS_PER_DAY)
}

impl Day {
    pub(super) fn of(days: i64) -> Self {
        let (year, month, day) = if days >= CUTOVER {
            let (year, month, day) = civil(days);
            (year, i64::from(month), i64::from(day))
        } else {
            julian_civil(days)
        };
        Self {
            days,
            year,
            month,
            day,
        }
    }

    pub(super) fn day_of_year(&self) -> i64 {
        self.days - days(self.year, 1, 1) + 1
    }

    /// From Sunday, 1, on.
    pub(super) fn day_of_week(&self) -> i64 {
        day_of_week(self.days)
    }

    pub(super) fn week_of_month(&self) -> i64 {
        week_number(days(self.year, self.month, 1), self.days)
    }

    /// How many such days of the week the month had, with this one.
    pub(super) fn day_of_week_in_month(&self) -> i64 {
        (self.days - days(self.year, self.month, 1)) / 7 + 1
    }

    pub(super) fn week_of_year(&self) -> i64 {
        let next = days(self.year + 1, 1, 1);
        // The last days of December are in the first week of the next year.
        if self.days >= first_week(next) {
            1
        } else {
            week_number(days(self.year, 1, 1), self.days)
        }
    }

    /// The year that the week of the day belongs to.
    pub(super) fn week_year(&self) -> i64 {
        self.year + i64::from(self.month == 12 && self.week_of_year() == 1)
    }
}

pub(super) fn day_of_week(days: i64) -> i64 {
    (days + 4).rem_euclid(7) + 1
}

/// The day of the week on or before a day. Days of the week beyond their range
/// go on in the weeks around.
pub(super) fn on_or_before(days: i64, day_of_week: i64) -> i64 {
    days - (days + 4 - (day_of_week - 1)).rem_euclid(7)
}

/// The first day of the week that a day is in, which is the first of its year
/// or month.
pub(super) fn first_week(first_day: i64) -> i64 {
    on_or_before(first_day, SUNDAY)
}

fn week_number(first_day: i64, days: i64) -> i64 {
    (days - first_week(first_day)).div_euclid(7) + 1
}

/// The day of a date in the calendar of its time. Months beyond their range
/// run into other years.
pub(super) fn days(year: i64, month: i64, day: i64) -> i64 {
    let gregorian = gregorian_days(year, month, day);
    if gregorian >= CUTOVER {
        gregorian
    } else {
        julian_days(year, month, day)
    }
}

pub(super) fn gregorian_days(year: i64, month: i64, day: i64) -> i64 {
    let (year, day_of_year) = from_march(year, month, day);
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    365 * year + leaps + day_of_year - 719_468
}

pub(super) fn julian_days(year: i64, month: i64, day: i64) -> i64 {
    let (year, day_of_year) = from_march(year, month, day);
    365 * year + year.div_euclid(4) + day_of_year - 719_470
}

/// Year and day of the year where years begin in March, so that a leap day is
/// their last.
fn from_march(year: i64, month: i64, day: i64) -> (i64, i64) {
    let year = year + (month - 1).div_euclid(12);
    let month = (month - 1).rem_euclid(12) + 1;
    let (year, month) = if month <= 2 {
        (year - 1, month + 9)
    } else {
        (year, month - 3)
    };
    (year, (153 * month + 2) / 5 + day - 1)
}

fn julian_civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_470;
    let cycle = shifted.div_euclid(1461);
    let day_of_cycle = shifted.rem_euclid(1461);
    let year_of_cycle = (day_of_cycle - day_of_cycle / 1460) / 365;
    let day_of_year = day_of_cycle - 365 * year_of_cycle;
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (
        cycle * 4 + year_of_cycle + i64::from(month <= 2),
        month,
        day,
    )
}

/// Which of two candidates a date of the year is, which the Gregorian and the
/// Julian calendar put on different days.
pub(super) fn choose(year: i64, whole_year: bool, gregorian: i64, julian: i64) -> i64 {
    if year > CUTOVER_YEAR && gregorian >= CUTOVER {
        return gregorian;
    }
    if year < CUTOVER_YEAR && julian < CUTOVER {
        return julian;
    }
    // Days and weeks of a year count from its begin, which was Julian in 1582.
    if whole_year {
        return julian;
    }
    if gregorian >= CUTOVER {
        gregorian
    } else {
        julian
    }
}
