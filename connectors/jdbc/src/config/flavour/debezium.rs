//! The Debezium flavour: keys of `io.debezium.connector.jdbc.JdbcSinkConnector`
//! (spec section 2.2), in its order.

mod keys;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tether_api::config::{ConfigDef, ConfigMap, ParsedConfig};
use tether_api::{ConnectError, Result};
use tether_java_regex::Pattern;

use self::keys::*;
use super::fallback::{self, Fallback};
use super::{CONNECTION_URL, Conflict, Flavour, is_true};
use crate::config::{
    Choice, ColumnConfig, ConnectionConfig, EvolutionConfig, FieldFilter, InsertMode, KeyMode,
    RetryConfig, RetryPolicy, SinkConfig, TableType, TimeConfig, TimestampPrecision, TypeMapping,
    ValueConfig, own,
};
use crate::dialect::{Dialects, Quoting};
use crate::table::{Dots, TableNaming};
use crate::time::{Calendar, Zone};
use crate::url::JdbcUrl;

/// The newest release that the tests can compare with.
pub(crate) static FLAVOUR: Flavour = Flavour {
    class: "io.debezium.connector.jdbc.JdbcSinkConnector",
    aliases: &[],
    version: "3.6.0.Final",
    task_class: "io.debezium.connector.jdbc.JdbcSinkConnectorTask",
    definition,
    fallbacks: &[&FALLBACKS],
    conflicts,
    read,
};

static FALLBACKS: [Fallback; 14] = [
    Fallback::alias(COLLECTION_NAME_FORMAT, TABLE_NAME_FORMAT),
    Fallback::alias(COLLECTION_NAMING, TABLE_NAMING),
    Fallback::alias(TIME_ZONE, DATABASE_TIME_ZONE),
    Fallback::other(CONNECTION_USERNAME, "connection.user"),
    Fallback::other(KEY_MODE, "pk.mode"),
    Fallback::other(KEY_FIELDS, "pk.fields"),
    Fallback::translated(
        QUOTE_IDENTIFIERS,
        "quote.sql.identifiers",
        fallback::quoting_flag,
    ),
    Fallback::other(QUOTE_IDENTIFIERS, "sql.quote.identifiers"),
    Fallback::other(FIELD_INCLUDE_LIST, "fields.whitelist"),
    Fallback::other(TIME_ZONE, "db.timezone"),
    Fallback::translated(SCHEMA_EVOLUTION, "auto.create", joint_evolution),
    Fallback::translated(SCHEMA_EVOLUTION, "auto.evolve", joint_evolution),
    Fallback::other(FLUSH_MAX_RETRIES, "max.retries"),
    Fallback::other(FLUSH_RETRY_DELAY, "retry.backoff.ms"),
];

/// `basic` if tables may be created and amended, `none` if neither; there is no
/// word for one alone.
fn joint_evolution(config: &ConfigMap, _: &str) -> Option<String> {
    match (
        is_true(config, "auto.create"),
        is_true(config, "auto.evolve"),
    ) {
        (true, true) => Some(Evolution::Basic.word().to_owned()),
        (false, false) => Some(Evolution::None.word().to_owned()),
        _ => None,
    }
}

/// The definition of all keys.
fn definition() -> Arc<ConfigDef> {
    static DEFINITION: LazyLock<Arc<ConfigDef>> = LazyLock::new(|| {
        let mut definition = ConfigDef::new();
        for key in listed().into_iter().chain(unlisted()).chain(own::keys()) {
            definition.add(key);
        }
        Arc::new(definition)
    });
    DEFINITION.clone()
}

/// What the reference checks, but not before a task starts: presence, words,
/// and rules that span keys.
fn conflicts(config: &ConfigMap) -> Vec<Conflict> {
    let mut found = Vec::new();
    let mut refuse = |applies: bool, keys: &'static [&'static str], reason: &str| {
        if applies {
            let reason = format!("The '{}' value is invalid: {reason}", keys[0]);
            found.push(Conflict { keys, reason });
        }
    };
    let text = |key: &str| config.get(key).map_or("", |text| text.trim());
    let is_set = |key: &str| config.contains_key(key);
    for keys in [&[CONNECTION_URL], &[CONNECTION_USERNAME]] {
        refuse(text(keys[0]).is_empty(), keys, "A value is required");
    }
    let insert_mode = word(config, INSERT_MODE, InsertMode::Insert);
    let key_mode = word(config, KEY_MODE, KeyMode::None);
    let evolution = word(config, SCHEMA_EVOLUTION, Evolution::None);
    let batch_mode = word(config, KEYED_BATCH_MODE, KeyedBatchMode::Deduplication);
    for (is_wrong, keys, words) in [
        (
            insert_mode.is_none(),
            &[INSERT_MODE],
            "insert, upsert, update",
        ),
        (
            key_mode.is_none(),
            &[KEY_MODE],
            "none, kafka, record_key, record_value, record_header",
        ),
        (evolution.is_none(), &[SCHEMA_EVOLUTION], "none, basic"),
        (
            batch_mode.is_none(),
            &[KEYED_BATCH_MODE],
            "passthrough, deduplication",
        ),
    ] {
        refuse(is_wrong, keys, &format!("Value must be one of {words}"));
    }
    refuse(
        insert_mode == Some(InsertMode::Upsert) && !is_set(KEY_MODE),
        &[INSERT_MODE],
        "When using UPSERT, please define 'primary.key.mode'",
    );
    // Without a key, UPDATE would change every row of the table.
    refuse(
        insert_mode == Some(InsertMode::Update) && key_mode == Some(KeyMode::None),
        &[INSERT_MODE, KEY_MODE],
        "When using UPDATE, please define 'primary.key.mode'",
    );
    let deletes_by = [
        KeyMode::RecordKey,
        KeyMode::RecordValue,
        KeyMode::RecordHeader,
    ];
    refuse(
        is_true(config, DELETE_ENABLED) && key_mode.is_some_and(|mode| !deletes_by.contains(&mode)),
        &[DELETE_ENABLED],
        "When 'delete.enabled' is set to 'true', the 'primary.key.mode' option must be set to \
         'record_key', 'record_value', or 'record_header'.",
    );
    refuse(
        !text(FIELD_INCLUDE_LIST).is_empty() && !text(FIELD_EXCLUDE_LIST).is_empty(),
        &[FIELD_EXCLUDE_LIST],
        "Cannot define both field.exclude.list and field.include.list. Please specify only one.",
    );
    refuse(
        evolution == Some(Evolution::ValidateOnly)
            && text(COLLECTION_NAME_FORMAT).contains("${source."),
        &[SCHEMA_EVOLUTION],
        "'validate-only' cannot validate target tables when 'collection.name.format' contains \
         source field placeholders.",
    );
    let zone_name = text(TIME_ZONE);
    refuse(
        !zone_name.is_empty() && Zone::parse(zone_name).is_none(),
        &[TIME_ZONE],
        "A time zone is expected",
    );
    if let Err(error) = Pattern::whole(text(CLOUD_EVENTS)) {
        refuse(
            true,
            &[CLOUD_EVENTS],
            &format!("A regular expression is expected, but {error}"),
        );
    }
    found
}

/// The value of a key that takes words, whatever their case; `None` if it has
/// another.
fn word<C: Choice>(config: &ConfigMap, key: &str, default: C) -> Option<C> {
    match config.get(key) {
        None => Some(default),
        Some(word) => C::of(&word.trim().to_lowercase()),
    }
}

fn read(config: &ConfigMap, parsed: &ParsedConfig) -> Result<SinkConfig> {
    let own = own::read(parsed)?;
    let type_mapping = own.type_mapping.unwrap_or(TypeMapping::Debezium);
    let url = JdbcUrl::parse(&parsed.optional_string(CONNECTION_URL).unwrap_or_default())?;
    let words = Words::read(config)?;
    let quotes = parsed.boolean(QUOTE_IDENTIFIERS)?;
    let reconnects = match config.get(RESTART_ON_ERRORS) {
        Some(_) => parsed.boolean(RESTART_ON_ERRORS)?,
        None => own.retry_policy != RetryPolicy::Debezium,
    };
    let pattern = parsed.optional_string(CLOUD_EVENTS).unwrap_or_default();
    let cloud_events = Pattern::whole(&pattern)
        .map_err(|error| ConnectError::config(format!("{CLOUD_EVENTS}: {error}")))?;
    // The types of lists come with blanks around commas already taken away.
    let list = |key: &str| config.get(key).map_or("", |text| text.trim());
    Ok(SinkConfig {
        connector: own::connector(config),
        connection: ConnectionConfig {
            dialect: Dialects::choose("", &url)?,
            url,
            user: parsed.optional_string(CONNECTION_USERNAME),
            password: parsed.optional_password(CONNECTION_PASSWORD),
            properties: BTreeMap::new(),
            attempts: 1,
            backoff: Duration::ZERO,
        },
        insert_mode: words.insert_mode,
        batch_size: usize::try_from(parsed.int(BATCH_SIZE)?).unwrap_or(0).max(1),
        reduces_inserts: parsed.boolean(REDUCTION_BUFFER)?,
        delete_enabled: parsed.boolean(DELETE_ENABLED)?,
        truncate_enabled: parsed.boolean(TRUNCATE_ENABLED)?,
        values: ValueConfig {
            unwraps_envelopes: true,
            cloud_events: Some(cloud_events),
            skips_null: true,
            text_column: None,
            schemaless: own.schemaless,
        },
        table_types: vec![
            TableType::Table,
            TableType::PartitionedTable,
            TableType::View,
        ],
        replace_null_with_default: true,
        table_naming: table_naming(parsed)?,
        key_mode: words.key_mode,
        key_fields: parsed
            .optional_string(KEY_FIELDS)
            .unwrap_or_default()
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect(),
        fields: FieldFilter::of_lists(list(FIELD_INCLUDE_LIST), list(FIELD_EXCLUDE_LIST)),
        filters_key: true,
        columns: ColumnConfig {
            type_mapping,
            nested: own.nested_with(type_mapping),
            nested_delimiter: own.nested_delimiter,
            in_lower_case: !quotes,
            key_first: true,
            key_as_in_schema: true,
            null_beside_default: true,
            postgis_schema: parsed.string(POSTGIS_SCHEMA)?,
        },
        time: TimeConfig {
            // That of the key is for instants, which are bound with their offset.
            zone: Zone::Utc,
            date_zone: Zone::Utc,
            calendar: Calendar::of(Calendar::PROLEPTIC),
            epoch_fields: Vec::new(),
            epoch_precision: TimestampPrecision::Microseconds,
        },
        evolution: EvolutionConfig {
            creates: words.evolution == Evolution::Basic,
            amends: words.evolution == Evolution::Basic,
            checks_at_start: words.evolution == Evolution::ValidateOnly,
            joint_key: Some(SCHEMA_EVOLUTION),
        },
        quoting: match quotes {
            true => Quoting::Always,
            false => Quoting::Folded,
        },
        retry: RetryConfig {
            policy: own.retry_policy,
            reconnects,
            limit: u32::try_from(parsed.int(FLUSH_MAX_RETRIES)?).unwrap_or(0),
            backoff: Duration::from_millis(
                u64::try_from(parsed.long(FLUSH_RETRY_DELAY)?).unwrap_or(0),
            ),
        },
        delivery: own.delivery,
        trim_sensitive_log: own.trim_sensitive_log,
        sqlite_replace: own.sqlite_replace,
    })
}

/// What the keys that take words say.
struct Words {
    insert_mode: InsertMode,
    key_mode: KeyMode,
    evolution: Evolution,
}

impl Words {
    fn read(config: &ConfigMap) -> Result<Self> {
        let unknown = || ConnectError::config("A value is not one of those that there are");
        Ok(Self {
            insert_mode: word(config, INSERT_MODE, InsertMode::Insert).ok_or_else(unknown)?,
            key_mode: word(config, KEY_MODE, KeyMode::None).ok_or_else(unknown)?,
            evolution: word(config, SCHEMA_EVOLUTION, Evolution::None).ok_or_else(unknown)?,
        })
    }
}

fn table_naming(parsed: &ParsedConfig) -> Result<TableNaming> {
    let format = parsed.string(COLLECTION_NAME_FORMAT)?;
    let class = parsed.class(COLLECTION_NAMING)?;
    match CollectionNaming::of_class(&class) {
        Some(CollectionNaming::Default) => Ok(TableNaming::by_source(&format, Dots::Underscores)),
        Some(CollectionNaming::Passthrough) if format.is_empty() => {
            Ok(TableNaming::by_topic("${topic}"))
        }
        Some(CollectionNaming::Passthrough) => Ok(TableNaming::by_topic(&format)),
        None => Err(ConnectError::config(format!(
            "Class {class} could not be found."
        ))),
    }
}

#[cfg(test)]
mod tests;
