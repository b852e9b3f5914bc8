//! The Confluent flavour: keys of `io.confluent.connect.jdbc.JdbcSinkConnector`
//! (spec section 2), in the reference's groups and order.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tether_api::Result;
use tether_api::config::{
    ConfigData, ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, ParsedConfig, Recommender,
    Validator, Width,
};

use super::common::{
    self, AUTO_CREATE, AUTO_EVOLVE, BATCH_SIZE, CONNECTION_PASSWORD, CONNECTION_USER, DATA_MAPPING,
    DB_TIMEZONE, DDL, DELETE_ENABLED, DIALECT_NAME, FIELDS_WHITELIST, INSERT_MODE, MAX_RETRIES,
    PK_FIELDS, PK_MODE, RETRY_BACKOFF, TABLE_NAME_FORMAT, WRITES,
};
use super::fallback::{self, Fallback};
use super::{CONNECTION_URL, Conflict, Flavour, driver_properties, is_true, word_of, zone};
use crate::config::choice::choice;
use crate::config::own;
use crate::config::{
    Choice, ColumnConfig, ConnectionConfig, DateZone, EvolutionConfig, FieldFilter, InsertMode,
    KeyMode, RetryConfig, SinkConfig, TableType, TimeConfig, TimestampPrecision, TypeMapping,
    ValueConfig,
};
use crate::dialect::{Dialects, Quoting};
use crate::table::TableNaming;
use crate::time::{Calendar, Zone};
use crate::url::JdbcUrl;

/// 10.9.7 is the newest release of the line that the specification was read
/// from. Tools that ask for the version compare it with releases of the
/// reference.
pub(crate) static FLAVOUR: Flavour = Flavour {
    class: "io.confluent.connect.jdbc.JdbcSinkConnector",
    aliases: &["JdbcSinkConnector", "JdbcSink"],
    version: "10.9.7",
    task_class: "io.confluent.connect.jdbc.sink.JdbcSinkTask",
    definition: config_def,
    fallbacks: &[&common::FALLBACKS, &FALLBACKS],
    conflicts,
    read,
};

static FALLBACKS: [Fallback; 2] = [
    Fallback::translated(
        QUOTE_IDENTIFIERS,
        "sql.quote.identifiers",
        fallback::quoting_word,
    ),
    Fallback::translated(
        QUOTE_IDENTIFIERS,
        "quote.identifiers",
        fallback::quoting_word,
    ),
];

const CONNECTION_ATTEMPTS: &str = "connection.attempts";
const CONNECTION_BACKOFF: &str = "connection.backoff.ms";
const CREDENTIALS_PROVIDER: &str = "jdbc.credentials.provider.class";
const TABLE_TYPES: &str = "table.types";
const REPLACE_NULL: &str = "replace.null.with.default";
const DATE_TIMEZONE: &str = "date.timezone";
const TIMESTAMP_FIELDS: &str = "timestamp.fields.list";
const TIMESTAMP_PRECISION: &str = "timestamp.precision.mode";
const CALENDAR: &str = "date.calendar.system";
const STRING_VALUE_COLUMN: &str = "string.output.value.column.name";
const QUOTE_IDENTIFIERS: &str = "quote.sql.identifiers";
const MERGE_HOLDLOCK: &str = "mssql.use.merge.holdlock";

/// The one provider of credentials that there is: user and password of the
/// configuration.
const DEFAULT_CREDENTIALS_PROVIDER: &str =
    "io.confluent.connect.jdbc.util.DefaultJdbcCredentialsProvider";

const INVALID_TIME_ZONE: &str = "Invalid time zone. See the list of valid time zones at https://docs.oracle.com/javase/8/docs/api/java/time/ZoneId.html#shortIds";

/// What providers of credentials are, in the words of a message.
const CREDENTIALS_PROVIDER_INTERFACE: &str =
    "interface io.confluent.connect.jdbc.util.JdbcCredentialsProvider";

const CONNECTION: &str = "Connection";
const DML: &str = "DML Support";

/// The definition of all keys.
pub(crate) fn config_def() -> Arc<ConfigDef> {
    static DEFINITION: LazyLock<Arc<ConfigDef>> = LazyLock::new(|| {
        let mut definition = ConfigDef::new();
        for keys in [
            connection(),
            writes(),
            data_mapping(),
            common::tables_that_change().into(),
            ddl_and_dml(),
            common::retries().into(),
            own::keys(),
            vec![trim_sensitive_log()],
        ] {
            for key in keys {
                definition.add(key);
            }
        }
        Arc::new(definition)
    });
    DEFINITION.clone()
}

fn connection() -> Vec<ConfigKey> {
    vec![
        ConfigKey::new(CONNECTION_URL, ConfigType::String)
            .importance(Importance::High)
            .doc("The JDBC URL of the database, such as ``jdbc:postgresql://host:5432/db`` or ``jdbc:sqlite:/path/file.db``.")
            .form(CONNECTION, 1, Width::Long, "JDBC URL"),
        common::user().form(CONNECTION, 2, Width::Medium, "JDBC User"),
        common::password().form(CONNECTION, 3, Width::Medium, "JDBC Password"),
        ConfigKey::new(CREDENTIALS_PROVIDER, ConfigType::Class)
            .default(ConfigData::Class(DEFAULT_CREDENTIALS_PROVIDER.to_owned()))
            .classes(|class| (class == DEFAULT_CREDENTIALS_PROVIDER).then(|| class.to_owned()))
            .validator(Validator::custom("the default provider", |_, value| {
                match value.text() {
                    Some(DEFAULT_CREDENTIALS_PROVIDER) => Ok(()),
                    _ => Err(format!("Class must extend: {CREDENTIALS_PROVIDER_INTERFACE}")),
                }
            }))
            .importance(Importance::Low)
            .doc("Where user and password come from. Only the default, the configuration itself, is available.")
            .form(CONNECTION, 4, Width::Long, "JDBC Credentials Provider Class"),
        common::dialect_name().form(CONNECTION, 5, Width::Long, "Database Dialect"),
        ConfigKey::new(CONNECTION_ATTEMPTS, ConfigType::Int)
            .default_int(3)
            .validator(Validator::AtLeast(1))
            .importance(Importance::Low)
            .doc("How often to try to connect before the attempt counts as failed.")
            .form(CONNECTION, 6, Width::Short, "JDBC connection attempts"),
        ConfigKey::new(CONNECTION_BACKOFF, ConfigType::Long)
            .default_long(10_000)
            .importance(Importance::Low)
            .doc("How long to wait between two tries to connect, in milliseconds.")
            .form(CONNECTION, 7, Width::Short, "JDBC connection backoff in milliseconds"),
    ]
}

fn writes() -> Vec<ConfigKey> {
    vec![
        ConfigKey::new(INSERT_MODE, ConfigType::String)
            .default_string("insert")
            .validator(InsertMode::validator("[insert, upsert, update]"))
            .importance(Importance::High)
            .doc("How rows are written: ``insert``, ``upsert`` (insert, or update the row of the same key), ``update``, or ``ignore`` (insert unless a row of the same key exists).")
            .form(WRITES, 1, Width::Medium, "Insert Mode"),
        common::batch_size().form(WRITES, 2, Width::Short, "Batch Size"),
        ConfigKey::new(DELETE_ENABLED, ConfigType::Boolean)
            .default_boolean(false)
            .recommender(Recommender {
                values: Arc::new(|config| match is_record_key(config) {
                    true => vec!["true".to_owned(), "false".to_owned()],
                    false => vec!["false".to_owned()],
                }),
                visible: Arc::new(is_record_key),
            })
            .doc("Whether a record with a null value deletes the row of its key. Needs ``pk.mode=record_key``.")
            .form(WRITES, 3, Width::Short, "Enable deletes"),
        ConfigKey::new(TABLE_TYPES, ConfigType::List)
            .default_list(&["TABLE"])
            .validator(TableType::validator("[table, partitioned table, view]"))
            .recommender(Recommender::values(|_| TableType::words()))
            .importance(Importance::Low)
            .doc("The kinds of relations that may be written to: ``TABLE``, ``PARTITIONED TABLE``, ``VIEW``. A partitioned table counts as a table.")
            .form(WRITES, 4, Width::Medium, "Table Types"),
        ConfigKey::new(REPLACE_NULL, ConfigType::Boolean)
            .default_boolean(true)
            .importance(Importance::Low)
            .doc("Whether a null in a field that is not a key becomes the default of the field's schema.")
            .form(WRITES, 5, Width::Medium, "Replace null value with default value"),
    ]
}

fn data_mapping() -> Vec<ConfigKey> {
    vec![
        ConfigKey::new(TABLE_NAME_FORMAT, ConfigType::String)
            .default_string("${topic}")
            .validator(Validator::NonEmpty)
            .doc("The name of a topic's table; ``${topic}`` stands for the topic. Dots separate schema and table.")
            .form(DATA_MAPPING, 1, Width::Long, "Table Name Format"),
        ConfigKey::new(PK_MODE, ConfigType::String)
            .default_string("none")
            .validator(KeyMode::validator_of("[none, kafka, record_key, record_value]", is_key_mode))
            .recommender(Recommender::values(|config| match is_true(config, DELETE_ENABLED) {
                true => vec![KeyMode::RecordKey.word().to_owned()],
                false => KEY_MODES.map(|mode| mode.word().to_owned()).into(),
            }))
            .importance(Importance::High)
            .doc("Where the primary key comes from: ``none``, ``kafka`` (topic, partition, offset), ``record_key`` or ``record_value``.")
            .form(DATA_MAPPING, 2, Width::Medium, "Primary Key Mode"),
        ConfigKey::new(PK_FIELDS, ConfigType::List)
            .default_list(&[])
            .doc("The names of the primary key's columns. ``kafka``: three names or none; ``record_key`` with a primitive key: one name; else fields of the key or value, or none for all.")
            .form(DATA_MAPPING, 3, Width::Long, "Primary Key Fields"),
        common::fields_whitelist().form(DATA_MAPPING, 4, Width::Long, "Fields Whitelist"),
        ConfigKey::new(DB_TIMEZONE, ConfigType::String)
            .default_string("UTC")
            .validator(Validator::custom("Any valid JDK time zone", |_, value| {
                match value.text().map(Zone::parse) {
                    None | Some(Some(_)) => Ok(()),
                    Some(None) => Err(INVALID_TIME_ZONE.to_owned()),
                }
            }))
            .doc("The zone in which times and timestamps are stored.")
            .form(DATA_MAPPING, 5, Width::Medium, "DB Time Zone"),
        ConfigKey::new(DATE_TIMEZONE, ConfigType::String)
            .default_string("DB_TIMEZONE")
            .validator(DateZone::validator("[db_timezone, utc]"))
            .recommender(Recommender::values(|_| DateZone::words()))
            .importance(Importance::Low)
            .doc("The zone in which dates are stored: ``DB_TIMEZONE`` or ``UTC``. Zones west of Greenwich store the day before unless this is ``UTC``.")
            .form(DATA_MAPPING, 6, Width::Medium, "Time Zone used for Date"),
        ConfigKey::new(TIMESTAMP_FIELDS, ConfigType::List)
            .default_list(&[])
            .doc("INT64 or STRING fields that hold an epoch number and are stored as timestamps.")
            .form(DATA_MAPPING, 7, Width::Medium, "Timestamp Fields Whitelist"),
        ConfigKey::new(TIMESTAMP_PRECISION, ConfigType::String)
            .default_string("MICROSECONDS")
            .validator(TimestampPrecision::validator("[microseconds, nanoseconds]"))
            .recommender(Recommender::values(|_| TimestampPrecision::words()))
            .importance(Importance::Low)
            .doc("The unit of the epoch numbers in ``timestamp.fields.list``.")
            .form(DATA_MAPPING, 8, Width::Medium, "Sink Timestamp Precision mode"),
        ConfigKey::new(CALENDAR, ConfigType::String)
            .default_string(Calendar::LEGACY)
            .validator(Validator::OneOf(&[Calendar::LEGACY, Calendar::PROLEPTIC]))
            .importance(Importance::Low)
            .doc("How days before 1582-10-15 are read: ``LEGACY`` (Julian before that day) or ``PROLEPTIC_GREGORIAN``.")
            .form(DATA_MAPPING, 9, Width::Medium, "Date Calendar System"),
        ConfigKey::new(STRING_VALUE_COLUMN, ConfigType::String)
            .default_string("record_value")
            .validator(Validator::NonEmpty)
            .importance(Importance::Low)
            .doc("The column for record values that are a text rather than a struct.")
            .form(DATA_MAPPING, 10, Width::Medium, "String Value Column Name"),
    ]
}

fn ddl_and_dml() -> Vec<ConfigKey> {
    vec![
        // As in the reference, a wrong word is found when the dialect is made.
        ConfigKey::new(QUOTE_IDENTIFIERS, ConfigType::String)
            .default_string("ALWAYS")
            .recommender(Recommender::values(|_| {
                vec!["always".to_owned(), "never".to_owned()]
            }))
            .doc("Whether to quote names of tables and columns: ``always`` or ``never``.")
            .form(DDL, 3, Width::Medium, "Quote Identifiers"),
        ConfigKey::new(MERGE_HOLDLOCK, ConfigType::Boolean)
            .default_boolean(true)
            .importance(Importance::Low)
            .doc("SQL Server only: whether ``MERGE`` takes the HOLDLOCK hint.")
            .form(DML, 1, Width::Medium, "SQL Server - Use HOLDLOCK in MERGE"),
    ]
}

/// Where key columns may come from.
const KEY_MODES: [KeyMode; 4] = [
    KeyMode::None,
    KeyMode::Kafka,
    KeyMode::RecordKey,
    KeyMode::RecordValue,
];

fn is_key_mode(mode: KeyMode) -> bool {
    KEY_MODES.contains(&mode)
}

/// The key that the reference lists without saying what it is.
fn trim_sensitive_log() -> ConfigKey {
    ConfigKey::new(own::TRIM_SENSITIVE_LOG, ConfigType::Boolean)
        .default_boolean(false)
        .importance(Importance::Low)
        .doc("Whether messages leave out what the database said, which may hold row values.")
        .form("", -1, Width::None, own::TRIM_SENSITIVE_LOG)
}

fn is_record_key(config: &ConfigMap) -> bool {
    config
        .get(PK_MODE)
        .is_some_and(|word| word.trim().eq_ignore_ascii_case(KeyMode::RecordKey.word()))
}

/// Rules that span keys (spec section 3, rule 3).
fn conflicts(config: &ConfigMap) -> Vec<Conflict> {
    let mut conflicts = Vec::new();
    let key_mode = word_of(config, PK_MODE, KeyMode::None);
    let insert_mode = word_of(config, INSERT_MODE, InsertMode::Insert);
    if is_true(config, DELETE_ENABLED) && key_mode.is_some_and(|mode| mode != KeyMode::RecordKey) {
        conflicts.push(Conflict {
            keys: &[PK_MODE, DELETE_ENABLED],
            reason: "Deletes are only supported for pk.mode record_key".to_owned(),
        });
    }
    // Without a key, UPDATE would change every row of the table.
    if insert_mode == Some(InsertMode::Update) && key_mode == Some(KeyMode::None) {
        conflicts.push(Conflict {
            keys: &[INSERT_MODE, PK_MODE],
            reason: "insert.mode update needs a primary key: set pk.mode to kafka, record_key or record_value".to_owned(),
        });
    }
    conflicts
}

fn read(config: &ConfigMap, parsed: &ParsedConfig) -> Result<SinkConfig> {
    let own = own::read(parsed)?;
    let type_mapping = own.type_mapping.unwrap_or(TypeMapping::Connect);
    Ok(SinkConfig {
        connector: own::connector(config),
        connection: connection_config(config, parsed)?,
        insert_mode: choice(&parsed.string(INSERT_MODE)?)?,
        batch_size: usize::try_from(parsed.int(BATCH_SIZE)?).unwrap_or(0).max(1),
        reduces_inserts: false,
        delete_enabled: parsed.boolean(DELETE_ENABLED)?,
        truncate_enabled: false,
        values: ValueConfig {
            unwraps_envelopes: false,
            cloud_events: None,
            skips_null: false,
            text_column: Some(parsed.string(STRING_VALUE_COLUMN)?),
            schemaless: own.schemaless,
        },
        table_types: parsed
            .list(TABLE_TYPES)?
            .iter()
            .map(|word| choice(word))
            .collect::<Result<_>>()?,
        replace_null_with_default: parsed.boolean(REPLACE_NULL)?,
        table_naming: TableNaming::by_topic(&parsed.string(TABLE_NAME_FORMAT)?),
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
        time: time_config(parsed)?,
        evolution: EvolutionConfig {
            creates: parsed.boolean(AUTO_CREATE)?,
            amends: parsed.boolean(AUTO_EVOLVE)?,
            checks_at_start: false,
            joint_key: None,
        },
        quoting: Quoting::of(&parsed.string(QUOTE_IDENTIFIERS)?)?,
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

fn connection_config(config: &ConfigMap, parsed: &ParsedConfig) -> Result<ConnectionConfig> {
    let url = JdbcUrl::parse(&parsed.string(CONNECTION_URL)?)?;
    let backoff = u64::try_from(parsed.long(CONNECTION_BACKOFF)?).unwrap_or(0);
    Ok(ConnectionConfig {
        dialect: Dialects::choose(&parsed.string(DIALECT_NAME)?, &url)?,
        url,
        user: parsed.optional_string(CONNECTION_USER),
        password: parsed.optional_password(CONNECTION_PASSWORD),
        properties: driver_properties(&config_def(), config),
        attempts: parsed.int(CONNECTION_ATTEMPTS)?.unsigned_abs(),
        backoff: Duration::from_millis(backoff),
    })
}

fn time_config(parsed: &ParsedConfig) -> Result<TimeConfig> {
    let zone = zone(&parsed.string(DB_TIMEZONE)?)?;
    Ok(TimeConfig {
        date_zone: match choice(&parsed.string(DATE_TIMEZONE)?)? {
            DateZone::DbTimezone => zone.clone(),
            DateZone::Utc => Zone::Utc,
        },
        zone,
        calendar: Calendar::of(&parsed.string(CALENDAR)?),
        epoch_fields: parsed.list(TIMESTAMP_FIELDS)?,
        epoch_precision: choice(&parsed.string(TIMESTAMP_PRECISION)?)?,
    })
}

#[cfg(test)]
mod tests;
