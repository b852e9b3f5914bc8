//! Workers and connectors to look at.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tether_services::folders::RunFolder;
use tether_services::shared;
use tether_tests::eventually::eventually;
use tether_tests::names::unique;
use tether_tests::rest_client::RestClient;
use tether_tests::topics::Topics;
use tether_tests::worker::Worker;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

/// A worker with a folder for the files of its connectors.
pub(super) struct Scene {
    pub(super) worker: WorkerProcess,
    pub(super) topics: Topics,
    pub(super) topic: String,
    folder: RunFolder,
}

impl Scene {
    pub(super) fn start() -> Result<Self> {
        let bootstrap = shared::bootstrap()?;
        let topics = Topics::new(&bootstrap);
        let topic = unique("ui");
        topics.create(&topic, 1)?;
        let options = WorkerOptions::new(&unique("ui"), &bootstrap)?;
        Ok(Self {
            worker: WorkerProcess::distributed(&options)?,
            topics,
            topic,
            folder: RunFolder::create("ui")?,
        })
    }

    pub(super) fn rest(&self) -> RestClient {
        self.worker.rest()
    }

    /// A file of the scene.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A source of the lines of a file.
    pub(super) fn source(&self, file: &str) -> Value {
        json!({
            "connector.class": "FileStreamSource",
            "file": self.file(file).display().to_string(),
            "topic": self.topic,
            "value.converter": "org.apache.kafka.connect.storage.StringConverter",
        })
    }

    /// A sink whose tasks fail: its file is in no folder.
    pub(super) fn failing_sink(&self) -> Value {
        json!({
            "connector.class": "FileStreamSink",
            "file": self.file("no/such/folder").display().to_string(),
            "topics": self.topic,
        })
    }

    /// Creates a connector that is not running.
    pub(super) fn create_stopped(&self, name: &str, config: &Value) -> Result<()> {
        let request = json!({"name": name, "config": config, "initial_state": "STOPPED"});
        let rest = self.rest();
        rest.expect(201, "POST", "/connectors", Some(&request))?;
        eventually(&format!("{name} is stopped"), || {
            let all = rest.get("/connectors?expand=status")?;
            let state = &all[name]["status"]["connector"]["state"];
            ensure!(*state == json!("STOPPED"), "{state}");
            Ok(())
        })
    }
}
