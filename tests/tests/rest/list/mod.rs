//! The list of requests, sent in this order to both workers.

mod bodies;
mod connectors;
mod guarded;
mod jdbc;
mod loggers;
mod negotiation;
mod offsets;
mod origins;
mod paths;
mod plugins;
mod postgres;
mod root;
pub(super) mod strict;
pub(super) mod untracked;
mod validation;

use serde_json::{Map, Value};

use super::step::Step;

/// The steps for workers that let everybody in.
pub(super) fn open() -> Vec<Step> {
    [
        root::steps(),
        bodies::steps(),
        connectors::steps(),
        validation::steps(),
        offsets::steps(),
        plugins::steps(),
        loggers::steps(),
        paths::steps(),
        negotiation::steps(),
        origins::steps(),
    ]
    .concat()
}

/// The steps for workers that demand a password.
pub(super) fn guarded() -> Vec<Step> {
    guarded::steps()
}

/// The steps for workers with [`strict::PROPERTIES`].
pub(super) fn strict() -> Vec<Step> {
    strict::steps()
}

/// The steps for workers with [`untracked::PROPERTIES`].
pub(super) fn untracked() -> Vec<Step> {
    untracked::steps()
}

/// The steps for workers with the connector for changes of PostgreSQL, about a database at this port.
pub(super) fn postgres(port: u16) -> Vec<Step> {
    postgres::steps(port)
}

/// The steps for workers with Debezium's JDBC sink, about a database at this port.
pub(super) fn jdbc(port: u16) -> Vec<Step> {
    jdbc::steps(port)
}

/// A configuration with these changes, a JSON object; null takes a key away.
fn changed(config: Value, changes: &str) -> Map<String, Value> {
    let changes: Map<String, Value> =
        serde_json::from_str(changes).expect("a change is a JSON object");
    let Value::Object(mut config) = config else {
        return changes;
    };
    for (key, value) in changes {
        match value {
            Value::Null => drop(config.shift_remove(&key)),
            value => drop(config.insert(key, value)),
        }
    }
    config
}
