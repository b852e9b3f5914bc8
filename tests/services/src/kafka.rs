//! An Apache Kafka broker.

use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::folders::RunFolder;
use crate::jars::Jars;
use crate::java::{self, Jvm};
use crate::port;
use crate::process::{self, Process, Signal};

const START_PATIENCE: Duration = Duration::from_secs(60);
const STOP_PATIENCE: Duration = Duration::from_secs(30);
const TOOL_HEAP_MEBIBYTES: u32 = 128;

/// A further listener besides the plain one, for example with SASL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Name, in capitals: `SASL`.
    pub name: String,
    /// Security protocol: `SASL_PLAINTEXT`, `SSL`, `SASL_SSL`. Its settings go to
    /// [`KafkaOptions::properties`] as `listener.name.<name in small letters>.…`.
    pub protocol: String,
    /// Where it listens and where clients are told to connect, if something stands between.
    pub behind: Option<Behind>,
}

/// The ports of a listener behind a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Behind {
    /// The broker's.
    pub port: u16,
    /// The proxy's.
    pub proxy: u16,
}

/// How a broker is set up.
#[derive(Debug, Clone)]
pub struct KafkaOptions {
    /// Whether a topic springs into being when a client asks for it. Off by default, so that tests
    /// see who creates topics.
    pub auto_create_topics: bool,
    /// Listeners besides the plain one.
    pub listeners: Vec<Listener>,
    /// Broker properties over the defaults.
    pub properties: Vec<(String, String)>,
    /// Options of the virtual machine.
    pub jvm: Jvm,
}

impl Default for KafkaOptions {
    fn default() -> Self {
        Self {
            auto_create_topics: false,
            listeners: Vec::new(),
            properties: Vec::new(),
            jvm: Jvm::small(512),
        }
    }
}

/// One broker that is its own controller (KRaft). Killed when dropped.
#[derive(Debug)]
pub struct Kafka {
    // Before the folder, so that it ends before its files go.
    process: Process,
    jars: Jars,
    jvm: Jvm,
    port: u16,
    listeners: Vec<(String, u16)>,
    properties: PathBuf,
    folder: RunFolder,
}

impl Kafka {
    /// Formats a data folder and starts a broker on it; returns once it serves requests.
    pub fn start(options: KafkaOptions) -> Result<Self> {
        let jars = Jars::fetch()?;
        let folder = RunFolder::create("kafka")?;
        let port = port::free()?;
        let controller = port::free()?;
        let listeners = options
            .listeners
            .iter()
            .map(|listener| {
                let port = match listener.behind {
                    Some(behind) => behind.port,
                    None => port::free()?,
                };
                Ok((listener.name.clone(), port))
            })
            .collect::<Result<Vec<_>>>()?;
        let properties = folder.path().join("server.properties");
        let defaults = broker_properties(&folder, &options, port, controller, &listeners);
        java::write_properties(&properties, &java::merge(defaults, &options.properties))?;

        let mut format = options.jvm.tool(&jars.kafka_class_path());
        format.args([
            "kafka.tools.StorageTool",
            "format",
            "-t",
            &cluster_id(),
            "-c",
        ]);
        format.arg(&properties);
        process::output(format).context("cannot format the data folder of Kafka")?;

        let process = spawn(&jars, &options.jvm, &properties, &folder)?;
        Ok(Self {
            process,
            jars,
            jvm: options.jvm,
            port,
            listeners,
            properties,
            folder,
        })
    }

    /// `bootstrap.servers` of the plain listener.
    pub fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// `bootstrap.servers` of the listener with this name in [`KafkaOptions::listeners`], past a proxy.
    pub fn bootstrap_of(&self, listener: &str) -> Option<String> {
        let (_, port) = self.listeners.iter().find(|(name, _)| name == listener)?;
        Some(format!("127.0.0.1:{port}"))
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Stops in order, as `SIGTERM` does.
    pub fn stop(&mut self) -> Result<()> {
        self.process.stop(Signal::TERM, STOP_PATIENCE)
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Freezes the broker: connections stay open and nothing answers.
    pub fn pause(&mut self) -> Result<()> {
        self.process.signal(Signal::STOP)
    }

    /// Ends [`Kafka::pause`].
    pub fn resume(&mut self) -> Result<()> {
        self.process.signal(Signal::CONT)
    }

    /// Starts again on the same ports and data, after stopping in order if it still runs.
    pub fn restart(&mut self) -> Result<()> {
        self.stop()?;
        self.process = spawn(&self.jars, &self.jvm, &self.properties, &self.folder)?;
        Ok(())
    }

    /// Runs a command line tool of Kafka by its main class, for example
    /// `org.apache.kafka.tools.TopicCommand`, with `input` on its standard input.
    ///
    /// # Errors
    ///
    /// The tool fails; the message carries what it printed.
    pub fn tool(&self, main_class: &str, arguments: &[&str], input: &str) -> Result<String> {
        let mut command = Jvm::small(TOOL_HEAP_MEBIBYTES).tool(&self.jars.kafka_class_path());
        command.arg(main_class);
        command.args(arguments);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child =
            process::spawn(command).with_context(|| format!("cannot run {main_class}"))?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input.as_bytes())?;
        }
        let output = child.wait_with_output()?;
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(
            output.status.success(),
            "{main_class} failed ({}):\n{stdout}{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(stdout)
    }
}

fn spawn(jars: &Jars, jvm: &Jvm, properties: &Path, folder: &RunFolder) -> Result<Process> {
    let mut command = jvm.service(&jars.kafka_class_path());
    command.arg("kafka.Kafka").arg(properties);
    let mut process = Process::spawn("Kafka", command, &folder.path().join("kafka.log"))?;
    process.wait_ready(START_PATIENCE, |process| {
        process.printed().contains("Kafka Server started")
    })?;
    Ok(process)
}

fn broker_properties(
    folder: &RunFolder,
    options: &KafkaOptions,
    port: u16,
    controller: u16,
    listeners: &[(String, u16)],
) -> Vec<(String, String)> {
    let mut addresses = format!("PLAINTEXT://127.0.0.1:{port}");
    let mut advertised = addresses.clone();
    let mut protocols = "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT".to_owned();
    for (listener, (name, port)) in options.listeners.iter().zip(listeners) {
        addresses.push_str(&format!(",{name}://127.0.0.1:{port}"));
        let port = listener.behind.map_or(*port, |behind| behind.proxy);
        advertised.push_str(&format!(",{name}://127.0.0.1:{port}"));
        protocols.push_str(&format!(",{name}:{}", listener.protocol));
    }
    [
        ("process.roles", "broker,controller".to_owned()),
        ("node.id", "1".to_owned()),
        (
            "controller.quorum.voters",
            format!("1@127.0.0.1:{controller}"),
        ),
        (
            "listeners",
            format!("{addresses},CONTROLLER://127.0.0.1:{controller}"),
        ),
        ("advertised.listeners", advertised),
        ("listener.security.protocol.map", protocols),
        ("inter.broker.listener.name", "PLAINTEXT".to_owned()),
        ("controller.listener.names", "CONTROLLER".to_owned()),
        ("log.dirs", folder.path().join("data").display().to_string()),
        (
            "auto.create.topics.enable",
            options.auto_create_topics.to_string(),
        ),
        // One broker, few partitions, and groups that start at once.
        ("offsets.topic.replication.factor", "1".to_owned()),
        ("offsets.topic.num.partitions", "4".to_owned()),
        ("transaction.state.log.replication.factor", "1".to_owned()),
        ("transaction.state.log.min.isr", "1".to_owned()),
        ("transaction.state.log.num.partitions", "4".to_owned()),
        (
            "share.coordinator.state.topic.replication.factor",
            "1".to_owned(),
        ),
        ("share.coordinator.state.topic.min.isr", "1".to_owned()),
        (
            "share.coordinator.state.topic.num.partitions",
            "1".to_owned(),
        ),
        ("group.initial.rebalance.delay.ms", "0".to_owned()),
        // A killed broker may come back once the controller has given up its session: 9 s by default.
        ("broker.session.timeout.ms", "3000".to_owned()),
        ("broker.heartbeat.interval.ms", "500".to_owned()),
        // Small buffers; the cleaner's default alone is 128 MiB.
        ("log.cleaner.dedupe.buffer.size", "4194304".to_owned()),
        ("log.segment.delete.delay.ms", "1000".to_owned()),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect()
}

/// A random cluster id: 16 bytes in URL-safe base64. The first character is a letter, as the tool that
/// takes it would read a leading dash as an option.
fn cluster_id() -> String {
    let random = [0_u8, 1].map(|salt| RandomState::new().hash_one(salt).to_be_bytes());
    let mut bytes = random.concat();
    if let Some(first) = bytes.first_mut() {
        *first &= 0b0011_1111;
    }
    URL_SAFE_NO_PAD.encode(bytes)
}
