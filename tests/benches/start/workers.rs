//! The four workers: ours and Java's, distributed and standalone.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use tether_services::folders::RunFolder;
use tether_services::jars::Jars;
use tether_services::java::{self, Jvm};
use tether_services::port;
use tether_tests::program;

/// A worker that can be started again and again with the same files.
pub(crate) struct Worker {
    name: &'static str,
    kind: Kind,
    mode: Mode,
    properties: PathBuf,
    pub(crate) address: String,
    pub(crate) folder: RunFolder,
}

#[derive(Clone, Copy)]
enum Kind {
    Tether,
    Java,
}

#[derive(Clone, Copy)]
enum Mode {
    Distributed,
    Standalone,
}

impl Worker {
    /// All four on this Kafka, each with topics and group of its own.
    pub(crate) fn all(bootstrap: &str) -> Result<Vec<Self>> {
        [
            ("Java, distributed", Kind::Java, Mode::Distributed),
            ("Tether, distributed", Kind::Tether, Mode::Distributed),
            ("Java, standalone", Kind::Java, Mode::Standalone),
            ("Tether, standalone", Kind::Tether, Mode::Standalone),
        ]
        .into_iter()
        .map(|(name, kind, mode)| Self::new(name, kind, mode, bootstrap))
        .collect()
    }

    fn new(name: &'static str, kind: Kind, mode: Mode, bootstrap: &str) -> Result<Self> {
        let folder = RunFolder::create("bench-start")?;
        let address = format!("127.0.0.1:{}", port::free()?);
        let group = name.to_lowercase().replace(", ", "-");
        let json = "org.apache.kafka.connect.json.JsonConverter";
        // As in the properties files of the Kafka distribution.
        let mut properties = vec![
            ("bootstrap.servers", bootstrap.to_owned()),
            ("listeners", format!("http://{address}")),
            ("key.converter", json.to_owned()),
            ("value.converter", json.to_owned()),
            ("offset.flush.interval.ms", "10000".to_owned()),
        ];
        if let Kind::Java = kind {
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
            name,
            kind,
            mode,
            properties: file,
            address,
            folder,
        })
    }

    /// How the report calls it.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// What starts it. The virtual machine gets what the scripts of the Kafka distribution pass.
    pub(crate) fn command(&self) -> Result<Command> {
        let mut command = match self.kind {
            Kind::Tether => program::command()?,
            Kind::Java => Jvm::as_distributed().service(&Jars::fetch()?.kafka_class_path()),
        };
        command.arg(match (self.kind, self.mode) {
            (Kind::Tether, Mode::Distributed) => "connect-distributed",
            (Kind::Tether, Mode::Standalone) => "connect-standalone",
            (Kind::Java, Mode::Distributed) => "org.apache.kafka.connect.cli.ConnectDistributed",
            (Kind::Java, Mode::Standalone) => "org.apache.kafka.connect.cli.ConnectStandalone",
        });
        command.arg(&self.properties);
        Ok(command)
    }
}
