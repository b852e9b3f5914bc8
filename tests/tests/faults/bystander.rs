//! A worker with connectors that have nothing to do with what goes wrong.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use tether_services::shared;
use tether_tests::eventually::eventually;
use tether_tests::names::unique;
use tether_tests::numbered_lines::{append, line};
use tether_tests::rest_client::RestClient;
use tether_tests::topics::Topics;
use tether_tests::worker::Worker;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

/// A worker on the shared Kafka, on which lines go from a file through a topic to another file. Its name
/// goes before the names of everything that lives in shared services.
pub(super) struct Bystander {
    pub(super) rest: RestClient,
    pub(super) topics: Topics,
    pub(super) name: String,
    worker: WorkerProcess,
    pid: u32,
    folder: TempDir,
}

impl Bystander {
    /// Starts the worker; returns once the first lines have gone through.
    pub(super) fn start() -> Result<Self> {
        let name = unique("faults");
        let bootstrap = shared::bootstrap()?;
        let topics = Topics::new(&bootstrap);
        topics.create(&format!("{name}-bystander"), 1)?;
        let worker = WorkerProcess::distributed(&WorkerOptions::new(&name, &bootstrap)?)?;
        let bystander = Self {
            rest: worker.rest(),
            topics,
            pid: worker.pid(),
            worker,
            folder: tempfile::tempdir()?,
            name,
        };
        append(&bystander.file("input"), 1, 10)?;
        let topic = format!("{}-bystander", bystander.name);
        bystander
            .rest
            .create(&format!("{topic}-in"), &bystander.source("input", &topic))?;
        bystander.rest.create(
            &format!("{topic}-out"),
            &json!({
                "connector.class": "FileStreamSink", "topics": topic,
                "file": bystander.file("output"),
            }),
        )?;
        bystander.wait_lines(10)?;
        Ok(bystander)
    }

    /// Checks that the same worker still moves lines.
    pub(super) fn check(self) -> Result<()> {
        append(&self.file("input"), 11, 20)?;
        self.wait_lines(20)?;
        assert_eq!(self.worker.pid(), self.pid);
        for end in ["in", "out"] {
            let states = self
                .rest
                .states(&format!("{}-bystander-{end}", self.name))?;
            assert_eq!(states, "RUNNING[RUNNING]");
        }
        Ok(())
    }

    /// A file in this bystander's folder.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The config of a source from such a file to a topic.
    pub(super) fn source(&self, file: &str, topic: &str) -> Value {
        json!({"connector.class": "FileStreamSource", "file": self.file(file), "topic": topic})
    }

    /// Waits until a file has these lines and no others.
    pub(super) fn wait_text(path: &Path, expected: &str) -> Result<()> {
        eventually(&format!("the text of {}", path.display()), || {
            let text = fs::read_to_string(path)?;
            ensure!(text == expected, "{text:?}");
            Ok(())
        })
    }

    fn wait_lines(&self, last: u64) -> Result<()> {
        let expected: String = (1..=last).map(|number| line(number) + "\n").collect();
        Self::wait_text(&self.file("output"), &expected)
    }
}
