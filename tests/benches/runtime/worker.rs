//! The two workers, each alone with the connector of one case.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tether_services::folders::RunFolder;
use tether_services::jars::Jars;
use tether_services::java::{self, Jvm};
use tether_services::process::{Process, Signal};
use tether_services::{http, port};
use tether_tests::program;
use tether_tests::rest_client::RestClient;

use crate::case::Format;

/// The Java worker takes minutes on a machine that compiles.
const START_PATIENCE: Duration = Duration::from_secs(600);
const STOP_PATIENCE: Duration = Duration::from_secs(60);

/// Which worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// Ours.
    Tether,
    /// The Java worker.
    Reference,
}

impl Kind {
    /// The name in the report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tether => "tether",
            Self::Reference => "reference",
        }
    }
}

/// A running standalone worker.
pub(crate) struct Worker {
    // Before the folder, so that it ends before its files go.
    process: Process,
    address: String,
    folder: RunFolder,
}

impl Worker {
    /// Starts a worker; returns once its REST API answers. Both get the same properties, those of the
    /// files that the Kafka distribution brings.
    pub(crate) fn start(
        kind: Kind,
        format: Format,
        bootstrap: &str,
        registry: &str,
    ) -> Result<Self> {
        let folder = RunFolder::create("bench-runtime")?;
        let address = format!("127.0.0.1:{}", port::free()?);
        let offsets = folder.path().join("offsets").display().to_string();
        let mut properties = vec![
            ("bootstrap.servers", bootstrap.to_owned()),
            ("listeners", format!("http://{address}")),
            ("offset.storage.file.filename", offsets),
            ("offset.flush.interval.ms", "10000".to_owned()),
            (
                "key.converter",
                "org.apache.kafka.connect.storage.StringConverter".to_owned(),
            ),
        ];
        properties.extend(format.converter(registry));
        if kind == Kind::Reference {
            let plugins = Jars::fetch()?.plugin_path().display().to_string();
            properties.push(("plugin.path", plugins));
        }
        let owned: Vec<_> = properties
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        let file = folder.path().join("worker.properties");
        java::write_properties(&file, &owned)?;
        let log = folder.path().join("worker.log");
        let mut worker = Self {
            process: Process::spawn(kind.name(), command(kind, &file)?, &log)?,
            address,
            folder,
        };
        let url = format!("http://{}/connectors", worker.address);
        worker.process.wait_ready(START_PATIENCE, |_| {
            http::get(&url).is_ok_and(|answer| answer.status == 200)
        })?;
        Ok(worker)
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// A folder that goes with this run.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A client of its REST API.
    pub(crate) fn rest(&self) -> RestClient {
        RestClient::new(format!("http://{}", self.address))
    }

    /// The error for a connector that does not get on.
    pub(crate) fn check(&mut self, connector: &str, since: Instant, limit: Duration) -> Result<()> {
        if self.process.is_running() && since.elapsed() < limit {
            return Ok(());
        }
        let traces = self.rest().traces(connector).unwrap_or_default();
        bail!(
            "{connector} does not get on: {traces}\n{}",
            self.process.log_tail()
        );
    }

    /// Stops in order.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.process.stop(Signal::TERM, STOP_PATIENCE)
    }
}

/// What starts a worker. The virtual machine gets what the scripts of the Kafka distribution pass.
fn command(kind: Kind, properties: &Path) -> Result<Command> {
    let mut command = match kind {
        Kind::Tether => {
            let mut command = program::command()?;
            command.arg("connect-standalone");
            command
        }
        Kind::Reference => {
            let kafka = Jars::fetch()?.kafka_class_path();
            let folder = java::sources().join("bench").join("tether").join("bench");
            let sources = ["Generator.java", "NullSink.java"].map(|name| folder.join(name));
            let classes = java::compile("bench", &sources, &kafka)?;
            let class_path = format!("{}:{kafka}", classes.display());
            let mut command = Jvm::as_distributed().service(&class_path);
            command.arg("org.apache.kafka.connect.cli.ConnectStandalone");
            command
        }
    };
    command.arg(properties);
    Ok(command)
}
