//! How far a worker gets in which time, and what it takes for it.

use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde::Serialize;

use crate::bench_worker::BenchWorker;
use crate::process_usage::{kibibytes, processor_time};

/// How often is looked how far the worker has got.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// After how many looks the worker is asked whether a task has failed.
const LOOKS_PER_TRACE: u32 = 1000;

/// What a worker did between two looks.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Throughput {
    /// Records, events or rows between the two looks.
    pub count: u64,
    /// Seconds that they took.
    pub seconds: f64,
    /// Seconds of processor time of the worker's process, user and system.
    pub cpu_seconds: f64,
    /// The most memory that the process had until the second look, in bytes (`VmHWM`).
    pub peak_memory: u64,
}

/// Looks how far one connector of a worker has got.
pub struct Watch<'a, P> {
    worker: &'a mut BenchWorker,
    connector: &'a str,
    limit: Duration,
    start: Instant,
    progress: P,
}

/// A moment of a run.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    at: Instant,
    count: u64,
    cpu: Duration,
    peak_memory: u64,
}

impl<'a, P: FnMut(u64) -> Result<u64>> Watch<'a, P> {
    /// Watches from now on for at most `limit`; `progress` counts what the connector has done, at least
    /// up to the goal that it is given.
    pub fn new(
        worker: &'a mut BenchWorker,
        connector: &'a str,
        limit: Duration,
        progress: P,
    ) -> Self {
        Self {
            worker,
            connector,
            limit,
            start: Instant::now(),
            progress,
        }
    }

    /// Waits until the connector has got so far.
    ///
    /// # Errors
    ///
    /// It does not get there.
    pub fn reach(&mut self, goal: u64) -> Result<Look> {
        let mut looks = 0_u32;
        loop {
            let count = (self.progress)(goal)?;
            if count >= goal {
                let pid = self.worker.pid();
                return Ok(Look {
                    at: Instant::now(),
                    count,
                    cpu: processor_time(pid)?,
                    peak_memory: kibibytes(pid, "status", "VmHWM:")? * 1024,
                });
            }
            self.worker.check(self.connector, self.start, self.limit)?;
            looks = looks.wrapping_add(1);
            if looks.is_multiple_of(LOOKS_PER_TRACE) {
                self.worker.check_tasks(self.connector)?;
            }
            thread::sleep(LOOK_EVERY);
        }
    }
}

impl Look {
    /// What was done from this look to a later one.
    pub fn until(&self, end: &Self) -> Throughput {
        Throughput {
            count: end.count - self.count,
            seconds: (end.at - self.at).as_secs_f64(),
            cpu_seconds: end.cpu.saturating_sub(self.cpu).as_secs_f64(),
            peak_memory: end.peak_memory,
        }
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "numbers of records are far below 2^52"
)]
impl Throughput {
    /// How many a second.
    pub fn per_second(&self) -> f64 {
        self.count as f64 / self.seconds
    }

    /// How many in a second of the process's processor time.
    pub fn per_cpu_second(&self) -> f64 {
        self.count as f64 / self.cpu_seconds
    }

    /// The most memory that the process had, in bytes.
    pub fn peak_bytes(&self) -> f64 {
        self.peak_memory as f64
    }
}

impl fmt::Display for Throughput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.0}/s, {:.0} per CPU second ({:.2} s of {:.2} s), {} MiB at most",
            self.per_second(),
            self.per_cpu_second(),
            self.cpu_seconds,
            self.seconds,
            self.peak_memory >> 20
        )
    }
}
