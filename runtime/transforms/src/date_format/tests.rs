use proptest::prelude::*;

use super::*;

/// 2024-02-29T12:34:56.789Z, a Thursday.
const LEAP: i64 = 1_709_210_096_789;

fn formatted(pattern: &str, millis: i64) -> String {
    DateFormat::new(pattern).unwrap().format(millis)
}

fn parsed(pattern: &str, text: &str) -> Option<i64> {
    DateFormat::new(pattern).unwrap().parse(text)
}

#[test]
fn letters_stand_for_fields() {
    let cases = [
        ("yyyy-MM-dd'T'HH:mm:ss.SSSX", "2024-02-29T12:34:56.789Z"),
        ("G yy y yyyyy", "AD 24 2024 02024"),
        ("EEE, d MMM yyyy", "Thu, 29 Feb 2024"),
        ("EEEE MMMM L LLL u F", "Thursday February 2 Feb 4 5"),
        ("h:mm a, K k kk", "12:34 PM, 0 12 12"),
        ("D w W Y", "60 9 5 2024"),
        ("z zzzz Z XXX", "UTC Coordinated Universal Time +0000 Z"),
        ("'o''clock' ''", "o'clock '"),
        ("SSSSS", "00789"),
    ];
    for (pattern, text) in cases {
        assert_eq!(formatted(pattern, LEAP), text, "{pattern}");
    }
}

#[test]
fn wrong_patterns_are_named() {
    for (pattern, message) in [
        ("yyyy-bb", "Illegal pattern character 'b'"),
        ("'x", "Unterminated quote"),
        ("XXXX", "invalid ISO 8601 format: length=4"),
    ] {
        assert_eq!(DateFormat::new(pattern).err().as_deref(), Some(message));
    }
}

#[test]
fn texts_are_read_leniently() {
    let day = MILLIS;
    assert_eq!(parsed("yyyy-MM-dd", "1970-01-02 and more"), Some(day));
    assert_eq!(parsed("yyyy-MM-dd", "1969-13-02"), Some(day));
    assert_eq!(parsed("yyyyMMdd", "19700102"), Some(day));
    assert_eq!(parsed("d MMM yyyy", "2 jan 1970"), Some(day));
    assert_eq!(
        parsed("yyyy-MM-dd HH:mm Z", "1970-01-02 01:00 +0100"),
        Some(day)
    );
    assert_eq!(parsed("yyyy-MM-dd HH z", "1970-01-01 16 PST"), Some(day));
    assert_eq!(parsed("HH", "24"), Some(day));
    assert_eq!(parsed("yyyy-MM-dd", "x"), None);
    assert_eq!(parsed("yyyy-MM-dd", "1970-01"), None);
    assert_eq!(parsed("MMM", " Jan"), None);
}

const MILLIS: i64 = calendar::MILLIS_PER_DAY;

#[test]
fn years_of_two_digits_are_near() {
    let century = Century::around(LEAP);
    let read = |text| parse::parse(&compile("yy-MM-dd").unwrap(), text, century);
    let day = |text| parsed("yyyy-MM-dd", text);
    assert_eq!(read("43-12-31"), day("2043-12-31"));
    assert_eq!(read("45-01-01"), day("1945-01-01"));
    assert_eq!(read("44-03-01"), day("1944-03-01"));
    assert_eq!(read("44-02-28"), day("2044-02-28"));
    assert_eq!(read("1-01-01"), day("0001-01-01"));
}

#[test]
fn calendars_change_in_1582() {
    let before = parsed("yyyy-MM-dd", "1582-10-04").unwrap();
    assert_eq!(formatted("yyyy-MM-dd", before + MILLIS), "1582-10-15");
    assert_eq!(
        formatted("yyyy-MM-dd G", parsed("y", "0").unwrap()),
        "0001-01-01 BC"
    );
}

proptest! {
    #[test]
    fn what_was_written_reads_back(millis in -62_000_000_000_000..250_000_000_000_000i64) {
        for pattern in [
            "yyyy-MM-dd'T'HH:mm:ss.SSSZ",
            "GG yyy D k:m:s:S",
            "EEE, d MMMM yyyy hh:mm:ss.SSS a",
            "YYYY-'W'ww-u HH:mm:ss.SSS z",
            "yyyyMMddHHmmssSSS",
            "yyyy MMM W E KK a mm ss SSS XX",
        ] {
            let text = formatted(pattern, millis);
            prop_assert_eq!(parsed(pattern, &text), Some(millis), "{} {}", pattern, text);
        }
    }

    #[test]
    fn every_day_is_a_date(days in -80_000_000_000..80_000_000_000i64) {
        let day = Day::of(days);
        prop_assert_eq!(calendar::days(day.year, day.month, day.day), days);
        prop_assert!((1..=31).contains(&day.day) && (1..=12).contains(&day.month));
    }

    #[test]
    fn any_pattern_and_text_are_taken_or_refused(
        pattern in "[GyYMLwWDdFEuaHkKhmsSzZX' :é-]{0,12}",
        text in "[0-9A-Za-z :+é-]{0,24}",
        millis: i64,
    ) {
        if let Ok(format) = DateFormat::new(&pattern) {
            let _ = format.parse(&text);
            let _ = format.parse(&format.format(millis));
        }
    }
}
