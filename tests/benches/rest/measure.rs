//! One run: a worker with so many connectors.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, ensure};
use serde::Serialize;
use tether_services::Kafka;
use tether_services::folders::RunFolder;
use tether_services::java::Jvm;
use tether_tests::bench_worker::{Kind, distributed};
use tether_tests::eventually::within;
use tether_tests::process_usage::{kibibytes, open_files, processor_time};
use tether_tests::statuses::Statuses;
use tether_tests::topics::Topics;
use tether_tests::worker::Worker;
use tether_tests::worker_process::WorkerOptions;
use tether_tests::{idle_connectors, names};

use crate::keep_alive::KeepAlive;
use crate::requests::{Load, Request};

/// How long connectors may take that were created.
const PATIENCE: Duration = Duration::from_secs(600);
/// A worker that has opened and closed nothing for so long is done with its start.
const SETTLING: Duration = Duration::from_secs(10);
/// How long a worker is watched that has nothing to do.
const IDLE: Duration = Duration::from_secs(20);
/// How long metrics are asked for.
const SCRAPING: Duration = Duration::from_secs(5);

/// What is measured.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(untagged)]
pub(crate) enum Measured {
    /// What connectors cost.
    Connectors(Connectors),
    /// What requests get.
    Answered(Answered),
    /// What metrics cost.
    Scraped(Scraped),
}

/// What connectors of one task have taken.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Connectors {
    /// From the first request to create one until all connectors and tasks run.
    pub(crate) seconds: f64,
    /// Processor time of the worker in that time and until it is done with everything else.
    pub(crate) cpu_seconds: f64,
    /// Processor time a second of the worker when they have nothing to do.
    pub(crate) idle_cpu: f64,
    /// Resident memory then.
    pub(crate) resident_kib: u64,
}

/// What requests of one kind got.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Answered {
    /// How many were answered.
    pub(crate) requests: u64,
    /// Seconds that they took.
    pub(crate) seconds: f64,
    /// Processor time of the worker in that time.
    pub(crate) cpu_seconds: f64,
    /// Milliseconds that half of the answers took at most.
    pub(crate) p50_latency: f64,
    /// Milliseconds that 99 of 100 answers took at most.
    pub(crate) p99_latency: f64,
    /// Resident memory at the end.
    pub(crate) resident_kib: u64,
}

/// What `GET /metrics` takes.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Scraped {
    /// How often it was answered.
    pub(crate) scrapes: u32,
    /// Milliseconds that an answer took on average.
    pub(crate) milliseconds: f64,
    /// Milliseconds of processor time of the worker for each, besides what it takes when idle.
    pub(crate) cpu_milliseconds: f64,
    /// Length of an answer.
    pub(crate) bytes: u64,
    /// Resident memory at the end.
    pub(crate) resident_kib: u64,
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connectors(connectors) => write!(
                f,
                "all run after {:.1} s and {:.1} s of processor time, then {:.4} s a second, {} KiB resident",
                connectors.seconds,
                connectors.cpu_seconds,
                connectors.idle_cpu,
                connectors.resident_kib
            ),
            Self::Answered(answered) => write!(
                f,
                "{} requests in {:.1} s ({:.1} s of processor time), half within {:.2} ms, 99 % within {:.2} ms, \
                 {} KiB resident",
                answered.requests,
                answered.seconds,
                answered.cpu_seconds,
                answered.p50_latency,
                answered.p99_latency,
                answered.resident_kib
            ),
            Self::Scraped(scraped) => write!(
                f,
                "{} scrapes of {} bytes, {:.2} ms and {:.2} ms of processor time each, {} KiB resident",
                scraped.scrapes,
                scraped.bytes,
                scraped.milliseconds,
                scraped.cpu_milliseconds,
                scraped.resident_kib
            ),
        }
    }
}

/// The case of so many connectors.
pub(crate) fn name(connectors: usize) -> String {
    format!("connectors-{connectors}")
}

/// What all runs share.
pub(crate) struct Bench {
    pub(crate) kafka: Kafka,
    /// With how many connectors requests are measured.
    pub(crate) requests_at: usize,
    pub(crate) load: Load,
}

impl Bench {
    /// Runs a worker with so many connectors, and tells each case as it ends.
    pub(crate) fn run(
        &self,
        kind: Kind,
        connectors: usize,
        mut tell: impl FnMut(&str, Measured) -> Result<()>,
    ) -> Result<()> {
        let group = names::unique("bench-rest");
        let topic = format!("{group}-lines");
        let topics = Topics::new(self.kafka.bootstrap());
        topics.create(&topic, 1)?;
        let folder = RunFolder::create("bench-rest")?;
        let file = folder.path().join("empty");
        fs::write(&file, "")?;
        let options = WorkerOptions::new(&group, &self.kafka.bootstrap())?
            .property("offset.flush.interval.ms", "60000");
        let mut worker = distributed(kind, &options, &Jvm::as_distributed())?;
        let mut statuses = Statuses::read(&self.kafka.bootstrap(), &format!("{group}-status"))?;

        let (began, cpu) = (now()?, processor_time(worker.pid())?);
        idle_connectors::create(&[worker.rest()], 0..connectors, &file, &topic)?;
        let all = BTreeSet::from([worker.address()]);
        let running = statuses.wait_balanced(&all, connectors, PATIENCE)?;
        settle(worker.pid())?;
        let cpu = processor_time(worker.pid())? - cpu;
        let idle = idle(worker.pid())?;
        let measured = Connectors {
            seconds: Duration::from_millis(u64::try_from(running - began)?).as_secs_f64(),
            cpu_seconds: cpu.as_secs_f64(),
            idle_cpu: idle,
            resident_kib: kibibytes(worker.pid(), "status", "VmRSS:")?,
        };
        tell(&name(connectors), Measured::Connectors(measured))?;
        if connectors == self.requests_at {
            let config = idle_connectors::config(&file, &topic);
            for request in Request::ALL {
                let measured = self.load.measure(worker.as_ref(), request, &config)?;
                tell(request.name(), Measured::Answered(measured))?;
            }
        }
        // The Java worker has no metrics without an agent.
        if kind == Kind::Tether {
            let measured = scrape(worker.as_ref(), idle)?;
            let case = format!("metrics-{connectors}");
            tell(&case, Measured::Scraped(measured))?;
        }
        worker.stop()
    }
}

/// Waits until a worker opens and closes nothing more: producers connect when their tasks run already.
fn settle(pid: u32) -> Result<()> {
    let mut last = (open_files(pid)?, Instant::now());
    within(PATIENCE, "the worker is done with its start", || {
        let files = open_files(pid)?;
        if files != last.0 {
            last = (files, Instant::now());
        }
        ensure!(last.1.elapsed() >= SETTLING, "{files} open files");
        Ok(())
    })
}

/// Seconds of processor time in a second in which nothing happens.
fn idle(pid: u32) -> Result<f64> {
    let (start, cpu) = (Instant::now(), processor_time(pid)?);
    thread::sleep(IDLE);
    let cpu = processor_time(pid)? - cpu;
    Ok(cpu.as_secs_f64() / start.elapsed().as_secs_f64())
}

/// Asks for metrics again and again; `idle` is what the worker takes without.
fn scrape(worker: &dyn Worker, idle: f64) -> Result<Scraped> {
    let mut client = KeepAlive::connect(&worker.address(), "GET", "/metrics", "")?;
    // The first may take memory that later ones have.
    client.ask()?;
    let (start, cpu) = (Instant::now(), processor_time(worker.pid())?);
    let (mut scrapes, mut bytes) = (0_u32, 0);
    while start.elapsed() < SCRAPING {
        bytes = client.ask()?;
        scrapes += 1;
    }
    let seconds = start.elapsed().as_secs_f64();
    let cpu = (processor_time(worker.pid())? - cpu).as_secs_f64();
    Ok(Scraped {
        scrapes,
        milliseconds: 1000.0 * seconds / f64::from(scrapes),
        cpu_milliseconds: 1000.0 * (cpu - idle * seconds) / f64::from(scrapes),
        bytes,
        resident_kib: kibibytes(worker.pid(), "status", "VmRSS:")?,
    })
}

/// Milliseconds since the epoch, as in the timestamps of records.
fn now() -> Result<i64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(i64::try_from(since.as_millis())?)
}
