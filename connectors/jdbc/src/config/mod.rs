//! What the sink is told to do, typed.
//!
//! [`SinkConfig`] belongs to no flavour: each [`flavour`] defines its keys and
//! reads them into this struct. The keys of [`own`] are in all of them.

mod choice;
mod field_filter;
mod flavour;
mod own;

use std::collections::BTreeMap;
use std::time::Duration;

use tether_api::config::Password;
use tether_java_regex::Pattern;

pub(crate) use choice::{
    Choice, DateZone, Guarantee, InsertMode, KeyMode, Nested, RetryPolicy, Schemaless, TableType,
    TimestampPrecision, TypeMapping,
};
pub(crate) use field_filter::FieldFilter;
pub(crate) use flavour::{CONNECTION_URL, Flavour, aiven, confluent, debezium};

use crate::dialect::{Dialects, Quoting};
use crate::table::TableNaming;
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
    /// Whether a lost connection is made anew and counts as a retry.
    pub(crate) reconnects: bool,
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

/// Which records the sink takes, and what it makes of their values.
#[derive(Debug, Clone)]
pub(crate) struct ValueConfig {
    /// Whether Debezium's envelopes are taken apart: `op` says what to do, and
    /// `before` or `after` with which row. Otherwise they are structs as any.
    pub(crate) unwraps_envelopes: bool,
    /// The names of schemas of CloudEvents, whose `data` is the value.
    pub(crate) cloud_events: Option<Pattern>,
    /// Whether a record without a value is left out when it deletes nothing.
    /// Otherwise it is an error.
    pub(crate) skips_null: bool,
    /// The column of values that are a text; `None` if such a value is an error.
    pub(crate) text_column: Option<String>,
    /// What becomes of values without a schema.
    pub(crate) schemaless: Schemaless,
}

/// Which columns are made, and how.
#[derive(Debug, Clone)]
pub(crate) struct ColumnConfig {
    /// Which schemas have which column types.
    pub(crate) type_mapping: TypeMapping,
    /// What becomes of structs, maps, and arrays of them.
    pub(crate) nested: Nested,
    /// What stands between the names of a flattened field.
    pub(crate) nested_delimiter: String,
    /// Whether names of columns are those of fields in lower case.
    pub(crate) in_lower_case: bool,
    /// Whether a new table begins with the key, not with the value's first
    /// field.
    pub(crate) key_first: bool,
    /// Whether key columns that are named are in the order of the schema, not
    /// of their names in the configuration.
    pub(crate) key_as_in_schema: bool,
    /// Whether a new column with a default also says if it may be null.
    pub(crate) null_beside_default: bool,
    /// PostgreSQL only: the schema with the types of PostGIS.
    pub(crate) postgis_schema: String,
}

/// Which changes of tables are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EvolutionConfig {
    /// Whether missing tables are created.
    pub(crate) creates: bool,
    /// Whether missing columns are added.
    pub(crate) amends: bool,
    /// Whether the task looks for the tables of its topics when it starts.
    pub(crate) checks_at_start: bool,
    /// The key that allows both together; `None` if each has its own.
    pub(crate) joint_key: Option<&'static str>,
}

/// How often a record may be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeliveryConfig {
    /// How often.
    pub(crate) guarantee: Guarantee,
    /// The table in which offsets are stored with the rows.
    pub(crate) offset_table: String,
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
    /// Whether of several records with one key in a batch only the last one is
    /// inserted.
    pub(crate) reduces_inserts: bool,
    /// Whether a null value deletes the row of its key.
    pub(crate) delete_enabled: bool,
    /// Whether an event that says so empties its table.
    pub(crate) truncate_enabled: bool,
    /// Which records are taken.
    pub(crate) values: ValueConfig,
    /// Kinds of relations that may be written to.
    pub(crate) table_types: Vec<TableType>,
    /// Whether the default of a field stands in for null.
    pub(crate) replace_null_with_default: bool,
    /// The name of a topic's table.
    pub(crate) table_naming: TableNaming,
    /// Where key columns come from.
    pub(crate) key_mode: KeyMode,
    /// Names of the key columns; empty for all or the default ones.
    pub(crate) key_fields: Vec<String>,
    /// Which fields are written.
    pub(crate) fields: FieldFilter,
    /// Whether this goes for a key of all fields, too.
    pub(crate) filters_key: bool,
    /// Which columns are made.
    pub(crate) columns: ColumnConfig,
    /// Instants, dates and epoch numbers.
    pub(crate) time: TimeConfig,
    /// Which changes of tables are allowed.
    pub(crate) evolution: EvolutionConfig,
    /// Whether identifiers are quoted.
    pub(crate) quoting: Quoting,
    /// What happens after a write failed.
    pub(crate) retry: RetryConfig,
    /// How often a record may be written.
    pub(crate) delivery: DeliveryConfig,
    /// Whether messages leave out what the database said, which may hold row
    /// values.
    pub(crate) trim_sensitive_log: bool,
    /// SQLite only: replace the whole row on upsert, as the reference does.
    pub(crate) sqlite_replace: bool,
}
