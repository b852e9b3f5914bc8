//! Where the database is and how to reach it.

use std::collections::BTreeMap;
use std::time::Duration;

use tether_api::config::{ConfigMap, Password};
use tether_api::{ConnectError, Result};

use crate::config::choice::SslMode;
use crate::config::fields;
use crate::config::reader::Reader;

/// How to reach the database.
#[derive(Debug, Clone)]
pub struct ConnectionSettings {
    /// The host's name or address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The role that logs in.
    pub user: String,
    /// Its password.
    pub password: Option<Password>,
    /// The database.
    pub database: String,
    /// How long a statement may take.
    pub query_timeout: Option<Duration>,
    /// Statements to execute on each ordinary connection.
    pub initial_statements: Vec<String>,
    /// Whether and how to use TLS.
    pub tls: TlsSettings,
    /// Whether idle connections are probed.
    pub keep_alive: bool,
    /// How long validation waits for the database.
    pub validation_timeout: Duration,
    /// Whether nothing may be written to the database.
    pub read_only: bool,
    /// Properties of the JDBC driver by their own names. Any of them may be a
    /// secret.
    pub driver: BTreeMap<String, Password>,
}

/// Whether and how to use TLS.
#[derive(Debug, Clone)]
pub struct TlsSettings {
    /// When to use it and what to check.
    pub mode: SslMode,
    /// The file of the client's certificate.
    pub certificate: Option<String>,
    /// The file of the client's private key.
    pub key: Option<String>,
    /// The password of that file.
    pub key_password: Option<Password>,
    /// The file of the authorities that vouch for the server.
    pub root_certificate: Option<String>,
    /// A Java class that makes sockets.
    pub factory: Option<String>,
}

impl TlsSettings {
    /// The class that does not check who the server is.
    pub const NON_VALIDATING_FACTORY: &'static str = "org.postgresql.ssl.NonValidatingFactory";

    /// Whether whoever answers is taken for the server.
    pub fn trusts_anyone(&self) -> bool {
        self.factory.as_deref() == Some(Self::NON_VALIDATING_FACTORY)
    }
}

impl ConnectionSettings {
    pub(super) fn read(reader: Reader<'_>) -> Result<Self> {
        let text = |field| reader.text(field).map(str::to_owned);
        let password = |field| reader.text(field).map(Password::new);
        let port = reader.integer(&fields::DATABASE_PORT);
        Ok(Self {
            host: reader.string(&fields::DATABASE_HOSTNAME).to_owned(),
            port: u16::try_from(port)
                .map_err(|_| ConnectError::config(format!("database.port: {port} is no port")))?,
            user: reader.string(&fields::DATABASE_USER).to_owned(),
            password: password(&fields::DATABASE_PASSWORD),
            database: reader.string(&fields::DATABASE_DBNAME).to_owned(),
            query_timeout: reader.interval(&fields::DATABASE_QUERY_TIMEOUT_MS),
            initial_statements: statements(reader.string(&fields::DATABASE_INITIAL_STATEMENTS)),
            tls: TlsSettings {
                mode: reader
                    .choice(&fields::DATABASE_SSLMODE)
                    .unwrap_or(SslMode::Prefer),
                certificate: text(&fields::DATABASE_SSLCERT),
                key: text(&fields::DATABASE_SSLKEY),
                key_password: password(&fields::DATABASE_SSLPASSWORD),
                root_certificate: text(&fields::DATABASE_SSLROOTCERT),
                factory: text(&fields::DATABASE_SSLFACTORY),
            },
            keep_alive: reader.boolean(&fields::DATABASE_TCPKEEPALIVE),
            validation_timeout: reader.millis(&fields::CONNECTION_VALIDATION_TIMEOUT_MS),
            read_only: reader.boolean(&fields::READ_ONLY),
            driver: driver_properties(reader.0),
        })
    }
}

/// Statements with semicolons between them; two semicolons stand for one within
/// a statement.
fn statements(text: &str) -> Vec<String> {
    let mut statements = vec![String::new()];
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == ';' && chars.next_if_eq(&';').is_none() {
            statements.push(String::new());
        } else if let Some(statement) = statements.last_mut() {
            statement.push(c);
        }
    }
    statements
        .iter()
        .map(|statement| statement.trim())
        .filter(|statement| !statement.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Keys that start with `driver.`, or with `database.` and that the connector
/// does not know.
fn driver_properties(config: &ConfigMap) -> BTreeMap<String, Password> {
    let known = |key: &str| fields::POSTGRES.iter().any(|field| field.name == key);
    let property = |prefix: &'static str| {
        config
            .iter()
            .filter(move |(key, _)| !known(key))
            .filter_map(move |(key, value)| {
                let name = key.strip_prefix(prefix)?;
                Some((name.to_owned(), Password::new(value.as_str())))
            })
    };
    property("database.").chain(property("driver.")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_may_have_semicolons() {
        assert_eq!(
            statements("SET a = ';;' ; SELECT 1;"),
            ["SET a = ';'", "SELECT 1"]
        );
        assert!(statements(" ; ").is_empty());
    }

    #[test]
    fn properties_of_the_driver_keep_their_names() {
        let config = [
            ("database.server.name", "old"),
            ("database.hostname", "h"),
            ("database.connectTimeout", "5"),
            ("driver.connectTimeout", "7"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into_iter()
        .collect();
        let properties = driver_properties(&config);
        let names: Vec<&str> = properties.keys().map(String::as_str).collect();
        assert_eq!(names, ["connectTimeout", "server.name"]);
        assert_eq!(properties["connectTimeout"].reveal(), "7");
    }
}
