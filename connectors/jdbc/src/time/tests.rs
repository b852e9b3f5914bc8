use super::*;

fn clock(zone: &str, date_zone: &str) -> Clock {
    Clock {
        zone: Zone::parse(zone).unwrap(),
        date_zone: Zone::parse(date_zone).unwrap(),
        calendar: Calendar::Legacy,
        precision: TimestampPrecision::Nanoseconds,
    }
}

/// 2024-02-29T12:34:56.789Z
const INSTANT: i64 = 1_709_210_096_789;

#[test]
fn wall_clock_is_that_of_the_zone() {
    let clock = clock("America/New_York", "America/New_York");
    let text = |micros| clock.timestamp_text(micros, 3).unwrap();
    assert_eq!(text(INSTANT * 1000), "2024-02-29 07:34:56.789");
    assert_eq!(
        timestamp_text(clock.timestamp(INSTANT * 1000).unwrap(), 6),
        "2024-02-29 07:34:56.789000"
    );
    // On 1970-01-01 New York was five hours behind.
    assert_eq!(clock.time_text(12 * 3_600_000), "07:00:00.000");
    assert_eq!(clock.time_text(0), "19:00:00.000");
}

#[test]
fn dates_west_of_greenwich_fall_on_the_day_before() {
    assert_eq!(
        clock("America/New_York", "America/New_York").date(0),
        Ok(-1)
    );
    assert_eq!(clock("America/New_York", "UTC").date(0), Ok(0));
    assert_eq!(clock("Asia/Tokyo", "Asia/Tokyo").date(0), Ok(0));
    assert_eq!(
        clock("America/New_York", "America/New_York").date_text(0),
        "1969-12-31"
    );
}

#[test]
fn legacy_dates_keep_their_julian_reading() {
    let clock = clock("UTC", "UTC");
    // 1582-10-14 of the Gregorian calendar is the Julian 1582-10-04.
    let stored = clock.timestamp(-141_428 * MICROS_PER_DAY + 1).unwrap();
    assert_eq!(timestamp_text(stored, 6), "1582-10-04 00:00:00.000001");
    assert_eq!(clock.date(-141_427), Ok(-141_427));
}

#[test]
fn epoch_numbers_are_rounded_to_microseconds() {
    let clock = clock("UTC", "UTC");
    assert_eq!(clock.epoch_instant(1_499), 1);
    assert_eq!(clock.epoch_instant(1_500), 2);
    assert_eq!(clock.epoch_instant(-1), 0);
    assert_eq!(clock.epoch_instant(-1_000), -1);
    assert_eq!(clock.epoch_instant(i64::MAX), 9_223_372_036_854_776);
    assert_eq!(
        clock.epoch_text_instant("92233720368547758080"),
        Ok(92_233_720_368_547_758)
    );
    assert_eq!(clock.epoch_text_instant("1.5"), Err(TimeError::NotANumber));
    assert_eq!(clock.epoch_text_instant(""), Err(TimeError::NotANumber));
    assert_eq!(
        clock.epoch_text_instant("99999999999999999999999999"),
        Err(TimeError::OutOfRange)
    );
}

#[test]
fn extremes_are_refused_rather_than_wrapped() {
    assert_eq!(Clock::instant(i64::MAX), Err(TimeError::OutOfRange));
    let clock = clock("+18:00", "+18:00");
    assert_eq!(clock.timestamp(i64::MAX), Err(TimeError::OutOfRange));
    assert!(clock.date(i32::MIN).is_ok());
    assert!(clock.date(i32::MAX).is_ok());
}

#[test]
fn years_before_the_first_are_bc() {
    assert_eq!(date_text(-719_528), "0001-01-01 BC");
    assert_eq!(
        timestamp_text(-719_528 * MICROS_PER_DAY, 3),
        "0001-01-01 00:00:00.000 BC"
    );
}
