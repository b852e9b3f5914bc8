//! Dates and instants as Java holds and writes them.

use tether_api::data::Text;

use super::date::{Date, civil_of_driver};
use super::format::iso_timestamp;
use super::timestamp::civil;
use super::{DAY, parse};

const DAY_MILLIS: i64 = 86_400_000;

/// What the driver makes of the infinities (`PGStatement`).
const INFINITY: i64 = 9_223_372_036_825_200_000;
const NEGATIVE_INFINITY: i64 = -9_223_372_036_832_400_000;

/// The milliseconds of the `java.sql.Date` that the driver makes of a date, in
/// UTC.
pub(crate) fn sql_date_millis(text: &[u8]) -> Option<i64> {
    Some(match parse::date(text)? {
        Date::Infinity => INFINITY,
        Date::NegativeInfinity => NEGATIVE_INFINITY,
        date => date.epoch_day_of_driver() * DAY_MILLIS,
    })
}

/// The date that the driver makes such milliseconds of. In what time zone they
/// are the midnight is not known, but it is the nearest one.
pub(crate) fn sql_date_text(millis: i64) -> String {
    match millis {
        INFINITY => return "infinity".to_owned(),
        NEGATIVE_INFINITY => return "-infinity".to_owned(),
        _ => {}
    }
    let days = millis.saturating_add(DAY_MILLIS / 2).div_euclid(DAY_MILLIS);
    let (year, month, day) = civil_of_driver(days);
    match year {
        ..=0 => format!("{:04}-{month:02}-{day:02} BC", 1 - year),
        _ => format!("{year:04}-{month:02}-{day:02}"),
    }
}

/// Microseconds since 1970 as `java.time.Instant` writes them: with no, three or
/// six digits of a fraction.
pub(crate) fn instant_text(micros: i64) -> Text {
    let of_day = micros.rem_euclid(DAY);
    let digits = match (of_day % 1_000_000, of_day % 1_000) {
        (0, _) => 0,
        (_, 0) => 3,
        _ => 6,
    };
    iso_timestamp(civil(micros.div_euclid(DAY)), of_day, Some(digits))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates_are_those_of_the_drivers_calendar() {
        // What the Java program gives for `java.sql.Date.valueOf`.
        let cases = [
            ("2024-02-29", 0x018D_F229_2800),
            ("1500-01-01", 0xFFFF_F282_E3FD_7C00_u64.cast_signed()),
            ("infinity", INFINITY),
            ("-infinity", NEGATIVE_INFINITY),
        ];
        for (text, millis) in cases {
            assert_eq!(sql_date_millis(text.as_bytes()), Some(millis), "{text}");
            assert_eq!(sql_date_text(millis), text);
        }
        // Midnight in Auckland and in Los Angeles.
        assert_eq!(sql_date_text(0x018D_F229_2800 - 43_200_000), "2024-02-29");
        assert_eq!(sql_date_text(0x018D_F229_2800 + 28_800_000), "2024-02-29");
    }

    #[test]
    fn fractions_of_instants_have_groups_of_three_digits() {
        assert_eq!(instant_text(0), "1970-01-01T00:00:00Z");
        assert_eq!(instant_text(1_120_000), "1970-01-01T00:00:01.120Z");
        assert_eq!(instant_text(-1), "1969-12-31T23:59:59.999999Z");
    }

    proptest! {
        #[test]
        fn dates_come_back(days in -784_000_i64..2_000_000) {
            let text = sql_date_text(days * DAY_MILLIS);
            prop_assert_eq!(sql_date_millis(text.as_bytes()), Some(days * DAY_MILLIS));
        }

        #[test]
        fn any_number_has_a_date(millis: i64) {
            sql_date_text(millis);
        }
    }
}
