//! The keys and their words.

use tether_api::config::{ConfigData, ConfigKey, ConfigType, Importance, Width};

use crate::config::choice::choices;
use crate::config::flavour::CONNECTION_URL;
use crate::config::{Choice, InsertMode, KeyMode};

pub(super) const CONNECTION_USERNAME: &str = "connection.username";
pub(super) const CONNECTION_PASSWORD: &str = "connection.password";
pub(super) const INSERT_MODE: &str = "insert.mode";
pub(super) const DELETE_ENABLED: &str = "delete.enabled";
pub(super) const TRUNCATE_ENABLED: &str = "truncate.enabled";
pub(super) const COLLECTION_NAME_FORMAT: &str = "collection.name.format";
pub(super) const TABLE_NAME_FORMAT: &str = "table.name.format";
pub(super) const KEY_MODE: &str = "primary.key.mode";
pub(super) const KEY_FIELDS: &str = "primary.key.fields";
pub(super) const SCHEMA_EVOLUTION: &str = "schema.evolution";
pub(super) const QUOTE_IDENTIFIERS: &str = "quote.identifiers";
pub(super) const COLLECTION_NAMING: &str = "collection.naming.strategy";
pub(super) const TABLE_NAMING: &str = "table.naming.strategy";
pub(super) const COLUMN_NAMING: &str = "column.naming.strategy";
pub(super) const TIME_ZONE: &str = "use.time.zone";
pub(super) const DATABASE_TIME_ZONE: &str = "database.time_zone";
pub(super) const POSTGIS_SCHEMA: &str = "dialect.postgres.postgis.schema";
pub(super) const BATCH_SIZE: &str = "batch.size";
pub(super) const FIELD_INCLUDE_LIST: &str = "field.include.list";
pub(super) const FIELD_EXCLUDE_LIST: &str = "field.exclude.list";
pub(super) const FLUSH_MAX_RETRIES: &str = "flush.max.retries";
pub(super) const FLUSH_RETRY_DELAY: &str = "flush.retry.delay.ms";
pub(super) const RESTART_ON_ERRORS: &str = "connection.restart.on.errors";
pub(super) const CLOUD_EVENTS: &str = "cloud.events.schema.name.pattern";
pub(super) const REDUCTION_BUFFER: &str = "use.reduction.buffer";
pub(super) const KEYED_BATCH_MODE: &str = "keyed.message.batch.mode";

const DEFAULT_COLLECTION_NAMING: &str = "io.debezium.sink.naming.DefaultCollectionNamingStrategy";

/// The strategy that leaves names of columns as they are, by its two names.
pub(super) const DEFAULT_COLUMN_NAMING: [&str; 2] = [
    "io.debezium.connector.jdbc.naming.DefaultColumnNamingStrategy",
    "io.debezium.sink.naming.DefaultColumnNamingStrategy",
];

choices! {
    /// `schema.evolution`: which changes of tables are allowed.
    Evolution {
        /// None.
        None = "none",
        /// None, and tables have to be there when the task starts.
        ValidateOnly = "validate-only",
        /// Tables are created and columns added.
        Basic = "basic",
    }

    /// `keyed.message.batch.mode`: what becomes of a key's records in a batch.
    KeyedBatchMode {
        /// All are written.
        Passthrough = "passthrough",
        /// The last one is.
        Deduplication = "deduplication",
    }
}

/// `collection.naming.strategy`: how topics name tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CollectionNaming {
    /// Dots become `_`; the format may name fields of an event's source.
    Default,
    /// As they are.
    Passthrough,
}

impl CollectionNaming {
    /// The strategy of a Java class.
    pub(super) fn of_class(class: &str) -> Option<Self> {
        match class {
            DEFAULT_COLLECTION_NAMING
            | "io.debezium.connector.jdbc.naming.DefaultTableNamingStrategy" => Some(Self::Default),
            "io.debezium.sink.naming.PassthroughCollectionNamingStrategy" => {
                Some(Self::Passthrough)
            }
            _ => None,
        }
    }
}

/// The keys that the reference lists. It lists them in one group, in this
/// order, and an older name after its key.
pub(super) fn listed() -> Vec<ConfigKey> {
    let mut listed = Vec::new();
    for (key, order) in [connection(), writes(), tables(), running()]
        .into_iter()
        .flatten()
        .zip(1..)
    {
        let alias = ALIASES.iter().find(|(name, _)| key.name == **name);
        let names = [Some(&*key.name.clone()), alias.map(|(_, alias)| *alias)];
        for name in names.into_iter().flatten() {
            let mut key = key.clone();
            key.name = name.into();
            key.group = Some("Connector".into());
            key.order = order;
            listed.push(key);
        }
    }
    listed
}

const ALIASES: [(&str, &str); 3] = [
    (COLLECTION_NAME_FORMAT, TABLE_NAME_FORMAT),
    (COLLECTION_NAMING, TABLE_NAMING),
    (TIME_ZONE, DATABASE_TIME_ZONE),
];

fn key(name: &'static str, kind: ConfigType, width: Width, label: &'static str) -> ConfigKey {
    ConfigKey::new(name, kind)
        .default_null()
        .importance(Importance::Low)
        .form("", 0, width, label)
}

fn connection() -> Vec<ConfigKey> {
    vec![
        key(CONNECTION_URL, ConfigType::String, Width::Long, "Hostname")
            .importance(Importance::High)
            .doc("The JDBC URL of the database, such as ``jdbc:postgresql://host:5432/db``."),
        key(
            CONNECTION_USERNAME,
            ConfigType::String,
            Width::Short,
            "User",
        )
        .importance(Importance::High)
        .doc("The user to log in as."),
        key(
            CONNECTION_PASSWORD,
            ConfigType::Password,
            Width::Short,
            "Password",
        )
        .importance(Importance::High)
        .doc("The password to log in with."),
        key(
            "connection.pool.min_size",
            ConfigType::Int,
            Width::Short,
            "Connection pool minimum size",
        )
        .default_int(5)
        .doc("Without effect: a task has one connection."),
        key(
            "connection.pool.max_size",
            ConfigType::Int,
            Width::Short,
            "Connection pool maximum size",
        )
        .default_int(32)
        .doc("Without effect: a task has one connection."),
        key(
            "connection.pool.timeout",
            ConfigType::Long,
            Width::Short,
            "Connection pool timeout",
        )
        .default_long(1800)
        .doc("Without effect: a task has one connection."),
    ]
}

fn writes() -> Vec<ConfigKey> {
    vec![
        key(INSERT_MODE, ConfigType::String, Width::Short, "The insertion mode to use")
            .default_string(InsertMode::Insert.word())
            .doc("How rows are written: ``insert``, ``upsert`` (insert, or update the row of the same key), ``update``, or ``ignore`` (insert unless a row of the same key exists)."),
        key(DELETE_ENABLED, ConfigType::Boolean, Width::Short, "Controls whether records can be deleted by the connector")
            .default_boolean(false)
            .doc("Whether events that say so, and records without a value, delete rows. Needs a primary key of the record."),
        key(TRUNCATE_ENABLED, ConfigType::Boolean, Width::Short, "Controls whether tables can be truncated by the connector")
            .default_boolean(false)
            .doc("Whether events that say so empty their table."),
        key(COLLECTION_NAME_FORMAT, ConfigType::String, Width::Medium, "A format string for the collection name")
            .default_string("${topic}")
            .importance(Importance::Medium)
            .doc("The name of a topic's table, in which ``${topic}`` stands for the topic and ``${source.<field>}`` for a field of an event's source."),
        key(KEY_MODE, ConfigType::String, Width::Short, "Primary key mode")
            .default_string(KeyMode::None.word())
            .importance(Importance::High)
            .doc("Where the primary key comes from: ``none``, ``kafka`` (topic, partition, offset), ``record_key``, ``record_value`` or ``record_header``."),
        key(KEY_FIELDS, ConfigType::String, Width::Medium, "Comma-separated list of primary key field names")
            .doc("The names of the primary key's columns with commas between them; none for all."),
    ]
}

fn tables() -> Vec<ConfigKey> {
    vec![
        key(SCHEMA_EVOLUTION, ConfigType::String, Width::Short, "Controls how schema evolution is handled by the sink connector")
            .default_string(Evolution::None.word())
            .doc("Which changes of tables are allowed: ``none``, ``validate-only`` (none, and tables have to be there when a task starts) or ``basic`` (missing tables are created and missing columns added)."),
        key(QUOTE_IDENTIFIERS, ConfigType::Boolean, Width::Short, "Controls whether table, column, or other identifiers are quoted")
            .default_boolean(false)
            .doc("Whether names of tables and columns keep their case. Otherwise they have the case of names without quotes, and columns are in lower case."),
        key(COLLECTION_NAMING, ConfigType::Class, Width::Long, "CollectionNamingStrategy class")
            .default(ConfigData::Class(DEFAULT_COLLECTION_NAMING.to_owned()))
            .classes(|class| CollectionNaming::of_class(class).map(|_| class.to_owned()))
            .doc("How topics name tables: the default makes dots ``_``; ``io.debezium.sink.naming.PassthroughCollectionNamingStrategy`` leaves them. Other classes are not available."),
        key(COLUMN_NAMING, ConfigType::Class, Width::Long, "Name of the strategy class that implements the ColumnNamingStrategy interface")
            .default(ConfigData::Class(DEFAULT_COLUMN_NAMING[0].to_owned()))
            .classes(|class| DEFAULT_COLUMN_NAMING.contains(&class).then(|| class.to_owned()))
            .doc("How fields name columns. Only the default, by their own names, is available."),
        key("collection.table.format", ConfigType::String, Width::Long, "Format string using table name")
            .default_string("${table}")
            .importance(Importance::Medium)
            .doc("Without effect, as in the original."),
        key(TIME_ZONE, ConfigType::String, Width::Short, "The timezone used when inserting temporal values.")
            .default_string("UTC")
            .importance(Importance::Medium)
            .doc("The zone in which times and timestamps are stored."),
        key(POSTGIS_SCHEMA, ConfigType::String, Width::Long, "Name of the schema where postgis extension is installed")
            .default_string("public")
            .doc("PostgreSQL only: the schema with the types of PostGIS."),
        key("dialect.postgres.unnest.insert.enabled", ConfigType::Boolean, Width::Short, "Enable UNNEST-based batch inserts for PostgreSQL")
            .default_boolean(false)
            .importance(Importance::Medium)
            .doc("Without effect: rows are always written together."),
        key("dialect.sqlserver.identity.insert", ConfigType::Boolean, Width::Short, "Allowing to insert explicit value for identity column in table for SQLSERVER.")
            .default_boolean(false)
            .doc("SQL Server only, which is not available."),
    ]
}

fn running() -> Vec<ConfigKey> {
    let batch_label = "Specifies how many records to attempt to batch together into the destination table, when possible. You can also configure the connector’s underlying consumer’s max.poll.records using consumer.override.max.poll.records in the connector configuration.";
    vec![
        key(BATCH_SIZE, ConfigType::Int, Width::Short, batch_label)
            .default_int(500)
            .importance(Importance::Medium)
            .doc("How many records to write at most with one statement."),
        key(FIELD_INCLUDE_LIST, ConfigType::List, Width::Long, "Include Fields")
            .importance(Importance::Medium)
            .doc("The fields to write, as ``field`` or ``topic:field`` with commas between them."),
        key(FIELD_EXCLUDE_LIST, ConfigType::List, Width::Long, "Exclude Fields")
            .importance(Importance::Medium)
            .doc("The fields not to write, as ``field`` or ``topic:field`` with commas between them."),
        key(FLUSH_MAX_RETRIES, ConfigType::Int, Width::Short, "Max retry count")
            .default_int(5)
            .doc("How often to try a delivery again before the task fails."),
        key(FLUSH_RETRY_DELAY, ConfigType::Long, Width::Short, "Delay to retry flush")
            .default_long(1000)
            .doc("How long to wait before a delivery is tried again, in milliseconds; the wait doubles each time."),
        key(RESTART_ON_ERRORS, ConfigType::Boolean, Width::Short, "Restart connection on errors")
            .default_boolean(false)
            .doc("Whether a lost connection is made anew. It is unless this is set to ``false``."),
        key(CLOUD_EVENTS, ConfigType::String, Width::Long, "CloudEvents messages schema name pattern")
            .default_string(r".*CloudEvents\.Envelope$")
            .doc("A regular expression for the names of schemas of CloudEvents, whose data is written."),
    ]
}

/// Keys that the reference knows and does not list.
pub(super) fn unlisted() -> Vec<ConfigKey> {
    let string = |name| ConfigKey::new(name, ConfigType::String).default_null();
    let flag = |name| ConfigKey::new(name, ConfigType::Boolean).default_boolean(false);
    [
        string("connection.provider").doc("Without effect: a task has one connection."),
        flag(REDUCTION_BUFFER)
            .doc("Whether of several records with one key in a batch only the last one counts, even with ``insert.mode=insert``. With other modes it always is so."),
        string(KEYED_BATCH_MODE)
            .default_string(KeyedBatchMode::Deduplication.word())
            .doc("Without effect: of several records with one key in a batch the last one counts, except with ``insert.mode=insert``."),
        flag("internal.enable.sces").doc("Without effect: records that cannot be written are always reported."),
        string("dialect.starrocks.catalog.name").doc("StarRocks only, which is not available."),
    ]
    .map(|key| key.importance(Importance::Low).internal())
    .into()
}
