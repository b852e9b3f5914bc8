//! A snapshot at every start, with Debezium's connector beside ours: the same rows are sent again. Ours
//! tells of the changes before them too, while of a row that was deleted meanwhile Debezium says nothing.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tether_services::{ConnectWorker, Postgres, shared};
use tether_tests::eventually::eventually;
use tether_tests::names::unique;
use tether_tests::topics::{TopicReader, Topics};
use tether_tests::turns;
use tether_tests::worker::Worker;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

use super::workers;

const HEAP_MEBIBYTES: u32 = 512;

/// Operation, part in a snapshot, and the number of the row.
type Fact = (String, String, u64);

#[test]
fn changes_since_the_last_start_come_before_the_rows() -> Result<()> {
    let _turn = turns::take();
    let java = |options: &WorkerOptions| {
        ConnectWorker::standalone(workers::java(options, HEAP_MEBIBYTES)?, &[])
    };
    let reference = stop_and_start(java)?;
    let ours = stop_and_start(|options| WorkerProcess::standalone(options, &[]))?;
    let fact = |op: &str, part: &str, id| (op.to_owned(), part.to_owned(), id);
    let rows = [
        fact("r", "first", 1),
        fact("r", "true", 3),
        fact("r", "true", 4),
        fact("r", "last", 5),
        fact("c", "false", 6),
    ];
    assert_eq!(reference, rows);
    let changes = [
        fact("d", "false", 2),
        fact("tombstone", "", 0),
        fact("c", "false", 5),
    ];
    assert_eq!(ours, [&changes[..], &rows].concat());
    Ok(())
}

/// What comes after a restart in whose time rows were changed.
fn stop_and_start<W: Worker>(start: impl Fn(&WorkerOptions) -> Result<W>) -> Result<Vec<Fact>> {
    let bootstrap = shared::bootstrap()?;
    let name = unique("always").replace('-', "_");
    let postgres = Postgres::start()?;
    postgres.sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3)")?;
    let options = WorkerOptions::new(&name, &bootstrap)?
        .property("value.converter.schemas.enable", "false")
        .property("offset.flush.interval.ms", "200");
    let topics = Topics::new(&bootstrap);
    let topic = format!("{name}.public.t");
    topics.create(&topic, 1)?;
    let mut topic = topics.reader(&topic)?;
    let mut worker = start(&options)?;
    worker.rest().create(&name, &config(&name, &postgres))?;
    come(&mut topic, ("r", 3))?;
    postgres.sql("INSERT INTO t VALUES (4)")?;
    come(&mut topic, ("c", 4))?;
    eventually("the offset of the change", || {
        let offsets = worker.rest().get(&format!("/connectors/{name}/offsets"))?;
        let kind = &offsets["offsets"][0]["offset"]["messageType"];
        ensure!(*kind == json!("INSERT"), "{offsets}");
        Ok(())
    })?;
    worker.stop()?;
    let before = topic.read()?.len();
    postgres.sql("DELETE FROM t WHERE id = 2")?;
    postgres.sql("INSERT INTO t VALUES (5)")?;
    worker.restart()?;
    let rest = worker.rest();
    if rest.get("/connectors")? == json!([]) {
        rest.create(&name, &config(&name, &postgres))?;
    }
    come(&mut topic, ("r", 5))?;
    postgres.sql("INSERT INTO t VALUES (6)")?;
    let facts = come(&mut topic, ("c", 6))?;
    worker.stop()?;
    Ok(facts[before..].to_vec())
}

fn config(name: &str, postgres: &Postgres) -> Value {
    json!({
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "database.hostname": "127.0.0.1",
        "database.port": postgres.port().to_string(),
        "database.user": "postgres",
        "database.password": "postgres",
        "database.dbname": "postgres",
        "plugin.name": "pgoutput",
        "topic.prefix": name,
        "slot.name": name,
        "publication.name": name,
        "snapshot.mode": "always",
        "poll.interval.ms": "50",
    })
}

/// Waits until the last record is this one; returns all of them.
fn come(topic: &mut TopicReader, (op, id): (&str, u64)) -> Result<Vec<Fact>> {
    eventually("a record", || {
        let mut facts = Vec::new();
        for record in topic.read()? {
            let Some(value) = &record.value else {
                facts.push(("tombstone".to_owned(), String::new(), 0));
                continue;
            };
            let value: Value = serde_json::from_slice(value)?;
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let row = match &value["after"] {
                Value::Null => &value["before"],
                after => after,
            };
            facts.push((
                text(&value["op"]),
                text(&value["source"]["snapshot"]),
                row["id"].as_u64().unwrap_or_default(),
            ));
        }
        let last = facts.last();
        let is_last = last.is_some_and(|(last_op, _, last_id)| (&**last_op, *last_id) == (op, id));
        ensure!(is_last, "{facts:?}");
        Ok(facts)
    })
}
