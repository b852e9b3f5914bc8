//! The connectors whose configurations are understood. Each has keys, defaults
//! and messages of its own; what they say is one [`SinkConfig`].

pub(crate) mod aiven;
mod common;
pub(crate) mod confluent;
pub(crate) mod debezium;
pub(super) mod fallback;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tether_api::config::{ConfigDef, ConfigMap, ConfigValue, ParsedConfig, Password};
use tether_api::{ConnectError, Result};

use self::fallback::{Fallback, StandIn, complete};
use super::{Choice, SinkConfig, own};
use crate::time::Zone;

/// The key whose errors are those of the connection.
pub(crate) const CONNECTION_URL: &str = "connection.url";

/// A connector that is stood in for.
#[derive(Debug)]
pub(crate) struct Flavour {
    /// Its class.
    pub(crate) class: &'static str,
    /// Further names that resolve to it.
    pub(crate) aliases: &'static [&'static str],
    /// The release whose behaviour this is.
    pub(crate) version: &'static str,
    /// The class of its tasks.
    pub(crate) task_class: &'static str,
    /// All of its keys.
    pub(crate) definition: fn() -> Arc<ConfigDef>,
    /// Keys that stand in for its own.
    fallbacks: &'static [&'static [Fallback]],
    /// What is wrong with several keys together.
    conflicts: fn(&ConfigMap) -> Vec<Conflict>,
    /// Reads what the keys say.
    read: fn(&ConfigMap, &ParsedConfig) -> Result<SinkConfig>,
}

/// Keys that do not go together.
#[derive(Debug, PartialEq, Eq)]
struct Conflict {
    /// Those that get the error.
    keys: &'static [&'static str],
    /// The error.
    reason: String,
}

impl Flavour {
    /// Everything that is wrong with a configuration, except that the database
    /// may not be reached.
    pub(crate) fn validate(&self, config: &ConfigMap) -> Vec<ConfigValue> {
        let mut values = (self.definition)().validate(config);
        let (complete, stand_ins) = complete(self.fallbacks, config);
        for stand_in in stand_ins {
            if let Some(value) = values.iter_mut().find(|value| value.name == stand_in.key) {
                value.warn(stand_in.to_string());
            }
        }
        for Conflict { keys, reason } in (self.conflicts)(&complete) {
            for value in &mut values {
                // A key that is wrong by itself says enough.
                if keys.contains(&value.name.as_str()) && value.errors.is_empty() {
                    value.error(reason.clone());
                }
            }
        }
        values
    }

    /// Reads a configuration.
    ///
    /// # Errors
    /// Config, for the first thing that is wrong.
    pub(crate) fn parse(&self, config: &ConfigMap) -> Result<SinkConfig> {
        let (config, _) = complete(self.fallbacks, config);
        let parsed = (self.definition)().parse(&config)?;
        match (self.conflicts)(&config).into_iter().next() {
            Some(conflict) => Err(ConnectError::config(conflict.reason)),
            None => (self.read)(&config, &parsed),
        }
    }

    /// The keys of a configuration that stand in for those of this connector.
    pub(crate) fn stand_ins(&self, config: &ConfigMap) -> Vec<StandIn> {
        complete(self.fallbacks, config).1
    }

    /// How long validation waits for a connection; `None` if it makes none.
    ///
    /// # Errors
    /// Config, for the first thing that is wrong.
    pub(crate) fn connection_check(&self, config: &ConfigMap) -> Result<Option<Duration>> {
        let parsed = (self.definition)().parse(config)?;
        Ok(own::read(&parsed)?.check)
    }
}

/// The value of a key that takes words; `None` if it has another.
fn word_of<C: Choice>(config: &ConfigMap, key: &str, default: C) -> Option<C> {
    match config.get(key) {
        None => Some(default),
        Some(word) => C::of(word.trim()),
    }
}

fn is_true(config: &ConfigMap, key: &str) -> bool {
    config
        .get(key)
        .is_some_and(|text| text.trim().eq_ignore_ascii_case("true"))
}

/// The items of a list.
fn list_of<'c>(config: &'c ConfigMap, key: &str) -> Vec<&'c str> {
    match config.get(key).map(|text| text.trim()) {
        None | Some("") => Vec::new(),
        Some(text) => text.split(',').map(str::trim).collect(),
    }
}

fn zone(name: &str) -> Result<Zone> {
    Zone::parse(name).ok_or_else(|| ConnectError::config(format!("Invalid time zone {name}")))
}

/// What keys for the driver begin with.
const CONNECTION_PREFIX: &str = "connection.";

/// Keys of Debezium's connector that begin alike and are for no driver.
const NOT_FOR_DRIVERS: [&str; 6] = [
    "connection.username",
    "connection.provider",
    "connection.restart.on.errors",
    "connection.pool.min_size",
    "connection.pool.max_size",
    "connection.pool.timeout",
];

/// Keys that start with `connection.` and that the connector does not know are
/// for the driver, prefix removed. Any of them may be a secret.
fn driver_properties(definition: &ConfigDef, config: &ConfigMap) -> BTreeMap<String, Password> {
    config
        .iter()
        .filter(|(key, _)| definition.key(key).is_none())
        .filter(|(key, _)| !NOT_FOR_DRIVERS.contains(&key.as_str()))
        .filter_map(|(key, value)| {
            let name = key.strip_prefix(CONNECTION_PREFIX)?;
            Some((name.to_owned(), Password::new(value.trim())))
        })
        .collect()
}

#[cfg(test)]
mod tests;
