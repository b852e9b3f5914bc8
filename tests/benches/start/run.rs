//! One start of one worker.

use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde::Serialize;
use tether_services::http;
use tether_services::process::{Process, Signal};
use tether_tests::process_usage::{kibibytes, processor_time};

use crate::workers::Worker;

/// How often a worker is asked while it starts: the error of the times.
const ASK_EVERY: Duration = Duration::from_millis(1);
const START_PATIENCE: Duration = Duration::from_secs(120);
const STOP_PATIENCE: Duration = Duration::from_secs(60);
/// How long a worker does nothing before its memory is read.
const IDLE: Duration = Duration::from_secs(10);

/// What is measured of a start.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Measured {
    /// From the start of the process to the first answer to `GET /connectors`, in milliseconds.
    pub(crate) answered_ms: f64,
    /// From the start of the process to `GET /health` answering that it is ready, in milliseconds.
    pub(crate) ready_ms: f64,
    /// Processor time that the start has used until then, in milliseconds; the kernel counts in steps of
    /// ten.
    pub(crate) processor_ms: u64,
    /// Resident memory when idle, in KiB.
    pub(crate) rss_kib: u64,
    /// The same, with what it shares with other processes counted in part, in KiB.
    pub(crate) pss_kib: u64,
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "answered after {:.0} ms, ready after {:.0} ms and {} ms of processor time, {} KiB resident ({} KiB proportional)",
            self.answered_ms, self.ready_ms, self.processor_ms, self.rss_kib, self.pss_kib
        )
    }
}

/// Starts a worker, measures it and stops it in order.
pub(crate) fn measure(worker: &Worker) -> Result<Measured> {
    let command = worker.command()?;
    let log = worker.folder.path().join("worker.log");
    let start = Instant::now();
    let mut process = Process::spawn(worker.kind.name(), command, &log)?;
    let answered_ms = until_ok(&mut process, &worker.address, "/connectors", start)?;
    let ready_ms = until_ok(&mut process, &worker.address, "/health", start)?;
    let processor_ms = u64::try_from(processor_time(process.id())?.as_millis())?;
    thread::sleep(IDLE);
    let measured = Measured {
        answered_ms,
        ready_ms,
        processor_ms,
        rss_kib: kibibytes(process.id(), "smaps_rollup", "Rss:")?,
        pss_kib: kibibytes(process.id(), "smaps_rollup", "Pss:")?,
    };
    process.stop(Signal::TERM, STOP_PATIENCE)?;
    Ok(measured)
}

/// Milliseconds from `start` until this path is answered with 200.
fn until_ok(process: &mut Process, address: &str, path: &str, start: Instant) -> Result<f64> {
    let url = format!("http://{address}{path}");
    loop {
        if http::get(&url).is_ok_and(|answer| answer.status == 200) {
            return Ok(start.elapsed().as_secs_f64() * 1000.0);
        }
        if !process.is_running() || start.elapsed() > START_PATIENCE {
            anyhow::bail!(
                "{path} was not answered; the log ends with:\n{}",
                process.log_tail()
            );
        }
        thread::sleep(ASK_EVERY);
    }
}
