//! A worker with a connector that captures a database.

use std::cell::RefCell;
use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tether_services::Postgres;
use tether_tests::database;
use tether_tests::eventually::eventually;
use tether_tests::names::unique;
use tether_tests::topics::{Record, TopicReader, Topics};
use tether_tests::worker::Worker;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

use super::settings;

/// A database of its own in a server of its own, and a worker.
pub(super) struct Scene {
    pub(super) postgres: Postgres,
    pub(super) worker: WorkerProcess,
    /// `topic.prefix` and the name of the connector.
    pub(super) name: String,
    topics: Topics,
    readers: RefCell<BTreeMap<String, TopicReader>>,
}

impl Scene {
    /// Starts a server and a worker without connectors.
    pub(super) fn start(bootstrap: &str) -> Result<Self> {
        Self::start_with(bootstrap, |options| options)
    }

    /// The same, with a worker of other options.
    pub(super) fn start_with(
        bootstrap: &str,
        change: impl FnOnce(WorkerOptions) -> WorkerOptions,
    ) -> Result<Self> {
        let name = unique("cdc");
        let options = WorkerOptions::new(&name, bootstrap)?
            .property("key.converter.schemas.enable", "false")
            .property("value.converter.schemas.enable", "false");
        Ok(Self {
            postgres: Postgres::start()?,
            worker: WorkerProcess::distributed(&change(options))?,
            name,
            topics: Topics::new(bootstrap),
            readers: RefCell::default(),
        })
    }

    /// Runs SQL in the database that is captured, without rows.
    pub(super) fn sql(&self, statements: &str) -> Result<()> {
        database::query(&self.postgres.url(), statements).map(drop)
    }

    /// The first column of the first row.
    pub(super) fn value(&self, query: &str) -> Result<String> {
        let rows = database::query(&self.postgres.url(), query)?;
        let first = rows
            .into_iter()
            .next()
            .and_then(|row| row.into_iter().next());
        first.flatten().with_context(|| format!("no row: {query}"))
    }

    /// Creates the connector with more settings than it needs, and waits until it streams.
    pub(super) fn capture(&self, more: &Value) -> Result<()> {
        let rest = self.worker.rest();
        rest.create(&self.name, &self.config(more))?;
        rest.wait_for(&self.name, "RUNNING[RUNNING]")?;
        self.wait_streaming()
    }

    /// The settings of the connector.
    pub(super) fn config(&self, more: &Value) -> Value {
        let usual = json!({
            "snapshot.mode": "no_data",
            "retriable.restart.connector.wait.ms": "2000",
        });
        let config = settings::connector(&self.postgres, &self.name);
        settings::with(settings::with(config, &usual), more)
    }

    /// Waits until the slot is used.
    pub(super) fn wait_streaming(&self) -> Result<()> {
        eventually("the connector streams", || {
            let used = self.value("SELECT count(*) FROM pg_replication_slots WHERE active")?;
            ensure!(
                used == "1",
                "{used} slots are active\n{}",
                self.worker.log()
            );
            Ok(())
        })
    }

    /// All records so far of a topic, whose name goes on after the prefix.
    pub(super) fn records(&self, topic: &str) -> Result<Vec<Record>> {
        let topic = format!("{}.{topic}", self.name);
        self.records_of(&topic)
    }

    /// All records so far of a topic.
    pub(super) fn records_of(&self, topic: &str) -> Result<Vec<Record>> {
        if !self.topics.exists(topic)? {
            return Ok(Vec::new());
        }
        let mut readers = self.readers.borrow_mut();
        let reader = match readers.remove(topic) {
            Some(reader) => reader,
            None => self.topics.reader(topic)?,
        };
        let reader = readers.entry(topic.to_owned()).or_insert(reader);
        Ok(reader.read()?.to_vec())
    }

    /// Waits until a topic has so many records.
    pub(super) fn wait_records(&self, topic: &str, count: usize) -> Result<Vec<Record>> {
        eventually(&format!("{topic} has {count} records"), || {
            let records = self.records(topic)?;
            ensure!(
                records.len() >= count,
                "it has {}, the last one {}; the connector is {}",
                records.len(),
                records.last().map(Record::value_text).unwrap_or_default(),
                self.worker.rest().states(&self.name)?
            );
            Ok(records)
        })
    }
}

/// The value of a record, null for a tombstone.
pub(super) fn value(record: &Record) -> Result<Value> {
    match &record.value {
        Some(value) => Ok(serde_json::from_slice(value)?),
        None => Ok(Value::Null),
    }
}

/// The key of a record.
pub(super) fn key(record: &Record) -> Result<Value> {
    match &record.key {
        Some(key) => Ok(serde_json::from_slice(key)?),
        None => Ok(Value::Null),
    }
}
