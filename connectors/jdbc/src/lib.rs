//! The JDBC sink: writes records to tables of SQL databases, as the connectors
//! of Confluent, Aiven and Debezium do, without JDBC.
//!
//! A delivery goes through these steps:
//!
//! 1. [`record_rules`] checks the shape of each record, and says what is done
//!    about it. [`change_event`] knows Debezium's events, [`header_key`] keys
//!    that are headers.
//! 2. [`connected`] finds the table of its topic and the [`plan`] for its schemas,
//!    made at the first sight of them: [`fields`] become columns, [`structure`]
//!    creates or amends the table, and the [`database`] prepares a statement
//!    for the types that its columns have.
//! 3. [`delivery`] and [`buffer`] put records together in batches, by their keys where that
//!    is safe ([`record_key`] where only equal values count).
//! 4. The [`database`] writes all batches in one transaction. [`writer`] sees to
//!    the connection, and to what one more attempt helps against at once.
//!    [`writing`] lets it work while the worker gets the next delivery.
//!
//! If it fails because of a record, [`isolation`] finds which, and [`errant`]
//! says what is wrong with it and reports it. [`retry`] decides what is worth
//! another delivery. [`offsets`] are moved in the same transaction if each
//! record is to be written exactly once.
//!
//! [`dialect`] knows each database's SQL, [`config`] each flavour's keys,
//! [`json`] the form of nested values, [`schemaless`] records without a schema.

mod buffer;
mod change_event;
mod config;
mod connected;
mod connector;
mod database;
mod debezium_time;
mod debezium_type;
mod delivery;
mod dialect;
mod errant;
mod error;
mod fields;
#[cfg(test)]
mod fixture;
mod header_key;
mod isolation;
mod json;
mod offsets;
mod plan;
mod record_key;
mod record_rules;
mod retry;
mod schemaless;
mod sink_task;
mod structure;
mod table;
mod time;
mod url;
mod writer;
mod writing;

use tether_api::connector::Connector;
use tether_api::plugin::{PluginDescriptor, PluginFactory};

use crate::config::{Flavour, aiven, confluent, debezium};
use crate::connector::JdbcSinkConnector;

/// The plugins of this crate.
pub fn plugins() -> Vec<PluginDescriptor> {
    vec![
        plugin(&confluent::FLAVOUR, || {
            Box::new(JdbcSinkConnector::new(&confluent::FLAVOUR))
        }),
        plugin(&aiven::FLAVOUR, || {
            Box::new(JdbcSinkConnector::new(&aiven::FLAVOUR))
        }),
        plugin(&debezium::FLAVOUR, || {
            Box::new(JdbcSinkConnector::new(&debezium::FLAVOUR))
        }),
    ]
}

fn plugin(flavour: &Flavour, new: fn() -> Box<dyn Connector>) -> PluginDescriptor {
    PluginDescriptor {
        class: flavour.class,
        aliases: flavour.aliases,
        version: flavour.version,
        config_def: flavour.definition,
        factory: PluginFactory::Sink(new),
    }
}
