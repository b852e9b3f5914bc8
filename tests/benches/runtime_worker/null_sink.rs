//! Counts records and drops them; writes the count to a file whenever it has
//! reached a mark (`tether.bench.NullSink`).

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use tether_api::config::{ConfigDef, ConfigKey, ConfigMap, ConfigType};
use tether_api::connector::{Connector, ConnectorContext, Task};
use tether_api::plugin::{PluginDescriptor, PluginFactory};
use tether_api::record::SinkRecord;
use tether_api::sink::{SinkTask, SinkTaskContext};
use tether_api::{ConnectError, Result};

/// The plugin.
pub(crate) fn plugin() -> PluginDescriptor {
    PluginDescriptor {
        class: "tether.bench.NullSink",
        aliases: &[],
        version: "1",
        config_def,
        factory: PluginFactory::Sink(|| Box::new(NullSink::default())),
    }
}

fn config_def() -> Arc<ConfigDef> {
    static DEFINITION: LazyLock<Arc<ConfigDef>> = LazyLock::new(|| {
        Arc::new(
            ConfigDef::new()
                .define(ConfigKey::new("marks", ConfigType::String))
                .define(ConfigKey::new("marks.file", ConfigType::String)),
        )
    });
    DEFINITION.clone()
}

#[derive(Default)]
struct NullSink {
    config: ConfigMap,
}

#[async_trait]
impl Connector for NullSink {
    fn config_def(&self) -> Arc<ConfigDef> {
        config_def()
    }

    async fn start(&mut self, _context: ConnectorContext, config: ConfigMap) -> Result<()> {
        self.config = config;
        Ok(())
    }

    async fn task_configs(&mut self, max_tasks: usize) -> Result<Vec<ConfigMap>> {
        Ok(vec![self.config.clone(); max_tasks])
    }

    fn new_task(&self) -> Task {
        Task::Sink(Box::new(NullSinkTask::default()))
    }

    fn task_class(&self) -> &'static str {
        "tether.bench.NullSink$NullSinkTask"
    }
}

#[derive(Default)]
struct NullSinkTask {
    count: usize,
    /// The marks that are not reached yet, ascending.
    marks: Vec<usize>,
    file: PathBuf,
}

#[async_trait]
impl SinkTask for NullSinkTask {
    async fn start(&mut self, _context: SinkTaskContext, config: ConfigMap) -> Result<()> {
        let config = config_def().parse(&config)?;
        let marks = config.string("marks")?;
        self.marks = marks
            .split(',')
            .map(|mark| mark.parse().map_err(|_| ConnectError::config("marks")))
            .collect::<Result<_>>()?;
        self.file = config.string("marks.file")?.into();
        Ok(())
    }

    async fn put(&mut self, records: &[SinkRecord]) -> Result<()> {
        self.count += records.len();
        while self.marks.first().is_some_and(|mark| self.count >= *mark) {
            self.marks.remove(0);
            self.tell()
                .map_err(|error| ConnectError::other("cannot tell of a mark").caused_by(error))?;
        }
        Ok(())
    }
}

impl NullSinkTask {
    fn tell(&self) -> io::Result<()> {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.file)?;
        writeln!(file, "{}", self.count)
    }
}
