//! A snapshot that is interrupted goes on with the rows that are left (`tether.snapshot.resume`).

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tether_services::{ConnectWorker, shared};
use tether_tests::database::Session;
use tether_tests::eventually::eventually;
use tether_tests::topics::Record;
use tether_tests::turns;
use tether_tests::worker::Worker;
use tether_tests::worker_process::WorkerOptions;

use super::scene::{Scene, value};
use super::workers;

const HEAP_MEBIBYTES: u32 = 512;
const ROWS: u64 = 12_000;

fn often(options: WorkerOptions) -> WorkerOptions {
    options
        .property("offset.flush.interval.ms", "100")
        .property("session.timeout.ms", "6000")
        .property("heartbeat.interval.ms", "1500")
}

/// A table with a key, and one without, both larger than what is read in one step.
fn tables(scene: &Scene) -> Result<()> {
    scene.sql(&format!(
        "CREATE TABLE a (id int PRIMARY KEY, filler text); \
         INSERT INTO a SELECT i, repeat('x', 1500) FROM generate_series(1, {ROWS}) AS i; \
         CREATE TABLE k (id int, filler text); ALTER TABLE k REPLICA IDENTITY FULL; \
         INSERT INTO k SELECT i, repeat('x', 1500) FROM generate_series(1, {ROWS}) AS i"
    ))?;
    scene.sql("ANALYZE a; ANALYZE k")
}

fn config(scene: &Scene, threads: &str) -> Value {
    scene.config(&json!({
        "snapshot.mode": "initial",
        "snapshot.max.threads": threads,
        "tether.snapshot.resume": "true",
        // Slow enough to be interrupted.
        "producer.override.batch.size": "1",
    }))
}

/// Waits until the stored offset says this about what has been sent of tables.
fn stored(scene: &Scene, what: &str, is_so: impl Fn(&Value) -> bool) -> Result<()> {
    eventually(what, || {
        let path = format!("/connectors/{}/offsets", scene.name);
        let offsets = scene.worker.rest().get(&path)?;
        let offset = &offsets["offsets"][0]["offset"];
        let sent = offset["tether_snapshot_sent_rows"]
            .as_str()
            .with_context(|| format!("nothing is stored: {offsets}"))?;
        let sent = serde_json::from_str(sent)?;
        ensure!(is_so(&sent), "{sent}");
        Ok(())
    })
}

/// Rows by their numbers, as the events make them.
fn state(records: &[Record]) -> Result<BTreeMap<u64, Value>> {
    let mut rows = BTreeMap::new();
    for record in records.iter().filter(|record| record.value.is_some()) {
        let value = value(record)?;
        if let Some(id) = value["before"]["id"].as_u64() {
            rows.remove(&id);
        }
        if let Some(id) = value["after"]["id"].as_u64() {
            rows.insert(id, value["after"]["filler"].clone());
        }
    }
    Ok(rows)
}

/// How often a row came from a snapshot.
fn times_read(records: &[Record], id: u64) -> Result<usize> {
    let mut times = 0;
    for record in records.iter().filter(|record| record.value.is_some()) {
        let value = value(record)?;
        times += usize::from(value["op"] == "r" && value["after"]["id"] == id);
    }
    Ok(times)
}

#[test]
fn a_snapshot_goes_on_where_it_was_interrupted() -> Result<()> {
    let _turn = turns::take();
    let mut scene = Scene::start_with(&shared::bootstrap()?, often)?;
    tables(&scene)?;
    let (a, k) = (
        scene.value("SELECT 'a'::regclass::oid::int")?,
        scene.value("SELECT 'k'::regclass::oid::int")?,
    );
    let rest = scene.worker.rest();
    rest.create(&scene.name, &config(&scene, "2"))?;
    stored(&scene, "the first rows of a are stored", |sent| {
        !sent["open"][&a]["ranges"][0][0].is_null()
    })?;
    scene.worker.kill();
    // Of rows that have been sent, and of some that have not.
    scene.sql(&format!(
        "UPDATE a SET filler = 'changed' WHERE id IN (1, 10000, {ROWS}); \
         DELETE FROM a WHERE id IN (2, 9999, {ROWS} - 1); \
         UPDATE a SET id = 200000 WHERE id = 3; UPDATE a SET id = -1 WHERE id = {ROWS} - 2; \
         INSERT INTO a VALUES (100001, 'new')"
    ))?;
    scene.worker.restart()?;
    stored(&scene, "the first rows of k are stored", |sent| {
        !sent["open"][&k]["ranges"][0][0].is_null()
    })?;
    scene.worker.kill();
    // The first worker may have sent it too, before that was stored.
    let read = times_read(&scene.records("public.k")?, 4)?;
    scene.sql(&format!(
        "UPDATE k SET filler = 'changed' WHERE id IN (1, 10000, {ROWS}); \
         DELETE FROM k WHERE id IN (2, 9999, {ROWS} - 1); INSERT INTO k VALUES (100001, 'new'); \
         UPDATE a SET filler = 'again' WHERE id IN (4, 10000)"
    ))?;
    scene.worker.restart()?;
    scene.wait_streaming()?;
    scene.sql("INSERT INTO a VALUES (100002, 'end'); INSERT INTO k VALUES (100002, 'end')")?;
    for table in ["a", "k"] {
        let rows = eventually("all rows", || {
            let rows = state(&scene.records(&format!("public.{table}"))?)?;
            ensure!(rows.contains_key(&100_002), "{} rows", rows.len());
            Ok(rows)
        })?;
        let sum = scene.value(&format!(
            "SELECT count(*) || ' ' || count(*) FILTER (WHERE length(filler) < 300) FROM {table} \
             WHERE id > 0"
        ))?;
        let short = rows
            .values()
            .filter(|filler| filler.as_str().is_none_or(|filler| filler.len() < 300));
        assert_eq!(format!("{} {}", rows.len(), short.count()), sum, "{table}");
        assert_eq!((rows.get(&2), rows.get(&9_999)), (None, None));
        assert_eq!(rows.get(&1), Some(&json!("changed")));
    }
    let records = scene.records("public.a")?;
    assert_eq!(times_read(&records, 4)?, 1);
    // What is stored does not come again. Only row 1, which was changed, has moved to a block that
    // had not been read.
    assert_eq!(times_read(&scene.records("public.k")?, 4)?, read);
    ensure!(
        records.len() < usize::try_from(ROWS)? * 2,
        "{} records",
        records.len()
    );
    let markers: Vec<Value> = records
        .iter()
        .map(|record| Ok(value(record)?["source"]["snapshot"].clone()))
        .collect::<Result<_>>()?;
    let first = markers.iter().filter(|marker| **marker == "first").count();
    assert_eq!(first, 1);
    ensure!(
        scene.worker.log().contains("The snapshot goes on"),
        "{}",
        scene.worker.log()
    );
    // It is over: another start reads nothing.
    scene.worker.stop()?;
    scene.worker.restart()?;
    scene.wait_streaming()?;
    scene.sql("INSERT INTO a VALUES (100003, 'after it')")?;
    eventually("the change", || {
        let now = scene.records("public.a")?;
        ensure!(now.len() == records.len() + 1, "{} records", now.len());
        Ok(())
    })
}

/// The task goes on by itself after its connection is lost, though nothing has been stored.
#[test]
fn a_snapshot_goes_on_after_a_lost_connection() -> Result<()> {
    let _turn = turns::take();
    let scene = Scene::start_with(&shared::bootstrap()?, |options| {
        options.property("offset.flush.interval.ms", "600000")
    })?;
    tables(&scene)?;
    // It comes last, and cannot be read before the lock is given up.
    scene.sql("CREATE TABLE z (id int PRIMARY KEY); INSERT INTO z VALUES (1)")?;
    let locking = Session::open(&scene.postgres.url())?;
    locking.sql("SELECT pg_advisory_lock(7)")?;
    let mut config = config(&scene, "1");
    config["snapshot.select.statement.overrides"] = json!("public.z");
    config["snapshot.select.statement.overrides.public.z"] =
        json!("SELECT id FROM z WHERE pg_advisory_xact_lock_shared(7)::text = ''");
    config["retriable.restart.connector.wait.ms"] = json!("500");
    let rest = scene.worker.rest();
    rest.create(&scene.name, &config)?;
    let rows = usize::try_from(ROWS)?;
    scene.wait_records("public.a", rows)?;
    // The last row waits, as it may be the last one of all.
    scene.wait_records("public.k", rows - 1)?;
    eventually("the connection is lost", || {
        let lost = scene.value(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
             WHERE wait_event_type = 'Lock'",
        )?;
        ensure!(lost != "0", "{}", scene.worker.log());
        Ok(())
    })?;
    eventually("another one takes its place", || {
        let log = scene.worker.log();
        ensure!(log.contains("The snapshot goes on"), "{log}");
        Ok(())
    })?;
    locking.sql("SELECT pg_advisory_unlock(7)")?;
    scene.wait_records("public.z", 1)?;
    scene.wait_streaming()?;
    assert_eq!(scene.records("public.a")?.len(), rows);
    // Records of one topic may be written after those of another that were sent later.
    let records = eventually("every row of k is there", || {
        let records = scene.records("public.k")?;
        let found = state(&records)?.len();
        ensure!(found == rows, "{found}");
        Ok(records)
    })?;
    assert_eq!(times_read(&records, 1)?, 1);
    Ok(())
}

/// To the reference the snapshot is unfinished, as it does not know what else is stored.
#[test]
fn the_reference_takes_an_interrupted_snapshot_anew() -> Result<()> {
    let _turn = turns::take();
    let bootstrap = shared::bootstrap()?;
    let mut options = None;
    let mut scene = Scene::start_with(&bootstrap, |given| options.insert(often(given)).clone())?;
    tables(&scene)?;
    let a = scene.value("SELECT 'a'::regclass::oid::int")?;
    let rest = scene.worker.rest();
    let mut config = config(&scene, "1");
    config["slot.name"] = json!(scene.name.replace('-', "_"));
    rest.create(&scene.name, &config)?;
    stored(&scene, "the first rows of a are stored", |sent| {
        !sent["open"][&a]["ranges"][0][0].is_null()
    })?;
    scene.worker.kill();
    let options = options.context("no options")?;
    let mut java = ConnectWorker::distributed(workers::java(&options, HEAP_MEBIBYTES)?)?;
    eventually("the first row comes again", || {
        let times = times_read(&scene.records("public.a")?, 1)?;
        ensure!(
            times == 2,
            "{times} times; {}",
            java.rest().states(&scene.name)?
        );
        Ok(())
    })?;
    java.stop()
}
