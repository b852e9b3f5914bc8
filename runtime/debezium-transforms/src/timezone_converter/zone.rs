//! Time zones with the rules of `java.time`.

use jiff::civil::{DateTime, Time};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, db};
use jiff::{Timestamp, ToSpan as _};
use tether_api::{ConnectError, Result};

const INVALID: &str = "Invalid timezone format. Please specify either a geographic timezone (e.g. \
                       America/Los_Angeles) or a UTC offset in the format of +/-hh:mm, (e.g. +08:00).";

/// A time zone.
pub(super) struct Zone(TimeZone);

impl Zone {
    /// The zone of this name, or of this offset: `+hh:mm` or `+hh:mm:ss`.
    ///
    /// # Errors
    /// Other, if there is no such zone.
    pub(super) fn new(text: &str) -> Result<Self> {
        if let Some(offset) = offset(text) {
            return offset.map(|offset| Self(TimeZone::fixed(offset)));
        }
        // The data base takes names in any case, Java does not.
        let is_known = db().available().any(|name| name.as_str() == text);
        match is_known.then(|| db().get(text)) {
            Some(Ok(zone)) => Ok(Self(zone)),
            _ => Err(invalid()),
        }
    }

    /// The seconds that the zone is ahead of UTC at a local time, which is
    /// given as seconds since the epoch as if it were UTC. Of two offsets the
    /// earlier one counts, also where clocks skip the time.
    pub(super) fn at_local(&self, seconds: i64) -> i64 {
        let local = civil(seconds);
        let offset = match self.0.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset,
            AmbiguousOffset::Gap { before, .. } | AmbiguousOffset::Fold { before, .. } => before,
        };
        offset.seconds().into()
    }

    /// The seconds that the zone is ahead of UTC at an instant in seconds
    /// since the epoch.
    pub(super) fn at(&self, seconds: i64) -> i64 {
        self.0.to_offset(instant(seconds)).seconds().into()
    }

    /// The seconds that the zone is ahead of UTC now.
    pub(super) fn now(&self) -> i64 {
        self.0.to_offset(Timestamp::now()).seconds().into()
    }
}

fn invalid() -> ConnectError {
    ConnectError::other(INVALID).with_class("io.debezium.DebeziumException")
}

/// The offset that a text is; `None` if it has another form.
fn offset(text: &str) -> Option<Result<Offset>> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let parts: Vec<&str> = rest.split(':').collect();
    let is_pair = |part: &&str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !matches!(parts.len(), 2 | 3) || !parts.iter().all(is_pair) {
        return None;
    }
    let number = |index: usize| {
        let part = parts.get(index).and_then(|part| part.parse::<i32>().ok());
        part.unwrap_or(0)
    };
    let (hours, minutes, seconds) = (number(0), number(1), number(2));
    let total = hours * 3600 + minutes * 60 + seconds;
    let fits = minutes < 60 && seconds < 60 && total <= 18 * 3600;
    let offset = Offset::from_seconds(sign * total).ok().filter(|_| fits);
    Some(offset.ok_or_else(invalid))
}

/// The instant, or the nearest that the data base knows: beyond, the rules of
/// the last year stay.
fn instant(seconds: i64) -> Timestamp {
    let bound = |at: Timestamp| at.as_second();
    let seconds = seconds.clamp(bound(Timestamp::MIN), bound(Timestamp::MAX));
    Timestamp::from_second(seconds).unwrap_or_default()
}

fn civil(seconds: i64) -> DateTime {
    let days = seconds.div_euclid(86_400);
    let (year, month, day) = tether_api::data::logical::civil(days);
    let date = match i16::try_from(year) {
        Ok(year @ -9998..=9998) => jiff::civil::Date::new(year, month as i8, day as i8).ok(),
        _ => None,
    };
    let date = date.unwrap_or(if days < 0 {
        DateTime::MIN.date() + 1.day()
    } else {
        DateTime::MAX.date() - 1.day()
    });
    let second = seconds.rem_euclid(86_400) as i32;
    let time = Time::new(
        (second / 3600) as i8,
        (second / 60 % 60) as i8,
        (second % 60) as i8,
        0,
    );
    DateTime::from_parts(date, time.unwrap_or_default())
}
