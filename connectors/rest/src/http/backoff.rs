//! How long to wait before a request is repeated.

use std::time::Duration;

/// Delays that double up to a limit, each with jitter, a limited number of
/// them.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
    attempts: u32,
    taken: u32,
}

impl Backoff {
    /// Delays from `first` to `longest`, `attempts` of them.
    pub(crate) const fn new(first: Duration, longest: Duration, attempts: u32) -> Self {
        Self {
            first,
            longest,
            attempts,
            taken: 0,
        }
    }

    /// Starts over.
    pub(crate) fn reset(&mut self) {
        self.taken = 0;
    }
}

impl Iterator for Backoff {
    type Item = Duration;

    /// The next delay: between half of its nominal length and all of it, so
    /// that many clients of a server do not come back at the same moment.
    fn next(&mut self) -> Option<Duration> {
        if self.taken >= self.attempts {
            return None;
        }
        let nominal = 2u32
            .checked_pow(self.taken)
            .and_then(|factor| self.first.checked_mul(factor))
            .map_or(self.longest, |delay| delay.min(self.longest));
        self.taken += 1;
        Some(nominal.mul_f64(rand::random_range(0.5..=1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_limit_and_end() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(5), 5);
        for nominal in [1, 2, 4, 5, 5] {
            let delay = backoff.next().unwrap();
            assert!(delay <= Duration::from_secs(nominal), "{delay:?}");
            assert!(delay * 2 >= Duration::from_secs(nominal), "{delay:?}");
        }
        assert_eq!(backoff.next(), None);
        backoff.reset();
        assert!(backoff.next().is_some());
    }

    #[test]
    fn many_delays_do_not_overflow() {
        let backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60), 100);
        assert!(
            backoff
                .skip(40)
                .all(|delay| delay >= Duration::from_secs(30))
        );
    }
}
