//! Rows that were there before the stream.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tether_services::shared;
use tether_tests::eventually::eventually;
use tether_tests::topics::Record;
use tether_tests::turns;
use tether_tests::worker::Worker;

use super::scene::{Scene, value};

/// A fact of each record's value.
fn facts(records: &[Record], fact: impl Fn(&Value) -> Value) -> Result<Vec<Value>> {
    records
        .iter()
        .map(|record| Ok(fact(&value(record)?)))
        .collect()
}

/// Operation, part in the snapshot and row of each record.
fn parts(records: &[Record]) -> Result<Vec<Value>> {
    facts(records, |value| {
        json!([value["op"], value["source"]["snapshot"], value["after"]])
    })
}

fn number(value: &Value) -> Result<u64> {
    value["after"]["id"].as_u64().context("no number")
}

#[test]
fn rows_come_before_changes() -> Result<()> {
    let _turn = turns::take();
    let mut scene = Scene::start(&shared::bootstrap()?)?;
    scene.sql(
        "CREATE SCHEMA inv; \
         CREATE TABLE inv.a (id int PRIMARY KEY, name text, secret text, \
                             twice int GENERATED ALWAYS AS (id * 2) STORED); \
         CREATE TABLE inv.b (code text NOT NULL UNIQUE); \
         CREATE TABLE inv.c (id int PRIMARY KEY); \
         CREATE TABLE inv.d (id int PRIMARY KEY); \
         INSERT INTO inv.a VALUES (1, E'tab\\t, line\\n, \\\\N and \\\\', 'x'), (2, NULL, 'x'), (3, '', 'x'); \
         INSERT INTO inv.b VALUES ('ä'); \
         INSERT INTO inv.d VALUES (1), (2), (3)",
    )?;
    scene.capture(&json!({
        "snapshot.mode": "initial",
        "column.exclude.list": r"inv\.a\.secret",
        "snapshot.select.statement.overrides": "inv.d",
        "snapshot.select.statement.overrides.inv.d": "SELECT * FROM inv.d WHERE id < 3 ORDER BY id DESC;"
    }))?;
    scene.sql("INSERT INTO inv.c VALUES (7); INSERT INTO inv.b VALUES ('ö')")?;
    let a = scene.wait_records("inv.a", 3)?;
    assert_eq!(
        parts(&a)?,
        [
            json!(["r", "first", {"id": 1, "name": "tab\t, line\n, \\N and \\", "twice": 2}]),
            json!(["r", "true", {"id": 2, "name": null, "twice": 4}]),
            json!(["r", "last_in_data_collection", {"id": 3, "name": "", "twice": 6}]),
        ]
    );
    let b = scene.wait_records("inv.b", 2)?;
    assert_eq!(
        parts(&b)?,
        [
            json!(["r", "last_in_data_collection", {"code": "ä"}]),
            json!(["c", "false", {"code": "ö"}]),
        ]
    );
    let c = scene.wait_records("inv.c", 1)?;
    assert_eq!(parts(&c)?, [json!(["c", "false", {"id": 7}])]);
    let d = scene.wait_records("inv.d", 2)?;
    assert_eq!(
        parts(&d)?,
        [
            json!(["r", "first_in_data_collection", {"id": 2}]),
            json!(["r", "last", {"id": 1}]),
        ]
    );
    let sources = facts(&a, |value| {
        let source = &value["source"];
        json!([
            source["lsn"],
            source["txId"],
            source["ts_us"],
            source["sequence"]
        ])
    })?;
    assert!(sources.iter().all(|source| *source == sources[0]));
    let lsn = sources[0][0].as_u64().context("no position")?;
    assert_eq!(sources[0][3], json!(format!("[null,\"{lsn}\"]")));
    // What was committed is not read again.
    scene.worker.stop()?;
    scene.worker.restart()?;
    scene.wait_streaming()?;
    scene.sql("INSERT INTO inv.c VALUES (8)")?;
    scene.wait_records("inv.c", 2)?;
    assert_eq!(scene.records("inv.a")?.len(), 3);
    Ok(())
}

/// Rows of the table in the test below when the connector starts.
const ROWS: u64 = 30_000;

#[test]
fn a_snapshot_begins_again_when_the_worker_is_killed() -> Result<()> {
    let _turn = turns::take();
    let mut scene = Scene::start(&shared::bootstrap()?)?;
    scene.sql(&format!(
        "CREATE TABLE t (id int PRIMARY KEY, filler text); \
         INSERT INTO t SELECT i, repeat('x', 200) FROM generate_series(1, {ROWS}) AS i; \
         CREATE TABLE u (id int PRIMARY KEY); INSERT INTO u SELECT generate_series(1, 100)"
    ))?;
    let rest = scene.worker.rest();
    let config = json!({"snapshot.mode": "initial", "snapshot.max.threads": "2"});
    rest.create(&scene.name, &scene.config(&config))?;
    scene.wait_records("public.t", 1)?;
    // Committed while rows are being read: only the stream has it.
    scene.sql(&format!("INSERT INTO t VALUES ({})", ROWS + 1))?;
    scene.worker.kill();
    let before = scene.records("public.t")?.len();
    scene.sql(&format!("INSERT INTO t VALUES ({})", ROWS + 2))?;
    scene.worker.restart()?;
    scene.wait_streaming()?;
    scene.sql(&format!("INSERT INTO t VALUES ({})", ROWS + 3))?;
    eventually("all rows and changes arrive", || {
        let records = scene.records("public.t")?;
        let numbers: BTreeSet<u64> = records
            .iter()
            .map(|record| number(&value(record)?))
            .collect::<Result<_>>()?;
        let all = usize::try_from(ROWS + 3)?;
        ensure!(numbers.len() == all, "{} of {all} came", numbers.len());
        Ok(())
    })?;
    let records = scene.records("public.t")?;
    let again = facts(&records[before..], |value| {
        json!(number(value).ok() == Some(1))
    })?;
    assert!(
        again.contains(&json!(true)),
        "the first row did not come again"
    );
    ensure!(scene.wait_records("public.u", 100)?.len() >= 100);
    Ok(())
}

/// The first record of all, by its place in the log of the broker, is of the first table; parts are read
/// side by side.
#[test]
fn parts_of_tables_are_read_side_by_side() -> Result<()> {
    let _turn = turns::take();
    let scene = Scene::start(&shared::bootstrap()?)?;
    scene.sql(&format!(
        "CREATE TABLE a (x int, y text, id bigint, PRIMARY KEY (x, y)); \
         INSERT INTO a SELECT i % 7, 'it''s ' || i, i FROM generate_series(1, {ROWS}) AS i; \
         CREATE TABLE b (id int UNIQUE); INSERT INTO b VALUES (1), (2), (NULL); \
         CREATE TABLE c (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), filler text); \
         INSERT INTO c (filler) SELECT repeat('x', 90) FROM generate_series(1, 60000); \
         CREATE TABLE d (id int PRIMARY KEY); INSERT INTO d VALUES (5)"
    ))?;
    scene.capture(&json!({
        "snapshot.mode": "initial",
        "snapshot.max.threads": "3",
        "snapshot.max.threads.multiplier": "2",
    }))?;
    let a = scene.wait_records("public.a", usize::try_from(ROWS)?)?;
    let numbers: BTreeSet<u64> = a
        .iter()
        .map(|record| number(&value(record)?))
        .collect::<Result<_>>()?;
    assert_eq!((a.len(), numbers.len()), (30_000, 30_000));
    let markers = |records: &[Record]| -> Result<Vec<(usize, Value)>> {
        let markers = facts(records, |value| value["source"]["snapshot"].clone())?;
        let others = markers.into_iter().enumerate();
        Ok(others
            .filter(|(_, marker)| *marker != json!("true"))
            .collect())
    };
    assert_eq!(
        markers(&a)?,
        [
            (0, json!("first")),
            (29_999, json!("last_in_data_collection"))
        ]
    );
    let key = |record: &Record| -> Result<Value> {
        let value = value(record)?;
        Ok(json!([value["after"]["x"], value["after"]["y"]]))
    };
    assert_eq!(key(&a[0])?, json!([0, "it's 10003"]));
    assert_eq!(key(&a[29_999])?, json!([6, "it's 9995"]));
    let b = scene.wait_records("public.b", 3)?;
    assert_eq!(b.len(), 3);
    let c = scene.wait_records("public.c", 60_000)?;
    assert_eq!(
        markers(&c)?,
        [
            (0, json!("first_in_data_collection")),
            (59_999, json!("last_in_data_collection"))
        ]
    );
    let d = scene.wait_records("public.d", 1)?;
    assert_eq!(markers(&d)?, [(0, json!("last"))]);
    ensure!(
        scene.worker.log().contains("part=6"),
        "{}",
        scene.worker.log()
    );
    Ok(())
}

#[test]
fn names_of_columns_differ_by_more_than_case() -> Result<()> {
    let _turn = turns::take();
    let scene = Scene::start(&shared::bootstrap()?)?;
    scene.sql("CREATE TABLE t (id int PRIMARY KEY, name text, \"Name\" text)")?;
    let rest = scene.worker.rest();
    rest.create(
        &scene.name,
        &scene.config(&json!({"snapshot.mode": "initial"})),
    )?;
    let trace = rest.wait_for_failure(&scene.name)?;
    ensure!(
        trace.contains(
            "Table 'public.t' has columns that differ only by case. Column name: 'Name'."
        ),
        "{trace}"
    );
    Ok(())
}
