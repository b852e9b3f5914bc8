//! ISO 8601 texts as Java's formatters write them.

use tether_api::data::Text;

use super::{DAY, SECOND};

/// The longest text that can come about, with a year of twenty characters.
const LONGEST: usize = 43;

/// A text that is being written.
pub(super) struct IsoText {
    bytes: [u8; LONGEST],
    length: usize,
}

impl IsoText {
    pub(super) fn new() -> Self {
        Self {
            bytes: [0; LONGEST],
            length: 0,
        }
    }

    fn put<const N: usize>(&mut self, bytes: [u8; N]) {
        let end = self.length + N;
        if let Some(place) = self.bytes.get_mut(self.length..end) {
            place.copy_from_slice(&bytes);
            self.length = end;
        }
    }

    fn two(&mut self, number: u32) {
        self.put([b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8]);
    }

    /// `2024-03-15`; years have a sign when they have five digits or are before 0.
    pub(super) fn date(&mut self, year: i64, month: u8, day: u8) {
        match year {
            0..=9999 => {
                self.two(year as u32 / 100);
                self.two(year as u32 % 100);
            }
            -9999..0 => {
                self.put([b'-']);
                self.two(year.unsigned_abs() as u32 / 100);
                self.two(year.unsigned_abs() as u32 % 100);
            }
            _ => {
                self.put(if year < 0 { [b'-'] } else { [b'+'] });
                let mut digits = itoa::Buffer::new();
                for digit in digits.format(year.unsigned_abs()).bytes() {
                    self.put([digit]);
                }
            }
        }
        self.put([b'-']);
        self.two(month.into());
        self.put([b'-']);
        self.two(day.into());
    }

    /// `13:14:15.123` of microseconds of a day, with so many digits of a fraction,
    /// or with as many as it needs.
    fn time(&mut self, micros: i64, digits: Option<usize>) {
        let seconds = (micros / SECOND) as u32;
        self.two(seconds / 3600);
        self.put([b':']);
        self.two(seconds / 60 % 60);
        self.put([b':']);
        self.two(seconds % 60);
        let mut rest = micros % SECOND;
        let mut needed = 0;
        let mut fraction = *b".000000";
        for place in (1..fraction.len()).rev() {
            let digit = (rest % 10) as u8;
            rest /= 10;
            fraction[place] += digit;
            if digit != 0 && needed == 0 {
                needed = place;
            }
        }
        let digits = digits.unwrap_or(needed);
        if digits > 0 {
            self.put(fraction);
            self.length -= fraction.len() - 1 - digits.min(6);
        }
    }

    /// Ends the text: it is one of UTC.
    pub(super) fn utc(mut self) -> Text {
        self.put([b'Z']);
        let written = self.bytes.get(..self.length).unwrap_or_default();
        std::str::from_utf8(written)
            .map(Text::from)
            .unwrap_or_default()
    }
}

/// `07:44:15.123456Z` of microseconds of a day; 24:00 is 00:00.
pub(in crate::values) fn iso_offset_time(micros: i64) -> Text {
    let mut text = IsoText::new();
    text.time(micros.rem_euclid(DAY), None);
    text.utc()
}

/// `2024-03-15T13:14:15.123456Z` of a date and microseconds of a day, with so
/// many digits of a fraction, or with as many as it needs.
pub(super) fn iso_timestamp(
    (year, month, day): (i64, u8, u8),
    micros: i64,
    digits: Option<usize>,
) -> Text {
    let mut text = IsoText::new();
    text.date(year, month, day);
    text.put([b'T']);
    text.time(micros, digits);
    text.utc()
}
