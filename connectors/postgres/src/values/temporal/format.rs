//! ISO 8601 texts as Java's formatters write them.

use std::io::{self, Write};

use tether_api::data::Text;

use super::{DAY, SECOND};

/// The longest of the texts here.
const LONGEST: usize = 40;

/// What was written to a buffer of which so much is left, as a text; empty if
/// writing failed, for which the buffers are too large.
pub(super) fn finish(buffer: &[u8], left: io::Result<usize>) -> Text {
    let written = left.ok().and_then(|left| buffer.len().checked_sub(left));
    written
        .and_then(|written| std::str::from_utf8(&buffer[..written]).ok())
        .map(Text::from)
        .unwrap_or_default()
}

/// `2024-03-15`; years have a sign when they have five digits or are before 0.
pub(super) fn iso_date(to: &mut &mut [u8], year: i64, month: u8, day: u8) -> io::Result<()> {
    match year {
        0..=9999 => two(to, year as u32 / 100).and_then(|()| two(to, year as u32 % 100))?,
        ..0 => write!(to, "-{:04}", -year)?,
        _ => write!(to, "+{year}")?,
    }
    to.write_all(b"-")?;
    two(to, month.into())?;
    to.write_all(b"-")?;
    two(to, day.into())
}

/// `13:14:15.123` of microseconds of a day, with so many digits of a fraction,
/// or with as many as it needs.
fn iso_time(to: &mut &mut [u8], micros: i64, digits: Option<usize>) -> io::Result<()> {
    let seconds = (micros / SECOND) as u32;
    two(to, seconds / 3600)?;
    to.write_all(b":")?;
    two(to, seconds / 60 % 60)?;
    to.write_all(b":")?;
    two(to, seconds % 60)?;
    let mut fraction = *b".000000";
    let mut rest = micros % SECOND;
    let mut needed = 0;
    for place in (1..=6).rev() {
        let digit = (rest % 10) as u8;
        rest /= 10;
        fraction[place] += digit;
        if digit != 0 && needed == 0 {
            needed = place;
        }
    }
    match digits.unwrap_or(needed) {
        0 => Ok(()),
        digits => to.write_all(&fraction[..=digits.min(6)]),
    }
}

fn two(to: &mut &mut [u8], number: u32) -> io::Result<()> {
    to.write_all(&[b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8])
}

/// `07:44:15.123456Z` of microseconds of a day; 24:00 is 00:00.
pub(in crate::values) fn iso_offset_time(micros: i64) -> Text {
    let mut buffer = [0_u8; LONGEST];
    let mut rest = &mut buffer[..];
    let written =
        iso_time(&mut rest, micros.rem_euclid(DAY), None).and_then(|()| rest.write_all(b"Z"));
    let left = rest.len();
    finish(&buffer, written.map(|()| left))
}

/// `2024-03-15T13:14:15.123456Z` of a date and microseconds of a day, with so
/// many digits of a fraction, or with as many as it needs.
pub(super) fn iso_timestamp(
    (year, month, day): (i64, u8, u8),
    micros: i64,
    digits: Option<usize>,
) -> Text {
    let mut buffer = [0_u8; LONGEST];
    let mut rest = &mut buffer[..];
    let written = iso_date(&mut rest, year, month, day)
        .and_then(|()| rest.write_all(b"T"))
        .and_then(|()| iso_time(&mut rest, micros, digits))
        .and_then(|()| rest.write_all(b"Z"));
    let left = rest.len();
    finish(&buffer, written.map(|()| left))
}
