//! What the guardian saw last.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::Duration;

use crate::replication::SlotUsage;

/// What is not known.
const UNKNOWN: i64 = -1;

/// What the guardian saw last, for metrics. Each value is -1 while it is not
/// known: there is no slot, or nobody looks.
#[derive(Debug)]
pub struct SlotGauges {
    kept: AtomicI64,
    unconfirmed: AtomicI64,
    behind: AtomicI64,
    safe: AtomicI64,
}

impl Default for SlotGauges {
    fn default() -> Self {
        let unknown = || AtomicI64::new(UNKNOWN);
        Self {
            kept: unknown(),
            unconfirmed: unknown(),
            behind: unknown(),
            safe: unknown(),
        }
    }
}

impl SlotGauges {
    /// How many bytes of log the server keeps for the slot.
    pub fn kept(&self) -> i64 {
        self.kept.load(Relaxed)
    }

    /// How many bytes of log have not been confirmed.
    pub fn unconfirmed(&self) -> i64 {
        self.unconfirmed.load(Relaxed)
    }

    /// For how many milliseconds there has been something to confirm.
    pub fn millis_behind(&self) -> i64 {
        self.behind.load(Relaxed)
    }

    /// How many bytes of log may still be written until the server may give up
    /// the slot. Also not known without such a limit.
    pub fn safe(&self) -> i64 {
        self.safe.load(Relaxed)
    }

    pub(super) fn set(&self, usage: &SlotUsage, behind: Duration) {
        let bytes = |bytes: Option<u64>| {
            bytes.map_or(UNKNOWN, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX))
        };
        self.kept.store(bytes(usage.kept()), Relaxed);
        self.unconfirmed.store(bytes(usage.unconfirmed()), Relaxed);
        let millis = i64::try_from(behind.as_millis()).unwrap_or(i64::MAX);
        self.behind.store(millis, Relaxed);
        // Below 0 it is about as bad as at 0.
        let safe = usage.safe_bytes.map_or(UNKNOWN, |safe| safe.max(0));
        self.safe.store(safe, Relaxed);
    }

    pub(super) fn clear(&self) {
        for gauge in [&self.kept, &self.unconfirmed, &self.behind, &self.safe] {
            gauge.store(UNKNOWN, Relaxed);
        }
    }
}
