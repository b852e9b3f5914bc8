//! What the sink is told to do, typed.
//!
//! [`SinkConfig`] belongs to no flavour: each flavour has a module that defines
//! its keys and reads them into this struct.

mod choice;
pub(crate) mod confluent;

use std::collections::BTreeMap;
use std::time::Duration;

use tether_api::config::Password;

pub(crate) use choice::{
    Choice, DateZone, InsertMode, KeyMode, RetryPolicy, TableType, TimestampPrecision,
};

use crate::dialect::{Dialects, Quoting};
use crate::time::{Calendar, Zone};
use crate::url::JdbcUrl;

/// Names of the three key columns of [`KeyMode::Kafka`] unless others are given.
pub(crate) const KAFKA_KEY_COLUMNS: [&str; 3] =
    ["__connect_topic", "__connect_partition", "__connect_offset"];

/// How to reach the database.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionConfig {
    /// Where it is.
    pub(crate) url: JdbcUrl,
    /// Which kind of database it is.
    pub(crate) dialect: Dialects,
    /// Who logs in; wins over the URL.
    pub(crate) user: Option<String>,
    /// With which password; wins over the URL.
    pub(crate) password: Option<Password>,
    /// Driver properties, which win over the URL's parameters.
    pub(crate) properties: BTreeMap<String, Password>,
    /// Tries per connect, at least one.
    pub(crate) attempts: u32,
    /// The wait between two tries.
    pub(crate) backoff: Duration,
}

/// What happens after a write failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RetryConfig {
    /// Which errors are tried again and after which wait.
    pub(crate) policy: RetryPolicy,
    /// How often a delivery is tried again.
    pub(crate) limit: u32,
    /// The first wait.
    pub(crate) backoff: Duration,
}

/// How instants and dates become what the database stores.
#[derive(Debug, Clone)]
pub(crate) struct TimeConfig {
    /// The zone of times and timestamps.
    pub(crate) zone: Zone,
    /// The zone of dates.
    pub(crate) date_zone: Zone,
    /// How dates before 1582-10-15 are read.
    pub(crate) calendar: Calendar,
    /// Fields that hold an epoch number.
    pub(crate) epoch_fields: Vec<String>,
    /// The unit of these epoch numbers.
    pub(crate) epoch_precision: TimestampPrecision,
}

/// The configuration of one task.
#[derive(Debug, Clone)]
pub(crate) struct SinkConfig {
    /// The connector's name, for messages.
    pub(crate) connector: String,
    /// How to reach the database.
    pub(crate) connection: ConnectionConfig,
    /// How rows are written.
    pub(crate) insert_mode: InsertMode,
    /// Rows per statement at most, at least one.
    pub(crate) batch_size: usize,
    /// Whether a null value deletes the row of its key.
    pub(crate) delete_enabled: bool,
    /// Kinds of relations that may be written to.
    pub(crate) table_types: Vec<TableType>,
    /// Whether the default of a field stands in for null.
    pub(crate) replace_null_with_default: bool,
    /// The name of a topic's table, with `${topic}`.
    pub(crate) table_name_format: String,
    /// Where key columns come from.
    pub(crate) key_mode: KeyMode,
    /// Names of the key columns; empty for all or the default ones.
    pub(crate) key_fields: Vec<String>,
    /// Value fields to write; empty for all.
    pub(crate) fields_whitelist: Vec<String>,
    /// The column of values that are a text.
    pub(crate) string_value_column: String,
    /// Instants, dates and epoch numbers.
    pub(crate) time: TimeConfig,
    /// Whether missing tables are created.
    pub(crate) auto_create: bool,
    /// Whether missing columns are added.
    pub(crate) auto_evolve: bool,
    /// Whether identifiers are quoted.
    pub(crate) quoting: Quoting,
    /// What happens after a write failed.
    pub(crate) retry: RetryConfig,
    /// Whether messages leave out what the database said, which may hold row
    /// values.
    pub(crate) trim_sensitive_log: bool,
    /// SQLite only: replace the whole row on upsert, as the reference does.
    pub(crate) sqlite_replace: bool,
}
