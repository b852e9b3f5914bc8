//! Workers and brokers that go away in the middle of everything: every line comes once, in order.

use anyhow::{Context, Result, ensure};
use tether_services::Kafka;
use tether_services::process::Signal;
use tether_tests::eventually::eventually;
use tether_tests::turns;
use tether_tests::worker::Worker;
use tether_tests::worker_process::WorkerProcess;

use super::flow::{CONNECTOR, Flow, options, start_kafka};

const INTERVAL: [(&str, &str); 2] = [
    ("transaction.boundary", "interval"),
    ("transaction.boundary.interval.ms", "700"),
];

/// How often each fault is repeated: more often in `make soak`.
fn rounds(usual: u64) -> u64 {
    let soak = std::env::var("TETHER_TEST_ROUNDS").ok();
    soak.and_then(|rounds| rounds.parse().ok()).unwrap_or(usual)
}

fn tether(kafka: &Kafka) -> Result<WorkerProcess> {
    WorkerProcess::distributed(&options(kafka)?)
}

#[test]
fn lines_come_once_when_the_worker_is_killed() -> Result<()> {
    kill_worker(3, &[])
}

#[test]
fn lines_come_once_when_the_worker_is_killed_within_longer_transactions() -> Result<()> {
    kill_worker(2, &INTERVAL)
}

/// Some minutes of it.
#[cfg(feature = "soak")]
#[test]
fn lines_come_once_when_the_worker_is_killed_again_and_again() -> Result<()> {
    kill_worker(rounds(25) * 3, &[])?;
    kill_worker(rounds(25), &INTERVAL)
}

/// The reference does so, too: the test is sound.
#[cfg(feature = "soak")]
#[test]
fn lines_come_once_with_the_java_worker() -> Result<()> {
    let _turn = turns::take();
    let kafka = start_kafka()?;
    let java = tether_services::ConnectWorker::distributed(options(&kafka)?.for_java())?;
    kill(&kafka, java, 3, &[])
}

fn kill_worker(times: u64, more: &[(&str, &str)]) -> Result<()> {
    let _turn = turns::take();
    let kafka = start_kafka()?;
    let worker = tether(&kafka)?;
    kill(&kafka, worker, times, more)
}

#[allow(
    clippy::print_stderr,
    reason = "figures for whoever runs the long version"
)]
fn kill(kafka: &Kafka, mut worker: impl Worker, times: u64, more: &[(&str, &str)]) -> Result<()> {
    let begun = std::time::Instant::now();
    let flow = Flow::start(kafka)?;
    flow.connect(&worker.rest(), more)?;
    for round in 0..times {
        // Early and late after the start.
        flow.wait_progress(round % 4 * 300)?;
        worker.kill();
        flow.check()?;
        worker.restart()?;
    }
    flow.wait_progress(100)?;
    worker.rest().wait_for(CONNECTOR, "RUNNING[RUNNING]")?;
    worker.stop()?;
    worker.restart()?;
    let lines = flow.finish()?;
    let seconds = begun.elapsed().as_secs();
    eprintln!("{lines} lines came once and in order through {times} kills in {seconds} s");
    Ok(())
}

#[test]
fn lines_come_once_when_the_broker_restarts() -> Result<()> {
    let _turn = turns::take();
    let mut kafka = start_kafka()?;
    let worker = tether(&kafka)?;
    let flow = Flow::start(&kafka)?;
    // A transaction is open nearly all the time.
    flow.connect(&worker.rest(), &INTERVAL)?;
    for _ in 0..rounds(1) {
        flow.wait_progress(100)?;
        kafka.restart()?;
        restart_if_failed(&worker)?;
        flow.wait_progress(100)?;
        flow.check()?;
        kafka.kill();
        kafka.restart()?;
        restart_if_failed(&worker)?;
    }
    flow.wait_progress(100)?;
    flow.finish()?;
    Ok(())
}

/// A transaction that the broker lost fails its task, as in the reference; whoever restarts it, loses
/// nothing.
fn restart_if_failed(worker: &WorkerProcess) -> Result<()> {
    let rest = worker.rest();
    eventually("the task runs", || {
        let states = rest.states(CONNECTOR)?;
        if states.contains("FAILED") {
            rest.restart(CONNECTOR)?;
        }
        ensure!(states == "RUNNING[RUNNING]", "{states}");
        Ok(())
    })
}

/// A worker that does not run for a while, and goes on when another one has taken its place.
#[test]
fn a_zombie_is_fenced() -> Result<()> {
    let _turn = turns::take();
    let kafka = start_kafka()?;
    let mut zombie = tether(&kafka)?;
    let flow = Flow::start(&kafka)?;
    flow.connect(&zombie.rest(), &INTERVAL)?;
    flow.wait_progress(300)?;
    zombie.signal(Signal::STOP)?;

    let heir = WorkerProcess::distributed(&options(&kafka)?)?;
    flow.wait_progress(300)?;
    zombie.signal(Signal::CONT)?;
    let task = format!("{CONNECTOR}-0");
    // Whichever it learns first. Its group takes it for a new member, and its task away.
    let learns = |line: &str| {
        (line.contains(&task) && line.contains("fenced"))
            || line.contains("The coordinator does not know this member any more")
    };
    eventually("the zombie learns that it is one", || {
        let log = zombie.log();
        log.lines()
            .find(|line| learns(line))
            .map(drop)
            .with_context(|| format!("nothing of the kind is in its log:\n{log}"))
    })?;
    zombie.kill();
    flow.wait_progress(300)?;
    drop(heir);
    let heir = WorkerProcess::distributed(&options(&kafka)?)?;
    flow.finish()?;
    drop(heir);
    Ok(())
}
