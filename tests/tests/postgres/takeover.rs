//! A connector that another kind of worker has run goes on where it was left: with the same slot, without
//! a new snapshot, without a gap, and in the middle of a transaction.

use anyhow::{Context, Result, ensure};
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
/// Rows that are there before the connector.
const SNAPSHOT: u64 = 50;
/// Rows that come at once.
const GROUP: u64 = 100;
/// Rows of the transaction in whose middle a worker stops.
const LONG: u64 = 20_000;

#[test]
fn ours_goes_on_where_the_reference_stopped_and_back() -> Result<()> {
    let _turn = turns::take();
    take_over(start_java, WorkerProcess::distributed)
}

/// The test itself is sound: it passes with the reference on both sides.
#[cfg(feature = "soak")]
#[test]
fn the_reference_goes_on_where_it_stopped() -> Result<()> {
    let _turn = turns::take();
    take_over(start_java, start_java)
}

fn start_java(options: &WorkerOptions) -> Result<ConnectWorker> {
    ConnectWorker::distributed(workers::java(options, HEAP_MEBIBYTES)?)
}

fn take_over<A: Worker, B: Worker>(
    first: fn(&WorkerOptions) -> Result<A>,
    second: fn(&WorkerOptions) -> Result<B>,
) -> Result<()> {
    let mut scene = Scene::new()?;
    scene.insert(SNAPSHOT)?;

    let mut first = first(&scene.options)?;
    first.rest().create(&scene.name, &scene.config())?;
    scene.rows_arrive()?;
    scene.insert(GROUP)?;
    scene.rows_arrive()?;
    let left = scene.stop(&mut first)?;

    scene.insert(GROUP)?;
    let mut second = second(&scene.options)?;
    scene.rows_arrive()?;
    scene.insert(LONG)?;
    scene.some_arrive(LONG / 10)?;
    let left_second = scene.stop(&mut second)?;
    ensure!(
        field_names(&left) == field_names(&left_second),
        "{left} and {left_second}"
    );

    first.restart()?;
    scene.rows_arrive()?;
    scene.insert(LONG)?;
    scene.some_arrive(LONG / 10)?;
    let left = scene.stop(&mut first)?;
    ensure!(
        field_names(&left) == field_names(&left_second),
        "{left} and {left_second}"
    );

    second.restart()?;
    scene.rows_arrive()?;
    scene.insert(GROUP)?;
    scene.rows_arrive()?;
    let slots = scene.postgres.sql(&format!(
        "SELECT count(*) FROM pg_replication_slots WHERE slot_name = '{}'",
        scene.prefix
    ))?;
    ensure!(slots.trim() == "1", "{slots}");
    second.stop()
}

/// Names of the fields of the only offset in an answer, sorted.
fn field_names(offsets: &Value) -> Vec<&str> {
    let offset = offsets["offsets"][0]["offset"].as_object();
    let mut names: Vec<&str> = offset
        .into_iter()
        .flat_map(|offset| offset.keys().map(String::as_str))
        .collect();
    names.sort_unstable();
    names
}

/// A table whose rows are numbered, and the topic that they come to.
struct Scene {
    options: WorkerOptions,
    postgres: Postgres,
    name: String,
    prefix: String,
    topic: TopicReader,
    rows: u64,
}

impl Scene {
    fn new() -> Result<Self> {
        let bootstrap = shared::bootstrap()?;
        let name = unique("cdc");
        let prefix = name.replace('-', "_");
        let postgres = Postgres::start()?;
        postgres.sql("CREATE TABLE numbers (id bigint PRIMARY KEY, text text)")?;
        let topics = Topics::new(&bootstrap);
        let topic = format!("{prefix}.public.numbers");
        topics.create(&topic, 1)?;
        Ok(Self {
            options: WorkerOptions::new(&name, &bootstrap)?
                .property("session.timeout.ms", "6000")
                .property("heartbeat.interval.ms", "1500")
                .property("value.converter.schemas.enable", "false"),
            topic: topics.reader(&topic)?,
            postgres,
            name,
            prefix,
            rows: 0,
        })
    }

    fn config(&self) -> Value {
        json!({
            "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
            "database.hostname": "127.0.0.1",
            "database.port": self.postgres.port().to_string(),
            "database.user": "postgres",
            "database.password": "postgres",
            "database.dbname": "postgres",
            "plugin.name": "pgoutput",
            "topic.prefix": self.prefix,
            "slot.name": self.prefix,
            "publication.name": self.prefix,
            "poll.interval.ms": "50",
            // So that much of a long transaction is still to come when its first rows have come.
            "max.batch.size": "100",
            "max.queue.size": "300",
        })
    }

    /// One transaction with more rows.
    fn insert(&mut self, rows: u64) -> Result<()> {
        let (first, last) = (self.rows + 1, self.rows + rows);
        self.postgres.sql(&format!(
            "INSERT INTO numbers SELECT n, 'row ' || n FROM generate_series({first}, {last}) AS n"
        ))?;
        self.rows = last;
        Ok(())
    }

    /// Waits until all rows have come, each once and in order, the first ones from a snapshot.
    fn rows_arrive(&mut self) -> Result<()> {
        let rows = usize::try_from(self.rows)?;
        eventually("all rows", || {
            let found = self.topic.read()?.len();
            ensure!(found >= rows, "{found} of {rows}");
            Ok(())
        })?;
        let records = self.topic.read()?;
        for (number, record) in (1..).zip(records) {
            let value: Value = serde_json::from_str(&record.value_text())?;
            let op = if number <= SNAPSHOT { "r" } else { "c" };
            ensure!(
                value["after"]["id"] == json!(number) && value["op"] == op,
                "{op} of {number} was expected: {value}"
            );
        }
        ensure!(records.len() == rows, "{} of {rows}", records.len());
        Ok(())
    }

    /// Waits until some of the last rows have come, but not all.
    fn some_arrive(&mut self, rows: u64) -> Result<()> {
        let some = usize::try_from(self.rows - LONG + rows)?;
        let found = eventually("some rows", || {
            let found = self.topic.read()?.len();
            ensure!(found >= some, "{found} of {some}");
            Ok(found)
        })?;
        ensure!(u64::try_from(found)? < self.rows, "the worker was too fast");
        Ok(())
    }

    /// The offset that a worker leaves behind when it stops in order.
    fn stop(&self, worker: &mut impl Worker) -> Result<Value> {
        let offsets = worker
            .rest()
            .get(&format!("/connectors/{}/offsets", self.name))?;
        worker.stop()?;
        let entries = offsets["offsets"].as_array().context("no offsets")?;
        ensure!(entries.len() == 1, "{offsets}");
        ensure!(
            entries[0]["partition"] == json!({"server": self.prefix}),
            "{offsets}"
        );
        Ok(offsets)
    }
}
