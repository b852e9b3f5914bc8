//! Change data capture from PostgreSQL, compatible with Debezium's connector
//! (`io.debezium.connector.postgresql.PostgresConnector`).
//!
//! Where things live, in the order in which a change passes them:
//!
//! | module | what it does |
//! |---|---|
//! | `config` | keys, their checks, and the settings that the rest reads |
//! | `preflight` | whether the database can be connected to, and what to warn of |
//! | `naming` | names of topics, schemas and fields |
//! | `catalog` | asks the database what tables, columns, keys and types it has |
//! | `table` | tables and columns as both phases know them |
//! | `types` | what a type of PostgreSQL is, and the schema of a column of it |
//! | `values` | the text of a value as a Connect value |
//! | `replication` | the connection that streams, the slot, the publication |
//! | `guardian` | watches what the server keeps for the slot |
//! | `pgoutput` | the messages of the stream |
//! | `snapshot` | the rows that were there before the stream |
//! | `streaming` | the changes of the stream, and where to take it up again |
//! | `incremental` | rows that are read while the stream goes on |
//! | `signal` | what users ask of a running connector |
//! | `metrics` | what is counted and measured, under the reference's names |
//! | `notification` | what the connector tells of its snapshots |
//! | `event` | records: keys, envelopes, the source block, headers |
//! | `offset` | the position that is stored with each record |
//!
//! A value has one way from the database to a record, whether it was read by
//! `COPY` or streamed: its text, as both give it, goes through the converter of
//! its column, which is made once per table and knows the column's place.

pub mod catalog;
pub mod config;
mod connector;
pub mod event;
pub mod guardian;
pub mod incremental;
pub mod lsn;
pub mod metrics;
pub mod naming;
pub mod notification;
pub mod offset;
pub mod pgoutput;
pub mod preflight;
pub mod replication;
pub mod signal;
pub mod snapshot;
mod source_task;
pub mod streaming;
pub mod table;
pub mod types;
pub mod values;

use tether_api::plugin::{PluginDescriptor, PluginFactory};

use crate::connector::PostgresConnector;

/// The release of the reference whose behaviour this is, which records and
/// tools name as the version.
pub const VERSION: &str = "3.6.3.Final";

/// The plugins of this crate.
pub fn plugins() -> Vec<PluginDescriptor> {
    vec![PluginDescriptor {
        class: "io.debezium.connector.postgresql.PostgresConnector",
        aliases: &["PostgresConnector", "Postgres"],
        version: VERSION,
        config_def: config::definition,
        factory: PluginFactory::Source(|| Box::<PostgresConnector>::default()),
    }]
}
