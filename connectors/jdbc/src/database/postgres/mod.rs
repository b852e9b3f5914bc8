//! PostgreSQL and what speaks its protocol.

mod array;
mod binder;
mod catalog;
mod codec;
mod copy;
mod debezium;
mod identity;
mod numeric;
mod options;
mod row_array;
mod session;
mod wkb;

use std::sync::Arc;

use tether_api::Result;
use tether_postgres_client::{ConnectFailure, Connected, connect};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error};

use self::options::PostgresOptions;
use self::session::{PostgresSession, sql_error};
use crate::config::SinkConfig;
use crate::database::Database;
use crate::dialect::Quoting;
use crate::dialect::postgres::PostgresDialect;
use crate::error::SqlError;
use crate::time::{Clock, Zone};

/// The longest name of a table or column unless the server says otherwise.
const LONGEST_NAME: usize = 63;

/// Where the connection is: database, schema, longest name.
const LOCATION: &str = "SELECT pg_catalog.current_database()::text, \
    pg_catalog.current_schema()::text, \
    pg_catalog.current_setting('max_identifier_length', true)";

/// A PostgreSQL database.
pub(crate) struct Postgres {
    options: PostgresOptions,
    quoting: Quoting,
    postgis_schema: String,
    clock: Arc<Clock>,
}

impl Postgres {
    /// Reads the URL and the driver parameters.
    ///
    /// # Errors
    /// Config, if one is wrong.
    pub(crate) fn new(config: &SinkConfig) -> Result<Self> {
        Ok(Self {
            options: PostgresOptions::new(&config.connection)?,
            quoting: config.quoting,
            postgis_schema: config.columns.postgis_schema.clone(),
            clock: Arc::new(Clock::new(&config.time)),
        })
    }

    fn dialect(&self, longest_name: usize) -> PostgresDialect {
        PostgresDialect::new(self.quoting, longest_name, (*self.clock).clone())
            .with_postgis(&self.postgis_schema)
    }

    async fn log_in(&self) -> Result<Connected, SqlError> {
        connect(&self.options.config, &self.options.ssl)
            .await
            .map_err(|failure| match failure {
                ConnectFailure::Tls(error) => SqlError::permanent(error.to_string()),
                ConnectFailure::Database(error) => sql_error(&error),
            })
    }

    async fn set_up(&self) -> Result<PostgresSession, SqlError> {
        let (client, connection) = self.log_in().await?;
        let mut session = PostgresSession {
            client,
            connection: Some(connection),
            dialect: self.dialect(LONGEST_NAME),
            database: String::new(),
            schema: None,
            clock: self.clock.clone(),
            keeps_statements: self.options.keeps_statements,
            socket_timeout: self.options.socket_timeout,
            is_lost: false,
            is_busy: false,
        };
        if let Some(search_path) = &self.options.search_path {
            set(&session.client, "search_path", search_path).await?;
        }
        // The zone matters where the server turns text or dates into instants.
        // It need not know every zone that we know.
        if let Err(error) = set(&session.client, "TimeZone", &server_zone(self.clock.zone())).await
        {
            if error.is_connection_lost {
                return Err(error);
            }
            tracing::warn!(%error, "the server does not know the zone of db.timezone");
        }
        let location = async {
            let row = session.client.query_typed_one(LOCATION, &[]).await?;
            Ok((
                row.try_get(0)?,
                row.try_get(1)?,
                row.try_get::<_, Option<String>>(2)?,
            ))
        };
        let (database, schema, longest) =
            location.await.map_err(|error: Error| sql_error(&error))?;
        (session.database, session.schema) = (database, schema);
        if let Some(longest) = longest.and_then(|text| text.parse().ok()) {
            session.dialect = self.dialect(longest);
        }
        Ok(session)
    }
}

impl Database for Postgres {
    type Session = PostgresSession;

    async fn connect(&self) -> Result<PostgresSession, SqlError> {
        match self.options.login_timeout {
            Some(timeout) => tokio::time::timeout(timeout, self.set_up())
                .await
                .unwrap_or_else(|_| {
                    Err(SqlError::connection(format!(
                        "the login took longer than {timeout:?} (loginTimeout)"
                    )))
                }),
            None => self.set_up().await,
        }
    }

    async fn check(&self) -> Result<(), SqlError> {
        self.connect().await.map(drop)
    }
}

async fn set(client: &Client, name: &str, value: &str) -> Result<(), SqlError> {
    let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 2] =
        [(&name, Type::TEXT), (&value, Type::TEXT)];
    client
        .execute_typed("SELECT pg_catalog.set_config($1, $2, false)", &parameters)
        .await
        .map(drop)
        .map_err(|error| sql_error(&error))
}

/// A zone as the server's setting takes it. In its form for offsets the sign
/// counts westwards, unlike everywhere else.
fn server_zone(zone: &Zone) -> String {
    match zone {
        Zone::Offset(seconds) => format!("<{zone}>{}", Zone::Offset(-seconds)),
        zone => zone.to_string(),
    }
}
