//! Source connector that polls HTTP APIs for JSON and writes each element of
//! an answer as a record.
//!
//! A poll goes through the modules in this order: `schedule` says when, `http`
//! gets the body, `schema` finds the elements in it and makes records of them,
//! `source_task` ties them together. `config` and `connector` stand before.

mod config;
mod connector;
mod endpoint;
mod http;
mod schedule;
mod schema;
mod source_task;

use tether_api::plugin::{PluginDescriptor, PluginFactory};

use connector::RestSourceConnector;

/// The connectors of this crate.
pub fn plugins() -> Vec<PluginDescriptor> {
    vec![PluginDescriptor {
        class: "com.example.kafka.connect.RestSourceConnector",
        aliases: &[],
        version: env!("CARGO_PKG_VERSION"),
        config_def: config::definition,
        factory: PluginFactory::Source(|| Box::new(RestSourceConnector::default())),
    }]
}
