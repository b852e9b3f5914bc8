//! The reference and ours on one database: the same signals to both, and the same records of both.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tether_services::{ConnectWorker, shared};
use tether_tests::eventually::within;
use tether_tests::names::unique;
use tether_tests::worker::Worker;
use tether_tests::worker_process::WorkerProcess;

use super::scene::{Capture, PATIENCE, Scene};
use crate::postgres::workers;

/// How long the last records of a topic may take once the snapshot is complete.
const TOPIC_PATIENCE: Duration = Duration::from_secs(20);

/// What stands for the name of a connector in settings, statements, topics and signals.
const NAME: &str = "PREFIX";

/// A database and the workers.
pub(super) struct Workers {
    pub(super) scene: Scene,
    java: ConnectWorker,
    ours: WorkerProcess,
}

/// A signal: its id, type and data.
pub(super) type Signal<'a> = (&'a str, &'a str, Value);

/// A connector of the reference and one of ours with the same settings. Each tells of its snapshots in a
/// topic.
pub(super) struct Pair<'a> {
    workers: &'a Workers,
    captures: [Capture; 2],
    /// How many notifications were awaited.
    told: usize,
}

impl Workers {
    /// Starts the database with these tables, and the workers.
    pub(super) fn start(schema: &str) -> Result<Self> {
        let bootstrap = shared::bootstrap()?;
        let scene = Scene::start(&bootstrap, schema)?;
        let java = workers::start_java(&scene.options(&unique("incr"))?)?;
        let ours = WorkerProcess::distributed(&scene.options(&unique("incr"))?)?;
        Ok(Self { scene, java, ours })
    }

    /// Creates the connectors, and waits until they stream. `prepare` is run for each of them before. In
    /// all settings and statements `PREFIX` stands for the name of one.
    pub(super) fn pair(&self, prepare: &str, tables: &str, more: &Value) -> Result<Pair<'_>> {
        let captures = [self.scene.capture()?, self.scene.capture()?];
        for (place, capture) in captures.iter().enumerate() {
            let name = &capture.name;
            self.scene.postgres.sql(&prepare.replace(NAME, name))?;
            let mut more: Value = serde_json::from_str(&more.to_string().replace(NAME, name))?;
            more["notification.enabled.channels"] = "sink".into();
            more["notification.sink.topic.name"] = format!("{name}.notice").into();
            let tables = tables.replace(NAME, name);
            match place {
                0 => self.scene.create(capture, &self.java, &tables, &more)?,
                _ => self.scene.create(capture, &self.ours, &tables, &more)?,
            }
        }
        let mut pair = Pair {
            workers: self,
            captures,
            told: 0,
        };
        if more["snapshot.mode"].is_null() {
            pair.tells(&["SKIPPED"])?;
        }
        Ok(pair)
    }

    /// The end of what a worker has logged.
    fn log(&self, place: usize) -> String {
        let log = match place {
            0 => self.java.log(),
            _ => self.ours.log(),
        };
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }
}

impl Pair<'_> {
    /// Sends signals to both, to each in one transaction: nothing that the first of them begins is over
    /// before the last one.
    pub(super) fn signal(&self, signals: &[Signal<'_>]) -> Result<()> {
        for capture in &self.captures {
            let mut statements = String::from("BEGIN;");
            for (id, kind, data) in signals {
                let data = match data {
                    Value::Null => String::new(),
                    data => data.to_string().replace('\'', "''"),
                };
                let name = &capture.name;
                let data = data.replace(NAME, name);
                statements +=
                    &format!("INSERT INTO {name}_signal VALUES ('{id}', '{kind}', '{data}');");
            }
            self.workers.scene.postgres.sql(&(statements + "COMMIT"))?;
        }
        Ok(())
    }

    /// Runs SQL for each of them.
    pub(super) fn sql(&self, statements: &str) -> Result<()> {
        for capture in &self.captures {
            let statements = statements.replace(NAME, &capture.name);
            self.workers.scene.postgres.sql(&statements)?;
        }
        Ok(())
    }

    /// Waits until both have sent notifications of these types, and no others, since the last call.
    pub(super) fn tells(&mut self, types: &[&str]) -> Result<()> {
        let (from, workers) = (self.told, self.workers);
        self.told += types.len();
        for (place, capture) in self.captures.iter_mut().enumerate() {
            let topic = format!("{}.notice", capture.name);
            within(PATIENCE, &format!("{types:?}"), || {
                let notices = capture.records_of(&topic)?;
                let notices = notices.get(from..).unwrap_or_default().iter();
                let told: Vec<_> = notices.map(|(_, notice)| &notice["type"]).collect();
                ensure!(
                    told == types,
                    "{} has told {told:?}\n{}",
                    ["the reference", "ours"][place],
                    workers.log(place)
                );
                Ok(())
            })?;
        }
        Ok(())
    }

    /// How often ours has told so.
    pub(super) fn told(&mut self, kind: &str) -> Result<usize> {
        let ours = &mut self.captures[1];
        let notices = ours.records_of(&format!("{}.notice", ours.name))?;
        let told = notices.iter().filter(|(_, notice)| notice["type"] == kind);
        Ok(told.count())
    }

    /// Waits until both have told that the snapshot of a signal is complete.
    pub(super) fn completes(&mut self, id: &str) -> Result<()> {
        let workers = self.workers;
        for (place, capture) in self.captures.iter_mut().enumerate() {
            let topic = format!("{}.notice", capture.name);
            self.told = within(PATIENCE, "the end of a snapshot", || {
                let notices = capture.records_of(&topic)?;
                let is_end = |(_, notice): &(Value, Value)| {
                    notice["id"] == id && notice["type"] == "COMPLETED"
                };
                let end = notices.iter().position(is_end);
                let last = notices.last();
                let end = end.with_context(|| format!("{last:?}\n{}", workers.log(place)))?;
                Ok(end + 1)
            })?;
        }
        Ok(())
    }

    /// Waits until both have so many records of a topic.
    pub(super) fn has(&mut self, topic: &str, records: usize) -> Result<()> {
        let workers = self.workers;
        for (place, capture) in self.captures.iter_mut().enumerate() {
            let topic = format!("{}.{topic}", capture.name).replace(NAME, &capture.name);
            within(PATIENCE, &format!("{records} records of {topic}"), || {
                let found = capture.records_of(&topic)?.len();
                ensure!(
                    found == records,
                    "{} has {found}\n{}",
                    ["the reference", "ours"][place],
                    workers.log(place)
                );
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Waits until both have the same records of a topic, whose name goes on so after the prefix.
    pub(super) fn compare(&mut self, topic: &str) -> Result<()> {
        let captures = &mut self.captures;
        let what = format!("the same records of {topic}");
        within(TOPIC_PATIENCE, &what, || {
            let mut found = Vec::new();
            for capture in captures.iter_mut() {
                let name = capture.name.clone();
                let records = capture.records(&topic.replace(NAME, &name))?;
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
        })
    }

    /// Compares several topics, and what was told, and says what differs in any of them.
    pub(super) fn compare_all(&mut self, topics: &[&str]) -> Result<()> {
        let topics = topics.iter().chain(&["notice"]);
        let different: Vec<_> = topics
            .filter_map(|topic| self.compare(topic).err())
            .collect();
        ensure!(
            different.is_empty(),
            "{different:#?}\n{}",
            self.workers.log(1)
        );
        Ok(())
    }
}

/// A record without what differs from run to run.
fn plain((key, value): &(Value, Value), prefix: &str) -> Result<Value> {
    let text = json!({"key": key, "value": value})
        .to_string()
        .replace(prefix, NAME);
    let mut record: Value = serde_json::from_str(&text)?;
    let is_notice = record["value"]["aggregate_type"].is_string();
    // What no signal began has an id of chance.
    if is_notice && record["value"]["id"].as_str().is_some_and(is_uuid) {
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

/// Whether this is a UUID of chance.
fn is_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.as_bytes()[14] == b'4'
}
