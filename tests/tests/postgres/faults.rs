//! Workers, databases and brokers that go away while rows change.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tether_services::{Kafka, KafkaOptions, shared};
use tether_tests::eventually::eventually;
use tether_tests::turns;
use tether_tests::worker::Worker;

use super::scene::{Scene, value};

/// Numbers that are inserted one after the other, some in one transaction.
fn insert(scene: &Scene, numbers: std::ops::Range<u32>) -> Result<()> {
    for start in numbers.clone().step_by(10) {
        let end = (start + 10).min(numbers.end) - 1;
        scene.sql(&format!(
            "INSERT INTO t SELECT generate_series({start}, {end})"
        ))?;
    }
    Ok(())
}

/// All numbers up to this one arrived, each for the first time in order.
fn check_all(scene: &Scene, end: u32) -> Result<()> {
    let mut next = 0;
    for record in scene.records("public.t")? {
        let number = value(&record)?["after"]["id"]
            .as_u64()
            .context("no number")?;
        ensure!(number <= next, "{next} is missing before {number}");
        next = next.max(number + 1);
    }
    ensure!(next == u64::from(end), "{next} of {end} numbers arrived");
    Ok(())
}

fn wait_all(scene: &Scene, end: u32) -> Result<()> {
    eventually(&format!("{end} numbers arrive"), || check_all(scene, end))
}

fn scene(bootstrap: &str) -> Result<Scene> {
    let scene = Scene::start(bootstrap)?;
    scene.sql("CREATE TABLE t (id int PRIMARY KEY)")?;
    scene.capture(&json!({}))?;
    insert(&scene, 0..100)?;
    wait_all(&scene, 100)?;
    Ok(scene)
}

#[test]
fn nothing_is_lost_when_the_worker_is_killed() -> Result<()> {
    let _turn = turns::take();
    let mut scene = scene(&shared::bootstrap()?)?;
    insert(&scene, 100..300)?;
    scene.worker.kill();
    insert(&scene, 300..400)?;
    scene.worker.restart()?;
    wait_all(&scene, 400)?;
    insert(&scene, 400..500)?;
    wait_all(&scene, 500)
}

#[test]
fn an_orderly_stop_repeats_nothing() -> Result<()> {
    let _turn = turns::take();
    let mut scene = scene(&shared::bootstrap()?)?;
    insert(&scene, 100..300)?;
    scene.worker.stop()?;
    insert(&scene, 300..400)?;
    scene.worker.restart()?;
    wait_all(&scene, 400)?;
    let records = scene.records("public.t")?;
    assert_eq!(records.len(), 400);
    Ok(())
}

#[test]
fn the_stream_goes_on_after_the_database_restarted() -> Result<()> {
    let _turn = turns::take();
    let mut scene = scene(&shared::bootstrap()?)?;
    scene.sql("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots")?;
    insert(&scene, 100..200)?;
    wait_all(&scene, 200)?;
    scene.postgres.restart()?;
    insert(&scene, 200..300)?;
    wait_all(&scene, 300)?;
    scene.postgres.kill();
    scene.postgres.restart()?;
    insert(&scene, 300..400)?;
    wait_all(&scene, 400)?;
    // The task goes on where it was.
    assert_eq!(scene.records("public.t")?.len(), 400);
    assert_eq!(scene.worker.rest().states(&scene.name)?, "RUNNING[RUNNING]");
    Ok(())
}

#[test]
fn the_slot_follows_what_kafka_has() -> Result<()> {
    let _turn = turns::take();
    let mut kafka = Kafka::start(KafkaOptions::default())?;
    let scene = scene(&kafka.bootstrap())?;
    let position = "SELECT pg_current_wal_lsn()";
    let behind = |goal: &str| {
        let query = format!(
            "SELECT count(*) FROM pg_replication_slots WHERE confirmed_flush_lsn >= '{goal}'"
        );
        scene.value(&query)
    };
    let before = scene.value(position)?;
    insert(&scene, 100..200)?;
    eventually("the slot moves on", || {
        ensure!(behind(&before)? == "1", "it is behind {before}");
        Ok(())
    })?;
    kafka.stop()?;
    let before = scene.value(position)?;
    insert(&scene, 200..300)?;
    let after = scene.value(position)?;
    ensure!(
        behind(&after)? == "0",
        "the slot is beyond {before}, which Kafka does not have"
    );
    kafka.restart()?;
    wait_all(&scene, 300)
}
