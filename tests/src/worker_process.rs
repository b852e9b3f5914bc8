//! Our worker as a process: the real program on a free port.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tether_services::folders::RunFolder;
use tether_services::process::{Process, Signal};
use tether_services::{ConnectOptions, http, java, port};

use crate::program;
use crate::rest_client::RestClient;
use crate::worker::{Worker, address};

const START_PATIENCE: Duration = Duration::from_secs(60);
const STOP_PATIENCE: Duration = Duration::from_secs(60);

/// How a worker is set up.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    properties: Vec<(String, String)>,
    environment: Vec<(String, String)>,
}

impl WorkerOptions {
    /// A worker of the group `name` on this Kafka, with internal topics `<name>-configs`, `-offsets` and
    /// `-status`, JSON converters, a commit of offsets every second, and a free port of 127.0.0.1. A
    /// sink of a worker that was killed is given up as soon as a broker allows by default, after 6 s.
    pub fn new(name: &str, bootstrap: &str) -> Result<Self> {
        let json = "org.apache.kafka.connect.json.JsonConverter";
        let properties = [
            ("bootstrap.servers", bootstrap.to_owned()),
            ("group.id", name.to_owned()),
            ("config.storage.topic", format!("{name}-configs")),
            ("config.storage.replication.factor", "1".to_owned()),
            ("offset.storage.topic", format!("{name}-offsets")),
            ("offset.storage.replication.factor", "1".to_owned()),
            ("offset.storage.partitions", "1".to_owned()),
            ("status.storage.topic", format!("{name}-status")),
            ("status.storage.replication.factor", "1".to_owned()),
            ("status.storage.partitions", "1".to_owned()),
            ("offset.flush.interval.ms", "1000".to_owned()),
            ("consumer.session.timeout.ms", "6000".to_owned()),
            ("consumer.heartbeat.interval.ms", "1000".to_owned()),
            ("key.converter", json.to_owned()),
            ("value.converter", json.to_owned()),
            ("listeners", format!("http://127.0.0.1:{}", port::free()?)),
        ];
        Ok(Self {
            properties: properties
                .map(|(key, value)| (key.to_owned(), value))
                .to_vec(),
            environment: Vec::new(),
        })
    }

    /// Sets a worker property.
    #[must_use]
    pub fn property(mut self, key: &str, value: impl Into<String>) -> Self {
        self.properties = java::merge(self.properties, &[(key.to_owned(), value.into())]);
        self
    }

    /// Sets a variable of the process's environment.
    #[must_use]
    pub fn variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// The same for the Java worker.
    pub fn for_java(&self) -> ConnectOptions {
        let bootstrap = self.value("bootstrap.servers").unwrap_or_default();
        let mut options = ConnectOptions::new(bootstrap);
        options.properties.clone_from(&self.properties);
        options.environment.clone_from(&self.environment);
        options
    }

    /// The properties as the variables that Confluent's containers take them from, `CONNECT_GROUP_ID`
    /// and so on.
    pub fn as_variables(&self) -> Vec<(String, String)> {
        let variables = self.properties.iter().map(|(key, value)| {
            let name = key.to_uppercase().replace('_', "__").replace('-', "___");
            (format!("CONNECT_{}", name.replace('.', "_")), value.clone())
        });
        variables.chain(self.environment.iter().cloned()).collect()
    }

    /// The worker's properties.
    pub fn properties(&self) -> &[(String, String)] {
        &self.properties
    }

    fn value(&self, key: &str) -> Option<&str> {
        let (_, value) = self.properties.iter().find(|(known, _)| known == key)?;
        Some(value)
    }

    fn url(&self) -> Result<String> {
        let listeners = self
            .value("listeners")
            .context("the worker has no listener")?;
        let first = listeners.split(',').next().unwrap_or_default();
        Ok(first.trim().to_owned())
    }
}

/// A running worker. Killed when dropped; if a test is panicking then, the end of its log is printed.
#[derive(Debug)]
pub struct WorkerProcess {
    // Before the folder, so that it ends before its files go.
    process: Process,
    launch: Launch,
    folder: RunFolder,
}

/// What it takes to start the worker once more.
#[derive(Debug)]
struct Launch {
    arguments: Vec<PathBuf>,
    environment: Vec<(String, String)>,
    url: String,
}

impl WorkerProcess {
    /// `tether connect-distributed FILE`; returns once it is ready.
    pub fn distributed(options: &WorkerOptions) -> Result<Self> {
        let folder = RunFolder::create("worker")?;
        let file = folder.path().join("worker.properties");
        java::write_properties(&file, &options.properties)?;
        let launch = Launch {
            arguments: vec!["connect-distributed".into(), file],
            environment: options.environment.clone(),
            url: options.url()?,
        };
        launch.start(folder)
    }

    /// `tether connect-standalone FILE CONNECTOR...`, with offsets in a file of its own unless the
    /// options name one; returns once it is ready.
    pub fn standalone(options: &WorkerOptions, connectors: &[PathBuf]) -> Result<Self> {
        let folder = RunFolder::create("worker")?;
        let file = folder.path().join("worker.properties");
        let offsets = folder.path().join("offsets").display().to_string();
        let defaults = vec![("offset.storage.file.filename".to_owned(), offsets)];
        java::write_properties(&file, &java::merge(defaults, &options.properties))?;
        let launch = Launch {
            arguments: [&["connect-standalone".into(), file], connectors].concat(),
            environment: options.environment.clone(),
            url: options.url()?,
        };
        launch.start(folder)
    }

    /// `tether connect-distributed` with nothing but these variables; returns once the REST API at
    /// `url` is ready.
    pub fn from_environment(variables: &[(String, String)], url: &str) -> Result<Self> {
        let launch = Launch {
            arguments: vec!["connect-distributed".into()],
            environment: variables.to_vec(),
            url: url.to_owned(),
        };
        launch.start(RunFolder::create("worker")?)
    }

    /// Base URL of the REST API, without a trailing slash.
    pub fn url(&self) -> &str {
        &self.launch.url
    }

    /// Sends a signal that does not end it.
    pub fn signal(&mut self, signal: Signal) -> Result<()> {
        self.process.signal(signal)
    }

    /// Sends a signal and waits for the end; returns the exit code.
    ///
    /// # Errors
    ///
    /// It still runs after a minute, or a signal ended it.
    pub fn end(&mut self, signal: Signal) -> Result<i32> {
        self.process.stop(signal, STOP_PATIENCE)?;
        program::exit_code(&mut self.process)
    }
}

impl Worker for WorkerProcess {
    fn rest(&self) -> RestClient {
        RestClient::new(&self.launch.url)
    }

    fn address(&self) -> String {
        address(&self.launch.url)
    }

    fn pid(&self) -> u32 {
        self.process.id()
    }

    fn log(&self) -> String {
        self.process.printed()
    }

    fn stop(&mut self) -> Result<()> {
        let code = self.end(Signal::TERM)?;
        ensure!(code == 0, "SIGTERM ended tether with {code}");
        Ok(())
    }

    fn kill(&mut self) {
        self.process.kill();
    }

    fn pause(&mut self) -> Result<()> {
        self.process.signal(Signal::STOP)
    }

    fn resume(&mut self) -> Result<()> {
        self.process.signal(Signal::CONT)
    }

    fn restart(&mut self) -> Result<()> {
        if self.process.is_running() {
            self.stop()?;
        }
        self.process = self.launch.spawn(self.folder.path())?;
        Ok(())
    }
}

impl Drop for WorkerProcess {
    #[allow(clippy::print_stderr, reason = "what a failed test has to show")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the worker's log ends with:\n{}", self.process.log_tail());
        }
    }
}

impl Launch {
    fn start(self, folder: RunFolder) -> Result<WorkerProcess> {
        Ok(WorkerProcess {
            process: self.spawn(folder.path())?,
            launch: self,
            folder,
        })
    }

    fn spawn(&self, folder: &Path) -> Result<Process> {
        let mut command = program::command()?;
        command
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        let mut process = Process::spawn("tether", command, &folder.join("tether.log"))?;
        let health = format!("{}/health", self.url);
        process.wait_ready(START_PATIENCE, |process| {
            if self.url.starts_with("http://") {
                http::get(&health).is_ok_and(|answer| matches!(answer.status, 200 | 401))
            } else {
                process.printed().contains("Kafka Connect started")
            }
        })?;
        Ok(process)
    }
}
