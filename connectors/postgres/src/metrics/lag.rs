//! How far events are behind their transactions.

/// How exact quantiles are, as in the reference: one percent of the value.
const ACCURACY: f64 = 0.01;

/// What has become of the times between a commit and its events, in
/// milliseconds (`SingleValueLongMeasurementWithStats`).
#[derive(Debug, Default)]
pub(super) struct Lag {
    last: i64,
    least: i64,
    most: i64,
    count: u64,
    sum: i128,
    sketch: Option<Sketch>,
}

impl Lag {
    /// `quantiles` says whether these are wanted (`statistics.metrics.enabled`).
    pub(super) fn new(quantiles: bool) -> Self {
        Self {
            sketch: quantiles.then(Sketch::default),
            ..Self::default()
        }
    }

    /// So many events took so long.
    pub(super) fn add(&mut self, millis: i64, events: u64) {
        let is_first = self.count == 0;
        self.last = millis;
        self.least = if is_first {
            millis
        } else {
            self.least.min(millis)
        };
        self.most = if is_first {
            millis
        } else {
            self.most.max(millis)
        };
        self.count += events;
        self.sum += i128::from(millis) * i128::from(events);
        if let Some(sketch) = &mut self.sketch {
            sketch.add(millis, events);
        }
    }

    /// That of the latest event; -1 without one.
    pub(super) fn last(&self) -> i64 {
        if self.count == 0 { -1 } else { self.last }
    }

    /// The shortest; `None` without an event, as for the next ones.
    pub(super) fn least(&self) -> Option<f64> {
        self.any(self.least as f64)
    }

    /// The longest.
    pub(super) fn most(&self) -> Option<f64> {
        self.any(self.most as f64)
    }

    /// The mean.
    pub(super) fn average(&self) -> Option<f64> {
        self.any(self.sum as f64 / self.count as f64)
    }

    /// What this part of all is not above; `None` also if quantiles are not
    /// wanted.
    pub(super) fn quantile(&self, part: f64) -> Option<f64> {
        self.sketch.as_ref()?.quantile(part, self.count)
    }

    fn any(&self, value: f64) -> Option<f64> {
        (self.count > 0).then_some(value)
    }
}

/// Counts values in ranges that grow with them, so that the middle of each is
/// within [`ACCURACY`] of all in it (the idea of DDSketch).
#[derive(Debug, Default)]
struct Sketch {
    /// Clocks may differ.
    negative: Vec<u64>,
    zero: u64,
    positive: Vec<u64>,
}

impl Sketch {
    fn add(&mut self, value: i64, events: u64) {
        let side = match value {
            0 => {
                self.zero += events;
                return;
            }
            1.. => &mut self.positive,
            _ => &mut self.negative,
        };
        let range = range(value.unsigned_abs());
        if side.len() <= range {
            side.resize(range + 1, 0);
        }
        if let Some(count) = side.get_mut(range) {
            *count += events;
        }
    }

    fn quantile(&self, part: f64, count: u64) -> Option<f64> {
        if count == 0 {
            return None;
        }
        let rank = part * (count - 1) as f64;
        let negative = self.negative.iter().enumerate().rev();
        let negative = negative.map(|(range, events)| (-middle(range), *events));
        let positive = self.positive.iter().enumerate();
        let positive = positive.map(|(range, events)| (middle(range), *events));
        let mut below = 0;
        let mut last = None;
        for (value, events) in negative.chain([(0.0, self.zero)]).chain(positive) {
            if events == 0 {
                continue;
            }
            below += events;
            last = Some(value);
            if below as f64 > rank {
                break;
            }
        }
        last
    }
}

/// The ratio of the ends of a range.
fn ratio() -> f64 {
    (1.0 + ACCURACY) / (1.0 - ACCURACY)
}

/// The range of a value from 1 on.
fn range(value: u64) -> usize {
    ((value as f64).ln() / ratio().ln()).ceil().max(0.0) as usize
}

/// The middle of a range.
fn middle(range: usize) -> f64 {
    let end = ratio().powf(range as f64);
    2.0 * end / (ratio() + 1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_is_known_of_no_event() {
        let lag = Lag::new(true);
        assert_eq!(lag.last(), -1);
        assert_eq!(
            (lag.least(), lag.average(), lag.quantile(0.5)),
            (None, None, None)
        );
    }

    #[test]
    fn extremes_and_the_mean_are_exact() {
        let mut lag = Lag::new(false);
        lag.add(10, 3);
        lag.add(-6, 1);
        lag.add(8, 2);
        assert_eq!(lag.last(), 8);
        assert_eq!((lag.least(), lag.most()), (Some(-6.0), Some(10.0)));
        assert_eq!(lag.average(), Some(40.0 / 6.0));
        assert_eq!(lag.quantile(0.5), None);
    }

    proptest! {
        #[test]
        fn quantiles_are_within_a_percent(
            values in proptest::collection::vec(-100_000_i64..10_000_000, 1..200),
            part in 0.0..=1.0_f64,
        ) {
            let mut lag = Lag::new(true);
            for value in &values {
                lag.add(*value, 1);
            }
            let mut sorted = values;
            sorted.sort_unstable();
            let exact = sorted[(part * (sorted.len() - 1) as f64) as usize] as f64;
            let found = lag.quantile(part).unwrap();
            prop_assert!((found - exact).abs() <= exact.abs() * ACCURACY + 1e-6, "{found} for {exact}");
        }
    }
}
