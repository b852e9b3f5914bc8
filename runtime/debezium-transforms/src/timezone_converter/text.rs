//! Times with offset as text (`ZonedTimestamp`, `ZonedTime`).

use std::fmt::Write as _;

use tether_api::data::logical::civil;
use tether_api::{ConnectError, Result};

use super::zone::Zone;

const SECONDS_PER_DAY: i64 = 86_400;

/// A time of day with the offset that is meant.
struct Clock {
    /// Seconds since midnight.
    seconds: i64,
    nanos: u32,
    /// Seconds ahead of UTC.
    offset: i64,
}

/// The same instant with the zone's offset. As in the reference, that is the
/// one of the local time of the text, as if it were the zone's.
///
/// # Errors
/// Other, if the text is no time with offset.
pub(super) fn shift_timestamp(text: &str, zone: &Zone) -> Result<String> {
    let (days, clock) = timestamp(text).ok_or_else(|| unparsed(text))?;
    let local = days * SECONDS_PER_DAY + clock.seconds;
    let offset = zone.at_local(local);
    let shifted = local - clock.offset + offset;
    let (year, month, day) = civil(shifted.div_euclid(SECONDS_PER_DAY));
    let mut out = String::with_capacity(text.len() + 6);
    // Writing to a string does not fail.
    let _ = match year {
        10_000.. => write!(out, "+{year}"),
        0.. => write!(out, "{year:04}"),
        _ => write!(out, "-{:04}", -year),
    };
    let _ = write!(out, "-{month:02}-{day:02}T");
    write_clock(&mut out, shifted, clock.nanos, offset);
    Ok(out)
}

/// The same time of day with the zone's offset of today.
///
/// # Errors
/// Other, if the text is no time with offset.
pub(super) fn shift_time(text: &str, zone: &Zone) -> Result<String> {
    let clock = time(text).ok_or_else(|| unparsed(text))?;
    let offset = zone.now();
    let mut out = String::with_capacity(text.len() + 6);
    write_clock(
        &mut out,
        clock.seconds - clock.offset + offset,
        clock.nanos,
        offset,
    );
    Ok(out)
}

fn write_clock(out: &mut String, seconds: i64, nanos: u32, offset: i64) {
    let second = seconds.rem_euclid(SECONDS_PER_DAY);
    let _ = write!(
        out,
        "{:02}:{:02}:{:02}",
        second / 3600,
        second / 60 % 60,
        second % 60
    );
    if nanos > 0 {
        let fraction = format!("{nanos:09}");
        out.push('.');
        out.push_str(fraction.trim_end_matches('0'));
    }
    if offset == 0 {
        out.push('Z');
        return;
    }
    let sign = if offset < 0 { '-' } else { '+' };
    let offset = offset.abs();
    let _ = write!(out, "{sign}{:02}:{:02}", offset / 3600, offset / 60 % 60);
    if offset % 60 > 0 {
        let _ = write!(out, ":{:02}", offset % 60);
    }
}

/// The error for what is no time. Only infinities are shown: other texts may be
/// anything.
fn unparsed(text: &str) -> ConnectError {
    let message = match text {
        "infinity" => "Text 'infinity' could not be parsed at index 0",
        "-infinity" => "Text '-infinity' could not be parsed at index 0",
        _ => "Text could not be parsed as a time with offset",
    };
    ConnectError::other(message).with_class("java.time.format.DateTimeParseException")
}

/// Days since the epoch and time of day.
fn timestamp(text: &str) -> Option<(i64, Clock)> {
    let (date, clock) = text.split_once(['T', 't'])?;
    let (sign, digits) = match date.as_bytes().first()? {
        b'-' => (-1, &date[1..]),
        b'+' => (1, &date[1..]),
        _ => (1, date),
    };
    let mut parts = digits.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let signed = digits.len() < date.len();
    let is_year = match year.len() {
        4 => !date.starts_with('+'),
        5..=9 => signed,
        _ => false,
    };
    if !is_year || parts.next().is_some() {
        return None;
    }
    let year = sign * number(year, 9)?;
    let (month, day) = (pair(month)?, pair(day)?);
    if !(1..=12).contains(&month) {
        return None;
    }
    let days = days(year, month, day);
    // A day that the month has not is one of the next month.
    let is_right = civil(days) == (year, month as u32, day as u32);
    is_right.then_some((days, time(clock)?))
}

/// Days since the epoch (Howard Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms").
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn time(text: &str) -> Option<Clock> {
    let end = text.find(['Z', 'z', '+', '-'])?;
    let (clock, offset) = text.split_at(end);
    let (clock, fraction) = match clock.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (clock, None),
    };
    let mut parts = clock.split(':');
    let (hour, minute) = (pair(parts.next()?)?, pair(parts.next()?)?);
    let second = match (parts.next(), fraction) {
        (Some(second), _) => pair(second)?,
        (None, None) => 0,
        (None, Some(_)) => return None,
    };
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let nanos = match fraction {
        None | Some("") => 0,
        Some(digits) => {
            let missing = u32::try_from(9usize.checked_sub(digits.len())?).ok()?;
            u32::try_from(number(digits, 9)?).ok()? * 10u32.pow(missing)
        }
    };
    Some(Clock {
        seconds: hour * 3600 + minute * 60 + second,
        nanos,
        offset: offset_seconds(offset)?,
    })
}

fn offset_seconds(text: &str) -> Option<i64> {
    let sign = match text.as_bytes().first()? {
        b'Z' | b'z' => return (text.len() == 1).then_some(0),
        b'-' => -1,
        _ => 1,
    };
    let digits = &text[1..];
    let (hours, minutes, seconds) = match digits.split(':').collect::<Vec<_>>().as_slice() {
        [hours, minutes, seconds] => (pair(hours)?, pair(minutes)?, pair(seconds)?),
        [hours, minutes] => (pair(hours)?, pair(minutes)?, 0),
        [hours] => (pair(hours)?, 0, 0),
        _ => return None,
    };
    let total = hours * 3600 + minutes * 60 + seconds;
    (minutes < 60 && seconds < 60 && total <= 18 * 3600).then_some(sign * total)
}

fn pair(text: &str) -> Option<i64> {
    if text.len() != 2 {
        return None;
    }
    number(text, 2)
}

fn number(text: &str, most: usize) -> Option<i64> {
    let is_number =
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}
