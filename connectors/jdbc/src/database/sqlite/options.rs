//! `jdbc:sqlite:` URLs and the driver parameters that matter.

use std::path::PathBuf;
use std::time::Duration;

use rusqlite::Connection;
use tether_api::{ConnectError, Result};

use super::session::sql_error;
use crate::config::ConnectionConfig;
use crate::dialect::sqlite::TemporalClass;
use crate::error::SqlError;
use crate::url::{DriverParameters, decode, invalid};

/// How long to wait for another writer. The driver of the reference waits three
/// seconds, after which tasks of one connector fail each other.
const BUSY_TIMEOUT_MILLIS: u64 = 60_000;

/// Settings of the database that parameters may change, and their values.
const PRAGMAS: [(&str, &[&str]); 3] = [
    (
        "journal_mode",
        &["DELETE", "TRUNCATE", "PERSIST", "MEMORY", "WAL", "OFF"],
    ),
    ("synchronous", &["OFF", "NORMAL", "FULL", "EXTRA"]),
    ("foreign_keys", &["TRUE", "FALSE", "ON", "OFF"]),
];

/// Where the data is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Location {
    /// In memory, as long as the task runs.
    Memory,
    /// In a file.
    File(PathBuf),
}

/// How to open a database.
#[derive(Debug, Clone)]
pub(super) struct SqliteOptions {
    pub(super) location: Location,
    pub(super) busy_timeout: Duration,
    pub(super) temporal: TemporalClass,
    /// Settings and their values, from the lists above.
    pragmas: Vec<(&'static str, &'static str)>,
}

impl SqliteOptions {
    pub(super) fn new(connection: &ConnectionConfig) -> Result<Self> {
        let mut parameters = DriverParameters::new(&connection.url, &connection.properties)?;
        let location = match connection.url.location() {
            "" | ":memory:" => Location::Memory,
            location if location.starts_with(":resource:") => {
                return Err(ConnectError::config(
                    "jdbc:sqlite::resource: URLs name a file within a Java archive; use the path \
                     of a file",
                ));
            }
            location => {
                Location::File(decode(location.strip_prefix("file:").unwrap_or(location))?.into())
            }
        };
        let busy_timeout = parameters
            .number("busy_timeout")?
            .unwrap_or(BUSY_TIMEOUT_MILLIS);
        let temporal = temporal(&mut parameters)?;
        let mut pragmas = Vec::new();
        for (name, values) in PRAGMAS {
            let Some(given) = parameters.text(name) else {
                continue;
            };
            let value = values
                .iter()
                .find(|value| value.eq_ignore_ascii_case(&given));
            let value = value.ok_or_else(|| invalid(name, &given, &values.join(", ")))?;
            pragmas.push((name, *value));
        }
        parameters.warn_of_rest();
        Ok(Self {
            location,
            busy_timeout: Duration::from_millis(busy_timeout),
            temporal,
            pragmas,
        })
    }

    /// Applies the settings to a new connection.
    pub(super) fn configure(&self, connection: &Connection) -> Result<(), SqlError> {
        for (name, value) in &self.pragmas {
            connection
                .pragma_update_and_check(None, name, value, |_| Ok(()))
                .or_else(|error| match error {
                    // Some of them answer with their value, others with nothing.
                    rusqlite::Error::QueryReturnedNoRows => Ok(()),
                    error => Err(sql_error(&error)),
                })?;
        }
        Ok(())
    }
}

/// How dates and times are stored, in the words of the reference's driver.
fn temporal(parameters: &mut DriverParameters) -> Result<TemporalClass> {
    let precision = parameters
        .text("date_precision")
        .map(|word| word.to_uppercase());
    let class = parameters
        .text("date_class")
        .map(|word| word.to_uppercase());
    let is_seconds = match precision.as_deref() {
        None | Some("MILLISECONDS") => false,
        Some("SECONDS") => true,
        Some(word) => return Err(invalid("date_precision", word, "SECONDS or MILLISECONDS")),
    };
    match class.as_deref() {
        None | Some("INTEGER") if is_seconds => Ok(TemporalClass::Seconds),
        None | Some("INTEGER") => Ok(TemporalClass::Millis),
        Some("TEXT") => Ok(TemporalClass::Text),
        Some("REAL") => Ok(TemporalClass::Real),
        Some(word) => Err(invalid("date_class", word, "INTEGER, TEXT or REAL")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::dialect::Dialects;
    use crate::url::JdbcUrl;

    fn options(url: &str) -> Result<SqliteOptions> {
        SqliteOptions::new(&ConnectionConfig {
            url: JdbcUrl::parse(url)?,
            dialect: Dialects::Sqlite,
            user: None,
            password: None,
            properties: BTreeMap::new(),
            attempts: 1,
            backoff: Duration::ZERO,
        })
    }

    #[test]
    fn locations() -> Result<()> {
        assert_eq!(options("jdbc:sqlite::memory:")?.location, Location::Memory);
        assert_eq!(options("jdbc:sqlite:")?.location, Location::Memory);
        for (url, path) in [
            ("jdbc:sqlite:/a/b.db", "/a/b.db"),
            ("jdbc:sqlite:b.db?busy_timeout=5", "b.db"),
            ("jdbc:sqlite:file:/a%20b.db", "/a b.db"),
        ] {
            assert_eq!(options(url)?.location, Location::File(path.into()));
        }
        assert!(options("jdbc:sqlite::resource:x.db").is_err());
        Ok(())
    }

    #[test]
    fn parameters() -> Result<()> {
        let found = options("jdbc:sqlite:x?busy_timeout=5&journal_mode=wal&date_class=text")?;
        assert_eq!(found.busy_timeout, Duration::from_millis(5));
        assert_eq!(found.pragmas, [("journal_mode", "WAL")]);
        assert_eq!(found.temporal, TemporalClass::Text);
        let found = options("jdbc:sqlite:x?date_precision=SECONDS&unknown=1")?;
        assert_eq!(found.temporal, TemporalClass::Seconds);
        for query in [
            "busy_timeout=x",
            "journal_mode=fast",
            "date_class=x",
            "date_precision=x",
        ] {
            assert!(
                options(&format!("jdbc:sqlite:x?{query}")).is_err(),
                "{query}"
            );
        }
        Ok(())
    }
}
