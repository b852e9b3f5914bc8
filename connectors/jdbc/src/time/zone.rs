//! Time zones by the names that Java accepts.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Names of three letters and the regions or offsets that they stand for
/// (`java.time.ZoneId.SHORT_IDS`).
const SHORT_IDS: [(&str, &str); 28] = [
    ("ACT", "Australia/Darwin"),
    ("AET", "Australia/Sydney"),
    ("AGT", "America/Argentina/Buenos_Aires"),
    ("ART", "Africa/Cairo"),
    ("AST", "America/Anchorage"),
    ("BET", "America/Sao_Paulo"),
    ("BST", "Asia/Dhaka"),
    ("CAT", "Africa/Harare"),
    ("CNT", "America/St_Johns"),
    ("CST", "America/Chicago"),
    ("CTT", "Asia/Shanghai"),
    ("EAT", "Africa/Addis_Ababa"),
    ("ECT", "Europe/Paris"),
    ("EST", "-05:00"),
    ("HST", "-10:00"),
    ("IET", "America/Indiana/Indianapolis"),
    ("IST", "Asia/Kolkata"),
    ("JST", "Asia/Tokyo"),
    ("MIT", "Pacific/Apia"),
    ("MST", "-07:00"),
    ("NET", "Asia/Yerevan"),
    ("NST", "Pacific/Auckland"),
    ("PLT", "Asia/Karachi"),
    ("PNT", "America/Phoenix"),
    ("PRT", "America/Puerto_Rico"),
    ("PST", "America/Los_Angeles"),
    ("SST", "Pacific/Guadalcanal"),
    ("VST", "Asia/Ho_Chi_Minh"),
];

/// A time zone.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Zone {
    /// UTC, which most configurations have.
    Utc,
    /// So many seconds east of UTC.
    Offset(i32),
    /// A region of the IANA database.
    Region(TimeZone),
}

impl Zone {
    /// The zone of a name as `java.time.ZoneId.of` with short ids reads it:
    /// regions, `Z`, `+02:00`, `UTC+2`, `PST`. The case matters.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        if matches!(name, "UTC" | "Z" | "GMT" | "UT") {
            return Some(Self::Utc);
        }
        if let Some((_, meaning)) = SHORT_IDS.iter().find(|(id, _)| *id == name) {
            return Self::parse(meaning);
        }
        let offset = ["UTC", "GMT", "UT"]
            .iter()
            .find_map(|prefix| name.strip_prefix(prefix))
            .unwrap_or(name);
        if offset.starts_with(['+', '-']) {
            return parse_offset(offset).map(|seconds| match seconds {
                0 => Self::Utc,
                seconds => Self::Offset(seconds),
            });
        }
        let zone = TimeZone::get(name).ok()?;
        (zone.iana_name() == Some(name)).then_some(Self::Region(zone))
    }

    /// Seconds east of UTC at an instant in seconds since the epoch. Beyond the
    /// years ±9999 the offset of the last known instant applies.
    pub(crate) fn offset_at(&self, seconds: i64) -> i32 {
        match self {
            Self::Utc => 0,
            Self::Offset(seconds) => *seconds,
            Self::Region(zone) => {
                let nearest = if seconds < 0 {
                    Timestamp::MIN
                } else {
                    Timestamp::MAX
                };
                let instant = Timestamp::from_second(seconds).unwrap_or(nearest);
                zone.to_offset(instant).seconds()
            }
        }
    }
}

impl fmt::Display for Zone {
    /// The name, or the offset as `+02:00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Utc => f.write_str("UTC"),
            Self::Offset(seconds) => {
                let sign = if *seconds < 0 { '-' } else { '+' };
                let seconds = seconds.unsigned_abs();
                write!(f, "{sign}{:02}:{:02}", seconds / 3600, seconds / 60 % 60)?;
                match seconds % 60 {
                    0 => Ok(()),
                    rest => write!(f, ":{rest:02}"),
                }
            }
            Self::Region(zone) => f.write_str(zone.iana_name().unwrap_or("UTC")),
        }
    }
}

/// Seconds of `+h`, `+hh`, `+hh:mm`, `+hhmm`, `+hh:mm:ss` or `+hhmmss`, within
/// 18 hours (`java.time.ZoneOffset.of`).
fn parse_offset(text: &str) -> Option<i32> {
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let digits = &text[1..];
    let parts: Vec<&str> = match (digits.contains(':'), digits.len()) {
        (true, 5 | 8) => digits.split(':').collect(),
        (false, 1 | 2) => vec![digits],
        (false, 4) => vec![digits.get(..2)?, digits.get(2..)?],
        (false, 6) => vec![digits.get(..2)?, digits.get(2..4)?, digits.get(4..)?],
        _ => return None,
    };
    let mut seconds = 0;
    for (part, (limit, weight)) in parts.iter().zip([(18, 3600), (59, 60), (59, 1)]) {
        let is_number = part.bytes().all(|byte| byte.is_ascii_digit());
        let number: i32 = part.parse().ok().filter(|_| is_number)?;
        if number > limit || (part.len() != 2 && digits.len() > 1) {
            return None;
        }
        seconds += number * weight;
    }
    (seconds <= 18 * 3600).then_some(sign * seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_javas() {
        assert_eq!(Zone::parse("UTC"), Some(Zone::Utc));
        assert_eq!(Zone::parse("Z"), Some(Zone::Utc));
        assert_eq!(Zone::parse("GMT+0"), Some(Zone::Utc));
        assert_eq!(Zone::parse("EST"), Some(Zone::Offset(-5 * 3600)));
        assert_eq!(Zone::parse("+2"), Some(Zone::Offset(7200)));
        assert_eq!(Zone::parse("-03:30"), Some(Zone::Offset(-12_600)));
        assert_eq!(Zone::parse("UTC+0530"), Some(Zone::Offset(19_800)));
        assert_eq!(
            Zone::parse("PST").map(|z| z.to_string()).as_deref(),
            Some("America/Los_Angeles")
        );
        for id in SHORT_IDS {
            assert!(Zone::parse(id.0).is_some(), "{}", id.0);
        }
        for name in [
            "",
            "utc",
            "europe/berlin",
            "Mars/Phobos",
            "+19:00",
            "+1:2",
            "+",
            "+ä",
            "+1:23",
            "+002",
        ] {
            assert_eq!(Zone::parse(name), None, "{name}");
        }
    }

    #[test]
    fn offsets_follow_daylight_saving() {
        let zone = Zone::parse("Europe/Berlin").unwrap();
        assert_eq!(zone.offset_at(1_704_067_200), 3600);
        assert_eq!(zone.offset_at(1_719_792_000), 7200);
        assert_eq!(zone.offset_at(i64::MAX), 3600);
        let _ = zone.offset_at(i64::MIN);
    }

    #[test]
    fn offsets_are_shown_as_they_are_read() {
        for name in ["+02:00", "-03:30", "+05:30:15", "Asia/Tokyo"] {
            assert_eq!(
                Zone::parse(name).map(|z| z.to_string()).as_deref(),
                Some(name)
            );
        }
    }
}
