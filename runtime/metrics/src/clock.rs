//! The time that averages are made over.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Tells the time since some moment. It never goes back.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System(Instant),
    Manual(Arc<AtomicU64>),
}

impl Clock {
    /// The time since now.
    pub fn system() -> Self {
        Self(Source::System(Instant::now()))
    }

    /// Milliseconds since the clock was made.
    pub fn millis(&self) -> u64 {
        match &self.0 {
            Source::System(start) => millis(start.elapsed()),
            Source::Manual(now) => now.load(Ordering::Relaxed),
        }
    }
}

/// A clock that stands still until it is told otherwise, for tests.
#[derive(Debug, Clone, Default)]
pub struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    /// A clock to hand out, which shows this one's time.
    pub fn clock(&self) -> Clock {
        Clock(Source::Manual(Arc::clone(&self.0)))
    }

    /// Lets time pass.
    pub fn advance(&self, time: Duration) {
        self.0.fetch_add(millis(time), Ordering::Relaxed);
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
