//! Workers, brokers and databases that go away in the middle of everything.

use anyhow::Result;
#[cfg(feature = "soak")]
use tether_services::ConnectWorker;
use tether_services::{Kafka, KafkaOptions, Postgres};
use tether_tests::turns;
use tether_tests::worker::Worker;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

use super::flow::Flow;

/// How often each fault is repeated: more often in `make soak`.
fn rounds(usual: u64) -> u64 {
    let soak = std::env::var("TETHER_TEST_ROUNDS").ok();
    soak.and_then(|rounds| rounds.parse().ok()).unwrap_or(usual)
}

/// A broker that lets members of groups be declared dead after a second.
fn start_kafka() -> Result<Kafka> {
    let shortest = ("group.min.session.timeout.ms", "1000");
    Kafka::start(KafkaOptions {
        properties: vec![(shortest.0.to_owned(), shortest.1.to_owned())],
        ..KafkaOptions::default()
    })
}

/// A worker whose sinks take over soon from those of one that was killed.
fn options(kafka: &Kafka) -> Result<WorkerOptions> {
    Ok(WorkerOptions::new("faults", &kafka.bootstrap())?
        .property("consumer.session.timeout.ms", "3000")
        .property("consumer.heartbeat.interval.ms", "500"))
}

fn tether(kafka: &Kafka) -> Result<WorkerProcess> {
    WorkerProcess::distributed(&options(kafka)?)
}

#[test]
fn nothing_is_lost_when_the_worker_is_killed() -> Result<()> {
    let _turn = turns::take();
    let kafka = start_kafka()?;
    let postgres = Postgres::start()?;
    kill_worker(&kafka, Some(&postgres), tether(&kafka)?)
}

#[test]
fn nothing_is_lost_when_the_broker_restarts() -> Result<()> {
    let _turn = turns::take();
    let mut kafka = start_kafka()?;
    let postgres = Postgres::start()?;
    let worker = tether(&kafka)?;
    let pid = worker.pid();
    restart_broker(&mut kafka, Some(&postgres), &worker)?;
    assert_eq!(worker.pid(), pid);
    Ok(())
}

#[test]
fn nothing_is_lost_when_postgres_restarts() -> Result<()> {
    let _turn = turns::take();
    let kafka = start_kafka()?;
    let mut postgres = Postgres::start()?;
    let worker = tether(&kafka)?;
    let flow = Flow::start(&kafka, Some(&postgres))?;
    flow.connect(&worker.rest())?;
    for _ in 0..rounds(1) {
        flow.wait_progress(100)?;
        postgres.restart()?;
        flow.wait_progress(100)?;
        postgres.kill();
        postgres.restart()?;
    }
    flow.wait_progress(100)?;
    flow.wait_running(&worker.rest())?;
    flow.finish()
}

/// The test itself is sound: it passes with the reference.
#[cfg(feature = "soak")]
#[test]
fn nothing_is_lost_by_the_java_worker() -> Result<()> {
    let _turn = turns::take();
    let mut kafka = start_kafka()?;
    let java = |kafka: &Kafka| ConnectWorker::distributed(options(kafka)?.for_java());
    kill_worker(&kafka, None, java(&kafka)?)?;
    drop(kafka);
    kafka = start_kafka()?;
    let worker = java(&kafka)?;
    restart_broker(&mut kafka, None, &worker)
}

fn kill_worker(kafka: &Kafka, postgres: Option<&Postgres>, mut worker: impl Worker) -> Result<()> {
    let flow = Flow::start(kafka, postgres)?;
    flow.connect(&worker.rest())?;
    for round in 0..rounds(3) {
        // Early and late after the start.
        flow.wait_progress(round % 4 * 300)?;
        worker.kill();
        worker.restart()?;
    }
    flow.wait_progress(100)?;
    flow.wait_running(&worker.rest())?;
    worker.stop()?;
    worker.restart()?;
    flow.finish()
}

fn restart_broker(
    kafka: &mut Kafka,
    postgres: Option<&Postgres>,
    worker: &impl Worker,
) -> Result<()> {
    let flow = Flow::start(kafka, postgres)?;
    flow.connect(&worker.rest())?;
    for _ in 0..rounds(1) {
        flow.wait_progress(100)?;
        kafka.restart()?;
        flow.wait_progress(100)?;
        kafka.kill();
        kafka.restart()?;
    }
    flow.wait_progress(100)?;
    flow.wait_running(&worker.rest())?;
    flow.finish()
}
