//! A worker is killed in the middle of a snapshot, and another one goes on with it.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tether_services::shared;
use tether_tests::eventually::{eventually, within};
use tether_tests::turns;
use tether_tests::worker::Worker;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

use super::scene::{Capture, PATIENCE, Scene};
use crate::postgres::workers;

const ROWS: usize = 9000;
/// How many rows come before a worker is killed.
const SOME: usize = 400;

#[test]
fn ours_goes_on_after_a_kill() -> Result<()> {
    take_over(WorkerProcess::distributed, WorkerProcess::distributed)
}

#[test]
fn ours_and_the_reference_take_over_from_each_other() -> Result<()> {
    let _turn = turns::take();
    take_over(workers::start_java, WorkerProcess::distributed)
}

/// One worker begins a snapshot and is killed in its middle, another goes on and is killed too, and the
/// first one comes to the end.
fn take_over<A: Worker, B: Worker>(
    first: fn(&WorkerOptions) -> Result<A>,
    second: fn(&WorkerOptions) -> Result<B>,
) -> Result<()> {
    let bootstrap = shared::bootstrap()?;
    let scene = Scene::start(
        &bootstrap,
        &format!(
            "CREATE TABLE items (a int, b text, c numeric(8, 1), PRIMARY KEY (a, b, c));
             INSERT INTO items SELECT n / 1000, to_char(n, 'FM00000'), n / 2.0 \
             FROM generate_series(1, {ROWS}) AS n"
        ),
    )?;
    let mut capture = scene.capture()?;
    let options = scene.options(&capture.name)?;
    let mut first = first(&options)?;
    let more = json!({"incremental.snapshot.chunk.size": "20", "max.batch.size": "50", "max.queue.size": "100"});
    scene.create(&capture, &first, "public.items", &more)?;
    scene.execute(&capture, "all", &["public.items"])?;
    kill_amidst(&scene, &mut capture, &mut first, SOME)?;
    let read = capture.reads("public.items")?.len();

    let mut second = second(&options)?;
    kill_amidst(&scene, &mut capture, &mut second, read + SOME)?;
    let read = capture.reads("public.items")?.len();
    ensure!(read < ROWS, "the snapshot was over too soon");

    first.restart()?;
    let counts = within(PATIENCE, "all rows", || {
        let counts = counts(&capture.reads("public.items")?)?;
        ensure!(
            counts.len() == ROWS,
            "{} rows\n{}",
            counts.len(),
            first.log()
        );
        Ok(counts)
    })?;
    // Where a worker goes on is stored with the rows that it sent: none begins again.
    let again = counts.get("00001").context("no first row")?;
    ensure!(*again == 1, "the first row came {again} times");
    eventually("nothing is under way any more", || {
        let offset = first.rest().offset(&capture.name)?;
        let state = offset.get("incremental_snapshot_collections");
        ensure!(state.is_none(), "{offset}");
        Ok(())
    })?;
    first.stop()
}

/// Kills a worker when so many rows have come, and an offset is stored with the key of one. Meanwhile the
/// table is locked, so that the snapshot does not come to its end.
fn kill_amidst(
    scene: &Scene,
    capture: &mut Capture,
    worker: &mut impl Worker,
    rows: usize,
) -> Result<()> {
    capture.wait_reads("public.items", rows, worker)?;
    scene.while_locked("items", || {
        eventually("the key of a row is stored", || {
            let offset = worker.rest().offset(&capture.name)?;
            let key = offset["incremental_snapshot_primary_key"].as_str();
            ensure!(key.is_some_and(|key| key.len() > 10), "{offset}");
            Ok(())
        })?;
        worker.kill();
        Ok(())
    })
}

/// How often each row has come.
fn counts(reads: &[(Value, Value)]) -> Result<BTreeMap<String, usize>> {
    let mut counts = BTreeMap::new();
    for (key, _) in reads {
        let id = key["b"].as_str().context("no key")?;
        *counts.entry(id.to_owned()).or_insert(0) += 1;
    }
    Ok(counts)
}
