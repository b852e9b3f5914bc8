//! Dates as text and back, by the patterns of `java.text.SimpleDateFormat`, in
//! English, in UTC and as lenient as that class.

mod calendar;
mod fields;
mod format;
mod names;
mod parse;
mod pattern;
#[cfg(test)]
mod tests;
mod zone;

use std::time::{SystemTime, UNIX_EPOCH};

use self::calendar::Day;
use self::pattern::{Item, compile};

/// A pattern that was read.
#[derive(Debug, Clone)]
pub(crate) struct DateFormat {
    items: Box<[Item]>,
    /// Years of two digits are taken for those of the hundred years from here.
    century: Century,
}

/// When the hundred years begin that years of two digits stand for.
#[derive(Debug, Clone, Copy)]
struct Century {
    year: i64,
    millis: i64,
}

impl Century {
    /// The one that began eighty years before an instant.
    fn around(millis: i64) -> Self {
        let now = Day::of(calendar::day_of(millis));
        let year = now.year - 80;
        let day = calendar::days(year, now.month, now.day);
        Self {
            year,
            millis: day * calendar::MILLIS_PER_DAY + millis.rem_euclid(calendar::MILLIS_PER_DAY),
        }
    }
}

impl DateFormat {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it, in Java's words.
    pub(crate) fn new(pattern: &str) -> Result<Self, String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |since| since.as_millis());
        Ok(Self {
            items: compile(pattern)?.into_boxed_slice(),
            century: Century::around(i64::try_from(now).unwrap_or_default()),
        })
    }

    /// The text of an instant, in milliseconds since the epoch.
    pub(crate) fn format(&self, millis: i64) -> String {
        format::format(&self.items, millis)
    }

    /// The instant that begins a text; what follows is passed over.
    pub(crate) fn parse(&self, text: &str) -> Option<i64> {
        parse::parse(&self.items, text, self.century)
    }
}
