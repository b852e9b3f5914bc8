//! The sink task: one connection, one transaction per delivery, retries.

use std::sync::Arc;

use async_trait::async_trait;
use tether_api::config::ConfigMap;
use tether_api::record::SinkRecord;
use tether_api::sink::{SinkTask, SinkTaskContext};
use tether_api::{ConnectError, Result};

use crate::config::{Flavour, SinkConfig};
use crate::database::mysql::MySql;
use crate::database::postgres::Postgres;
use crate::database::sqlite::Sqlite;
use crate::dialect::Dialects;
use crate::error::{Failure, SqlError};
use crate::retry::Retries;
use crate::schemaless::Entries;
use crate::writer::{RecordWriter, Writer};

/// Writes records of topics to tables
/// (`io.confluent.connect.jdbc.sink.JdbcSinkTask` and its kin).
pub(crate) struct JdbcSinkTask {
    flavour: &'static Flavour,
    running: Option<Running>,
}

impl JdbcSinkTask {
    /// A task that has not been started.
    pub(crate) fn new(flavour: &'static Flavour) -> Self {
        Self {
            flavour,
            running: None,
        }
    }
}

struct Running {
    context: SinkTaskContext,
    config: Arc<SinkConfig>,
    writer: Box<dyn RecordWriter>,
    retries: Retries,
    entries: Entries,
}

#[async_trait]
impl SinkTask for JdbcSinkTask {
    async fn start(&mut self, context: SinkTaskContext, config: ConfigMap) -> Result<()> {
        let config = Arc::new(self.flavour.parse(&config)?);
        tracing::info!(url = %config.connection.url, dialect = ?config.connection.dialect, "starting a JDBC sink task");
        let stopping = context.stopping.clone();
        let writer: Box<dyn RecordWriter> = match config.connection.dialect {
            Dialects::Postgres => {
                let database = Postgres::new(&config)?;
                Box::new(Writer::new(config.clone(), database, stopping))
            }
            Dialects::MySql => {
                let database = MySql::new(&config)?;
                Box::new(Writer::new(config.clone(), database, stopping))
            }
            Dialects::Sqlite => {
                let database = Sqlite::new(&config)?;
                Box::new(Writer::new(config.clone(), database, stopping))
            }
        };
        self.running = Some(Running {
            context,
            retries: Retries::new(config.retry),
            config,
            writer,
            entries: Entries::default(),
        });
        Ok(())
    }

    async fn put(&mut self, records: &[SinkRecord]) -> Result<()> {
        let Some(running) = &mut self.running else {
            return Err(ConnectError::illegal_state("The task has not been started"));
        };
        if records.is_empty() {
            return Ok(());
        }
        let records = running.entries.structured(&running.config, records);
        match running.writer.write(&records).await {
            Ok(()) => {
                running.retries.reset();
                Ok(())
            }
            Err(Failure::Connect(error)) => Err(error),
            Err(Failure::Sql(error)) => Err(running.failed(&error, records.len())),
        }
    }

    async fn stop(&mut self) -> Result<()> {
        if let Some(mut running) = self.running.take() {
            running.writer.close();
        }
        Ok(())
    }
}

impl Running {
    /// The error of a delivery that the database refused: to be delivered again
    /// while that may help and retries are left.
    fn failed(&mut self, error: &SqlError, count: usize) -> ConnectError {
        let text = format!(
            "Exception chain:\n{}\n  Connector: {}",
            error.text(self.config.trim_sensitive_log),
            self.config.connector
        );
        match self.retries.next(error) {
            Some(wait) => {
                tracing::warn!(
                    records = count,
                    retry = self.retries.used(),
                    wait_ms = wait.as_millis(),
                    error = %text,
                    "a delivery could not be written; it comes again"
                );
                self.context.retry_after(wait);
                ConnectError::retriable(text)
            }
            None => ConnectError::other(text),
        }
    }
}
