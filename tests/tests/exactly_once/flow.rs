//! Lines that flow all the time from a file into a topic, each of them once.

use std::cell::RefCell;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use tether_services::{Kafka, KafkaOptions};
use tether_tests::eventually::{PATIENCE, eventually, within};
use tether_tests::numbered_lines::{self, LineWriter, check_each_once};
use tether_tests::rest_client::RestClient;
use tether_tests::topics::{Record, TopicReader, Topics};
use tether_tests::worker_process::WorkerOptions;

const LINES: &str = "lines";
pub(super) const CONNECTOR: &str = "lines-in";

/// A broker that lets members of groups be declared dead after a second.
pub(super) fn start_kafka() -> Result<Kafka> {
    let shortest = ("group.min.session.timeout.ms", "1000");
    Kafka::start(KafkaOptions {
        properties: vec![(shortest.0.to_owned(), shortest.1.to_owned())],
        ..KafkaOptions::default()
    })
}

/// A worker with exactly-once sources. Its group does not wait for workers that went away.
pub(super) fn options(kafka: &Kafka) -> Result<WorkerOptions> {
    Ok(WorkerOptions::new("once", &kafka.bootstrap())?
        .property("exactly.once.source.support", "enabled")
        .property("session.timeout.ms", "6000")
        .property("heartbeat.interval.ms", "1500")
        .property("scheduled.rebalance.max.delay.ms", "0"))
}

/// The configuration of a source that has to be exactly-once.
pub(crate) fn source(file: &Path, topic: &str, more: &[(&str, &str)]) -> Value {
    let mut config = json!({
        "connector.class": "FileStreamSource", "tasks.max": "1", "file": file, "topic": topic,
        "value.converter": "org.apache.kafka.connect.storage.StringConverter",
        "exactly.once.support": "required",
    });
    for (key, value) in more {
        config[*key] = json!(value);
    }
    config
}

/// `file ─► FileStreamSource ─► lines`
pub(super) struct Flow {
    writer: LineWriter,
    lines: RefCell<TopicReader>,
    _folder: TempDir,
}

impl Flow {
    /// Creates the topic and starts to write lines.
    pub(super) fn start(kafka: &Kafka) -> Result<Self> {
        let topics = Topics::new(kafka.bootstrap());
        topics.create(LINES, 1)?;
        let folder = tempfile::tempdir()?;
        Ok(Self {
            writer: LineWriter::start(&folder.path().join("input"))?,
            lines: RefCell::new(topics.reader(LINES)?),
            _folder: folder,
        })
    }

    /// Creates the connector.
    pub(super) fn connect(&self, rest: &RestClient, more: &[(&str, &str)]) -> Result<()> {
        rest.create(CONNECTOR, &source(self.writer.path(), LINES, more))
    }

    /// Waits until a line has arrived that was not yet written when this was called, and `more`
    /// besides.
    pub(super) fn wait_progress(&self, more: u64) -> Result<()> {
        let goal = self.writer.written() + more;
        eventually(&format!("line {goal} arrives"), || {
            let mut lines = self.lines.borrow_mut();
            let last = lines.read()?.last().context("no line is in the topic")?;
            let last = numbered_lines::number(&last.value_text())?;
            ensure!(last >= goal, "line {last} is the last one");
            Ok(())
        })
    }

    /// Checks that each line that has arrived by now came once, and in its place.
    pub(super) fn check(&self) -> Result<()> {
        let mut lines = self.lines.borrow_mut();
        let values: Vec<String> = lines.read()?.iter().map(Record::value_text).collect();
        check_each_once(values.iter().map(String::as_str)).map(drop)
    }

    /// Stops writing, waits until the last line has arrived, and checks them all. Returns how many
    /// there are.
    pub(super) fn finish(mut self) -> Result<u64> {
        let last = self.writer.stop()?;
        within(PATIENCE * 2, "all lines are in the topic", || {
            let mut lines = self.lines.borrow_mut();
            let values: Vec<String> = lines.read()?.iter().map(Record::value_text).collect();
            let seen = check_each_once(values.iter().map(String::as_str))?;
            ensure!(seen == last, "line {seen} is the last one of {last}");
            Ok(())
        })?;
        Ok(last)
    }
}
