//! Instants to text.

use std::fmt::Write as _;

use super::calendar::{Day, MILLIS_PER_DAY, day_of};
use super::names::{DAYS, ERAS, HALVES_OF_DAY, MONTHS, short};
use super::pattern::{Item, Letter};

/// The text of an instant.
pub(super) fn format(items: &[Item], millis: i64) -> String {
    let instant = Instant {
        day: Day::of(day_of(millis)),
        millis: millis.rem_euclid(MILLIS_PER_DAY),
    };
    let mut out = String::new();
    for item in items {
        match item {
            Item::Literal(text) => out.push_str(text),
            Item::Field(letter, count) => instant.write(*letter, *count, &mut out),
        }
    }
    out
}

struct Instant {
    day: Day,
    /// Since midnight.
    millis: i64,
}

impl Instant {
    fn write(&self, letter: Letter, count: usize, out: &mut String) {
        let day = &self.day;
        let hour = self.millis / 3_600_000;
        let number = match letter {
            Letter::Era => return out.push_str(ERAS[usize::from(day.year > 0)]),
            Letter::Year => return write_year(self.year_of_era(), count, out),
            Letter::WeekYear => return write_year(day.week_year(), count, out),
            Letter::Month | Letter::MonthAlone if count >= 3 => {
                return write_name(MONTHS[(day.month - 1) as usize % 12], count, out);
            }
            Letter::DayName => {
                return write_name(DAYS[(day.day_of_week() - 1) as usize % 7], count, out);
            }
            Letter::HalfOfDay => return out.push_str(HALVES_OF_DAY[usize::from(hour >= 12)]),
            Letter::ZoneName if count >= 4 => return out.push_str("Coordinated Universal Time"),
            Letter::ZoneName => return out.push_str("UTC"),
            Letter::ZoneOffset => return out.push_str("+0000"),
            Letter::IsoZone => return out.push('Z'),
            Letter::Month | Letter::MonthAlone => day.month,
            Letter::WeekOfYear => day.week_of_year(),
            Letter::WeekOfMonth => day.week_of_month(),
            Letter::DayOfYear => day.day_of_year(),
            Letter::DayOfMonth => day.day,
            Letter::DayOfWeekInMonth => day.day_of_week_in_month(),
            // From Monday on.
            Letter::DayNumber => (day.day_of_week() + 5) % 7 + 1,
            Letter::Hour24 => hour,
            Letter::Hour24From1 => (hour + 23) % 24 + 1,
            Letter::Hour12 => hour % 12,
            Letter::Hour12From1 => (hour + 11) % 12 + 1,
            Letter::Minute => self.millis / 60_000 % 60,
            Letter::Second => self.millis / 1000 % 60,
            Letter::Millisecond => self.millis % 1000,
        };
        write_number(number, count, out);
    }

    fn year_of_era(&self) -> i64 {
        if self.day.year > 0 {
            self.day.year
        } else {
            1 - self.day.year
        }
    }
}

fn write_year(year: i64, count: usize, out: &mut String) {
    if count == 2 {
        let sign = if year < 0 { "-" } else { "" };
        out.push_str(sign);
        write_number(year.abs() % 100, 2, out);
    } else {
        write_number(year, count, out);
    }
}

fn write_name(name: &'static str, count: usize, out: &mut String) {
    out.push_str(if count >= 4 { name } else { short(name) });
}

/// The digits, after zeros up to their least number.
fn write_number(number: i64, count: usize, out: &mut String) {
    let sign = if number < 0 { "-" } else { "" };
    let digits = number.unsigned_abs();
    // Writing to memory cannot fail.
    let _ = write!(out, "{sign}{digits:0count$}");
}
