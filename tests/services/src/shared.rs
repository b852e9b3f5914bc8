//! Services that several tests use at once.
//!
//! Each address is looked for in three places: the environment, as `tether-services run` sets it; the
//! state of `tether-services up`, if that runs; and otherwise a service is started for the rest of
//! this process. So a single test runs without preparation, and a whole test run starts services once.
//!
//! Whoever shares a service leaves no mark on it that others could stumble over: topics, groups,
//! subjects, databases and tables take names of their own.

use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};

use crate::{Kafka, KafkaOptions, MariaDb, Postgres, Registry, state};

/// Environment variable with `bootstrap.servers` of Kafka.
pub const BOOTSTRAP: &str = "TETHER_TEST_BOOTSTRAP";
/// Environment variable with a `postgres://` URL of a superuser.
pub const POSTGRES_URL: &str = "TETHER_TEST_POSTGRES_URL";
/// Environment variable with the same as a `jdbc:postgresql://` URL.
pub const POSTGRES_JDBC_URL: &str = "TETHER_TEST_POSTGRES_JDBC_URL";
/// Environment variable with `schema.registry.url`.
pub const REGISTRY_URL: &str = "TETHER_TEST_REGISTRY_URL";
/// Environment variable with the REST URL of a Java Kafka Connect worker, if one runs.
pub const CONNECT_URL: &str = "TETHER_TEST_CONNECT_URL";
/// Environment variable with the Java class path of Kafka and Kafka Connect.
pub const CONNECT_CLASSPATH: &str = "TETHER_TEST_CONNECT_CLASSPATH";
/// Environment variable with a `plugin.path` for the Java worker.
pub const PLUGIN_PATH: &str = "TETHER_TEST_PLUGIN_PATH";

/// `bootstrap.servers` of the shared Kafka, which creates no topics by itself.
pub fn bootstrap() -> Result<String> {
    static KAFKA: Mutex<Option<Kafka>> = Mutex::new(None);
    match address(BOOTSTRAP) {
        Some(address) => Ok(address),
        None => started(
            &KAFKA,
            || Kafka::start(KafkaOptions::default()),
            Kafka::bootstrap,
        ),
    }
}

/// `postgres://` URL of the shared PostgreSQL.
pub fn postgres_url() -> Result<String> {
    match address(POSTGRES_URL) {
        Some(address) => Ok(address),
        None => started(&POSTGRES, Postgres::start, Postgres::url),
    }
}

/// `jdbc:postgresql://` URL of the shared PostgreSQL, with user and password.
pub fn postgres_jdbc_url() -> Result<String> {
    match address(POSTGRES_JDBC_URL) {
        Some(address) => Ok(address),
        None => started(&POSTGRES, Postgres::start, Postgres::jdbc_url),
    }
}

/// Port of the shared MariaDB on 127.0.0.1: see [`crate::mariadb_sql`].
///
/// Only one test binary uses it, which starts it, so no environment variable says where it is.
pub fn mariadb_port() -> Result<u16> {
    static MARIADB: Mutex<Option<MariaDb>> = Mutex::new(None);
    started(&MARIADB, MariaDb::start, MariaDb::port)
}

/// `schema.registry.url` of the shared registry.
pub fn registry_url() -> Result<String> {
    static REGISTRY: Mutex<Option<Registry>> = Mutex::new(None);
    match address(REGISTRY_URL) {
        Some(address) => Ok(address),
        None => started(&REGISTRY, Registry::start, Registry::url),
    }
}

static POSTGRES: Mutex<Option<Postgres>> = Mutex::new(None);

fn address(variable: &str) -> Option<String> {
    std::env::var(variable)
        .ok()
        .filter(|address| !address.is_empty())
        .or_else(|| state::running()?.environment.get(variable).cloned())
}

/// The address of a service that this process starts once and keeps.
fn started<S, A>(
    service: &Mutex<Option<S>>,
    start: impl FnOnce() -> Result<S>,
    address: impl FnOnce(&S) -> A,
) -> Result<A> {
    let mut service: MutexGuard<'_, _> = service.lock().unwrap_or_else(PoisonError::into_inner);
    if service.is_none() {
        *service = Some(start()?);
    }
    service
        .as_ref()
        .map(address)
        .context("the service was just started")
}
