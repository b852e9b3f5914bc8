//! Time zones in texts: `Z`, `+0100`, `GMT+1:00`, `UTC` and the usual
//! abbreviations.

use super::names::is_at;

/// Abbreviations and names, and their minutes from UTC. None begins another.
const NAMES: [(&str, i32); 26] = [
    ("UTC", 0),
    ("Coordinated Universal Time", 0),
    ("Greenwich Mean Time", 0),
    ("EST", -5 * 60),
    ("EDT", -4 * 60),
    ("CST", -6 * 60),
    ("CDT", -5 * 60),
    ("MST", -7 * 60),
    ("MDT", -6 * 60),
    ("PST", -8 * 60),
    ("PDT", -7 * 60),
    ("Eastern Standard Time", -5 * 60),
    ("Eastern Daylight Time", -4 * 60),
    ("Central Standard Time", -6 * 60),
    ("Central Daylight Time", -5 * 60),
    ("Mountain Standard Time", -7 * 60),
    ("Mountain Daylight Time", -6 * 60),
    ("Pacific Standard Time", -8 * 60),
    ("Pacific Daylight Time", -7 * 60),
    ("CET", 60),
    ("CEST", 2 * 60),
    ("EET", 2 * 60),
    ("EEST", 3 * 60),
    ("WET", 0),
    ("WEST", 60),
    ("JST", 9 * 60),
];

/// The minutes from UTC of a zone at a position, and the position after it.
/// `start` is that before white space, where `GMT` has to be.
pub(super) fn named(text: &str, start: usize, position: usize) -> Option<(i32, usize)> {
    if let Some(sign) = sign(text, position) {
        return numeric(text, position + 1, sign, Digits::HoursAndMinutes);
    }
    if is_at(text, start, "GMT") {
        let after = start + "GMT".len();
        return match sign(text, after) {
            Some(sign) => numeric(text, after + 1, sign, Digits::WithColon { short: true }),
            None => Some((0, after)),
        };
    }
    let (name, minutes) = NAMES.iter().find(|(name, _)| is_at(text, position, name))?;
    Some((*minutes, position + name.len()))
}

/// The minutes from UTC of `Z`, `+01`, `+0100` or `+01:00`, as there are one,
/// two or three letters, and the position after it.
pub(super) fn iso(text: &str, position: usize, count: usize) -> Option<(i32, usize)> {
    if text.get(position..)?.starts_with('Z') {
        return Some((0, position + 1));
    }
    let digits = match count {
        1 => Digits::Hours,
        2 => Digits::HoursAndMinutes,
        _ => Digits::WithColon { short: false },
    };
    numeric(text, position + 1, sign(text, position)?, digits)
}

fn sign(text: &str, position: usize) -> Option<i32> {
    match text.as_bytes().get(position)? {
        b'+' => Some(1),
        b'-' => Some(-1),
        _ => None,
    }
}

/// How an offset is written.
#[derive(Clone, Copy)]
enum Digits {
    Hours,
    HoursAndMinutes,
    /// With a colon; short ones have one digit for the hour.
    WithColon {
        short: bool,
    },
}

fn numeric(text: &str, position: usize, sign: i32, digits: Digits) -> Option<(i32, usize)> {
    let digit = |at: usize| match text.as_bytes().get(at) {
        Some(byte) if byte.is_ascii_digit() => Some(i32::from(byte - b'0')),
        _ => None,
    };
    let mut at = position + 1;
    let mut hours = digit(position)?;
    match (digit(at), digits) {
        (Some(digit), _) => {
            hours = hours * 10 + digit;
            at += 1;
        }
        (None, Digits::WithColon { short: true }) => {}
        _ => return None,
    }
    if hours > 23 {
        return None;
    }
    let mut minutes = 0;
    if !matches!(digits, Digits::Hours) {
        if let Digits::WithColon { .. } = digits {
            if text.as_bytes().get(at) != Some(&b':') {
                return None;
            }
            at += 1;
        }
        minutes = digit(at)? * 10 + digit(at + 1)?;
        at += 2;
        if minutes > 59 {
            return None;
        }
    }
    Some((sign * (hours * 60 + minutes), at))
}
