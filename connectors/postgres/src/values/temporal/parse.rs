//! The texts that a session with date style ISO writes.

use super::date::Date;
use super::timestamp::Stamp;
use super::{DAY, SECOND};

/// A reader of one text from its start.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn byte(&mut self, expected: u8) -> Option<()> {
        let (first, rest) = self.0.split_first()?;
        if *first != expected {
            return None;
        }
        self.0 = rest;
        Some(())
    }

    /// Exactly two digits.
    fn two(&mut self) -> Option<i64> {
        let [tens @ b'0'..=b'9', ones @ b'0'..=b'9', rest @ ..] = self.0 else {
            return None;
        };
        let value = i64::from(tens - b'0') * 10 + i64::from(ones - b'0');
        self.0 = rest;
        Some(value)
    }

    /// Four to seven digits, as years have: the server ends with 5874897, and no
    /// count of anything from such a year overflows.
    fn year(&mut self) -> Option<i64> {
        let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit());
        let count = digits.count();
        if !(4..=7).contains(&count) {
            return None;
        }
        let value = self.0[..count]
            .iter()
            .fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
        self.0 = &self.0[count..];
        Some(value)
    }

    /// `YYYY-MM-DD`, the year being one of the era that the text ends with.
    fn date(&mut self) -> Option<(i64, u8, u8)> {
        let year = self.year()?;
        self.byte(b'-')?;
        let month = self.two()?;
        self.byte(b'-')?;
        let day = self.two()?;
        Some((year, month as u8, day as u8))
    }

    /// `HH:MM:SS` and up to six digits, in microseconds. Up to 24:00.
    fn time(&mut self) -> Option<i64> {
        let hours = self.two()?;
        self.byte(b':')?;
        let minutes = self.two()?;
        self.byte(b':')?;
        let seconds = self.two()?;
        if hours > 24 || minutes > 59 || seconds > 59 {
            return None;
        }
        let mut micros = ((hours * 60 + minutes) * 60 + seconds) * SECOND;
        if let [b'.', rest @ ..] = self.0 {
            let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if !(1..=6).contains(&count) {
                return None;
            }
            let mut unit = SECOND;
            for digit in &rest[..count] {
                unit /= 10;
                micros += i64::from(digit - b'0') * unit;
            }
            self.0 = &rest[count..];
        }
        (micros <= DAY).then_some(micros)
    }

    /// `+HH`, `+HH:MM` or `+HH:MM:SS` east of Greenwich, in seconds.
    fn offset(&mut self) -> Option<i64> {
        let sign = match self.0.first()? {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        self.0 = &self.0[1..];
        let mut seconds = self.two()? * 3600;
        for unit in [60, 1] {
            if self.byte(b':').is_some() {
                seconds += self.two()? * unit;
            }
        }
        Some(sign * seconds)
    }

    /// ` BC`, or nothing.
    fn before_christ(&mut self) -> bool {
        match self.0 {
            [b' ', b'B', b'C', rest @ ..] => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

/// A date: `2024-03-15`, `0044-03-15 BC`, `infinity`.
pub(in crate::values) fn date(text: &[u8]) -> Option<Date> {
    match text {
        b"infinity" => return Some(Date::Infinity),
        b"-infinity" => return Some(Date::NegativeInfinity),
        _ => {}
    }
    let mut reader = Reader(text);
    let (year, month, day) = reader.date()?;
    let before_christ = reader.before_christ();
    reader.end()?;
    Date::new(year, month, day, before_christ)
}

/// A time of day in microseconds: `13:14:15.123`.
pub(in crate::values) fn time(text: &[u8]) -> Option<i64> {
    let mut reader = Reader(text);
    let micros = reader.time()?;
    reader.end()?;
    Some(micros)
}

/// A time of day with its zone, in microseconds of the day at Greenwich:
/// `13:14:15.123+05:30`.
pub(in crate::values) fn offset_time(text: &[u8]) -> Option<i64> {
    let mut reader = Reader(text);
    let micros = reader.time()?;
    let offset = reader.offset()?;
    reader.end()?;
    Some((micros - offset * SECOND).rem_euclid(DAY))
}

/// A timestamp without a zone: `2024-03-15 13:14:15.123456`.
pub(in crate::values) fn timestamp(text: &[u8]) -> Option<Stamp> {
    stamp(text, |_| Some(0))
}

/// A timestamp with its zone: `2024-03-15 13:14:15.123456+02`.
pub(in crate::values) fn zoned_timestamp(text: &[u8]) -> Option<Stamp> {
    stamp(text, |reader| reader.offset())
}

fn stamp(text: &[u8], offset: impl FnOnce(&mut Reader<'_>) -> Option<i64>) -> Option<Stamp> {
    match text {
        b"infinity" => return Some(Stamp::Infinity),
        b"-infinity" => return Some(Stamp::NegativeInfinity),
        _ => {}
    }
    let mut reader = Reader(text);
    let (year, month, day) = reader.date()?;
    reader.byte(b' ')?;
    let micros = reader.time()?;
    let offset = offset(&mut reader)?;
    let before_christ = reader.before_christ();
    reader.end()?;
    Some(Stamp::At {
        date: Date::new(year, month, day, before_christ)?,
        micros,
        offset,
    })
}
