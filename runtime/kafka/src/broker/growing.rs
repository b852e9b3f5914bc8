//! Times that grow while something fails (`ExponentialBackoff`).

use std::time::Duration;

/// Random part of every time, to both sides.
const JITTER: f64 = 0.2;

/// A time that doubles with each failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Growing {
    pub(crate) first: Duration,
    pub(crate) longest: Duration,
}

impl Growing {
    /// The time after so many failures in a row, before a random part.
    pub(crate) fn after(self, failures: u32) -> Duration {
        let factor = 1_u32.checked_shl(failures).unwrap_or(u32::MAX);
        // The longest may be below the first, which then stays, as in Java.
        self.first
            .saturating_mul(factor)
            .min(self.longest.max(self.first))
    }

    /// The time after so many failures in a row.
    pub(crate) fn random_after(self, failures: u32) -> Duration {
        self.after(failures)
            .mul_f64(rand::random_range(1.0 - JITTER..=1.0 + JITTER))
    }
}
