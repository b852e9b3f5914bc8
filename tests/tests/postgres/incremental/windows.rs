//! What happens while a window is open, beside the reference. It is done by a trigger with the mark that
//! closes it, so that it stands before that mark in the stream.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tether_services::shared;
use tether_tests::eventually::within;
use tether_tests::names::unique;
use tether_tests::turns;
use tether_tests::worker::Worker;
use tether_tests::worker_process::WorkerProcess;

use super::pair::Workers;
use super::scene::{PATIENCE, Scene};
use crate::postgres::settings;

/// A table in a schema of its own for each connector, and what is done in the first, second, … window.
const PREPARE: &str = "\
CREATE SCHEMA PREFIX;
CREATE TABLE PREFIX.items (id int PRIMARY KEY, v text, big text);
INSERT INTO PREFIX.items SELECT n, 'v' || n, 'big' FROM generate_series(1, 25) AS n;
CREATE TABLE PREFIX.other (id int PRIMARY KEY, v text);
CREATE TABLE PREFIX.plan (window_number int PRIMARY KEY, statements text);
CREATE FUNCTION PREFIX.act() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    next record;
BEGIN
    DELETE FROM PREFIX.plan WHERE window_number = (SELECT min(window_number) FROM PREFIX.plan)
        RETURNING * INTO next;
    IF FOUND THEN
        EXECUTE next.statements;
    END IF;
    RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER closing BEFORE INSERT ON PREFIX_signal FOR EACH ROW
    WHEN (NEW.type = 'snapshot-window-close') EXECUTE FUNCTION PREFIX.act();
CREATE TRIGGER deleting BEFORE DELETE ON PREFIX_signal FOR EACH ROW EXECUTE FUNCTION PREFIX.act();
";

const TABLES: &str = "PREFIX[.](items|other)";
const ITEMS: &str = "PREFIX.items";
const OTHER: &str = "PREFIX.other";

fn plan(windows: &[&str]) -> String {
    let mut sql = String::new();
    for (number, statements) in windows.iter().enumerate() {
        sql += &format!("INSERT INTO PREFIX.plan VALUES ({number}, $plan${statements}$plan$);");
    }
    sql
}

/// Rows change within each window.
const CHANGES: &[&str] = &[
    "UPDATE PREFIX.items SET v = 'in the first window' WHERE id IN (2, 20);
     DELETE FROM PREFIX.items WHERE id IN (3, 10);
     INSERT INTO PREFIX.other VALUES (1, 'other');
     UPDATE PREFIX.items SET id = 105 WHERE id = 5;
     UPDATE PREFIX.items SET id = 0 WHERE id = 21",
    "INSERT INTO PREFIX.items VALUES (3, 'once more');
     DELETE FROM PREFIX.items WHERE id = 3;
     UPDATE PREFIX.items SET v = v WHERE id = 9;
     INSERT INTO PREFIX.items VALUES (10, 'again');
     UPDATE PREFIX.items SET id = 110 WHERE id = 10",
    "DELETE FROM PREFIX.items WHERE id BETWEEN 15 AND 24",
    "UPDATE PREFIX.items SET v = 'in the last window'",
];

fn execute(id: &str) -> (&str, &'static str, Value) {
    let data = json!({"data-collections": ["PREFIX.items", "PREFIX.other"]});
    (id, "execute-snapshot", data)
}

#[test]
fn rows_that_change_within_windows_are_left_out_as_by_the_reference() -> Result<()> {
    let _turn = turns::take();
    let workers = Workers::start("")?;
    let more = json!({"incremental.snapshot.chunk.size": "7"});
    let deleting = json!({"incremental.snapshot.watermarking.strategy": "insert_delete"});
    let deleting = settings::with(more.clone(), &deleting);
    for more in [more, deleting] {
        let mut pair = workers.pair(PREPARE, TABLES, &more)?;
        pair.sql(&plan(CHANGES))?;
        pair.signal(&[execute("changing")])?;
        pair.completes("changing")?;
        pair.sql("INSERT INTO PREFIX.items VALUES (999, 'the last one')")?;
        pair.compare_all(&[ITEMS, OTHER])?;
    }
    Ok(())
}

/// The rows of the table are the same where the table does not get other columns.
#[test]
fn a_type_changes_within_a_window_as_in_the_reference() -> Result<()> {
    let _turn = turns::take();
    let workers = Workers::start("")?;
    let more = json!({"incremental.snapshot.chunk.size": "7"});
    let mut pair = workers.pair(PREPARE, TABLES, &more)?;
    pair.sql(&plan(&[
        "ALTER TABLE PREFIX.items ALTER COLUMN v TYPE varchar(20)",
    ]))?;
    pair.signal(&[execute("altered")])?;
    pair.completes("altered")?;
    pair.compare_all(&[ITEMS, OTHER])
}

/// An update that is not published changes what a second look would find.
#[test]
fn no_row_of_a_chunk_is_reselected_as_by_the_reference() -> Result<()> {
    const PUBLISHED: &str = "\
        UPDATE PREFIX.items SET v = NULL WHERE id % 2 = 0;
        CREATE PUBLICATION PREFIX FOR TABLE PREFIX.items, PREFIX.other, PREFIX_signal
            WITH (publish = 'insert');";
    let _turn = turns::take();
    let workers = Workers::start("")?;
    let more = json!({
        "incremental.snapshot.chunk.size": "7",
        "publication.autocreate.mode": "disabled",
        "post.processors": "again",
        "again.type": "io.debezium.processors.reselect.ReselectColumnsPostProcessor",
        "again.reselect.error.handling.mode": "fail",
    });
    let mut pair = workers.pair(&(PREPARE.to_owned() + PUBLISHED), TABLES, &more)?;
    pair.sql(&plan(&[
        "UPDATE PREFIX.items SET v = 'new' WHERE v IS NULL",
        "DELETE FROM PREFIX.items WHERE v = 'new'",
    ]))?;
    pair.signal(&[execute("again")])?;
    pair.completes("again")?;
    // Those of the first two chunks, and odd ones of the others.
    pair.has(ITEMS, 14 + 6)?;
    pair.compare_all(&[ITEMS, OTHER])
}

/// A statement within the first window, and the columns of the rows of the second one.
const ALTERATIONS: &[(&str, &[&str])] = &[
    (
        "ALTER TABLE PREFIX.items ADD COLUMN n int DEFAULT 7;
         UPDATE PREFIX.items SET n = 8 WHERE id = 3",
        &["id", "v", "big", "n"],
    ),
    // The stream does not tell of it.
    (
        "ALTER TABLE PREFIX.items ADD COLUMN n int DEFAULT 7",
        &["id", "v", "big", "n"],
    ),
    (
        "ALTER TABLE PREFIX.items DROP COLUMN v;
         UPDATE PREFIX.items SET big = 'x' WHERE id = 3",
        &["id", "big"],
    ),
    ("ALTER TABLE PREFIX.items DROP COLUMN v", &["id", "big"]),
    (
        "ALTER TABLE PREFIX.items RENAME COLUMN v TO w",
        &["id", "w", "big"],
    ),
];

/// The reference's snapshot ends there, or has values in wrong columns.
#[test]
fn a_table_that_is_altered_is_read_to_its_end() -> Result<()> {
    let bootstrap = shared::bootstrap()?;
    let scene = Scene::start(&bootstrap, "")?;
    let worker = WorkerProcess::distributed(&scene.options(&unique("incr"))?)?;
    for (statements, columns) in ALTERATIONS {
        let mut capture = scene.capture()?;
        let name = capture.name.clone();
        let named = |text: &str| text.replace("PREFIX", &name);
        let sql = named(&(PREPARE.to_owned() + &plan(&[statements])));
        scene.postgres.sql(&sql)?;
        let more = json!({"incremental.snapshot.chunk.size": "7"});
        scene.create(&capture, &worker, &named(TABLES), &more)?;
        scene.execute(&capture, "altered", &[&named(ITEMS)])?;
        let rows = within(PATIENCE, "the last row", || {
            let records = capture.records(&named(ITEMS))?;
            let last = records.last().map(|(key, _)| &key["id"]);
            ensure!(last == Some(&json!(25)), "{last:?}\n{}", worker.log());
            Ok(records)
        })?;
        let ids: BTreeSet<_> = rows
            .iter()
            .filter_map(|(key, _)| key["id"].as_u64())
            .collect();
        ensure!(ids.len() == 25, "{statements}: {ids:?}");
        for (_, value) in rows {
            let row = value["after"].as_object().context("no row")?;
            let names: Vec<_> = row.keys().map(String::as_str).collect();
            let is_of_first = row["id"].as_u64() <= Some(7);
            ensure!(is_of_first || names == *columns, "{statements}: {value}");
        }
    }
    Ok(())
}
