//! Keys that Confluent's connector and Aiven's, which began as a copy of it,
//! have alike.

use tether_api::config::{ConfigKey, ConfigType, Importance, Recommender, Validator, Width};

use super::fallback::{self, Fallback};
use crate::dialect::Dialects;

pub(super) const CONNECTION_USER: &str = "connection.user";
pub(super) const CONNECTION_PASSWORD: &str = "connection.password";
pub(super) const DIALECT_NAME: &str = "dialect.name";
pub(super) const INSERT_MODE: &str = "insert.mode";
pub(super) const BATCH_SIZE: &str = "batch.size";
pub(super) const DELETE_ENABLED: &str = "delete.enabled";
pub(super) const TABLE_NAME_FORMAT: &str = "table.name.format";
pub(super) const PK_MODE: &str = "pk.mode";
pub(super) const PK_FIELDS: &str = "pk.fields";
pub(super) const FIELDS_WHITELIST: &str = "fields.whitelist";
pub(super) const DB_TIMEZONE: &str = "db.timezone";
pub(super) const AUTO_CREATE: &str = "auto.create";
pub(super) const AUTO_EVOLVE: &str = "auto.evolve";
pub(super) const MAX_RETRIES: &str = "max.retries";
pub(super) const RETRY_BACKOFF: &str = "retry.backoff.ms";

pub(super) const WRITES: &str = "Writes";
pub(super) const DATA_MAPPING: &str = "Data Mapping";
pub(super) const DDL: &str = "DDL Support";
const RETRIES: &str = "Retries";

/// Keys of Debezium's connector that stand in for these.
pub(super) static FALLBACKS: [Fallback; 10] = [
    Fallback::other(CONNECTION_USER, "connection.username"),
    Fallback::other(TABLE_NAME_FORMAT, "collection.name.format"),
    Fallback::other(PK_MODE, "primary.key.mode"),
    Fallback::other(PK_FIELDS, "primary.key.fields"),
    Fallback::other(FIELDS_WHITELIST, "field.include.list"),
    Fallback::other(DB_TIMEZONE, "use.time.zone"),
    Fallback::translated(AUTO_CREATE, "schema.evolution", fallback::evolution_flag),
    Fallback::translated(AUTO_EVOLVE, "schema.evolution", fallback::evolution_flag),
    Fallback::other(MAX_RETRIES, "flush.max.retries"),
    Fallback::other(RETRY_BACKOFF, "flush.retry.delay.ms"),
];

/// The user.
pub(super) fn user() -> ConfigKey {
    ConfigKey::new(CONNECTION_USER, ConfigType::String)
        .default_null()
        .importance(Importance::High)
        .doc("The user to log in as; wins over a user in the URL.")
}

/// The user's password.
pub(super) fn password() -> ConfigKey {
    ConfigKey::new(CONNECTION_PASSWORD, ConfigType::Password)
        .default_null()
        .importance(Importance::High)
        .doc("The password to log in with; wins over a password in the URL.")
}

/// The dialect, if it is not that of the URL.
pub(super) fn dialect_name() -> ConfigKey {
    ConfigKey::new(DIALECT_NAME, ConfigType::String)
        .default_string("")
        .validator(Dialects::name_validator())
        .recommender(Recommender::values(|_| Dialects::recommended_names()))
        .importance(Importance::Low)
        .doc("The dialect to use in place of the one that the URL suggests.")
}

/// How many records a statement takes.
pub(super) fn batch_size() -> ConfigKey {
    ConfigKey::new(BATCH_SIZE, ConfigType::Int)
        .default_int(3000)
        .validator(Validator::AtLeast(0))
        .doc("How many records to write at most with one statement.")
}

/// The fields that are written.
pub(super) fn fields_whitelist() -> ConfigKey {
    ConfigKey::new(FIELDS_WHITELIST, ConfigType::List)
        .default_list(&[])
        .doc("The value fields to write apart from the key; empty for all.")
}

/// Whether tables are created and changed.
pub(super) fn tables_that_change() -> [ConfigKey; 2] {
    [
        ConfigKey::new(AUTO_CREATE, ConfigType::Boolean)
            .default_boolean(false)
            .doc("Whether to create a table that is missing.")
            .form(DDL, 1, Width::Short, "Auto-Create"),
        ConfigKey::new(AUTO_EVOLVE, ConfigType::Boolean)
            .default_boolean(false)
            .doc("Whether to add columns that are missing.")
            .form(DDL, 2, Width::Short, "Auto-Evolve"),
    ]
}

/// How often and when deliveries are tried again.
pub(super) fn retries() -> [ConfigKey; 2] {
    [
        ConfigKey::new(MAX_RETRIES, ConfigType::Int)
            .default_int(10)
            .validator(Validator::AtLeast(0))
            .doc("How often to try a delivery again before the task fails.")
            .form(RETRIES, 1, Width::Short, "Maximum Retries"),
        ConfigKey::new(RETRY_BACKOFF, ConfigType::Int)
            .default_int(3000)
            .validator(Validator::AtLeast(0))
            .doc("How long to wait before a delivery is tried again, in milliseconds; the wait doubles each time.")
            .form(RETRIES, 2, Width::Short, "Retry Backoff (millis)"),
    ]
}
