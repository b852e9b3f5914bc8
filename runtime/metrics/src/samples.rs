//! Sums over the last minute or so (`org.apache.kafka.common.metrics.stats`).

use std::time::Duration;

/// How long values count (`metrics.sample.window.ms`, `metrics.num.samples`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sampling {
    window: u64,
    samples: u64,
}

impl Default for Sampling {
    fn default() -> Self {
        Self::new(Duration::from_secs(30), 2)
    }
}

impl Sampling {
    /// So many samples, each of the values of such a time. There is at least one
    /// sample, of a millisecond.
    pub fn new(window: Duration, samples: u32) -> Self {
        Self {
            window: u64::try_from(window.as_millis()).unwrap_or(u64::MAX).max(1),
            samples: u64::from(samples.max(1)),
        }
    }

    /// After so many milliseconds without a value a sample does not count any more.
    fn expire_age(self) -> u64 {
        self.window.saturating_mul(self.samples)
    }
}

/// The values of a while.
#[derive(Debug, Clone, Copy)]
struct Sample {
    start: u64,
    last: u64,
    count: u64,
    sum: f64,
    max: f64,
    min: f64,
}

impl Sample {
    fn new(now: u64) -> Self {
        Self {
            start: now,
            last: now,
            count: 0,
            sum: 0.0,
            max: f64::NEG_INFINITY,
            min: f64::INFINITY,
        }
    }
}

/// The values of the last samples (`SampledStat`).
///
/// A sample is begun when a value comes and the one before is complete. One more
/// than wanted is kept, which the monitored time may overlap. All times are in
/// milliseconds.
#[derive(Debug)]
pub(crate) struct Samples {
    sampling: Sampling,
    ring: Vec<Sample>,
    current: usize,
}

impl Samples {
    pub(crate) fn new(sampling: Sampling) -> Self {
        Self {
            sampling,
            ring: Vec::new(),
            current: 0,
        }
    }

    /// Adds a value.
    pub(crate) fn record(&mut self, value: f64, now: u64) {
        let complete = match self.ring.get(self.current) {
            Some(sample) => now.saturating_sub(sample.start) >= self.sampling.window,
            None => {
                self.ring.push(Sample::new(now));
                false
            }
        };
        if complete {
            self.advance(now);
        }
        if let Some(sample) = self.ring.get_mut(self.current) {
            sample.last = now;
            sample.count += 1;
            sample.sum += value;
            sample.max = sample.max.max(value);
            sample.min = sample.min.min(value);
        }
    }

    /// Forgets what is too old. Comes before the other questions.
    pub(crate) fn purge(&mut self, now: u64) {
        let expire_age = self.sampling.expire_age();
        for sample in &mut self.ring {
            if now.saturating_sub(sample.last) >= expire_age {
                *sample = Sample::new(now);
            }
        }
    }

    /// The number of values.
    pub(crate) fn count(&self) -> u64 {
        self.ring.iter().map(|sample| sample.count).sum()
    }

    /// The sum of the values.
    pub(crate) fn sum(&self) -> f64 {
        self.ring.iter().map(|sample| sample.sum).sum()
    }

    /// The largest value; NaN if there is none.
    pub(crate) fn max(&self) -> f64 {
        let values = self.ring.iter().map(|sample| sample.max);
        self.if_any(values.fold(f64::NEG_INFINITY, f64::max))
    }

    /// The smallest value; NaN if there is none.
    pub(crate) fn min(&self) -> f64 {
        let values = self.ring.iter().map(|sample| sample.min);
        self.if_any(values.fold(f64::INFINITY, f64::min))
    }

    /// The average of the values; NaN if there is none.
    pub(crate) fn average(&self) -> f64 {
        self.if_any(self.sum() / self.count() as f64)
    }

    /// The sum of the values by second (`Rate`).
    pub(crate) fn rate(&self, now: u64) -> f64 {
        self.sum() / (self.elapsed(now) as f64 / 1000.0)
    }

    /// The time since the oldest sample began. What is missing of all samples but
    /// one is added, so that the first values make no high rate.
    fn elapsed(&self, now: u64) -> u64 {
        let Sampling { window, samples } = self.sampling;
        let starts = self.ring.iter().map(|sample| sample.start);
        let elapsed = now.saturating_sub(starts.min().unwrap_or(now));
        let missing = (samples - 1).saturating_sub(elapsed / window);
        elapsed
            .saturating_add(missing.saturating_mul(window))
            .max(1)
    }

    fn advance(&mut self, now: u64) {
        let kept = usize::try_from(self.sampling.samples).unwrap_or(usize::MAX);
        self.current = if self.current >= kept {
            0
        } else {
            self.current + 1
        };
        match self.ring.get_mut(self.current) {
            Some(sample) => *sample = Sample::new(now),
            None => self.ring.push(Sample::new(now)),
        }
    }

    fn if_any(&self, value: f64) -> f64 {
        if self.count() == 0 { f64::NAN } else { value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples() -> Samples {
        Samples::new(Sampling::default())
    }

    #[test]
    fn without_values_there_is_no_average_and_no_extreme() {
        let mut samples = samples();
        samples.purge(5);
        assert!(samples.average().is_nan());
        assert!(samples.max().is_nan());
        assert!(samples.min().is_nan());
        assert_eq!(samples.rate(5), 0.0);
    }

    #[test]
    fn the_first_values_make_no_high_rate() {
        let mut samples = samples();
        samples.record(60.0, 1_000);
        // A second has passed, and a window is missing.
        samples.purge(2_000);
        assert_eq!(samples.rate(2_000), 60.0 / 31.0);
        samples.record(31.0, 31_000);
        samples.purge(31_000);
        assert_eq!(samples.rate(31_000), 91.0 / 30.0);
    }

    #[test]
    fn samples_that_overlap_the_monitored_time_count() {
        let mut samples = samples();
        samples.record(1.0, 0);
        samples.record(3.0, 29_999);
        samples.record(5.0, 30_000);
        samples.record(7.0, 60_000);
        samples.purge(80_000);
        assert_eq!(samples.count(), 4);
        assert_eq!(samples.average(), 4.0);
        assert_eq!(samples.rate(80_000), 16.0 / 80.0);
        // The last value of the first sample is 60 s old.
        samples.purge(89_999);
        assert_eq!(samples.count(), 2);
        assert_eq!(samples.min(), 5.0);
        assert_eq!(samples.rate(89_999), 12.0 / 59.999);
    }

    #[test]
    fn a_pause_forgets_everything() {
        let mut samples = samples();
        samples.record(1.0, 0);
        samples.purge(60_000);
        assert_eq!(samples.count(), 0);
        assert!(samples.max().is_nan());
        assert_eq!(samples.rate(60_000), 0.0);
        samples.record(30.0, 61_000);
        samples.purge(61_000);
        assert_eq!(samples.max(), 30.0);
        // Since 60 000, and a window.
        assert_eq!(samples.rate(61_000), 30.0 / 31.0);
    }

    #[test]
    fn one_sample_more_than_wanted_is_kept() {
        let mut samples = Samples::new(Sampling::new(Duration::from_millis(10), 3));
        for value in 0..10_u32 {
            samples.record(f64::from(value), u64::from(value) * 10);
        }
        assert_eq!(samples.ring.len(), 4);
        assert_eq!(samples.min(), 6.0);
        assert_eq!(samples.max(), 9.0);
    }

    #[test]
    fn a_window_of_no_time_divides_nothing_by_zero() {
        let mut samples = Samples::new(Sampling::new(Duration::ZERO, 0));
        samples.record(2.0, 0);
        assert_eq!(samples.rate(0), 2_000.0);
    }
}
