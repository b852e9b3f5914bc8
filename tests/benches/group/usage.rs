//! What workers and the broker have used.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use tether_tests::process_usage::{kibibytes, processor_time};

/// What all processes that are up have used since each was started, and what they hold.
pub(crate) struct Usages {
    /// Processor time by process id.
    workers: BTreeMap<u32, Duration>,
    broker: Duration,
    bytes: u64,
    resident_kib: u64,
}

/// What was used in between.
pub(crate) struct Usage {
    /// Processor time of the workers that are up at the end.
    pub(crate) workers: Duration,
    pub(crate) broker: Duration,
    pub(crate) bytes: u64,
    /// Mean resident memory of the workers that are up at the end.
    pub(crate) resident_kib: u64,
}

impl Usages {
    /// Of these processes, and so many bytes between them.
    pub(crate) fn now(workers: &[u32], broker: u32, bytes: u64) -> Result<Self> {
        let mut times = BTreeMap::new();
        let mut resident = 0;
        for pid in workers {
            times.insert(*pid, processor_time(*pid)?);
            resident += kibibytes(*pid, "status", "VmRSS:")?;
        }
        let count = u64::try_from(workers.len())?;
        Ok(Self {
            workers: times,
            broker: processor_time(broker)?,
            bytes,
            resident_kib: resident.checked_div(count).unwrap_or_default(),
        })
    }

    /// What was used since. All of a process that was not up then counts.
    pub(crate) fn since(&self, before: &Self) -> Usage {
        let workers = self.workers.iter().map(|(pid, time)| {
            let before = before.workers.get(pid).copied().unwrap_or_default();
            *time - before
        });
        Usage {
            workers: workers.sum(),
            broker: self.broker - before.broker,
            bytes: self.bytes - before.bytes,
            resident_kib: self.resident_kib,
        }
    }
}
