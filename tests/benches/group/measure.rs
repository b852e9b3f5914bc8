//! One run: a group is started, filled, and disturbed.

use std::fmt;
use std::fs;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use tether_services::folders::RunFolder;
use tether_tests::bench_worker::Kind;
use tether_tests::eventually::within;
use tether_tests::statuses::Statuses;

use crate::group::Group;
use crate::usage::Usage;

/// Connectors that are created at once by a group that already has many.
pub(crate) const MORE: usize = 100;
const PATIENCE: Duration = Duration::from_secs(600);
/// Workers that have opened no connection for so long have all: producers connect when their tasks run already.
const SETTLING: Duration = Duration::from_secs(10);
/// How long a group is watched that has nothing to do.
const IDLE: Duration = Duration::from_secs(20);

/// How large a group is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) workers: usize,
    pub(crate) connectors: usize,
}

/// What happens to it, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// All connectors are created, as fast as it goes.
    Fill,
    /// All workers are started at once, with all connectors configured.
    Start,
    /// Nothing.
    Idle,
    /// One worker is killed.
    Lost,
    /// It comes back.
    Back,
    /// [`MORE`] connectors are created at once.
    Create,
}

/// What a phase has taken.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Measured {
    /// From its beginning until everything runs, evenly spread.
    pub(crate) seconds: f64,
    /// Processor time of all workers that are up.
    pub(crate) cpu_seconds: f64,
    /// Processor time of the broker.
    pub(crate) broker_cpu_seconds: f64,
    /// Between workers and broker, in both directions.
    pub(crate) bytes: u64,
    /// Rounds of the group.
    pub(crate) rounds: i64,
    /// Mean resident memory of a worker at the end.
    pub(crate) resident_kib: u64,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fill => "fill",
            Self::Start => "start",
            Self::Idle => "idle",
            Self::Lost => "lost",
            Self::Back => "back",
            Self::Create => "create",
        })
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} × {}", self.workers, self.connectors)
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.1} s, {:.1} s of processor time ({:.1} s of the broker's), {} KiB between them, {} rounds, \
             {} KiB resident",
            self.seconds,
            self.cpu_seconds,
            self.broker_cpu_seconds,
            self.bytes / 1024,
            self.rounds,
            self.resident_kib
        )
    }
}

/// Runs all phases, and tells each as it ends.
pub(crate) fn run(
    kind: Kind,
    size: Size,
    heap_mebibytes: u32,
    mut tell: impl FnMut(Phase, Measured) -> Result<()>,
) -> Result<()> {
    let folder = RunFolder::create("bench-group")?;
    let file = folder.path().join("empty");
    fs::write(&file, "")?;
    let mut group = Group::new(kind, size.workers, heap_mebibytes)?;
    group.start()?;
    let statuses = Statuses::read(&group.bootstrap(), &Group::status_topic())?;
    let mut clock = Clock { statuses };

    let outcome = clock.time(&mut group, size.connectors, |group| {
        group.create(0..size.connectors, &file)
    })?;
    tell(Phase::Fill, outcome)?;
    group.stop()?;
    tell(
        Phase::Start,
        clock.time(&mut group, size.connectors, Group::start)?,
    )?;
    tell(Phase::Idle, clock.idle(&group)?)?;
    let outcome = clock.time(&mut group, size.connectors, |group| {
        group.kill_last();
        Ok(())
    })?;
    tell(Phase::Lost, outcome)?;
    tell(
        Phase::Back,
        clock.time(&mut group, size.connectors, Group::start)?,
    )?;
    let all = size.connectors + MORE;
    let outcome = clock.time(&mut group, all, |group| {
        group.create(size.connectors..all, &file)
    })?;
    tell(Phase::Create, outcome)?;
    group.stop()
}

struct Clock {
    statuses: Statuses,
}

impl Clock {
    /// What it takes until so many connectors run after this was done.
    fn time(
        &mut self,
        group: &mut Group,
        connectors: usize,
        work: impl FnOnce(&mut Group) -> Result<()>,
    ) -> Result<Measured> {
        let (began, before) = (now()?, group.usages()?);
        let generation = self.statuses.generation();
        work(group)?;
        let balanced = self
            .statuses
            .wait_balanced(&group.addresses(), connectors, PATIENCE)?;
        let rounds = self.statuses.generation() - generation;
        let seconds = Duration::from_millis(u64::try_from(balanced - began).unwrap_or_default());
        let used = group.usages()?.since(&before);
        Ok(measured(seconds, used, rounds))
    }

    fn idle(&self, group: &Group) -> Result<Measured> {
        let mut last = (group.connections(), Instant::now());
        within(PATIENCE, "all clients are connected", || {
            let connections = group.connections();
            if connections != last.0 {
                last = (connections, Instant::now());
            }
            ensure!(last.1.elapsed() >= SETTLING, "{connections} connections");
            Ok(())
        })?;
        let before = group.usages()?;
        thread::sleep(IDLE);
        let used = group.usages()?.since(&before);
        Ok(measured(IDLE, used, 0))
    }
}

fn measured(time: Duration, used: Usage, rounds: i64) -> Measured {
    Measured {
        seconds: time.as_secs_f64(),
        cpu_seconds: used.workers.as_secs_f64(),
        broker_cpu_seconds: used.broker.as_secs_f64(),
        bytes: used.bytes,
        rounds,
        resident_kib: used.resident_kib,
    }
}

/// Milliseconds since the epoch, as in the timestamps of records.
fn now() -> Result<i64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Ok(i64::try_from(
        since.context("the clock is wrong")?.as_millis(),
    )?)
}
