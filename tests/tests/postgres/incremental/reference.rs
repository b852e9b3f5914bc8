//! The same signals to the reference and to ours, on one database: the events of the rows, the rows of
//! the signal tables and the notifications have to be the same.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tether_services::{ConnectWorker, shared};
use tether_tests::eventually::within;
use tether_tests::turns;
use tether_tests::worker::Worker;
use tether_tests::worker_process::WorkerProcess;

use super::scene::{Capture, PATIENCE, Scene};
use crate::postgres::workers;

const HEAP_MEBIBYTES: u32 = 512;
/// How long the last records of a topic may take once the snapshot is complete.
const TOPIC_PATIENCE: Duration = Duration::from_secs(20);

/// Tables with keys of all kinds, whose rows come in several chunks.
const SCHEMA: &str = r#"
CREATE SCHEMA inv;
CREATE TYPE inv.mood AS ENUM ('sad', 'ok', 'happy');
CREATE EXTENSION citext;
CREATE TABLE inv.ints (id int PRIMARY KEY, text text);
INSERT INTO inv.ints SELECT n, 'row ' || n FROM generate_series(1, 25) AS n;
CREATE TABLE inv.longs (a bigint, b varchar(20), c numeric(10, 2), PRIMARY KEY (b, a, c));
INSERT INTO inv.longs SELECT n, 'Group ' || n % 3, n / 4.0 FROM generate_series(1, 25) AS n;
CREATE TABLE inv.uuids (id uuid PRIMARY KEY, v float8);
INSERT INTO inv.uuids SELECT md5(n::text)::uuid, n / 7.0 FROM generate_series(1, 25) AS n;
CREATE TABLE inv.days (id date PRIMARY KEY, v bool);
INSERT INTO inv.days SELECT '2024-02-20'::date + n, n % 2 = 0 FROM generate_series(1, 25) AS n;
CREATE TABLE inv.moods (mood inv.mood, small smallint, PRIMARY KEY (mood, small));
INSERT INTO inv.moods SELECT m, n FROM unnest(enum_range(NULL::inv.mood)) AS m, generate_series(1, 9) AS n;
CREATE TABLE inv.names (name citext PRIMARY KEY, bin bytea);
INSERT INTO inv.names SELECT chr(n % 2 * 32 + 65 + n / 2) || n, int4send(n) FROM generate_series(1, 25) AS n;
CREATE TABLE inv.chars (id char(6) PRIMARY KEY, f real UNIQUE);
INSERT INTO inv.chars SELECT 'c' || n, n / 3.0 FROM generate_series(1, 25) AS n;
CREATE TABLE inv.bins (id bytea PRIMARY KEY, ip inet);
INSERT INTO inv.bins SELECT int4send(n), '10.0.0.0'::inet + n FROM generate_series(1, 25) AS n;
CREATE TABLE inv.nullable (a int, b text, UNIQUE (a, b));
INSERT INTO inv.nullable SELECT nullif(n % 5, 0), nullif('b' || n % 7, 'b3') FROM generate_series(1, 35) AS n;
CREATE TABLE inv.keyless (a int, b text);
INSERT INTO inv.keyless SELECT n, 'keyless ' || n FROM generate_series(1, 5) AS n;
CREATE TABLE inv.empty (id int PRIMARY KEY);
"#;

/// The two connectors with the workers that they run in.
struct Pair {
    scene: Scene,
    java: ConnectWorker,
    ours: WorkerProcess,
    captures: [Capture; 2],
}

impl Pair {
    fn start(more: &Value) -> Result<Self> {
        let bootstrap = shared::bootstrap()?;
        let scene = Scene::start(&bootstrap, SCHEMA)?;
        let captures = [scene.capture()?, scene.capture()?];
        let options = scene.options(&captures[0].name)?;
        let java = ConnectWorker::distributed(workers::java(&options, HEAP_MEBIBYTES)?)?;
        let ours = WorkerProcess::distributed(&scene.options(&captures[1].name)?)?;
        for capture in &captures {
            let mut more = more.clone();
            more["notification.sink.topic.name"] = format!("{}.notice", capture.name).into();
            if capture.name == captures[0].name {
                scene.create(capture, &java, "inv[.].*", &more)?;
            } else {
                scene.create(capture, &ours, "inv[.].*", &more)?;
            }
        }
        Ok(Self {
            scene,
            java,
            ours,
            captures,
        })
    }

    /// Sends a signal to both.
    fn signal(&self, id: &str, kind: &str, data: &Value) -> Result<()> {
        for capture in &self.captures {
            self.scene.signal(capture, id, kind, data)?;
        }
        Ok(())
    }

    /// Waits until both have told that the snapshot of a signal is complete.
    fn wait_complete(&mut self, id: &str) -> Result<()> {
        let (java, ours) = (&self.java, &self.ours);
        for (place, capture) in self.captures.iter_mut().enumerate() {
            within(PATIENCE, "the end of a snapshot", || {
                let notices = capture.records_of(&format!("{}.notice", capture.name))?;
                let is_end = |notice: &Value| notice["id"] == id && notice["type"] == "COMPLETED";
                let complete = notices.iter().any(|(_, notice)| is_end(notice));
                let log = if place == 0 { java.log() } else { ours.log() };
                let end: Vec<&str> = log.lines().rev().take(5).collect();
                ensure!(complete, "{:?}\n{end:#?}", notices.last());
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Waits until both have the same events of a topic, which goes on so after the prefix.
    fn compare(&mut self, topic: &str) -> Result<()> {
        let captures = &mut self.captures;
        within(
            TOPIC_PATIENCE,
            &format!("the same records of {topic}"),
            || {
                let mut found = Vec::new();
                for capture in captures.iter_mut() {
                    let name = capture.name.clone();
                    let records = capture.records(topic)?;
                    let plain = records.iter().map(|record| plain(record, &name));
                    found.push(plain.collect::<Result<Vec<_>>>()?);
                }
                let (theirs, own) = (&found[0], &found[1]);
                for (place, (theirs, own)) in theirs.iter().zip(own).enumerate() {
                    ensure!(theirs == own, "record {place}: {theirs}\nours: {own}");
                }
                ensure!(
                    theirs.len() == own.len(),
                    "{} and {} records; more: {:?}",
                    theirs.len(),
                    own.len(),
                    theirs.get(own.len()).or(own.get(theirs.len()))
                );
                Ok(())
            },
        )
    }
}

/// A record without what differs from run to run.
fn plain((key, value): &(Value, Value), prefix: &str) -> Result<Value> {
    let text = json!({"key": key, "value": value})
        .to_string()
        .replace(prefix, "PREFIX");
    let mut record: Value = serde_json::from_str(&text)?;
    // That nothing was read at the start is told with an id of chance.
    if record["value"]["aggregate_type"] == "Initial Snapshot" {
        record["key"] = Value::Null;
        record["value"]["id"] = Value::Null;
    }
    // Java shows where bytes are in memory.
    let data = record["value"].get_mut("additional_data");
    if let Some(data) = data.filter(|data| data["current_collection_in_progress"] == "inv.bins") {
        data["maximum_key"] = Value::Null;
        data["last_processed_key"] = Value::Null;
    }
    if let Some(value) = record["value"].as_object_mut() {
        for field in ["ts_ms", "ts_us", "ts_ns", "timestamp"] {
            value.remove(field);
        }
        if let Some(source) = value.get_mut("source").and_then(Value::as_object_mut) {
            for field in [
                "version", "ts_ms", "ts_us", "ts_ns", "sequence", "lsn", "txId",
            ] {
                if let Some(value) = source.get_mut(field).filter(|value| !value.is_null()) {
                    *value = "SOME".into();
                }
            }
        }
    }
    Ok(record)
}

#[test]
fn rows_of_all_keys_are_the_same() -> Result<()> {
    let _turn = turns::take();
    let mut pair = Pair::start(&json!({
        "incremental.snapshot.chunk.size": "7",
        "notification.enabled.channels": "sink",
    }))?;
    let tables = [
        "ints", "longs", "uuids", "days", "moods", "names", "chars", "bins", "nullable", "empty",
    ];
    let mut different = Vec::new();
    for (place, table) in tables.iter().enumerate() {
        let id = format!("signal {place}");
        let data = json!({"data-collections": [format!("inv.{table}")]});
        pair.signal(&id, "execute-snapshot", &data)?;
        pair.wait_complete(&id)?;
        let topic = format!("inv.{table}");
        different.extend(pair.compare(&topic).err());
    }
    different.extend(pair.compare("notice").err());
    ensure!(different.is_empty(), "{different:#?}\n{}", pair.ours.log());
    Ok(())
}
