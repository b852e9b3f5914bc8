//! Data that flows all the time, through a source connector and through sinks.

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use tether_services::{Kafka, Postgres};
use tether_tests::eventually::{PATIENCE, eventually, within};
use tether_tests::number_records::{KEYS, NumberRecords};
use tether_tests::numbered_lines::{self, LineWriter, check_all_arrived};
use tether_tests::rest_client::RestClient;
use tether_tests::topics::{Record, TopicReader, Topics};

const LINES: &str = "lines";
const NUMBERS: &str = "numbers";
const STRING: &str = "org.apache.kafka.connect.storage.StringConverter";

/// ```text
/// file ─► FileStreamSource ─► lines ─► FileStreamSink ─► file
///                               └────► numbers ─► JDBC sink ─► table
/// ```
///
/// The second line needs a worker that has the JDBC sink, and a database.
pub(crate) struct Flow {
    writer: LineWriter,
    output: PathBuf,
    lines: RefCell<TopicReader>,
    table: Option<Table>,
    _folder: TempDir,
}

struct Table {
    url: String,
    jdbc_url: String,
    sink: Sink,
    _records: NumberRecords,
}

/// The connector that writes the table.
enum Sink {
    Confluent,
    Debezium,
}

impl Flow {
    /// Creates the topics and starts to write lines.
    pub(crate) fn start(kafka: &Kafka, postgres: Option<&Postgres>) -> Result<Self> {
        let topics = Topics::new(kafka.bootstrap());
        topics.create(LINES, 1)?;
        topics.create(NUMBERS, 3)?;
        let table = postgres
            .map(|postgres| -> Result<Table> {
                Ok(Table {
                    url: postgres.url(),
                    jdbc_url: postgres.jdbc_url(),
                    sink: Sink::Confluent,
                    _records: NumberRecords::start(&kafka.bootstrap(), LINES, NUMBERS)?,
                })
            })
            .transpose()?;
        let folder = tempfile::tempdir()?;
        Ok(Self {
            writer: LineWriter::start(&folder.path().join("input"))?,
            output: folder.path().join("output"),
            lines: RefCell::new(topics.reader(LINES)?),
            table,
            _folder: folder,
        })
    }

    /// Has the table written by Debezium's sink, whose class the Java worker has, too.
    pub(crate) fn with_debezium(mut self) -> Self {
        if let Some(table) = &mut self.table {
            table.sink = Sink::Debezium;
        }
        self
    }

    /// Creates the connectors.
    pub(crate) fn connect(&self, rest: &RestClient) -> Result<()> {
        rest.create(
            "lines-in",
            &json!({
                "connector.class": "FileStreamSource", "tasks.max": "1",
                "file": self.writer.path(), "topic": LINES, "value.converter": STRING,
            }),
        )?;
        rest.create(
            "lines-out",
            &json!({
                "connector.class": "FileStreamSink", "tasks.max": "1",
                "file": self.output, "topics": LINES, "value.converter": STRING,
            }),
        )?;
        if let Some(table) = &self.table {
            rest.create("table-out", &table.config())?;
        }
        Ok(())
    }

    /// Waits until all connectors and their tasks run.
    pub(crate) fn wait_running(&self, rest: &RestClient) -> Result<()> {
        rest.wait_for("lines-in", "RUNNING[RUNNING]")?;
        rest.wait_for("lines-out", "RUNNING[RUNNING]")?;
        if self.table.is_some() {
            rest.wait_for("table-out", "RUNNING[RUNNING,RUNNING]")?;
        }
        Ok(())
    }

    /// Waits until lines have arrived everywhere that were not yet written when this was called, and
    /// `more` besides.
    pub(crate) fn wait_progress(&self, more: u64) -> Result<()> {
        let goal = self.writer.written() + more;
        eventually(&format!("line {goal} arrives"), || {
            let mut lines = self.lines.borrow_mut();
            let last = lines.read()?.last().context("no line is in the topic")?;
            reached(goal, "topic", numbered_lines::number(&last.value_text())?)?;
            let last = numbered_lines::last_in(&self.output)?;
            reached(goal, "file", last)?;
            if let Some(table) = &self.table {
                reached(
                    goal,
                    "table",
                    table.numbers()?.into_iter().max().unwrap_or(0),
                )?;
            }
            Ok(())
        })
    }

    /// Stops writing, waits until what was written has arrived everywhere, and checks it all.
    pub(crate) fn finish(mut self) -> Result<()> {
        let last = self.writer.stop()?;
        within(PATIENCE * 2, "all lines are in the topic", || {
            let mut lines = self.lines.borrow_mut();
            let values: Vec<String> = lines.read()?.iter().map(Record::value_text).collect();
            check_all_arrived(values.iter().map(String::as_str), last)
        })?;
        within(PATIENCE * 2, "all lines are in the file", || {
            let output = fs::read_to_string(&self.output)?;
            check_all_arrived(output.lines(), last)
        })?;
        let Some(table) = &self.table else {
            return Ok(());
        };
        let expected: Vec<u64> = (last - KEYS + 1..=last).collect();
        within(PATIENCE * 2, "each key has its last number", || {
            let mut numbers = table.numbers()?;
            numbers.sort_unstable();
            ensure!(numbers == expected, "{numbers:?} where {expected:?} is due");
            Ok(())
        })
    }
}

impl Table {
    fn config(&self) -> Value {
        match self.sink {
            Sink::Confluent => json!({
                "connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector",
                "tasks.max": "2", "topics": NUMBERS, "connection.url": self.jdbc_url,
                "auto.create": "true", "insert.mode": "upsert",
                "pk.mode": "record_key", "pk.fields": "id",
                "max.retries": "100", "retry.backoff.ms": "200",
                "connection.attempts": "100", "connection.backoff.ms": "200",
            }),
            Sink::Debezium => json!({
                "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector",
                "tasks.max": "2", "topics": NUMBERS, "connection.url": self.jdbc_url,
                "connection.username": "postgres", "connection.password": "postgres",
                "connection.pool.min_size": "1", "schema.evolution": "basic",
                "insert.mode": "upsert", "primary.key.mode": "record_value",
                "primary.key.fields": "id",
            }),
        }
    }

    /// The number of each key.
    fn numbers(&self) -> Result<Vec<u64>> {
        let rows = tether_tests::database::query(&self.url, "SELECT number FROM numbers")?;
        rows.iter()
            .map(|row| Ok(row.first().cloned().flatten().context("NULL")?.parse()?))
            .collect()
    }
}

fn reached(goal: u64, place: &str, line: u64) -> Result<()> {
    ensure!(line >= goal, "line {line} is the last one in the {place}");
    Ok(())
}
