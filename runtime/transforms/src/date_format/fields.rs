//! What was read of a date, and the instant that it stands for: of fields that
//! contradict each other those count that were read last
//! (`java.text.CalendarBuilder`, `java.util.Calendar`).

use super::calendar::{
    MILLIS_PER_DAY, SUNDAY, choose, days, first_week, gregorian_days, julian_days, on_or_before,
};

/// A field of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Era,
    Year,
    WeekYear,
    /// From 0 on.
    Month,
    WeekOfYear,
    WeekOfMonth,
    DayOfMonth,
    DayOfYear,
    /// From Sunday, 1, on.
    DayOfWeek,
    DayOfWeekInMonth,
    HalfOfDay,
    Hour12,
    Hour24,
    Minute,
    Second,
    Millisecond,
}

const FIELDS: usize = 16;

/// The fields that were read.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields {
    values: [i32; FIELDS],
    /// When each field was set, the first one at 1; 0 if it was not.
    stamps: [u32; FIELDS],
    latest: u32,
    /// Minutes from UTC.
    zone: i32,
}

/// How the day within a year is given.
enum DayBy {
    DayOfMonth,
    WeekOfMonth,
    DayOfWeekInMonth,
    DayOfYear,
    WeekOfYear,
}

impl Fields {
    pub(super) fn set(&mut self, field: Field, value: i32) {
        self.latest += 1;
        self.values[field as usize] = value;
        self.stamps[field as usize] = self.latest;
    }

    /// Sets the day of the week as a number that begins with Monday, 1. One
    /// beyond its range stays as it is.
    pub(super) fn set_iso_day(&mut self, day: i32) {
        let day = match day {
            7 => 1,
            1..7 => day + 1,
            day => day,
        };
        self.set(Field::DayOfWeek, day);
    }

    pub(super) fn set_zone(&mut self, minutes: i32) {
        self.zone = minutes;
    }

    /// Moves the year, and the year of the week, by so many years.
    pub(super) fn add_years(&mut self, years: i32) {
        for field in [Field::Year, Field::WeekYear] {
            let value = &mut self.values[field as usize];
            *value = value.wrapping_add(years);
        }
    }

    fn get(&self, field: Field) -> i64 {
        i64::from(self.values[field as usize])
    }

    fn stamp(&self, field: Field) -> u32 {
        self.stamps[field as usize]
    }

    fn is_set(&self, field: Field) -> bool {
        self.stamp(field) > 0
    }

    /// The later of both stamps, if both fields are set.
    fn both(&self, one: Field, other: Field) -> u32 {
        match (self.stamp(one), self.stamp(other)) {
            (0, _) | (_, 0) => 0,
            (one, other) => one.max(other),
        }
    }

    /// The instant; `None` if the era is none.
    pub(super) fn instant(&self) -> Option<i64> {
        let time = self.time_of_day();
        let later = time.div_euclid(MILLIS_PER_DAY);
        let day = if self.stamp(Field::WeekYear) > self.stamp(Field::Year) {
            self.day_of_week_date() + later
        } else {
            self.day(later)?
        };
        let time = time.rem_euclid(MILLIS_PER_DAY);
        let local = day.wrapping_mul(MILLIS_PER_DAY).wrapping_add(time);
        Some(local.wrapping_sub(i64::from(self.zone) * 60_000))
    }

    /// Milliseconds since midnight; hours and the like beyond their range lead
    /// to other days.
    fn time_of_day(&self) -> i64 {
        let half = self.both(Field::Hour12, Field::HalfOfDay);
        let mut best = half.max(self.stamp(Field::Hour24));
        if best == 0 {
            best = self.stamp(Field::Hour12).max(self.stamp(Field::HalfOfDay));
        }
        let hours = if best == 0 {
            0
        } else if best == self.stamp(Field::Hour24) {
            self.get(Field::Hour24)
        } else {
            self.get(Field::Hour12) + 12 * self.get(Field::HalfOfDay)
        };
        let minutes = hours * 60 + self.get(Field::Minute);
        (minutes * 60 + self.get(Field::Second)) * 1000 + self.get(Field::Millisecond)
    }

    /// The day, given by year of the week, week and day of the week.
    fn day_of_week_date(&self) -> i64 {
        let mut week = if self.is_set(Field::WeekOfYear) {
            self.get(Field::WeekOfYear)
        } else {
            1
        };
        let mut day = if self.is_set(Field::DayOfWeek) {
            self.get(Field::DayOfWeek)
        } else {
            SUNDAY
        };
        if !(1..=7).contains(&day) {
            if day >= 8 {
                day -= 1;
                week += day / 7;
                day = day % 7 + 1;
            } else {
                week -= (-day) / 7 + 1;
                day += 7 * ((-day) / 7 + 1);
            }
            // Here the number is taken for one that begins with Monday.
            day = if day == 7 { 1 } else { day + 1 };
        }
        let first = first_week(days(self.get(Field::WeekYear), 1, 1));
        first + (day - SUNDAY) + 7 * (week - 1)
    }

    /// The day, some days later, given by the fields that were read last.
    fn day(&self, later: i64) -> Option<i64> {
        let year = if self.is_set(Field::Year) {
            self.get(Field::Year)
        } else {
            1970
        };
        let year = match (self.is_set(Field::Era), self.get(Field::Era)) {
            (false, _) | (true, 1) => year,
            (true, 0) => 1 - year,
            _ => return None,
        };
        let by = self.day_by();
        let whole_year = matches!(by, DayBy::DayOfYear | DayBy::WeekOfYear);
        let gregorian = later + self.day_in(year, &by, gregorian_days);
        let julian = later + self.day_in(year, &by, julian_days);
        Some(choose(year, whole_year, gregorian, julian))
    }

    fn day_by(&self) -> DayBy {
        let day_of_month = self.stamp(Field::DayOfMonth);
        let mut week_of_month = self.both(Field::WeekOfMonth, Field::DayOfWeek);
        let mut day_in_month = self.both(Field::DayOfWeekInMonth, Field::DayOfWeek);
        let day_of_year = self.stamp(Field::DayOfYear);
        let mut week_of_year = self.both(Field::WeekOfYear, Field::DayOfWeek);
        let mut best = day_of_month
            .max(week_of_month)
            .max(day_in_month)
            .max(day_of_year)
            .max(week_of_year);
        if best == 0 {
            // A week without its day, or a day of the week alone.
            week_of_month = self.stamp(Field::WeekOfMonth);
            let day_of_week = self.stamp(Field::DayOfWeek);
            day_in_month = self.stamp(Field::DayOfWeekInMonth).max(day_of_week);
            week_of_year = self.stamp(Field::WeekOfYear);
            best = week_of_month.max(day_in_month).max(week_of_year);
        }
        let weeks = self.stamp(Field::WeekOfYear);
        let of_week = best == week_of_month && self.stamp(Field::WeekOfMonth) >= weeks;
        let in_month = best == day_in_month && self.stamp(Field::DayOfWeekInMonth) >= weeks;
        if best == day_of_month || best == 0 {
            DayBy::DayOfMonth
        } else if of_week || in_month {
            let week_counts = if week_of_month == day_in_month {
                self.stamp(Field::WeekOfMonth) >= self.stamp(Field::DayOfWeekInMonth)
            } else {
                best == week_of_month
            };
            if week_counts {
                DayBy::WeekOfMonth
            } else {
                DayBy::DayOfWeekInMonth
            }
        } else if best == day_of_year {
            DayBy::DayOfYear
        } else {
            DayBy::WeekOfYear
        }
    }

    /// The day in one of the two calendars.
    fn day_in(&self, year: i64, by: &DayBy, days: fn(i64, i64, i64) -> i64) -> i64 {
        let month = self.get(Field::Month) + 1;
        let day_of_week = |first: i64| {
            if self.is_set(Field::DayOfWeek) {
                on_or_before(first + 6, self.get(Field::DayOfWeek))
            } else {
                first
            }
        };
        match by {
            DayBy::DayOfMonth => {
                let day = if self.is_set(Field::DayOfMonth) {
                    self.get(Field::DayOfMonth)
                } else {
                    1
                };
                days(year, month, 1) + day - 1
            }
            DayBy::WeekOfMonth => {
                let first = first_week(days(year, month, 1));
                day_of_week(first) + 7 * (self.get(Field::WeekOfMonth) - 1)
            }
            DayBy::DayOfWeekInMonth => {
                let first = days(year, month, 1);
                let day = if self.is_set(Field::DayOfWeek) {
                    self.get(Field::DayOfWeek)
                } else {
                    SUNDAY
                };
                let which = if self.is_set(Field::DayOfWeekInMonth) {
                    self.get(Field::DayOfWeekInMonth)
                } else {
                    1
                };
                if which >= 0 {
                    on_or_before(first + 7 * which - 1, day)
                } else {
                    let last = days(year, month + 1, 1) - 1;
                    on_or_before(last + 7 * (which + 1), day)
                }
            }
            DayBy::DayOfYear => days(year, 1, 1) + self.get(Field::DayOfYear) - 1,
            DayBy::WeekOfYear => {
                let first = first_week(days(year, 1, 1));
                day_of_week(first) + 7 * (self.get(Field::WeekOfYear) - 1)
            }
        }
    }
}
