//! When heartbeats are due (specification, section 13).

use std::time::{Duration, Instant};

/// Counts the time between heartbeats.
#[derive(Debug, Clone)]
pub struct HeartbeatTimer {
    interval: Duration,
    next: Instant,
}

impl HeartbeatTimer {
    /// The first one is due after this interval (`heartbeat.interval.ms`).
    pub fn new(interval: Duration, now: Instant) -> Self {
        Self {
            interval,
            next: now + interval,
        }
    }

    /// Whether one is due; the next one then is so an interval from now.
    pub fn is_due(&mut self, now: Instant) -> bool {
        let due = now >= self.next;
        if due {
            self.next = now + self.interval;
        }
        due
    }

    /// When the next one is due.
    pub fn next(&self) -> Instant {
        self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_in_each_interval() {
        let (second, now) = (Duration::from_secs(1), Instant::now());
        let mut timer = HeartbeatTimer::new(second, now);
        assert!(!timer.is_due(now));
        assert!(timer.is_due(now + second * 3));
        assert_eq!(timer.next(), now + second * 4);
        assert!(!timer.is_due(now + second * 3));
    }
}
