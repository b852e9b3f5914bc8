//! Changes while the rows are read.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tether_services::shared;
use tether_tests::eventually::eventually;
use tether_tests::worker::Worker;
use tether_tests::worker_process::WorkerProcess;

use super::scene::{Capture, Scene};

const ROWS: u64 = 3000;

/// Rows are updated, deleted and inserted in all places of the table while it is read in small chunks.
/// The last event of each row is that of its last state.
#[test]
fn the_last_event_of_a_row_is_its_last_state() -> Result<()> {
    changes_beside(&json!({}), None)
}

#[test]
fn windows_that_deletions_close_do_the_same() -> Result<()> {
    let more = json!({"incremental.snapshot.watermarking.strategy": "insert_delete"});
    // The signal is left.
    changes_beside(&more, Some(1))
}

/// The signal comes from a file, and nothing is written to the database.
#[test]
fn without_marks_the_last_event_is_the_last_state() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("signals");
    fs::write(&file, "")?;
    let more = json!({
        "read.only": "true",
        "signal.enabled.channels": "file",
        "signal.file": file,
        "signal.poll.interval.ms": "100",
    });
    changes_beside(&more, Some(0))
}

/// `signals`: how many rows the signal table is left with.
fn changes_beside(more: &Value, signals: Option<u64>) -> Result<()> {
    let bootstrap = shared::bootstrap()?;
    let scene = Scene::start(
        &bootstrap,
        &format!(
            "CREATE TABLE items (id int PRIMARY KEY, version int NOT NULL);
             INSERT INTO items SELECT n, 0 FROM generate_series(1, {ROWS}) AS n"
        ),
    )?;
    let mut capture = scene.capture()?;
    let worker = WorkerProcess::distributed(&scene.options(&capture.name)?)?;
    let mut settings = more.clone();
    settings["incremental.snapshot.chunk.size"] = "40".into();
    scene.create(&capture, &worker, "public.items", &settings)?;
    match more["signal.file"].as_str() {
        None => scene.execute(&capture, "all", &["public.items"])?,
        Some(file) => {
            let data = json!({"data-collections": ["public.items"]});
            let signal = json!({"id": "all", "type": "execute-snapshot", "data": data});
            fs::write(file, format!("{signal}\n"))?;
        }
    }
    for version in 1..=40 {
        let (first, last) = (version * 5 % 11, version * 7 % 13);
        scene.postgres.sql(&format!(
            "UPDATE items SET version = {version} WHERE id % 11 = {first};
             DELETE FROM items WHERE id % 97 = {version};
             INSERT INTO items SELECT {ROWS} + {version} * 10 + n, {version} FROM generate_series(1, 3) AS n;
             UPDATE items SET id = id + 100000, version = {version} WHERE id % 499 = {last}"
        ))?;
    }
    scene.postgres.sql("INSERT INTO items VALUES (-1, 1)")?;
    let expected = rows(&scene)?;
    eventually("the end of the snapshot and the last states", || {
        let log = worker.log();
        ensure!(
            log.contains("The incremental snapshot is complete"),
            "{log}"
        );
        let states = states(&mut capture)?;
        ensure!(states == expected, "{:?}", differences(&states, &expected));
        Ok(())
    })?;
    for (key, value) in capture.reads("public.items")? {
        let source = &value["source"];
        ensure!(source["snapshot"] == "incremental", "{key}: {value}");
        ensure!(
            source["lsn"].is_null() && source["txId"].is_null(),
            "{value}"
        );
    }
    let left: u64 = scene
        .postgres
        .sql(&format!("SELECT count(*) FROM {}_signal", capture.name))?
        .trim()
        .parse()?;
    ensure!(
        signals.is_none_or(|signals| left == signals),
        "{left} signals are left"
    );
    Ok(())
}

/// The last version of each row by its key, as the events tell.
pub(super) fn states(capture: &mut Capture) -> Result<BTreeMap<i64, i64>> {
    let mut states = BTreeMap::new();
    for (key, value) in capture.records("public.items")? {
        let id = key["id"].as_i64().context("no key")?;
        match &value["after"] {
            Value::Null => drop(states.remove(&id)),
            after => drop(states.insert(id, after["version"].as_i64().context("no version")?)),
        }
    }
    Ok(states)
}

/// The same in the database.
pub(super) fn rows(scene: &Scene) -> Result<BTreeMap<i64, i64>> {
    let rows = scene
        .postgres
        .sql("SELECT id || ' ' || version FROM items")?;
    rows.lines()
        .map(|line| {
            let (id, version) = line.trim().split_once(' ').context("no version")?;
            Ok((id.parse()?, version.parse()?))
        })
        .collect()
}

fn differences(found: &BTreeMap<i64, i64>, expected: &BTreeMap<i64, i64>) -> Vec<String> {
    let ids = found.keys().chain(expected.keys());
    let mut different: Vec<String> = ids
        .filter(|id| found.get(id) != expected.get(id))
        .map(|id| format!("{id}: {:?}, not {:?}", found.get(id), expected.get(id)))
        .collect();
    different.dedup();
    different.truncate(20);
    different
}
