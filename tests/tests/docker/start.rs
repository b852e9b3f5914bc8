//! Starts a worker by each entry point that the usual connect images have.

use std::fs;

use anyhow::{Result, ensure};
use serde_json::json;
use tether_services::folders::RunFolder;
use tether_services::process::{self, Process, Signal};
use tether_services::{java, port, shared};
use tether_tests::eventually::{PATIENCE, eventually};
use tether_tests::names::unique;
use tether_tests::program;
use tether_tests::rest_client::RestClient;
use tether_tests::topics::Topics;
use tether_tests::worker_process::WorkerOptions;

use super::image::Image;

/// A worker in the image.
struct Container {
    // Before the folder, so that it ends before its log goes.
    process: Process,
    image: Image,
    url: String,
    _folder: RunFolder,
}

impl Container {
    fn start(
        image: Image,
        entry_point: &str,
        url: &str,
        variables: &[(String, String)],
    ) -> Result<Self> {
        let folder = RunFolder::create("container")?;
        let mut command = image.command(entry_point);
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        let process = Process::spawn("container", command, &folder.path().join("log"))?;
        Ok(Self {
            process,
            image,
            url: url.to_owned(),
            _folder: folder,
        })
    }

    /// Waits until the image's health check passes.
    fn wait_healthy(&mut self) -> Result<()> {
        let (image, url) = (&self.image, &self.url);
        self.process.wait_ready(PATIENCE, |_| {
            let mut command = image.command("/usr/local/bin/tether");
            command.args(["health", "--url", url]);
            process::output(command).is_ok()
        })
    }

    fn stop(mut self) -> Result<()> {
        self.process.stop(Signal::TERM, PATIENCE)?;
        assert_eq!(program::exit_code(&mut self.process)?, 0);
        Ok(())
    }
}

#[test]
fn by_confluents_entry_point_and_variables() -> Result<()> {
    let (name, bootstrap) = (unique("container"), shared::bootstrap()?);
    Topics::new(&bootstrap).create(&name, 1)?;
    let url = format!("http://127.0.0.1:{}", port::free()?);
    let options = WorkerOptions::new(&name, &bootstrap)?.property("listeners", &url);
    let image = Image::new()?;
    fs::write(image.place("/etc/kafka-connect/jars/lines.txt")?, "one\n")?;
    let mut container = Container::start(
        image,
        "/etc/confluent/docker/run",
        &url,
        &options.as_variables(),
    )?;
    container.wait_healthy()?;
    // The user may read what is mounted.
    let rest = RestClient::new(&url);
    rest.create(
        "lines",
        &json!({
            "connector.class": "FileStreamSource", "tasks.max": "1", "topic": name,
            "file": "/etc/kafka-connect/jars/lines.txt",
        }),
    )?;
    eventually("the line is read", || {
        let offset = rest.offset("lines")?;
        ensure!(offset["position"] == 4, "{offset}");
        Ok(())
    })?;
    container.stop()
}

#[test]
fn by_debeziums_entry_point_and_variables() -> Result<()> {
    let name = unique("container");
    let url = format!("http://127.0.0.1:{}", port::free()?);
    let variables = [
        ("BOOTSTRAP_SERVERS", shared::bootstrap()?),
        ("GROUP_ID", name.clone()),
        ("CONFIG_STORAGE_TOPIC", format!("{name}-configs")),
        ("OFFSET_STORAGE_TOPIC", format!("{name}-offsets")),
        ("STATUS_STORAGE_TOPIC", format!("{name}-status")),
        ("CONNECT_LISTENERS", url.clone()),
    ]
    .map(|(name, value)| (name.to_owned(), value));
    let mut container = Container::start(Image::new()?, "/docker-entrypoint.sh", &url, &variables)?;
    container.wait_healthy()?;
    container.stop()
}

#[test]
fn by_strimzis_entry_point_and_file() -> Result<()> {
    let url = format!("http://127.0.0.1:{}", port::free()?);
    let options = WorkerOptions::new(&unique("container"), &shared::bootstrap()?)?
        .property("listeners", &url);
    let image = Image::new()?;
    let file = image.place("/opt/kafka/custom-config/kafka-connect.properties")?;
    java::write_properties(&file, options.properties())?;
    let mut container = Container::start(image, "/opt/kafka/kafka_connect_run.sh", &url, &[])?;
    container.wait_healthy()?;
    container.stop()
}
