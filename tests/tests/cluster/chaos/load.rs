//! Lines that flow through sources, topics and sinks into tables.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use tempfile::TempDir;
use tether_services::shared;
use tether_tests::database::Database;
use tether_tests::eventually::within;
use tether_tests::names::unique;
use tether_tests::numbered_lines::LineWriter;
use tether_tests::rest_client::RestClient;
use tether_tests::topics::Topics;

const STRING: &str = "org.apache.kafka.connect.storage.StringConverter";
const HOIST: &str = "org.apache.kafka.connect.transforms.HoistField$Value";
/// How long anything may take that waits for faults to be over.
pub(super) const PATIENCE: Duration = Duration::from_secs(300);
/// Each file grows by a hundred lines per second.
const PAUSE: Duration = Duration::from_millis(100);

/// ```text
/// file ─► FileStreamSource ─► topic ─► JDBC sink ─► table      as often as there are pipelines
/// ```
///
/// A table has each line once, however often it comes.
pub(super) struct Load {
    pipelines: usize,
    sink_tasks: usize,
    database: Database,
    folder: TempDir,
    writers: Vec<LineWriter>,
}

impl Load {
    /// Creates topics, and starts to write lines.
    pub(super) fn start(bootstrap: &str, pipelines: usize, sink_tasks: usize) -> Result<Self> {
        let topics = Topics::new(bootstrap);
        for pipeline in 0..pipelines {
            topics.create(&topic(pipeline), i32::try_from(sink_tasks)?)?;
        }
        let database = unique("chaos").replace('-', "x");
        let folder = tempfile::tempdir()?;
        let writers =
            (0..pipelines).map(|pipeline| LineWriter::paced(&file(folder.path(), pipeline), PAUSE));
        Ok(Self {
            pipelines,
            sink_tasks,
            database: Database::create(&shared::postgres_url()?, &database)?,
            writers: writers.collect::<Result<_>>()?,
            folder,
        })
    }

    /// Creates the connectors.
    pub(super) fn connect(&self, rest: &RestClient) -> Result<()> {
        for pipeline in 0..self.pipelines {
            let topic = topic(pipeline);
            rest.create(
                &format!("in-{pipeline}"),
                &json!({
                    "connector.class": "FileStreamSource", "tasks.max": "1",
                    "file": file(self.folder.path(), pipeline), "topic": topic,
                    "value.converter": STRING,
                }),
            )?;
            rest.create(
                &format!("out-{pipeline}"),
                &json!({
                    "connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector",
                    "tasks.max": self.sink_tasks.to_string(), "topics": topic,
                    "connection.url": self.database.jdbc_url(), "auto.create": "true",
                    "insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "line",
                    "key.converter": STRING, "value.converter": STRING,
                    "transforms": "hoist", "transforms.hoist.type": HOIST,
                    "transforms.hoist.field": "line",
                }),
            )?;
        }
        Ok(())
    }

    /// The connectors, each with the number of its tasks.
    pub(super) fn connectors(&self) -> impl Iterator<Item = (String, usize)> {
        (0..self.pipelines).flat_map(|pipeline| {
            [
                (format!("in-{pipeline}"), 1),
                (format!("out-{pipeline}"), self.sink_tasks),
            ]
        })
    }

    /// Waits until as many lines more have arrived in every table as are written by now.
    pub(super) fn wait_progress(&self) -> Result<()> {
        for (pipeline, writer) in self.writers.iter().enumerate() {
            self.wait_lines(pipeline, writer.written())?;
        }
        Ok(())
    }

    /// Stops writing, and waits until every line is in its table.
    pub(super) fn finish(&mut self) -> Result<()> {
        let written: Vec<u64> = self
            .writers
            .iter_mut()
            .map(LineWriter::stop)
            .collect::<Result<_>>()?;
        for (pipeline, written) in written.into_iter().enumerate() {
            self.wait_lines(pipeline, written)?;
            let lines = self.lines(pipeline)?;
            ensure!(lines == written, "{lines} lines of {written}");
        }
        Ok(())
    }

    fn wait_lines(&self, pipeline: usize, lines: u64) -> Result<()> {
        within(PATIENCE, &format!("{lines} lines of {pipeline}"), || {
            let arrived = self.lines(pipeline)?;
            ensure!(arrived >= lines, "{arrived}");
            Ok(())
        })
    }

    /// How many lines have arrived.
    fn lines(&self, pipeline: usize) -> Result<u64> {
        let table = topic(pipeline);
        let exists = self
            .database
            .column(&format!("SELECT to_regclass('{table}') IS NOT NULL"))?;
        if exists != ["t"] {
            return Ok(0);
        }
        let counts = self
            .database
            .column(&format!("SELECT count(*) FROM {table}"))?;
        Ok(counts.concat().parse()?)
    }
}

fn topic(pipeline: usize) -> String {
    format!("lines_{pipeline}")
}

fn file(folder: &Path, pipeline: usize) -> PathBuf {
    folder.join(format!("input-{pipeline}"))
}
