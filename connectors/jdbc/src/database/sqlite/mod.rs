//! SQLite files.
//!
//! The library blocks, so everything runs on the pool for blocking work, and
//! the connection moves there and back.

mod binder;
mod debezium;
mod options;
mod session;

use std::sync::Arc;

use rusqlite::{Connection, OpenFlags};
use tether_api::Result;

use self::options::{Location, SqliteOptions};
use self::session::{SqliteSession, blocking, sql_error};
use crate::config::SinkConfig;
use crate::database::Database;
use crate::dialect::Quoting;
use crate::dialect::sqlite::SqliteDialect;
use crate::error::SqlError;
use crate::time::Clock;

/// An SQLite database.
pub(crate) struct Sqlite {
    options: SqliteOptions,
    quoting: Quoting,
    replaces_rows: bool,
    clock: Arc<Clock>,
}

impl Sqlite {
    /// Reads the URL and the driver parameters.
    ///
    /// # Errors
    /// Config, if one is wrong.
    pub(crate) fn new(config: &SinkConfig) -> Result<Self> {
        Ok(Self {
            options: SqliteOptions::new(&config.connection)?,
            quoting: config.quoting,
            replaces_rows: config.sqlite_replace,
            clock: Arc::new(Clock::new(&config.time)),
        })
    }
}

impl Database for Sqlite {
    type Session = SqliteSession;

    async fn connect(&self) -> Result<SqliteSession, SqlError> {
        let options = self.options.clone();
        let connection = blocking(move || {
            let connection = open(&options, OpenFlags::SQLITE_OPEN_CREATE)?;
            options.configure(&connection)?;
            Ok(connection)
        });
        Ok(SqliteSession {
            connection: Some(connection.await?),
            dialect: SqliteDialect::new(self.quoting, self.replaces_rows, (*self.clock).clone()),
            clock: self.clock.clone(),
            temporal: self.options.temporal,
        })
    }

    /// Reads an existing file, or looks whether one could be created: a check
    /// must not leave an empty file behind.
    async fn check(&self) -> Result<(), SqlError> {
        let options = self.options.clone();
        blocking(move || {
            if let Location::File(path) = &options.location
                && !path.exists()
            {
                let folder = path
                    .parent()
                    .filter(|folder| !folder.as_os_str().is_empty());
                return match folder {
                    Some(folder) if !folder.is_dir() => Err(SqlError::permanent(format!(
                        "folder {} does not exist",
                        folder.display()
                    ))),
                    _ => Ok(()),
                };
            }
            let connection = open(&options, OpenFlags::empty())?;
            let version = connection.pragma_query_value(None, "schema_version", |row| row.get(0));
            version.map(|_: i64| ()).map_err(|error| sql_error(&error))
        })
        .await
    }
}

fn open(options: &SqliteOptions, flags: OpenFlags) -> Result<Connection, SqlError> {
    let flags = flags | OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = match &options.location {
        Location::Memory => Connection::open_in_memory_with_flags(flags),
        Location::File(path) => Connection::open_with_flags(path, flags),
    };
    let connection = connection.map_err(|error| sql_error(&error))?;
    // Tasks that write to one file wait for each other.
    connection
        .busy_timeout(options.busy_timeout)
        .map_err(|error| sql_error(&error))?;
    Ok(connection)
}
