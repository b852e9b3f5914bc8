//! The Aiven flavour: keys of `io.aiven.connect.jdbc.JdbcSinkConnector`
//! (spec section 2.1), in its groups and order.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tether_api::config::{
    ConfigData, ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, ParsedConfig, Validator,
    Width,
};
use tether_api::{ConnectError, Result};

use super::common::{
    self, AUTO_CREATE, AUTO_EVOLVE, BATCH_SIZE, CONNECTION_PASSWORD, CONNECTION_USER, DATA_MAPPING,
    DB_TIMEZONE, DELETE_ENABLED, DIALECT_NAME, FIELDS_WHITELIST, INSERT_MODE, MAX_RETRIES,
    PK_FIELDS, PK_MODE, RETRY_BACKOFF, TABLE_NAME_FORMAT, WRITES,
};
use super::fallback::{self, Fallback};
use super::{
    CONNECTION_URL, Conflict, Flavour, driver_properties, is_true, list_of, word_of, zone,
};
use crate::config::choice::choice;
use crate::config::{
    Choice, ColumnConfig, ConnectionConfig, EvolutionConfig, FieldFilter, InsertMode, KeyMode,
    RetryConfig, SinkConfig, TableType, TimeConfig, TimestampPrecision, TypeMapping, ValueConfig,
    own,
};
use crate::dialect::{Dialects, Quoting};
use crate::table::TableNaming;
use crate::time::{Calendar, Zone};
use crate::url::JdbcUrl;

const QUOTE_IDENTIFIERS: &str = "sql.quote.identifiers";
const TABLE_NAME_NORMALIZE: &str = "table.name.normalize";
const TOPICS_TO_TABLES: &str = "topics.to.tables.mapping";

/// Aiven's word for an `INSERT` of many rows, which ours is anyway.
const MULTI: &str = "multi";

const DATABASE: &str = "Database";

/// The newest release when the specification was written.
pub(crate) static FLAVOUR: Flavour = Flavour {
    class: "io.aiven.connect.jdbc.JdbcSinkConnector",
    aliases: &["io.aiven.kafka.connect.jdbc.JdbcSinkConnector"],
    version: "6.10.0",
    task_class: "io.aiven.connect.jdbc.sink.JdbcSinkTask",
    definition,
    fallbacks: &[&common::FALLBACKS, &FALLBACKS],
    conflicts,
    read,
};

static FALLBACKS: [Fallback; 2] = [
    Fallback::translated(
        QUOTE_IDENTIFIERS,
        "quote.sql.identifiers",
        fallback::quoting_flag,
    ),
    Fallback::other(QUOTE_IDENTIFIERS, "quote.identifiers"),
];

/// The definition of all keys.
fn definition() -> Arc<ConfigDef> {
    static DEFINITION: LazyLock<Arc<ConfigDef>> = LazyLock::new(|| {
        let mut definition = ConfigDef::new();
        for keys in [
            database(),
            writes(),
            data_mapping(),
            common::tables_that_change().into(),
            common::retries().into(),
            own::keys(),
        ] {
            for key in keys {
                definition.add(key);
            }
        }
        Arc::new(definition)
    });
    DEFINITION.clone()
}

fn database() -> Vec<ConfigKey> {
    vec![
        ConfigKey::new(CONNECTION_URL, ConfigType::String)
            .importance(Importance::High)
            .doc("The JDBC URL of the database, such as ``jdbc:postgresql://host:5432/db``.")
            .form(DATABASE, 1, Width::Long, "JDBC URL"),
        common::user().form(DATABASE, 2, Width::Medium, "JDBC User"),
        common::password().form(DATABASE, 3, Width::Medium, "JDBC Password"),
        ConfigKey::new(DB_TIMEZONE, ConfigType::String)
            .default_string("UTC")
            .validator(Validator::custom(
                "valid time zone identifier",
                |_, value| match value.text().map(Zone::parse) {
                    None | Some(Some(_)) => Ok(()),
                    Some(None) => Err("Invalid time zone identifier".to_owned()),
                },
            ))
            .doc("The zone in which dates, times and timestamps are stored.")
            .form(DATABASE, 4, Width::Medium, "DB time zone"),
        common::dialect_name().form(DATABASE, 5, Width::Medium, "Database Dialect"),
        ConfigKey::new(QUOTE_IDENTIFIERS, ConfigType::Boolean)
            .default_boolean(true)
            .importance(Importance::Low)
            .doc("Whether to quote names of tables and columns.")
            .form(DATABASE, 6, Width::Short, "Quote SQL Identifiers"),
    ]
}

fn writes() -> Vec<ConfigKey> {
    vec![
        ConfigKey::new(INSERT_MODE, ConfigType::String)
            .default_string("insert")
            .validator(Validator::custom("[insert, multi, upsert, update]", |_, value| {
                match value.text().map(insert_mode) {
                    Some(Some(_)) => Ok(()),
                    _ => Err("Invalid enumerator".to_owned()),
                }
            }))
            .importance(Importance::High)
            .doc("How rows are written: ``insert`` or ``multi`` (which are the same), ``upsert`` (insert, or update the row of the same key), ``update``, or ``ignore`` (insert unless a row of the same key exists).")
            .form(WRITES, 1, Width::Medium, "Insert Mode"),
        common::batch_size().form(WRITES, 2, Width::Short, "Batch Size"),
        ConfigKey::new(DELETE_ENABLED, ConfigType::Boolean)
            .default_boolean(false)
            .doc("Whether a record with a null value deletes the row of its key. Needs ``pk.mode=record_key``.")
            .form(WRITES, 3, Width::Short, "Delete enabled"),
    ]
}

fn data_mapping() -> Vec<ConfigKey> {
    vec![
        ConfigKey::new(TABLE_NAME_FORMAT, ConfigType::String)
            .default_string("${topic}")
            .doc("The name of a topic's table, in which ``${topic}`` stands for the topic.")
            .form(DATA_MAPPING, 1, Width::Long, "Table Name Format"),
        ConfigKey::new(TABLE_NAME_NORMALIZE, ConfigType::Boolean)
            .default_boolean(false)
            .doc("Whether everything but letters, digits and ``_`` becomes ``_`` in names of tables.")
            .form(DATA_MAPPING, 2, Width::Long, "Table Name Normalize"),
        ConfigKey::new(TOPICS_TO_TABLES, ConfigType::List)
            .default_null()
            .validator(Validator::custom("topic:table, ...", |_, value| match value {
                ConfigData::List(entries) if tables(entries).is_none() => {
                    Err("Invalid topics to tables mapping".to_owned())
                }
                _ => Ok(()),
            }))
            .doc("The tables of topics, as ``topic:table`` with commas between them. If there is one, ``table.name.format`` does not count.")
            .form(DATA_MAPPING, 3, Width::Long, "Topics To Tables Mapping"),
        ConfigKey::new(PK_MODE, ConfigType::String)
            .default_string("none")
            .validator(KeyMode::validator_of(
                "[none, kafka, record_key, record_value]",
                |mode| mode != KeyMode::RecordHeader,
            ))
            .importance(Importance::High)
            .doc("Where the primary key comes from: ``none``, ``kafka`` (topic, partition, offset), ``record_key`` or ``record_value``.")
            .form(DATA_MAPPING, 4, Width::Medium, "Primary Key Mode"),
        ConfigKey::new(PK_FIELDS, ConfigType::List)
            .default_list(&[])
            .doc("The names of the primary key's columns. ``kafka``: three names; ``record_key`` with a primitive key: one name; else fields of the key or value, or none for all.")
            .form(DATA_MAPPING, 5, Width::Long, "Primary Key Fields"),
        common::fields_whitelist().form(DATA_MAPPING, 6, Width::Long, "Fields Whitelist"),
    ]
}

fn insert_mode(word: &str) -> Option<InsertMode> {
    match word == MULTI || word == MULTI.to_uppercase() {
        true => Some(InsertMode::Insert),
        false => InsertMode::of(word),
    }
}

/// The tables of topics. As in the reference, what follows a second colon does
/// not count. `None` if an entry has no table, a topic has two, or there is no
/// entry.
fn tables(entries: &[String]) -> Option<BTreeMap<String, String>> {
    let mut tables = BTreeMap::new();
    for entry in entries {
        let mut parts = entry.trim_end_matches(':').split(':');
        let (topic, table) = (parts.next()?, parts.next()?);
        if tables.insert(topic.to_owned(), table.to_owned()).is_some() {
            return None;
        }
    }
    (!tables.is_empty()).then_some(tables)
}

/// Rules that span keys.
fn conflicts(config: &ConfigMap) -> Vec<Conflict> {
    let mut conflicts = Vec::new();
    let mut refuse = |applies: bool, keys: &'static [&'static str], reason: &str| {
        if applies {
            let reason = reason.to_owned();
            conflicts.push(Conflict { keys, reason });
        }
    };
    // These rules do not look at the case of the word.
    let word = config.get(PK_MODE).map_or("none", |word| word.trim());
    let mode = KeyMode::of(&word.to_lowercase()).filter(|mode| *mode != KeyMode::RecordHeader);
    let fields = list_of(config, PK_FIELDS).len();
    refuse(
        is_true(config, DELETE_ENABLED) && mode != Some(KeyMode::RecordKey),
        &[DELETE_ENABLED],
        "Delete support only works with pk.mode=record_key",
    );
    refuse(
        mode == Some(KeyMode::None) && fields > 0,
        &[PK_FIELDS],
        "Primary key fields should not be set when pkMode is 'none'.",
    );
    refuse(
        mode == Some(KeyMode::Kafka) && fields != 3,
        &[PK_FIELDS],
        "Primary key fields must be set with three fields (topic, partition, offset) when pkMode \
         is 'kafka'.",
    );
    refuse(
        mode.is_none(),
        &[PK_FIELDS],
        &format!("Invalid pkMode value: {word}"),
    );
    // Without a key, UPDATE would change every row of the table.
    let inserts = word_of::<InsertMode>(config, INSERT_MODE, InsertMode::Insert);
    refuse(
        inserts == Some(InsertMode::Update) && mode == Some(KeyMode::None),
        &[INSERT_MODE, PK_MODE],
        "insert.mode update needs a primary key: set pk.mode to kafka, record_key or record_value",
    );
    conflicts
}

fn read(config: &ConfigMap, parsed: &ParsedConfig) -> Result<SinkConfig> {
    let own = own::read(parsed)?;
    let type_mapping = own.type_mapping.unwrap_or(TypeMapping::Connect);
    let url = JdbcUrl::parse(&parsed.string(CONNECTION_URL)?)?;
    let zone = zone(&parsed.string(DB_TIMEZONE)?)?;
    let tables = match parsed.get(TOPICS_TO_TABLES) {
        Some(ConfigData::List(entries)) => tables(entries).unwrap_or_default(),
        _ => BTreeMap::new(),
    };
    let naming = TableNaming::by_topic(&parsed.string(TABLE_NAME_FORMAT)?)
        .normalizing(parsed.boolean(TABLE_NAME_NORMALIZE)?)
        .with_tables(tables);
    let word = parsed.string(INSERT_MODE)?;
    Ok(SinkConfig {
        connector: own::connector(config),
        connection: ConnectionConfig {
            dialect: Dialects::choose(&parsed.string(DIALECT_NAME)?, &url)?,
            url,
            user: parsed.optional_string(CONNECTION_USER),
            password: parsed.optional_password(CONNECTION_PASSWORD),
            properties: driver_properties(&definition(), config),
            attempts: 1,
            backoff: Duration::ZERO,
        },
        insert_mode: insert_mode(&word)
            .ok_or_else(|| ConnectError::config(format!("Invalid enumerator {word}")))?,
        batch_size: usize::try_from(parsed.int(BATCH_SIZE)?).unwrap_or(0).max(1),
        reduces_inserts: false,
        delete_enabled: parsed.boolean(DELETE_ENABLED)?,
        truncate_enabled: false,
        values: ValueConfig {
            unwraps_envelopes: false,
            cloud_events: None,
            skips_null: false,
            text_column: None,
            schemaless: own.schemaless,
        },
        table_types: vec![TableType::Table, TableType::PartitionedTable],
        replace_null_with_default: true,
        table_naming: naming,
        key_mode: choice(&parsed.string(PK_MODE)?)?,
        key_fields: parsed.list(PK_FIELDS)?,
        fields: FieldFilter::only(parsed.list(FIELDS_WHITELIST)?),
        filters_key: false,
        columns: ColumnConfig {
            type_mapping,
            nested: own.nested_with(type_mapping),
            nested_delimiter: own.nested_delimiter,
            in_lower_case: false,
            key_first: false,
            key_as_in_schema: false,
            null_beside_default: false,
            postgis_schema: "public".to_owned(),
        },
        time: TimeConfig {
            date_zone: zone.clone(),
            zone,
            calendar: Calendar::of(Calendar::LEGACY),
            epoch_fields: Vec::new(),
            epoch_precision: TimestampPrecision::Microseconds,
        },
        evolution: EvolutionConfig {
            creates: parsed.boolean(AUTO_CREATE)?,
            amends: parsed.boolean(AUTO_EVOLVE)?,
            checks_at_start: false,
            joint_key: None,
        },
        quoting: match parsed.boolean(QUOTE_IDENTIFIERS)? {
            true => Quoting::Always,
            false => Quoting::Never,
        },
        retry: RetryConfig {
            policy: own.retry_policy,
            reconnects: true,
            limit: parsed.int(MAX_RETRIES)?.unsigned_abs(),
            backoff: Duration::from_millis(parsed.int(RETRY_BACKOFF)?.unsigned_abs().into()),
        },
        delivery: own.delivery,
        trim_sensitive_log: own.trim_sensitive_log,
        sqlite_replace: own.sqlite_replace,
    })
}

#[cfg(test)]
mod tests;
