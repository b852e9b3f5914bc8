//! Spans of time.

use tether_api::data::{Text, Value};

use super::number;
use crate::config::IntervalMode;

/// The parts of an interval, each with its own sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Interval {
    years: i32,
    months: i32,
    days: i32,
    hours: i32,
    minutes: i32,
    micros: i64,
}

/// Days of the average month.
const DAYS_OF_MONTH: f64 = 365.25 / 12.0;

impl Interval {
    /// Reads `1 year -2 mons +3 days 04:05:06.789`, the interval style
    /// `postgres`. Like the reference's driver it takes hours of 32 bits.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let text = number::ascii(text)?;
        let mut interval = Self::default();
        let mut words = text.split_ascii_whitespace();
        while let Some(word) = words.next() {
            if word.contains(':') {
                interval.set_time(word)?;
                continue;
            }
            let number = number::integer(word.as_bytes())?;
            let unit = words.next()?;
            match unit {
                _ if unit.starts_with("year") => interval.years = number,
                _ if unit.starts_with("mon") => interval.months = number,
                _ if unit.starts_with("day") => interval.days = number,
                _ => return None,
            }
        }
        Some(interval)
    }

    fn set_time(&mut self, word: &str) -> Option<()> {
        let (sign, word) = match word.as_bytes().first()? {
            b'-' => (-1, &word[1..]),
            b'+' => (1, &word[1..]),
            _ => (1, word),
        };
        let mut parts = word.split(':');
        let unsigned = |part: Option<&str>| {
            let digits = part?.as_bytes();
            digits
                .first()?
                .is_ascii_digit()
                .then(|| number::integer::<i32>(digits))?
        };
        self.hours = sign * unsigned(parts.next())?;
        self.minutes = sign * unsigned(parts.next())?;
        let seconds = parts.next().unwrap_or("0");
        let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
        if fraction.len() > 6 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let fraction = fraction
            .bytes()
            .chain(std::iter::repeat(b'0'))
            .take(6)
            .fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
        let whole = unsigned(Some(whole))?;
        self.micros = i64::from(sign) * (i64::from(whole) * 1_000_000 + fraction);
        parts.next().is_none().then_some(())
    }

    /// The value in this mode.
    pub(super) fn value(self, mode: IntervalMode) -> Value {
        match mode {
            IntervalMode::Numeric => Value::Int64(self.duration()),
            IntervalMode::String => Value::String(self.iso()),
        }
    }

    /// Microseconds, in the floating-point steps of the reference.
    fn duration(self) -> i64 {
        let months = self.years.wrapping_mul(12).wrapping_add(self.months);
        let days = f64::from(months) * DAYS_OF_MONTH + f64::from(self.days);
        let minutes = (days * 24.0 + f64::from(self.hours)) * 60.0 + f64::from(self.minutes);
        ((minutes * 60.0 + self.seconds()) * 1e6) as i64
    }

    /// The sum of whole seconds and their fraction, which shows: 2.780562 is
    /// 2.780561999999…
    fn seconds(self) -> f64 {
        (self.micros / 1_000_000) as f64 + (self.micros % 1_000_000) as f64 / 1e6
    }

    /// All parts, also those that are zero, with at most nine digits of a
    /// fraction.
    fn iso(self) -> Text {
        let Self {
            years,
            months,
            days,
            hours,
            minutes,
            ..
        } = self;
        let seconds = self.seconds().to_string();
        let seconds = match seconds.split_once('.') {
            Some((whole, fraction)) => {
                let fraction = &fraction[..fraction.len().min(9)];
                let text = format!("{whole}.{fraction}");
                text.trim_end_matches('0').trim_end_matches('.').to_owned()
            }
            None => seconds,
        };
        format!("P{years}Y{months}M{days}DT{hours}H{minutes}M{seconds}S").into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numeric(text: &str) -> Option<Value> {
        Interval::parse(text.as_bytes()).map(|interval| interval.value(IntervalMode::Numeric))
    }

    fn iso(text: &str) -> Option<Value> {
        Interval::parse(text.as_bytes()).map(|interval| interval.value(IntervalMode::String))
    }

    #[test]
    fn a_month_is_the_twelfth_of_a_year() {
        assert_eq!(numeric("1 mon"), Some(Value::Int64(2_629_800_000_000)));
        assert_eq!(numeric("1 year"), Some(Value::Int64(31_557_600_000_000)));
        assert_eq!(
            numeric("1 year 2 mons 3 days 04:05:06.789"),
            Some(Value::Int64(37_091_106_789_000))
        );
        assert_eq!(numeric("00:00:00"), Some(Value::Int64(0)));
        assert_eq!(numeric("-00:00:00.000001"), Some(Value::Int64(-1)));
        assert_eq!(numeric("178000000 years"), Some(Value::Int64(i64::MAX)));
        assert_eq!(numeric("-178000000 years"), Some(Value::Int64(i64::MIN)));
    }

    #[test]
    fn texts_have_all_parts() {
        assert_eq!(
            iso("1 year 2 mons 3 days 04:05:06.789"),
            Some("P1Y2M3DT4H5M6.789S".into())
        );
        assert_eq!(
            iso("-1 years -2 mons +3 days -04:05:06.789"),
            Some("P-1Y-2M3DT-4H-5M-6.789S".into())
        );
        assert_eq!(iso("00:00:00"), Some("P0Y0M0DT0H0M0S".into()));
        assert_eq!(iso("-00:00:00.5"), Some("P0Y0M0DT0H0M-0.5S".into()));
        assert_eq!(
            iso("00:00:02.780562"),
            Some("P0Y0M0DT0H0M2.780561999S".into())
        );
        assert_eq!(iso("00:00:03.697891"), Some("P0Y0M0DT0H0M3.697891S".into()));
        for wrong in [
            "x",
            "1",
            "1 fortnight",
            "1:2:3:4",
            "1:2:3.x",
            "3000000000:00:00",
            "::",
        ] {
            assert_eq!(iso(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn anything_is_an_interval_or_not(text: Vec<u8>, words in "[-+0-9: .a-z]{0,20}") {
            let _ = (Interval::parse(&text), Interval::parse(words.as_bytes()));
        }
    }
}
