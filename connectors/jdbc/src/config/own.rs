//! Keys that the references do not have. They are in all flavours, and REST
//! answers leave them out, so that these are the references'.

use std::time::Duration;

use tether_api::Result;
use tether_api::config::{ConfigKey, ConfigMap, ConfigType, Importance, ParsedConfig, Validator};

use super::choice::choice;
use super::flavour::fallback;
use super::{Choice, DeliveryConfig, Guarantee, Nested, RetryPolicy, Schemaless, TypeMapping};

const RETRY_POLICY: &str = "retry.policy";
const VALIDATE_CONNECTION: &str = "validate.connection";
const VALIDATE_TIMEOUT: &str = "validate.connection.timeout.ms";
const SQLITE_REPLACE: &str = "sqlite.upsert.replace";
pub(super) const TRIM_SENSITIVE_LOG: &str = "trim.sensitive.log";
const TYPE_MAPPING: &str = "type.mapping";
const COMPLEX_TYPES: &str = "sql.complex.types.enable";
const NESTED_MODE: &str = "nested.mode";
const NESTED_DELIMITER: &str = "nested.delimiter";
const SCHEMALESS_MODE: &str = "schemaless.mode";
const GUARANTEE: &str = "delivery.guarantee";
const OFFSET_TABLE: &str = "offset.table.name";

/// The table of offsets unless another is named.
const DEFAULT_OFFSET_TABLE: &str = "__connect_sink_offsets";

/// What the keys say.
pub(super) struct Own {
    pub(super) retry_policy: RetryPolicy,
    /// How long validation waits for a connection; `None` if it makes none.
    pub(super) check: Option<Duration>,
    pub(super) sqlite_replace: bool,
    pub(super) trim_sensitive_log: bool,
    /// `None` if the flavour's own is meant.
    pub(super) type_mapping: Option<TypeMapping>,
    /// `None` if that of the type mapping is meant.
    pub(super) nested: Option<Nested>,
    pub(super) nested_delimiter: String,
    pub(super) schemaless: Schemaless,
    pub(super) delivery: DeliveryConfig,
}

impl Own {
    /// What becomes of nested values where columns are made by `mapping`.
    pub(super) fn nested_with(&self, mapping: TypeMapping) -> Nested {
        self.nested.unwrap_or(match mapping {
            TypeMapping::Extended => Nested::Json,
            TypeMapping::Connect | TypeMapping::Debezium => Nested::Refuse,
        })
    }
}

/// The connector's name, as messages of the reference show it.
pub(super) fn connector(config: &ConfigMap) -> String {
    config.get("name").map_or("null", String::as_str).to_owned()
}

/// The definitions.
pub(super) fn keys() -> Vec<ConfigKey> {
    vec![
        fallback::switch(),
        ConfigKey::new(RETRY_POLICY, ConfigType::String)
            .default_string(RetryPolicy::Classified.word())
            .validator(RetryPolicy::validator("[classified, confluent, debezium]"))
            .doc("Which errors are tried again: ``classified`` (those that may pass, after a growing wait), ``confluent`` (all that the database reports, after a fixed wait) or ``debezium`` (lost connections only, after a fixed wait)."),
        ConfigKey::new(VALIDATE_CONNECTION, ConfigType::Boolean)
            .default_boolean(true)
            .doc("Whether validation of this configuration opens a connection to the database."),
        ConfigKey::new(VALIDATE_TIMEOUT, ConfigType::Int)
            .default_int(10_000)
            .validator(Validator::Between(1, 60_000))
            .doc("How long validation waits for a connection, in milliseconds."),
        ConfigKey::new(SQLITE_REPLACE, ConfigType::Boolean)
            .default_boolean(false)
            .doc("SQLite only: upsert with ``INSERT OR REPLACE``, which loses columns that the record does not have."),
        ConfigKey::new(TRIM_SENSITIVE_LOG, ConfigType::Boolean)
            .default_boolean(false)
            .doc("Whether messages leave out what the database said, which may hold row values."),
        ConfigKey::new(TYPE_MAPPING, ConfigType::String)
            .default_null()
            .validator(TypeMapping::validator("[connect, debezium, extended]"))
            .doc("What columns are made for which schemas: ``connect`` (Connect's types), ``debezium`` (Debezium's as well) or ``extended`` (the same without loss, and nested values as JSON)."),
        ConfigKey::new(COMPLEX_TYPES, ConfigType::Boolean)
            .default_boolean(false)
            .doc("The same as ``type.mapping=extended``."),
        ConfigKey::new(NESTED_MODE, ConfigType::String)
            .default_null()
            .validator(Nested::validator("[refuse, flatten, json]"))
            .doc("What becomes of structs, maps, and arrays of them: ``refuse``, ``flatten`` (a struct's fields become columns; other nested values are JSON) or ``json``. The default is ``json`` with ``type.mapping=extended``, else ``refuse``."),
        ConfigKey::new(NESTED_DELIMITER, ConfigType::String)
            .default_string("_")
            .doc("What stands between the names of a field that ``nested.mode=flatten`` makes a column."),
        ConfigKey::new(SCHEMALESS_MODE, ConfigType::String)
            .default_string(Schemaless::Refuse.word())
            .validator(Schemaless::validator("[refuse, infer_from_table]"))
            .doc("What becomes of values without a schema: ``refuse`` or ``infer_from_table`` (a map's entries go to the table's columns of the same names)."),
        ConfigKey::new(GUARANTEE, ConfigType::String)
            .default_string(Guarantee::AtLeastOnce.word())
            .validator(Guarantee::validator("[at_least_once, exactly_once]"))
            .doc("How often a record may be written: ``at_least_once`` or ``exactly_once`` (offsets are stored in the database with the rows)."),
        ConfigKey::new(OFFSET_TABLE, ConfigType::String)
            .default_string(DEFAULT_OFFSET_TABLE)
            .validator(Validator::NonEmpty)
            .doc("The table of the offsets of ``delivery.guarantee=exactly_once``."),
    ]
    .into_iter()
    .map(|key| key.importance(Importance::Low).internal())
    .collect()
}

/// Reads the keys.
///
/// # Errors
/// Config, if the definition is another one.
pub(super) fn read(parsed: &ParsedConfig) -> Result<Own> {
    let millis = parsed.int(VALIDATE_TIMEOUT)?.unsigned_abs();
    let timeout = Duration::from_millis(millis.into());
    let type_mapping = match parsed.optional_string(TYPE_MAPPING) {
        Some(word) => Some(choice(&word)?),
        None if parsed.boolean(COMPLEX_TYPES)? => Some(TypeMapping::Extended),
        None => None,
    };
    let nested = parsed.optional_string(NESTED_MODE);
    Ok(Own {
        retry_policy: choice(&parsed.string(RETRY_POLICY)?)?,
        check: parsed.boolean(VALIDATE_CONNECTION)?.then_some(timeout),
        sqlite_replace: parsed.boolean(SQLITE_REPLACE)?,
        trim_sensitive_log: parsed.boolean(TRIM_SENSITIVE_LOG)?,
        type_mapping,
        nested: nested.as_deref().map(choice).transpose()?,
        nested_delimiter: parsed.string(NESTED_DELIMITER)?,
        schemaless: choice(&parsed.string(SCHEMALESS_MODE)?)?,
        delivery: DeliveryConfig {
            guarantee: choice(&parsed.string(GUARANTEE)?)?,
            offset_table: parsed.string(OFFSET_TABLE)?,
        },
    })
}
