//! MySQL and MariaDB.

mod binder;
mod catalog;
mod certificate;
mod codec;
mod column_type;
mod debezium;
mod error;
mod identity;
mod options;
mod script;
mod session;

use std::sync::Arc;
use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, DriverError, Error, Row};
use tether_api::Result;

use self::error::sql_error;
use self::options::{Host, MySqlOptions, Tls};
use self::script::Limits;
use self::session::MySqlSession;
use crate::config::SinkConfig;
use crate::database::Database;
use crate::dialect::Quoting;
use crate::dialect::mysql::literal::push_text;
use crate::dialect::mysql::{MySqlDialect, Server};
use crate::error::SqlError;
use crate::time::Clock;

/// What the connection is to.
const LOCATION: &str =
    "SELECT VERSION(), DATABASE(), @@SESSION.sql_mode, @@SESSION.max_allowed_packet";

/// The bytes of statements after which they are sent.
const FULL_MESSAGE: usize = 1 << 20;

/// What a server takes at once unless it says otherwise.
const LARGEST_MESSAGE: usize = 1 << 20;

/// The mode in which values that do not fit are errors rather than cut.
const STRICT: &str = "STRICT_TRANS_TABLES";

/// The mode in which a backslash is a character as any other, which it must not
/// be in defaults of columns.
const NO_ESCAPES: &str = "NO_BACKSLASH_ESCAPES";

/// The mode in which zero is a value of its own for a column that counts up.
const ZERO_IS_A_VALUE: &str = "NO_AUTO_VALUE_ON_ZERO";

/// A MySQL or MariaDB database.
pub(crate) struct MySql {
    options: MySqlOptions,
    quoting: Quoting,
    clock: Arc<Clock>,
}

impl MySql {
    /// Reads the URL and the driver parameters.
    ///
    /// # Errors
    /// Config, if one is wrong.
    pub(crate) fn new(config: &SinkConfig) -> Result<Self> {
        Ok(Self {
            options: MySqlOptions::new(&config.connection)?,
            quoting: config.quoting,
            clock: Arc::new(Clock::new(&config.time)),
        })
    }

    /// Connects to the first host that answers.
    async fn log_in(&self) -> Result<Conn, SqlError> {
        let mut outcome = Err(SqlError::permanent("the URL has no host"));
        for host in self.options.hosts() {
            outcome = self.log_in_to(&host).await;
            match &outcome {
                // Another host would refuse as well.
                Err(error) if error.is_transient => {}
                _ => return outcome,
            }
        }
        outcome
    }

    async fn log_in_to(&self, host: &Host) -> Result<Conn, SqlError> {
        let connect = |with_tls, name| {
            let options = self.options.for_host(host, with_tls, name);
            within(self.options.connect_timeout, Conn::new(options))
        };
        let mut outcome = connect(self.options.tls != Tls::Disabled, None).await?;
        if let Err(error) = &outcome {
            let no_tls = matches!(error, Error::Driver(DriverError::NoClientSslFlagFromServer));
            if no_tls && self.options.tls == Tls::Preferred {
                outcome = connect(false, None).await?;
            } else if self.options.takes_any_name
                && let Some(name) = certificate::own_name(error)
            {
                outcome = connect(true, Some(name)).await?;
            }
        }
        outcome.map_err(|error| sql_error(&error))
    }

    async fn set_up(&self, mut connection: Conn) -> Result<MySqlSession, SqlError> {
        // Some servers are told to ignore what the login asks for.
        run(&mut connection, "SET NAMES utf8mb4").await?;
        if let Some(variables) = &self.options.session_variables {
            run(&mut connection, &format!("SET {variables}")).await?;
        }
        let row: Option<Row> = connection
            .query_first(LOCATION)
            .await
            .map_err(|error| sql_error(&error))?;
        let value = |index| row.as_ref().and_then(|row| catalog::text(row, index));
        let modes = modes(&value(2).unwrap_or_default(), self.options.is_strict);
        run(&mut connection, &modes).await?;
        let server = Server::parse(&value(0).unwrap_or_default());
        let largest = value(3).and_then(|text| text.parse().ok());
        let largest = largest.unwrap_or(LARGEST_MESSAGE);
        Ok(MySqlSession {
            connection,
            dialect: MySqlDialect::new(self.quoting, server, (*self.clock).clone()),
            database: value(1),
            clock: self.clock.clone(),
            socket_timeout: self.options.socket_timeout,
            limits: Limits {
                full: FULL_MESSAGE.min(largest / 2),
                largest,
            },
            is_utc: false,
            is_lost: false,
        })
    }
}

impl Database for MySql {
    type Session = MySqlSession;

    async fn connect(&self) -> Result<MySqlSession, SqlError> {
        let connection = self.log_in().await?;
        within(self.options.connect_timeout, self.set_up(connection)).await?
    }

    async fn check(&self) -> Result<(), SqlError> {
        let session = self.connect().await?;
        // The answer is known; how the connection ends does not matter.
        let _ = session.connection.disconnect().await;
        Ok(())
    }
}

async fn within<T>(
    timeout: Option<Duration>,
    work: impl Future<Output = T>,
) -> Result<T, SqlError> {
    match timeout {
        Some(timeout) => tokio::time::timeout(timeout, work).await.map_err(|_| {
            SqlError::connection(format!(
                "connecting took longer than {timeout:?} (connectTimeout)"
            ))
        }),
        None => Ok(work.await),
    }
}

async fn run(connection: &mut Conn, sql: &str) -> Result<(), SqlError> {
    let outcome = connection.query_drop(sql).await;
    outcome.map_err(|error| sql_error(&error).during(|| sql.to_owned()))
}

/// Sets the modes of a session, which are those of the server and ours, and ends a
/// transaction with each statement unless one is begun.
fn modes(server_modes: &str, is_strict: bool) -> String {
    let mut modes: Vec<&str> = server_modes
        .split(',')
        .filter(|mode| !mode.is_empty() && *mode != NO_ESCAPES)
        .collect();
    if is_strict && !modes.contains(&STRICT) {
        modes.push(STRICT);
    }
    if !modes.contains(&ZERO_IS_A_VALUE) {
        modes.push(ZERO_IS_A_VALUE);
    }
    let mut list = Vec::new();
    push_text(&modes.join(","), &mut list);
    let list = String::from_utf8_lossy(&list);
    format!("SET SESSION sql_mode = {list}, autocommit = 1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_added() {
        assert_eq!(
            modes("NO_BACKSLASH_ESCAPES,ANSI_QUOTES,STRICT_TRANS_TABLES", true),
            "SET SESSION sql_mode = 'ANSI_QUOTES,STRICT_TRANS_TABLES,NO_AUTO_VALUE_ON_ZERO', \
             autocommit = 1"
        );
        assert_eq!(
            modes("", false),
            "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO', autocommit = 1"
        );
    }
}
