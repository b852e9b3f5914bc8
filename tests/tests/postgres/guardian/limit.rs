//! Warnings of what the server keeps for the slot, and the limit of it.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tether_services::shared;
use tether_tests::eventually::eventually;
use tether_tests::turns;
use tether_tests::worker::Worker;

use super::write_elsewhere;
use crate::postgres::scene::Scene;

const SLOTS: &str = "SELECT count(*) FROM pg_replication_slots";

/// A connector whose position does not move by itself, with more settings.
fn scene(more: &[(&str, &str)]) -> Result<Scene> {
    let scene = Scene::start(&shared::bootstrap()?)?;
    scene.sql("CREATE TABLE t (id int PRIMARY KEY)")?;
    scene.sql("CREATE DATABASE busy")?;
    let mut config = json!({
        "slot.guardian.interval.ms": "50",
        "slot.guardian.idle.bytes": "0",
    });
    if let Some(config) = config.as_object_mut() {
        config.extend(
            more.iter()
                .map(|(key, value)| ((*key).to_owned(), Value::from(*value))),
        );
    }
    scene.capture(&config)?;
    Ok(scene)
}

/// Writes log until the worker has logged this.
fn wait_logged(scene: &Scene, text: &str) -> Result<()> {
    eventually(text, || {
        write_elsewhere(&scene.postgres)?;
        let log = scene.worker.log();
        ensure!(log.contains(text), "{log}");
        Ok(())
    })
}

#[test]
fn what_is_kept_is_warned_of() -> Result<()> {
    let _turn = turns::take();
    let scene = scene(&[("slot.guardian.warn.bytes", "20000000")])?;
    let slot = "of its log for replication slot 'debezium', of which";
    wait_logged(&scene, slot)?;
    scene.sql("ALTER SYSTEM SET max_slot_wal_keep_size = '160MB'")?;
    scene.sql("SELECT pg_reload_conf()")?;
    wait_logged(&scene, "(max_slot_wal_keep_size is 160 MB)")?;
    assert_eq!(scene.worker.rest().states(&scene.name)?, "RUNNING[RUNNING]");
    Ok(())
}

#[test]
fn a_limit_fails_the_task_and_keeps_the_slot() -> Result<()> {
    let _turn = turns::take();
    let scene = scene(&[("slot.guardian.limit.bytes", "20000000")])?;
    wait_logged(&scene, "more than slot.guardian.limit.bytes allows")?;
    let trace = scene.worker.rest().wait_for_failure(&scene.name)?;
    ensure!(trace.contains("slot.guardian.limit.bytes"), "{trace}");
    ensure!(trace.contains("so nothing is lost"), "{trace}");
    assert_eq!(scene.value(SLOTS)?, "1");
    Ok(())
}

#[test]
fn a_limit_may_drop_the_slot() -> Result<()> {
    let _turn = turns::take();
    let scene = scene(&[
        ("slot.guardian.limit.bytes", "20000000"),
        ("slot.guardian.limit.action", "drop"),
    ])?;
    wait_logged(&scene, "more than slot.guardian.limit.bytes allows")?;
    let trace = scene.worker.rest().wait_for_failure(&scene.name)?;
    ensure!(trace.contains("The slot was dropped"), "{trace}");
    assert_eq!(scene.value(SLOTS)?, "0");
    Ok(())
}
