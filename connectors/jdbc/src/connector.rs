//! The connector: it validates the configuration and gives every task the
//! same one.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tether_api::config::{ConfigDef, ConfigMap, ConfigValue};
use tether_api::connector::{Connector, ConnectorContext, Task};
use tether_api::{ConnectError, Result};

use crate::config::{SinkConfig, confluent};
use crate::database::Database;
use crate::database::postgres::Postgres;
use crate::database::sqlite::Sqlite;
use crate::dialect::Dialects;
use crate::sink_task::JdbcSinkTask;

/// The JDBC sink in the Confluent flavour
/// (`io.confluent.connect.jdbc.JdbcSinkConnector`).
#[derive(Debug, Default)]
pub(crate) struct JdbcSinkConnector {
    config: ConfigMap,
}

#[async_trait]
impl Connector for JdbcSinkConnector {
    fn config_def(&self) -> Arc<ConfigDef> {
        confluent::config_def()
    }

    async fn validate(&self, config: &ConfigMap) -> Vec<ConfigValue> {
        let mut values = confluent::config_def().validate(config);
        for (keys, reason) in confluent::conflicts(config) {
            for value in &mut values {
                // A key that is wrong by itself says enough.
                if keys.contains(&value.name.as_str()) && value.errors.is_empty() {
                    value.error(reason);
                }
            }
        }
        if values.iter().any(|value| !value.errors.is_empty()) {
            return values;
        }
        if let Err(error) = check_connection(config).await
            && let Some(url) = values
                .iter_mut()
                .find(|value| value.name == confluent::CONNECTION_URL)
        {
            url.error(format!("Could not connect to database. {error}"));
        }
        values
    }

    async fn start(&mut self, _context: ConnectorContext, config: ConfigMap) -> Result<()> {
        confluent::parse(&config)?;
        self.config = config;
        Ok(())
    }

    async fn task_configs(&mut self, max_tasks: usize) -> Result<Vec<ConfigMap>> {
        Ok(vec![self.config.clone(); max_tasks])
    }

    fn new_task(&self) -> Task {
        Task::Sink(Box::new(JdbcSinkTask::default()))
    }

    fn task_class(&self) -> &'static str {
        "io.confluent.connect.jdbc.sink.JdbcSinkTask"
    }
}

/// Opens a connection and closes it, unless the configuration says not to.
async fn check_connection(raw: &ConfigMap) -> Result<()> {
    let parsed = confluent::config_def().parse(raw)?;
    let config = confluent::parse(raw)?;
    if !parsed.boolean(confluent::VALIDATE_CONNECTION)? {
        return Ok(());
    }
    let millis = parsed.int(confluent::VALIDATE_TIMEOUT)?.unsigned_abs();
    let timeout = Duration::from_millis(millis.into());
    match config.connection.dialect {
        Dialects::Postgres => check(&config, Postgres::new(&config)?, timeout).await,
        Dialects::Sqlite => check(&config, Sqlite::new(&config)?, timeout).await,
    }
}

async fn check(config: &SinkConfig, database: impl Database, timeout: Duration) -> Result<()> {
    match tokio::time::timeout(timeout, database.check()).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(ConnectError::config(error.text(config.trim_sensitive_log))),
        Err(_) => Err(ConnectError::config(format!(
            "{} did not answer within {} ms",
            config.connection.url,
            timeout.as_millis()
        ))),
    }
}

#[cfg(test)]
mod tests;
