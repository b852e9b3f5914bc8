//! The connector: it validates the configuration and gives every task the
//! same one.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tether_api::config::{ConfigDef, ConfigMap, ConfigValue};
use tether_api::connector::{AlteredOffsets, Connector, ConnectorContext, Task};
use tether_api::offset::TopicPartition;
use tether_api::{ConnectError, Result};

use crate::config::{CONNECTION_URL, Flavour, Guarantee, SinkConfig};
use crate::database::Database;
use crate::database::mysql::MySql;
use crate::database::postgres::Postgres;
use crate::database::sqlite::Sqlite;
use crate::dialect::Dialects;
use crate::error::Failure;
use crate::sink_task::JdbcSinkTask;
use crate::{errant, offsets};

/// How long a change of offsets may take.
const OFFSETS_TIMEOUT: Duration = Duration::from_secs(30);

/// The JDBC sink in one of its flavours.
#[derive(Debug)]
pub(crate) struct JdbcSinkConnector {
    flavour: &'static Flavour,
    config: ConfigMap,
}

impl JdbcSinkConnector {
    /// A connector that has not been started.
    pub(crate) fn new(flavour: &'static Flavour) -> Self {
        Self {
            flavour,
            config: ConfigMap::new(),
        }
    }
}

#[async_trait]
impl Connector for JdbcSinkConnector {
    fn config_def(&self) -> Arc<ConfigDef> {
        (self.flavour.definition)()
    }

    async fn validate(&self, config: &ConfigMap) -> Vec<ConfigValue> {
        let mut values = self.flavour.validate(config);
        if values.iter().any(|value| !value.errors.is_empty()) {
            return values;
        }
        if let Err(error) = check_connection(self.flavour, config).await
            && let Some(url) = values.iter_mut().find(|value| value.name == CONNECTION_URL)
        {
            url.error(format!("Could not connect to database. {error}"));
        }
        values
    }

    async fn start(&mut self, _context: ConnectorContext, config: ConfigMap) -> Result<()> {
        self.flavour.parse(&config)?;
        for stand_in in self.flavour.stand_ins(&config) {
            tracing::warn!("{stand_in}");
        }
        self.config = config;
        Ok(())
    }

    async fn task_configs(&mut self, max_tasks: usize) -> Result<Vec<ConfigMap>> {
        Ok(vec![self.config.clone(); max_tasks])
    }

    async fn alter_offsets(&self, config: &ConfigMap, offsets: &AlteredOffsets) -> Result<bool> {
        let AlteredOffsets::Sink(offsets) = offsets else {
            return Ok(false);
        };
        let offsets: Vec<_> = offsets.clone().into_iter().collect();
        if let Some((partition, Some(offset))) =
            offsets.iter().find(|(_, to)| to.is_some_and(|to| to < 0))
        {
            return Err(ConnectError::config(format!(
                "The offset {offset} of {partition} is negative"
            )));
        }
        change_offsets(&self.flavour.parse(config)?, Some(&offsets)).await
    }

    /// All of the table's, of which the group may have lost some: it forgets a
    /// topic that is deleted.
    async fn reset_offsets(&self, config: &ConfigMap, _offsets: &AlteredOffsets) -> Result<bool> {
        change_offsets(&self.flavour.parse(config)?, None).await
    }

    fn new_task(&self) -> Task {
        Task::Sink(Box::new(JdbcSinkTask::new(self.flavour)))
    }

    fn task_class(&self) -> &'static str {
        self.flavour.task_class
    }
}

/// Offsets as a request has them.
type Wanted<'a> = &'a [(TopicPartition, Option<i64>)];

/// Changes the offsets that are kept with the rows, or forgets all of them.
/// Whether there are such.
async fn change_offsets(config: &SinkConfig, offsets: Option<Wanted<'_>>) -> Result<bool> {
    if config.delivery.guarantee != Guarantee::ExactlyOnce {
        return Ok(false);
    }
    let changed = async {
        match config.connection.dialect {
            Dialects::Postgres => change_in(config, Postgres::new(config)?, offsets).await,
            Dialects::MySql => change_in(config, MySql::new(config)?, offsets).await,
            Dialects::Sqlite => change_in(config, Sqlite::new(config)?, offsets).await,
        }
    };
    let timely = tokio::time::timeout(OFFSETS_TIMEOUT, changed).await;
    timely.unwrap_or_else(|_| {
        Err(ConnectError::other(format!(
            "{} did not change the offsets within {} s",
            config.connection.url,
            OFFSETS_TIMEOUT.as_secs()
        )))
    })?;
    Ok(true)
}

async fn change_in(
    config: &SinkConfig,
    database: impl Database,
    offsets: Option<Wanted<'_>>,
) -> Result<()> {
    let outcome = async {
        let mut session = database.connect().await?;
        match offsets {
            Some(offsets) => offsets::alter(config, &mut session, offsets).await,
            None => offsets::reset(config, &mut session).await,
        }
    };
    outcome.await.map_err(|failure| match failure {
        Failure::Sql(error) => errant::sql(config, &error, ""),
        Failure::Record(error) | Failure::Connect(error) => error,
        Failure::Fenced => ConnectError::other("The offsets change at the same time"),
    })
}

/// Opens a connection and closes it, unless the configuration says not to.
async fn check_connection(flavour: &Flavour, raw: &ConfigMap) -> Result<()> {
    let config = flavour.parse(raw)?;
    let Some(timeout) = flavour.connection_check(raw)? else {
        return Ok(());
    };
    match config.connection.dialect {
        Dialects::Postgres => check(&config, Postgres::new(&config)?, timeout).await,
        Dialects::MySql => check(&config, MySql::new(&config)?, timeout).await,
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
