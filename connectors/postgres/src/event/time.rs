//! When the connector processed an event.

use std::time::{SystemTime, UNIX_EPOCH};

use tether_api::data::Value;

/// An instant, in nanoseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessingTime(pub i64);

impl ProcessingTime {
    /// This instant.
    pub fn now() -> Self {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
    }

    /// Milliseconds since 1970.
    pub fn millis(self) -> i64 {
        self.0 / 1_000_000
    }

    /// Microseconds since 1970.
    pub fn micros(self) -> i64 {
        self.0 / 1_000
    }

    /// The fields `ts_ms`, `ts_us` and `ts_ns`.
    pub(super) fn fields(self) -> [Value; 3] {
        [self.millis(), self.micros(), self.0].map(Value::Int64)
    }
}
