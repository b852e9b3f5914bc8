//! The two workers as benchmarks run them.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use tether_services::folders::RunFolder;
use tether_services::java::{self, Jvm};
use tether_services::process::{Process, Signal};
use tether_services::{ConnectWorker, http, port};

use crate::program;
use crate::rest_client::RestClient;
use crate::worker::Worker;
use crate::worker_process::{WorkerOptions, WorkerProcess};

/// The Java worker takes minutes on a machine that compiles.
const START_PATIENCE: Duration = Duration::from_secs(600);
const STOP_PATIENCE: Duration = Duration::from_secs(60);

/// Which worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// Ours.
    Tether,
    /// The Java worker.
    Reference,
}

impl Kind {
    /// Only this one, or else both in the order in which they are measured.
    pub fn chosen(only: Option<Self>) -> Vec<Self> {
        only.map_or_else(|| vec![Self::Tether, Self::Reference], |kind| vec![kind])
    }

    /// The name in the report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tether => "tether",
            Self::Reference => "reference",
        }
    }
}

/// Starts a distributed worker; returns once it is ready.
///
/// # Errors
///
/// It does not get ready.
pub fn distributed(
    kind: Kind,
    options: &WorkerOptions,
    jvm: &Jvm,
) -> Result<Box<dyn Worker + Send>> {
    Ok(match kind {
        Kind::Tether => Box::new(WorkerProcess::distributed(options)?),
        Kind::Reference => {
            let mut options = options.for_java();
            options.jvm = jvm.clone();
            Box::new(ConnectWorker::distributed(options)?)
        }
    })
}

/// What only the Java worker needs.
#[derive(Debug, Clone)]
pub struct JavaSide {
    /// The worker's class path.
    pub class_path: String,
    /// `plugin.path`.
    pub plugin_path: String,
}

/// A running standalone worker, which is alone with one connector.
#[derive(Debug)]
pub struct BenchWorker {
    // Before the folder, so that it ends before its files go.
    process: Process,
    address: String,
    folder: RunFolder,
}

impl BenchWorker {
    /// Starts a worker; returns once its REST API answers. Both get the same properties, with those of
    /// the files that the Kafka distribution brings besides. The virtual machine gets what the scripts
    /// of the distribution pass.
    ///
    /// # Errors
    ///
    /// It does not get ready.
    pub fn start(
        kind: Kind,
        bootstrap: &str,
        properties: &[(&str, String)],
        java_side: &JavaSide,
    ) -> Result<Self> {
        let folder = RunFolder::create("bench-worker")?;
        let address = format!("127.0.0.1:{}", port::free()?);
        let offsets = folder.path().join("offsets").display().to_string();
        let mut all = vec![
            ("bootstrap.servers", bootstrap.to_owned()),
            ("listeners", format!("http://{address}")),
            ("offset.storage.file.filename", offsets),
            ("offset.flush.interval.ms", "10000".to_owned()),
        ];
        all.extend_from_slice(properties);
        if kind == Kind::Reference {
            all.push(("plugin.path", java_side.plugin_path.clone()));
        }
        let owned: Vec<_> = all
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        let file = folder.path().join("worker.properties");
        java::write_properties(&file, &owned)?;
        let log = folder.path().join("worker.log");
        let mut worker = Self {
            process: Process::spawn(kind.name(), command(kind, java_side, &file)?, &log)?,
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
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// A folder that goes with this run.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A client of its REST API.
    pub fn rest(&self) -> RestClient {
        RestClient::new(format!("http://{}", self.address))
    }

    /// The error for a connector that does not get on.
    ///
    /// # Errors
    ///
    /// The process has ended, or it has run for longer than `limit`.
    pub fn check(&mut self, connector: &str, since: Instant, limit: Duration) -> Result<()> {
        if self.process.is_running() && since.elapsed() < limit {
            return Ok(());
        }
        let traces = self.rest().traces(connector).unwrap_or_default();
        bail!(
            "{connector} does not get on: {traces}\n{}",
            self.process.log_tail()
        );
    }

    /// The error for a connector of which a task has failed.
    ///
    /// # Errors
    ///
    /// One has, or the worker does not tell.
    pub fn check_tasks(&self, connector: &str) -> Result<()> {
        let traces = self.rest().traces(connector)?;
        ensure!(traces.is_empty(), "{connector} has failed: {traces}");
        Ok(())
    }

    /// Stops in order.
    ///
    /// # Errors
    ///
    /// It does not end in time.
    pub fn stop(mut self) -> Result<()> {
        self.process.stop(Signal::TERM, STOP_PATIENCE)
    }
}

fn command(kind: Kind, java_side: &JavaSide, properties: &Path) -> Result<Command> {
    let mut command = match kind {
        Kind::Tether => {
            let mut command = program::command()?;
            command.arg("connect-standalone");
            command
        }
        Kind::Reference => {
            let mut command = Jvm::as_distributed().service(&java_side.class_path);
            command.arg("org.apache.kafka.connect.cli.ConnectStandalone");
            command
        }
    };
    command.arg(properties);
    Ok(command)
}
