//! The JDBC sink: writes records to tables of SQL databases, as
//! `io.confluent.connect.jdbc.JdbcSinkConnector` does, without JDBC.
//!
//! A delivery goes through these steps:
//!
//! 1. [`record_rules`] checks the shape of each record.
//! 2. [`writer`] finds the table of its topic and the [`plan`] for its schemas,
//!    made at the first sight of them: [`fields`] become columns, [`structure`]
//!    creates or amends the table, and the [`database`] prepares a statement
//!    for the types that its columns have.
//! 3. [`buffer`] puts records together in batches.
//! 4. The [`database`] writes all batches in one transaction.
//!
//! [`dialect`] knows each database's SQL, [`config`] each flavour's keys.

mod buffer;
mod config;
mod connector;
mod database;
mod dialect;
mod error;
mod fields;
#[cfg(test)]
mod fixture;
mod plan;
mod record_rules;
mod retry;
mod sink_task;
mod structure;
mod table;
mod time;
mod url;
mod writer;

use tether_api::plugin::{PluginDescriptor, PluginFactory};

use crate::connector::JdbcSinkConnector;

/// The release of the reference whose behaviour this is: 10.9.7 is the newest
/// of the line that the specification was read from. Tools that ask for the
/// version compare it with releases of the reference.
const VERSION: &str = "10.9.7";

/// The plugins of this crate.
pub fn plugins() -> Vec<PluginDescriptor> {
    vec![PluginDescriptor {
        class: "io.confluent.connect.jdbc.JdbcSinkConnector",
        aliases: &["JdbcSinkConnector", "JdbcSink"],
        version: VERSION,
        config_def: config::confluent::config_def,
        factory: PluginFactory::Sink(|| Box::<JdbcSinkConnector>::default()),
    }]
}
