//! A connector that another kind of worker has run goes on where it was left: with the same slot, without
//! a new snapshot, without a gap, and in the middle of a transaction.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tether_services::{Postgres, shared};
use tether_tests::eventually::eventually;
use tether_tests::names::unique;
use tether_tests::topics::{Record, TopicReader, Topics};
use tether_tests::turns;
use tether_tests::worker::Worker;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

use super::{settings, workers};

/// Rows that are there before the connector.
const SNAPSHOT: u64 = 50;
/// Rows that come at once.
const GROUP: u64 = 100;
/// Rows of the transaction in whose middle a worker stops.
const LONG: u64 = 8000;
/// How many records may come again, after both kills.
const MOST_REPEATED: u64 = LONG;

#[test]
fn ours_goes_on_where_the_reference_stopped_and_back() -> Result<()> {
    let _turn = turns::take();
    take_over(workers::start_java, WorkerProcess::distributed)
}

/// The test itself is sound: it passes with the reference on both sides.
#[cfg(feature = "soak")]
#[test]
fn the_reference_goes_on_where_it_stopped() -> Result<()> {
    let _turn = turns::take();
    take_over(workers::start_java, workers::start_java)
}

/// One worker makes the connector and leaves in order, another goes on and is killed in the middle of a
/// transaction, the first goes on and is killed in the middle of another, the second goes on.
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
    scene.offset(&first)?;
    first.stop()?;

    scene.insert(GROUP)?;
    let mut second = second(&scene.options)?;
    scene.rows_arrive()?;
    scene.insert(LONG)?;
    scene.some_arrive(LONG / 10)?;
    let left_second = scene.offset(&second)?;
    second.kill();

    first.restart()?;
    scene.rows_arrive()?;
    scene.insert(LONG)?;
    scene.some_arrive(LONG / 10)?;
    let left_first = scene.offset(&first)?;
    ensure!(
        field_names(&left_first) == field_names(&left_second),
        "{left_first} and {left_second}"
    );
    first.kill();

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

/// The number of the row in a record.
fn id(record: &Record) -> Result<u64> {
    let value: Value = serde_json::from_str(&record.value_text())?;
    value["after"]["id"].as_u64().context("no row")
}

/// A table whose rows are numbered, and the topic that they come to.
struct Scene {
    options: WorkerOptions,
    postgres: Postgres,
    name: String,
    prefix: String,
    topic: TopicReader,
    rows: u64,
    /// How many records were looked at.
    checked: usize,
    /// The largest number in these.
    last: u64,
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
            checked: 0,
            last: 0,
        })
    }

    fn config(&self) -> Value {
        let more = json!({
            "poll.interval.ms": "50",
            // So that much of a long transaction is still to come when its first rows have come.
            "max.batch.size": "100",
            "max.queue.size": "300",
            "producer.override.batch.size": "1",
        });
        settings::with(settings::with_own_slot(&self.postgres, &self.prefix), &more)
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

    /// Waits until all rows have come, in order and the first ones from a snapshot. What was sent when a
    /// worker was killed, but not yet stored as sent, comes once more.
    fn rows_arrive(&mut self) -> Result<()> {
        let rows = self.rows;
        let topic = &mut self.topic;
        eventually("all rows", || {
            let last = topic.read()?.last().map(id).transpose()?;
            ensure!(last == Some(rows), "{last:?} of {rows}");
            Ok(())
        })?;
        let records = topic.read()?;
        for record in &records[self.checked..] {
            let (id, last) = (id(record)?, self.last);
            ensure!(id <= last + 1, "{id} came after {last}");
            ensure!(
                id > SNAPSHOT || id == last + 1,
                "a second snapshot began with {id} after {last}"
            );
            self.last = last.max(id);
            let value: Value = serde_json::from_str(&record.value_text())?;
            let op = if id <= SNAPSHOT { "r" } else { "c" };
            ensure!(value["op"] == op, "{op} was expected: {value}");
        }
        self.checked = records.len();
        let repeated = u64::try_from(records.len())? - rows;
        ensure!(repeated <= MOST_REPEATED, "{repeated} came once more");
        Ok(())
    }

    /// Waits until some of the last rows have come, but not all.
    fn some_arrive(&mut self, rows: u64) -> Result<()> {
        let some = self.rows - LONG + rows;
        let found = eventually("some rows", || {
            let found = self.topic.read()?.last().map(id).transpose()?;
            let found = found.unwrap_or_default();
            ensure!(found >= some, "{found} of {some}");
            Ok(found)
        })?;
        ensure!(found < self.rows, "the worker was too fast");
        Ok(())
    }

    /// The offset that a worker has stored for the connector.
    fn offset(&self, worker: &impl Worker) -> Result<Value> {
        let rest = worker.rest();
        let offsets = eventually("an offset of the stream", || {
            let offsets = rest.get(&format!("/connectors/{}/offsets", self.name))?;
            ensure!(
                offsets["offsets"][0]["offset"]["lsn_proc"].is_number(),
                "{offsets}"
            );
            Ok(offsets)
        })?;
        let entries = offsets["offsets"].as_array().context("no offsets")?;
        ensure!(entries.len() == 1, "{offsets}");
        ensure!(
            entries[0]["partition"] == json!({"server": self.prefix}),
            "{offsets}"
        );
        Ok(offsets)
    }
}
