//! A database with a signal table, and connectors that capture it, each with a prefix, slot and signal
//! table of its own.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tether_services::Postgres;
use tether_tests::database::Session;
use tether_tests::eventually::{eventually, within};
use tether_tests::names::unique;
use tether_tests::topics::{TopicReader, Topics};
use tether_tests::worker::Worker;
use tether_tests::worker_process::WorkerOptions;

use crate::postgres::settings;

/// How long a snapshot may take on a busy machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(180);

/// A database in a server of its own.
pub(super) struct Scene {
    pub(super) postgres: Postgres,
    bootstrap: String,
}

/// A connector and what comes of it.
pub(super) struct Capture {
    /// `topic.prefix` and the name of the connector, the slot and the publication.
    pub(super) name: String,
    topics: Topics,
    readers: BTreeMap<String, TopicReader>,
}

impl Scene {
    /// Starts the server and creates tables.
    pub(super) fn start(bootstrap: &str, schema: &str) -> Result<Self> {
        let postgres = Postgres::start()?;
        postgres.sql(schema)?;
        Ok(Self {
            postgres,
            bootstrap: bootstrap.to_owned(),
        })
    }

    /// Options of a worker.
    pub(super) fn options(&self, name: &str) -> Result<WorkerOptions> {
        Ok(WorkerOptions::new(name, &self.bootstrap)?
            .property("session.timeout.ms", "6000")
            .property("heartbeat.interval.ms", "1500")
            .property("offset.flush.interval.ms", "1000")
            .property("key.converter.schemas.enable", "false")
            .property("value.converter.schemas.enable", "false"))
    }

    /// Names a connector and creates its signal table.
    pub(super) fn capture(&self) -> Result<Capture> {
        let name = unique("incr").replace('-', "_");
        self.postgres.sql(&format!(
            "CREATE TABLE {name}_signal (id varchar(64) PRIMARY KEY, type varchar(32), data text)"
        ))?;
        Ok(Capture {
            name,
            topics: Topics::new(&self.bootstrap),
            readers: BTreeMap::new(),
        })
    }

    /// Creates the connector with more settings than it needs, and waits until it streams.
    pub(super) fn create(
        &self,
        capture: &Capture,
        worker: &impl Worker,
        tables: &str,
        more: &Value,
    ) -> Result<()> {
        let name = &capture.name;
        let usual = json!({
            "table.include.list": tables,
            "snapshot.mode": "no_data",
            "signal.data.collection": format!("public.{name}_signal"),
            "poll.interval.ms": "20",
            "retriable.restart.connector.wait.ms": "1000",
        });
        let config = settings::with_own_slot(&self.postgres, name);
        let config = settings::with(settings::with(config, &usual), more);
        let rest = worker.rest();
        rest.create(name, &config)?;
        rest.wait_for(name, "RUNNING[RUNNING]")?;
        self.wait_streaming(capture, worker)
    }

    /// Waits until the slot of a connector is used.
    pub(super) fn wait_streaming(&self, capture: &Capture, worker: &impl Worker) -> Result<()> {
        let name = &capture.name;
        eventually("the connector streams", || {
            let used = self.postgres.sql(&format!(
                "SELECT count(*) FROM pg_replication_slots WHERE active AND slot_name = '{name}'"
            ))?;
            let log = worker.log();
            ensure!(used.trim() == "1", "{used} slots are active\n{log}");
            Ok(())
        })
    }

    /// Does something while nobody else can read a table.
    pub(super) fn while_locked<T>(
        &self,
        table: &str,
        action: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let session = Session::open(&self.postgres.url())?;
        session.sql(&format!("BEGIN; LOCK TABLE {table}"))?;
        let result = action();
        session.sql("ROLLBACK")?;
        result
    }

    /// Sends a signal.
    pub(super) fn signal(
        &self,
        capture: &Capture,
        id: &str,
        kind: &str,
        data: &Value,
    ) -> Result<()> {
        let data = match data {
            Value::Null => String::new(),
            data => data.to_string().replace('\'', "''"),
        };
        self.postgres.sql(&format!(
            "INSERT INTO {}_signal VALUES ('{id}', '{kind}', '{data}')",
            capture.name
        ))?;
        Ok(())
    }

    /// Asks for an incremental snapshot of tables.
    pub(super) fn execute(&self, capture: &Capture, id: &str, tables: &[&str]) -> Result<()> {
        self.signal(
            capture,
            id,
            "execute-snapshot",
            &json!({"type": "incremental", "data-collections": tables}),
        )
    }
}

impl Capture {
    /// Keys and values of all records so far of a table; null for a tombstone.
    pub(super) fn records(&mut self, table: &str) -> Result<Vec<(Value, Value)>> {
        let topic = format!("{}.{table}", self.name);
        self.records_of(&topic)
    }

    /// The same of a topic.
    pub(super) fn records_of(&mut self, topic: &str) -> Result<Vec<(Value, Value)>> {
        if !self.readers.contains_key(topic) {
            if !self.topics.exists(topic)? {
                return Ok(Vec::new());
            }
            let reader = self.topics.reader(topic)?;
            self.readers.insert(topic.to_owned(), reader);
        }
        let reader = self.readers.get_mut(topic).context("no reader")?;
        let json = |bytes: &Option<Vec<u8>>| match bytes {
            None => Ok(Value::Null),
            Some(bytes) => serde_json::from_slice(bytes),
        };
        reader
            .read()?
            .iter()
            .map(|record| Ok((json(&record.key)?, json(&record.value)?)))
            .collect()
    }

    /// The events of a table that are of a snapshot.
    pub(super) fn reads(&mut self, table: &str) -> Result<Vec<(Value, Value)>> {
        let records = self.records(table)?.into_iter();
        Ok(records.filter(|(_, value)| value["op"] == "r").collect())
    }

    /// Waits until a table has so many events of a snapshot.
    pub(super) fn wait_reads(
        &mut self,
        table: &str,
        count: usize,
        worker: &impl Worker,
    ) -> Result<Vec<(Value, Value)>> {
        let name = self.name.clone();
        within(PATIENCE, &format!("{count} rows of {table}"), || {
            let reads = self.reads(table)?;
            ensure!(
                reads.len() >= count,
                "{} rows; the connector is {}\n{}",
                reads.len(),
                worker.rest().states(&name)?,
                worker.log()
            );
            Ok(reads)
        })
    }
}
