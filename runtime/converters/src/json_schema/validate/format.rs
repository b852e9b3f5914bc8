//! The formats of strings that are checked; others only describe.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether a string has a format.
pub(super) fn fits(format: &str, text: &str) -> bool {
    match format {
        "date-time" => match text.split_once(['T', 't']) {
            Some((date, time)) => is_date(date) && is_time(time),
            None => false,
        },
        "date" => is_date(text),
        "time" => is_time(text),
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "email" => is_email(text),
        "hostname" => is_host(text),
        "regex" => tether_java_regex::Pattern::anywhere(text).is_ok(),
        _ => true,
    }
}

fn number(text: &str, digits: usize) -> Option<u32> {
    let is_number = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-').map(str::to_owned);
    let mut part = |digits| number(&parts.next()?, digits);
    let (Some(year), Some(month), Some(day)) = (part(4), part(2), part(2)) else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// A time of day with its zone.
fn is_time(text: &str) -> bool {
    let Some(zone) = text.find(['Z', 'z', '+', '-']) else {
        return false;
    };
    let (time, zone) = text.split_at(zone);
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let fraction_fits =
        (1..=9).contains(&fraction.len()) && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let zone_fits = match zone.strip_prefix(['+', '-']) {
        Some(offset) => is_clock(offset, 2),
        None => zone.len() == 1,
    };
    is_clock(time, 3) && fraction_fits && zone_fits
}

/// Hours, minutes and perhaps seconds.
fn is_clock(text: &str, parts: usize) -> bool {
    let limits = [24, 60, 60];
    let given: Vec<_> = text.split(':').map(|part| number(part, 2)).collect();
    given.len() == parts
        && given
            .iter()
            .zip(limits)
            .all(|(part, limit)| part.is_some_and(|part| part < limit))
}

fn is_email(text: &str) -> bool {
    text.rsplit_once('@')
        .is_some_and(|(user, host)| !user.is_empty() && !user.contains([' ', '@']) && is_host(host))
}

fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_checked() {
        for (format, fitting, other) in [
            (
                "date-time",
                "2024-02-29T23:59:59.5+01:00",
                "2023-02-29T00:00:00Z",
            ),
            ("date-time", "2024-01-01T00:00:00Z", "2024-01-01 00:00:00Z"),
            ("date", "2000-12-31", "2000-13-01"),
            ("time", "00:00:00Z", "24:00:00Z"),
            ("ipv4", "127.0.0.1", "127.0.0"),
            ("ipv6", "::1", "127.0.0.1"),
            ("email", "a@b.example", "a@"),
            ("hostname", "a-b.example", "-a"),
            ("regex", "^a$", "("),
        ] {
            assert!(fits(format, fitting), "{format} {fitting}");
            assert!(!fits(format, other), "{format} {other}");
        }
        assert!(fits("unknown", "anything"));
    }
}
