//! Values with rates, averages and extremes.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::samples::{Samples, Sampling};

/// Takes values and says what they come to (`Sensor`).
///
/// Recording costs a lock that only readers contend for, and a look at the clock:
/// once per batch, not per record.
#[derive(Debug)]
pub struct Sensor {
    clock: Clock,
    values: Mutex<Values>,
}

#[derive(Debug)]
struct Values {
    samples: Samples,
    total: f64,
    last: f64,
}

/// What is asked of a sensor. All but the total and the last value are about the
/// last samples only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistic {
    /// The sum by second.
    Rate,
    /// The sum since the start.
    Total,
    /// The last value, at first 0.
    Last,
    /// The average; NaN without values.
    Average,
    /// The largest value; NaN without values.
    Max,
    /// The smallest value; NaN without values.
    Min,
    /// Which part of the values was 1 and not 0, from 0 to 1; 0 without values.
    /// The reference calls it a percentage.
    Successes,
    /// Which part of the values was 0 and not 1, as above.
    Failures,
}

impl Sensor {
    pub(crate) fn new(clock: Clock, sampling: Sampling) -> Self {
        Self {
            clock,
            values: Mutex::new(Values {
                samples: Samples::new(sampling),
                total: 0.0,
                last: 0.0,
            }),
        }
    }

    /// Takes a value.
    pub fn record(&self, value: f64) {
        let now = self.clock.millis();
        let mut values = self.values();
        values.samples.record(value, now);
        values.total += value;
        values.last = value;
    }

    /// Takes a number of things, such as records.
    pub fn record_count(&self, count: usize) {
        self.record(count as f64);
    }

    /// Takes a time, in milliseconds.
    pub fn record_time(&self, time: Duration) {
        self.record(time.as_secs_f64() * 1000.0);
    }

    /// Takes 1 for a success and 0 for a failure.
    pub fn record_outcome(&self, success: bool) {
        self.record(f64::from(u8::from(success)));
    }

    /// What the values come to now.
    pub fn measure(&self, statistic: Statistic) -> f64 {
        self.measure_at(statistic, self.clock.millis())
    }

    /// The same for who has looked at the clock.
    pub(crate) fn measure_at(&self, statistic: Statistic, now: u64) -> f64 {
        let mut values = self.values();
        match statistic {
            Statistic::Total => return values.total,
            Statistic::Last => return values.last,
            _ => values.samples.purge(now),
        }
        let samples = &values.samples;
        match statistic {
            Statistic::Rate => samples.rate(now),
            Statistic::Average => samples.average(),
            Statistic::Max => samples.max(),
            Statistic::Min => samples.min(),
            Statistic::Successes => share(samples.sum(), samples.count()),
            Statistic::Failures => share(samples.count() as f64 - samples.sum(), samples.count()),
            Statistic::Total => values.total,
            Statistic::Last => values.last,
        }
    }

    fn values(&self) -> MutexGuard<'_, Values> {
        // Numbers are whole after every statement that holds the lock.
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn share(part: f64, count: u64) -> f64 {
    if count == 0 { 0.0 } else { part / count as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn totals_stay_when_samples_go() {
        let clock = ManualClock::default();
        let sensor = Sensor::new(clock.clock(), Sampling::default());
        sensor.record_count(3);
        clock.advance(Duration::from_secs(600));
        assert_eq!(sensor.measure(Statistic::Total), 3.0);
        assert_eq!(sensor.measure(Statistic::Last), 3.0);
        assert!(sensor.measure(Statistic::Average).is_nan());
        sensor.record_count(4);
        assert_eq!(sensor.measure(Statistic::Total), 7.0);
        assert_eq!(sensor.measure(Statistic::Average), 4.0);
    }

    #[test]
    fn times_are_in_milliseconds() {
        let sensor = Sensor::new(ManualClock::default().clock(), Sampling::default());
        sensor.record_time(Duration::from_micros(1_500));
        assert_eq!(sensor.measure(Statistic::Max), 1.5);
        assert_eq!(sensor.measure(Statistic::Min), 1.5);
    }

    #[test]
    fn outcomes_are_shares() {
        let clock = ManualClock::default();
        let sensor = Sensor::new(clock.clock(), Sampling::default());
        let both = || [Statistic::Successes, Statistic::Failures].map(|of| sensor.measure(of));
        assert_eq!(both(), [0.0, 0.0]);
        for success in [true, true, true, false] {
            sensor.record_outcome(success);
        }
        assert_eq!(both(), [0.75, 0.25]);
        clock.advance(Duration::from_secs(60));
        assert_eq!(both(), [0.0, 0.0]);
    }
}
