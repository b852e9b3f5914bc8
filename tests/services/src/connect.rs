//! The Java Kafka Connect worker, the reference for Tether.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::folders::RunFolder;
use crate::jars::Jars;
use crate::java::{self, Jvm};
use crate::process::{Process, Signal};
use crate::{http, port};

const START_PATIENCE: Duration = Duration::from_secs(90);
const STOP_PATIENCE: Duration = Duration::from_secs(60);
const DISTRIBUTED: &str = "org.apache.kafka.connect.cli.ConnectDistributed";
const STANDALONE: &str = "org.apache.kafka.connect.cli.ConnectStandalone";

/// How a worker is set up.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// `bootstrap.servers`.
    pub bootstrap: String,
    /// Worker properties over the defaults: JSON converters, internal topics `connect-configs`,
    /// `connect-offsets` and `connect-status`, group `connect-cluster`, a free port, and a
    /// `plugin.path` with the FileStream connectors and Confluent's Avro converter.
    pub properties: Vec<(String, String)>,
    /// Environment of the process, for the configuration providers.
    pub environment: Vec<(String, String)>,
    /// Options of the virtual machine.
    pub jvm: Jvm,
}

impl ConnectOptions {
    /// The defaults, on this Kafka.
    pub fn new(bootstrap: impl Into<String>) -> Self {
        Self {
            bootstrap: bootstrap.into(),
            properties: Vec::new(),
            environment: Vec::new(),
            jvm: Jvm::small(512),
        }
    }

    /// Sets a worker property.
    #[must_use]
    pub fn property(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties.push((key.into(), value.into()));
        self
    }
}

/// A running worker. Killed when dropped.
#[derive(Debug)]
pub struct ConnectWorker {
    // Before the folder, so that it ends before its files go.
    process: Process,
    launch: Launch,
    folder: RunFolder,
}

/// What it takes to start the worker once more.
#[derive(Debug)]
struct Launch {
    main_class: &'static str,
    jars: Jars,
    jvm: Jvm,
    environment: Vec<(String, String)>,
    /// The worker's properties file, then those of connectors.
    files: Vec<PathBuf>,
    url: String,
}

impl ConnectWorker {
    /// Starts a worker of a group; returns once its REST API answers.
    pub fn distributed(options: ConnectOptions) -> Result<Self> {
        let defaults = [
            ("group.id", "connect-cluster"),
            ("config.storage.topic", "connect-configs"),
            ("config.storage.replication.factor", "1"),
            ("offset.storage.topic", "connect-offsets"),
            ("offset.storage.replication.factor", "1"),
            ("offset.storage.partitions", "1"),
            ("status.storage.topic", "connect-status"),
            ("status.storage.replication.factor", "1"),
            ("status.storage.partitions", "1"),
        ];
        Self::start(DISTRIBUTED, options, owned(defaults), &[])
    }

    /// Starts a worker that stands alone, with its offsets in a file of its own and these connector
    /// files; returns once its REST API answers.
    pub fn standalone(options: ConnectOptions, connectors: &[PathBuf]) -> Result<Self> {
        Self::start(STANDALONE, options, Vec::new(), connectors)
    }

    fn start(
        main_class: &'static str,
        options: ConnectOptions,
        mut defaults: Vec<(String, String)>,
        connectors: &[PathBuf],
    ) -> Result<Self> {
        let jars = Jars::fetch()?;
        let folder = RunFolder::create("connect")?;
        let json = "org.apache.kafka.connect.json.JsonConverter";
        let listener = format!("http://127.0.0.1:{}", port::free()?);
        let offsets = folder.path().join("offsets").display().to_string();
        let plugins = jars.plugin_path().display().to_string();
        defaults.extend(owned([
            ("bootstrap.servers", options.bootstrap.as_str()),
            ("listeners", listener.as_str()),
            ("key.converter", json),
            ("value.converter", json),
            ("plugin.path", plugins.as_str()),
        ]));
        if main_class == STANDALONE {
            defaults.extend(owned([("offset.storage.file.filename", offsets.as_str())]));
        }
        let properties = java::merge(defaults, &options.properties);
        let url = properties
            .iter()
            .find(|(key, _)| key == "listeners")
            .and_then(|(_, listeners)| listeners.split(',').next())
            .map(|listener| listener.trim().replacen("HTTP", "http", 1))
            .context("the worker has no listener")?;

        let file = folder.path().join("worker.properties");
        java::write_properties(&file, &properties)?;
        let launch = Launch {
            main_class,
            jars,
            jvm: options.jvm,
            environment: options.environment,
            files: [&[file], connectors].concat(),
            url,
        };
        let process = launch.spawn(folder.path())?;
        Ok(Self {
            process,
            launch,
            folder,
        })
    }

    /// Base URL of the REST API, without a trailing slash.
    pub fn url(&self) -> &str {
        &self.launch.url
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Everything it has logged since it was last started.
    pub fn log(&self) -> String {
        self.process.printed()
    }

    /// Stops in order, as `SIGTERM` does.
    pub fn stop(&mut self) -> Result<()> {
        self.process.stop(Signal::TERM, STOP_PATIENCE)
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Freezes the worker, as a long pause of its virtual machine does.
    pub fn pause(&mut self) -> Result<()> {
        self.process.signal(Signal::STOP)
    }

    /// Ends [`ConnectWorker::pause`].
    pub fn resume(&mut self) -> Result<()> {
        self.process.signal(Signal::CONT)
    }

    /// Starts again with the same files and port, after stopping in order if it still runs.
    pub fn restart(&mut self) -> Result<()> {
        self.stop()?;
        self.process = self.launch.spawn(self.folder.path())?;
        Ok(())
    }
}

impl Launch {
    fn spawn(&self, folder: &Path) -> Result<Process> {
        let mut command: Command = self.jvm.service(&self.jars.kafka_class_path());
        command.arg(self.main_class).args(&self.files);
        command.envs(self.environment.iter().map(|(key, value)| (key, value)));
        let mut process = Process::spawn("Kafka Connect", command, &folder.join("connect.log"))?;
        process.wait_ready(START_PATIENCE, |process| self.is_ready(process))?;
        Ok(process)
    }

    /// A worker that asks for a password, or speaks https, is ready when it says so.
    fn is_ready(&self, process: &Process) -> bool {
        if !process.printed().contains("Kafka Connect started") {
            return false;
        }
        !self.url.starts_with("http://")
            || ["/", "/connectors"].iter().all(|path| {
                http::get(&format!("{}{path}", self.url))
                    .is_ok_and(|answer| matches!(answer.status, 200 | 401))
            })
    }
}

fn owned<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    pairs
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .to_vec()
}
