//! A sink task and the database that it writes to.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, anyhow};
use tether_api::config::ConfigMap;
use tether_api::connector::{Connector, Task};
use tether_api::offset::TopicPartition;
use tether_api::plugin::PluginFactory;
use tether_api::record::SinkRecord;
use tether_api::sink::{ErrantRecordReporter, SinkRequests, SinkTask, SinkTaskContext};
use tether_api::{ConnectError, ErrorKind};
use tether_services::shared;
use tether_tests::database::Database;
use tether_tests::names;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// Settings of a configuration.
pub(super) type Settings<'a> = &'a [(&'a str, &'a str)];

/// The key is the record's key, a primitive, in column `id`.
pub(super) const BY_KEY: [(&str, &str); 2] = [("pk.mode", "record_key"), ("pk.fields", "id")];

/// An empty database on the shared server.
pub(super) fn database() -> Result<Database> {
    let url = shared::postgres_url().with_context(|| {
        format!(
            "PostgreSQL is needed: set {}, or install it",
            shared::POSTGRES_URL
        )
    })?;
    Database::create(&url, &names::unique("jdbc"))
}

/// Takes the reports of a connector that tolerates errors.
#[derive(Default)]
pub(super) struct Reports(Mutex<Vec<(i64, String)>>);

impl Reports {
    /// Offsets and errors of the reports since the last call.
    pub(super) fn take(&self) -> Vec<(i64, String)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The same without the errors.
    pub(super) fn offsets(&self) -> Vec<i64> {
        self.take().into_iter().map(|(offset, _)| offset).collect()
    }
}

impl ErrantRecordReporter for Reports {
    fn report(&self, record: &SinkRecord, error: &ConnectError) -> Result<(), ConnectError> {
        let mut reports = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reports.push((record.offset(), error.to_string()));
        Ok(())
    }
}

/// A running task.
pub(super) struct Sink {
    task: Box<dyn SinkTask>,
    pub(super) context: SinkTaskContext,
    runtime: Runtime,
}

impl Sink {
    /// A task that writes to a database.
    pub(super) fn start(database: &Database, settings: &[Settings<'_>]) -> Result<Self> {
        Self::with_url(&database.jdbc_url(), settings)
    }

    /// A task that writes to the database of a `jdbc:` URL.
    pub(super) fn with_url(url: &str, settings: &[Settings<'_>]) -> Result<Self> {
        Self::reporting(url, settings, None)
    }

    /// The same with reports of records that cannot be written.
    pub(super) fn reporting(
        url: &str,
        settings: &[Settings<'_>],
        reports: Option<Arc<Reports>>,
    ) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let config = config(url, settings);
        let Task::Sink(mut task) = connector(&config)?.new_task() else {
            return Err(anyhow!("the connector is no sink"));
        };
        let reporter = reports.map(|reports| reports as Arc<dyn ErrantRecordReporter>);
        let context = SinkTaskContext::new(CancellationToken::new(), reporter);
        runtime.block_on(task.start(context.clone(), config))?;
        Ok(Self {
            task,
            context,
            runtime,
        })
    }

    /// Tells the task which partitions it has.
    pub(super) fn open(&mut self, partitions: &[TopicPartition]) -> Result<(), ConnectError> {
        self.runtime.block_on(self.task.open(partitions))
    }

    /// Gives the task the first partition of topic `t`, and says where it wants to read on.
    pub(super) fn take_over(&mut self) -> Result<Option<i64>> {
        let mut requests = self.taken_over()?;
        Ok(requests.rewind.remove(&TopicPartition::new("t", 0)))
    }

    /// The same, and says all that the task wants.
    pub(super) fn taken_over(&mut self) -> Result<SinkRequests> {
        self.open_partition(0)?;
        Ok(self.context.take_requests())
    }

    /// Gives the task a partition of topic `t`.
    pub(super) fn open_partition(&mut self, partition: i32) -> Result<()> {
        Ok(self.open(&[TopicPartition::new("t", partition)])?)
    }

    /// Delivers records.
    pub(super) fn put(&mut self, records: &[SinkRecord]) -> Result<(), ConnectError> {
        self.runtime.block_on(self.task.put(records))
    }

    /// Delivers records that must be refused for good, and returns the error's text.
    pub(super) fn refused(&mut self, records: &[SinkRecord]) -> Result<String> {
        match self.put(records) {
            Ok(()) => Err(anyhow!("the records were written")),
            Err(error) if error.kind() == ErrorKind::Retriable => {
                Err(anyhow!("the task wants to try again: {error}"))
            }
            Err(error) => Ok(error.to_string()),
        }
    }
}

/// The errors that validation finds, as `key: error`.
pub(super) fn validate(url: &str, settings: &[Settings<'_>]) -> Result<Vec<String>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let config = config(url, settings);
    let values = runtime.block_on(connector(&config)?.validate(&config));
    Ok(values
        .into_iter()
        .flat_map(|value| {
            let errors = value.errors.into_iter();
            errors.map(move |error| format!("{}: {error}", value.name))
        })
        .collect())
}

/// The connector that `connector.class` names; Confluent's unless it does.
fn connector(config: &ConfigMap) -> Result<Box<dyn Connector>> {
    let class = config.get("connector.class");
    let mut plugins = tether_connector_jdbc::plugins().into_iter();
    let plugin = plugins.find(|plugin| class.is_none_or(|class| class == plugin.class));
    match plugin.map(|plugin| plugin.factory) {
        Some(PluginFactory::Sink(create)) => Ok(create()),
        _ => Err(anyhow!("no sink connector")),
    }
}

fn config(url: &str, settings: &[Settings<'_>]) -> ConfigMap {
    [("name", "sink"), ("connection.url", url)]
        .iter()
        .chain(settings.iter().copied().flatten())
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

/// Rows as text, `|` between the columns.
pub(super) fn rows(database: &Database, sql: &str) -> Result<Vec<String>> {
    let rows = database.rows(sql)?.into_iter();
    Ok(rows
        .map(|row| {
            let columns = row.into_iter();
            let columns: Vec<_> = columns
                .map(|c| c.unwrap_or_else(|| "null".to_owned()))
                .collect();
            columns.join("|")
        })
        .collect())
}
