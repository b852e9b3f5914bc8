//! The four workers: ours and Java's, distributed and standalone.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use tether_services::folders::RunFolder;
use tether_services::jars::Jars;
use tether_services::java::{self, Jvm};
use tether_services::port;
use tether_tests::bench_worker::Kind;
use tether_tests::program;

/// A worker that can be started again and again with the same files.
pub(crate) struct Worker {
    pub(crate) kind: Kind,
    pub(crate) mode: Mode,
    properties: PathBuf,
    pub(crate) address: String,
    pub(crate) folder: RunFolder,
}

/// How a worker keeps what it has to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Distributed,
    Standalone,
}

impl Mode {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::Distributed, Self::Standalone];

    /// The name in the report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Distributed => "distributed",
            Self::Standalone => "standalone",
        }
    }
}

impl Worker {
    /// All four on this Kafka, each with topics and group of its own.
    pub(crate) fn all(bootstrap: &str) -> Result<Vec<Self>> {
        let all = Mode::ALL
            .into_iter()
            .flat_map(|mode| [Kind::Reference, Kind::Tether].map(|kind| (kind, mode)));
        all.map(|(kind, mode)| Self::new(kind, mode, bootstrap))
            .collect()
    }

    fn new(kind: Kind, mode: Mode, bootstrap: &str) -> Result<Self> {
        let folder = RunFolder::create("bench-start")?;
        let address = format!("127.0.0.1:{}", port::free()?);
        let group = format!("{}-{}", kind.name(), mode.name());
        let json = "org.apache.kafka.connect.json.JsonConverter";
        // As in the properties files of the Kafka distribution.
        let mut properties = vec![
            ("bootstrap.servers", bootstrap.to_owned()),
            ("listeners", format!("http://{address}")),
            ("key.converter", json.to_owned()),
            ("value.converter", json.to_owned()),
            ("offset.flush.interval.ms", "10000".to_owned()),
        ];
        if let Kind::Reference = kind {
            let plugins = Jars::fetch()?.plugin_path().display().to_string();
            properties.push(("plugin.path", plugins));
        }
        match mode {
            Mode::Distributed => properties.extend([
                ("group.id", group.clone()),
                ("config.storage.topic", format!("{group}-configs")),
                ("config.storage.replication.factor", "1".to_owned()),
                ("offset.storage.topic", format!("{group}-offsets")),
                ("offset.storage.replication.factor", "1".to_owned()),
                ("status.storage.topic", format!("{group}-status")),
                ("status.storage.replication.factor", "1".to_owned()),
            ]),
            Mode::Standalone => properties.push((
                "offset.storage.file.filename",
                folder.path().join("offsets").display().to_string(),
            )),
        }
        let file = folder.path().join("worker.properties");
        let owned: Vec<_> = properties
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        java::write_properties(&file, &owned)?;
        Ok(Self {
            kind,
            mode,
            properties: file,
            address,
            folder,
        })
    }

    /// What starts it. The virtual machine gets what the scripts of the Kafka distribution pass.
    pub(crate) fn command(&self) -> Result<Command> {
        let mut command = match self.kind {
            Kind::Tether => program::command()?,
            Kind::Reference => Jvm::as_distributed().service(&Jars::fetch()?.kafka_class_path()),
        };
        command.arg(match (self.kind, self.mode) {
            (Kind::Tether, Mode::Distributed) => "connect-distributed",
            (Kind::Tether, Mode::Standalone) => "connect-standalone",
            (Kind::Reference, Mode::Distributed) => {
                "org.apache.kafka.connect.cli.ConnectDistributed"
            }
            (Kind::Reference, Mode::Standalone) => "org.apache.kafka.connect.cli.ConnectStandalone",
        });
        command.arg(&self.properties);
        Ok(command)
    }
}
