//! Debezium's times and instants that come as text, for databases that cannot
//! read them.

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::Offset;

use crate::time::TimeError;

/// An instant (`ZonedTimestamp`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Instant {
    /// Microseconds since the epoch.
    Micros(i64),
    /// After all others.
    Latest,
    /// Before all others.
    Earliest,
}

impl Instant {
    /// Reads `2020-02-29T10:15:30.123456Z`, `infinity` or `-infinity`.
    ///
    /// # Errors
    /// If it is none of these.
    pub(crate) fn parse(text: &str) -> Result<Self, TimeError> {
        match text {
            "infinity" => Ok(Self::Latest),
            "-infinity" => Ok(Self::Earliest),
            text => {
                let instant: Timestamp = text.parse().map_err(|_| TimeError::NotATime)?;
                Ok(Self::Micros(instant.as_microsecond()))
            }
        }
    }
}

/// Reads a time with its offset (`ZonedTime`), `10:15:30+02:00`: microseconds
/// since midnight in UTC.
///
/// # Errors
/// If it is none.
pub(crate) fn parse_zoned_time(text: &str) -> Result<i64, TimeError> {
    let not_a_time = || TimeError::NotATime;
    let at = text.find(['Z', '+', '-']).ok_or_else(not_a_time)?;
    let (time, offset) = text.split_at_checked(at).ok_or_else(not_a_time)?;
    let seconds = match offset {
        "Z" => 0,
        offset => offset_seconds(offset).ok_or_else(not_a_time)?,
    };
    let time: Time = time.parse().map_err(|_| TimeError::NotATime)?;
    let local =
        i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second());
    let utc = (local - i64::from(seconds)).rem_euclid(86_400);
    Ok(utc * 1_000_000 + i64::from(time.subsec_nanosecond()) / 1000)
}

/// `+02:00` or `-01:30:15`.
fn offset_seconds(text: &str) -> Option<i32> {
    let (sign, rest) = text.split_at_checked(1)?;
    let mut parts = rest.split(':').map(|part| part.parse::<u8>().ok());
    let mut next = || parts.next().unwrap_or(Some(0));
    let seconds = i32::from(next()?) * 3600 + i32::from(next()?) * 60 + i32::from(next()?);
    let seconds = if sign == "-" { -seconds } else { seconds };
    Offset::from_seconds(seconds).ok().map(Offset::seconds)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn instants() {
        assert_eq!(
            Instant::parse("1970-01-01T00:00:00.000001Z"),
            Ok(Instant::Micros(1))
        );
        assert_eq!(
            Instant::parse("1970-01-01T02:00:00+02:00"),
            Ok(Instant::Micros(0))
        );
        assert_eq!(Instant::parse("-infinity"), Ok(Instant::Earliest));
        assert_eq!(Instant::parse("soon"), Err(TimeError::NotATime));
    }

    #[test]
    fn times_in_utc() {
        assert_eq!(parse_zoned_time("00:00:01.5Z"), Ok(1_500_000));
        assert_eq!(parse_zoned_time("01:00:00+02:00"), Ok(23 * 3_600_000_000));
        assert_eq!(parse_zoned_time("23:00:00-01:00"), Ok(0));
        for text in ["", "Z", "01:00", "25:00:00Z", "01:00:00+99:00", "ä+"] {
            assert_eq!(parse_zoned_time(text), Err(TimeError::NotATime), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _ = Instant::parse(&text);
            let _ = parse_zoned_time(&text);
        }
    }
}
