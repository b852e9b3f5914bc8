//! From instants to what a database column shows: wall clock in a zone, dates
//! before the Gregorian reform, epoch numbers (spec section 11).

mod calendar;
mod zone;

use tether_api::data::logical::{MILLIS_PER_DAY, civil};

pub(crate) use calendar::Calendar;
pub(crate) use zone::Zone;

use crate::config::{TimeConfig, TimestampPrecision};

const MICROS_PER_SECOND: i64 = 1_000_000;
pub(crate) const MICROS_PER_DAY: i64 = MILLIS_PER_DAY * 1000;

/// Why a value of time cannot be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TimeError {
    /// The number is beyond what 64 bits of microseconds hold.
    #[error("it is out of range")]
    OutOfRange,
    /// The Julian calendar has this day, the database's calendar has not.
    #[error(
        "the day does not exist in the Gregorian calendar; date.calendar.system=PROLEPTIC_GREGORIAN stores it"
    )]
    NoSuchDay,
    /// The text is neither a time nor an instant.
    #[error("it is not a time with an offset")]
    NotATime,
    /// The text of an epoch field is not an integer.
    #[error("it is not an integer")]
    NotANumber,
}

/// Turns instants into wall clock as the configuration says. Days and
/// microseconds count from 1970-01-01 in the proleptic Gregorian calendar,
/// which is that of PostgreSQL and SQLite.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    zone: Zone,
    date_zone: Zone,
    calendar: Calendar,
    precision: TimestampPrecision,
}

impl Clock {
    pub(crate) fn new(config: &TimeConfig) -> Self {
        Self {
            zone: config.zone.clone(),
            date_zone: config.date_zone.clone(),
            calendar: config.calendar,
            precision: config.epoch_precision,
        }
    }

    /// The zone of times and timestamps.
    pub(crate) fn zone(&self) -> &Zone {
        &self.zone
    }

    /// The day that midnight UTC of a day since the epoch falls on in the zone
    /// of dates.
    pub(crate) fn date(&self, days: i32) -> Result<i64, TimeError> {
        self.calendar.proleptic(self.unshifted_date(days))
    }

    fn unshifted_date(&self, days: i32) -> i64 {
        let seconds = i64::from(days) * 86_400;
        let local = seconds + i64::from(self.date_zone.offset_at(seconds));
        local.div_euclid(86_400)
    }

    /// Microseconds since midnight of a time of day, which counts as one of
    /// 1970-01-01 UTC.
    pub(crate) fn time(&self, millis: i32) -> i64 {
        let millis = i64::from(millis);
        let offset = i64::from(self.zone.offset_at(millis.div_euclid(1000)));
        (millis + offset * 1000).rem_euclid(MILLIS_PER_DAY) * 1000
    }

    /// The wall clock of an instant; both in microseconds.
    pub(crate) fn timestamp(&self, micros: i64) -> Result<i64, TimeError> {
        let local = self.unshifted_timestamp(micros)?;
        let day = local.div_euclid(MICROS_PER_DAY);
        let proleptic = self.calendar.proleptic(day)?;
        if proleptic == day {
            return Ok(local);
        }
        proleptic
            .checked_mul(MICROS_PER_DAY)
            .and_then(|start| start.checked_add(local.rem_euclid(MICROS_PER_DAY)))
            .ok_or(TimeError::OutOfRange)
    }

    /// The wall clock of an instant as Java's modern calendar has it; both in
    /// microseconds.
    pub(crate) fn unshifted_timestamp(&self, micros: i64) -> Result<i64, TimeError> {
        let offset = self.zone.offset_at(micros.div_euclid(MICROS_PER_SECOND));
        micros
            .checked_add(i64::from(offset) * MICROS_PER_SECOND)
            .ok_or(TimeError::OutOfRange)
    }

    /// The instant at which clocks show this; both in microseconds. One of the
    /// two that a clock shows twice, or near to what it leaves out.
    pub(crate) fn instant_of(&self, local: i64) -> i64 {
        let offset = |micros: i64| {
            let seconds = micros.div_euclid(MICROS_PER_SECOND);
            i64::from(self.zone.offset_at(seconds)) * MICROS_PER_SECOND
        };
        let guess = local.saturating_sub(offset(local));
        local.saturating_sub(offset(guess))
    }

    /// The instant of a Connect timestamp in microseconds.
    pub(crate) fn instant(millis: i64) -> Result<i64, TimeError> {
        millis.checked_mul(1000).ok_or(TimeError::OutOfRange)
    }

    /// The instant of an epoch number in microseconds; nanoseconds are rounded
    /// half up, as the PostgreSQL driver of the reference does.
    pub(crate) fn epoch_instant(&self, number: i64) -> i64 {
        match self.precision {
            TimestampPrecision::Microseconds => number,
            TimestampPrecision::Nanoseconds => round_nanos(i128::from(number)) as i64,
        }
    }

    /// The instant of an epoch number that is a text, in microseconds.
    /// Nanoseconds may exceed 64 bits.
    pub(crate) fn epoch_text_instant(&self, text: &str) -> Result<i64, TimeError> {
        match self.precision {
            TimestampPrecision::Microseconds => text.parse().map_err(|_| TimeError::NotANumber),
            TimestampPrecision::Nanoseconds => {
                let nanos: i128 = text.parse().map_err(|_| TimeError::NotANumber)?;
                i64::try_from(round_nanos(nanos)).map_err(|_| TimeError::OutOfRange)
            }
        }
    }

    /// The day of a date within a DEFAULT clause, since the epoch.
    pub(crate) fn default_day(&self, days: i32) -> i64 {
        self.unshifted_date(days)
    }

    /// The text of a date within a DEFAULT clause. The reference formats
    /// defaults with Java's modern calendar whatever the configuration says.
    pub(crate) fn date_text(&self, days: i32) -> String {
        date_text(self.unshifted_date(days))
    }

    /// The text of a time within a DEFAULT clause.
    pub(crate) fn time_text(&self, millis: i32) -> String {
        time_text(self.time(millis), 3)
    }

    /// The text of an instant in microseconds within a DEFAULT clause, with so
    /// many digits of the second's fraction.
    pub(crate) fn timestamp_text(&self, micros: i64, digits: usize) -> Result<String, TimeError> {
        Ok(timestamp_text(self.unshifted_timestamp(micros)?, digits))
    }
}

fn round_nanos(nanos: i128) -> i128 {
    (nanos + 500).div_euclid(1000)
}

/// `yyyy-MM-dd`, with ` BC` for years before the first.
pub(crate) fn date_text(days: i64) -> String {
    let (year, month, day) = civil(days);
    match year {
        1.. => format!("{year:04}-{month:02}-{day:02}"),
        _ => format!("{:04}-{month:02}-{day:02} BC", 1 - year),
    }
}

/// `HH:mm:ss.SSS` of microseconds since midnight.
pub(crate) fn time_text(micros: i64, digits: usize) -> String {
    let seconds = micros / MICROS_PER_SECOND;
    let fraction = format!("{:06}", micros % MICROS_PER_SECOND);
    format!(
        "{:02}:{:02}:{:02}.{}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        &fraction[..digits.min(6)]
    )
}

/// `yyyy-MM-dd HH:mm:ss.SSS` of a wall clock in microseconds.
pub(crate) fn timestamp_text(local: i64, digits: usize) -> String {
    let date = date_text(local.div_euclid(MICROS_PER_DAY));
    let time = time_text(local.rem_euclid(MICROS_PER_DAY), digits);
    match date.strip_suffix(" BC") {
        Some(date) => format!("{date} {time} BC"),
        None => format!("{date} {time}"),
    }
}

#[cfg(test)]
mod tests;
