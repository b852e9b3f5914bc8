use tether_api::config::ConfigData;

use super::*;
use crate::fixture::raw_config;

fn errors(entries: &[(&str, &str)]) -> Vec<String> {
    let entries = [&[("connection.username", "u")], entries].concat();
    let values = FLAVOUR.validate(&raw_config(&entries)).into_iter();
    values.flat_map(|value| value.errors).collect()
}

fn parsed(entries: &[(&str, &str)]) -> SinkConfig {
    let entries = [&[("connection.username", "u")], entries].concat();
    FLAVOUR.parse(&raw_config(&entries)).unwrap()
}

#[test]
fn the_reference_lists_31_keys() {
    let definition = definition();
    let listed: Vec<_> = definition.keys().filter(|key| !key.internal).collect();
    assert_eq!(listed.len(), 31);
    assert_eq!(definition.groups(), ["Connector"]);
    for key in listed {
        assert!(!key.documentation.is_empty(), "{}", key.name);
    }
    let naming = definition.key("table.naming.strategy").unwrap();
    assert_eq!(
        naming.default.as_ref().map(ConfigData::shown).as_deref(),
        Some("io.debezium.sink.naming.DefaultCollectionNamingStrategy")
    );
}

#[test]
fn what_is_missing_or_wrong_is_told_before_a_task_starts() {
    let values = FLAVOUR.validate(&ConfigMap::new()).into_iter();
    let missing: Vec<_> = values.flat_map(|value| value.errors).collect();
    assert_eq!(
        missing,
        [
            "The 'connection.url' value is invalid: A value is required",
            "The 'connection.username' value is invalid: A value is required",
        ]
    );
    for (entries, reason) in [
        (
            &[("insert.mode", "x")][..],
            "The 'insert.mode' value is invalid: Value must be one of insert, upsert, update",
        ),
        (
            &[("primary.key.mode", "x")],
            "The 'primary.key.mode' value is invalid: Value must be one of none, kafka, \
             record_key, record_value, record_header",
        ),
        (
            &[("insert.mode", "upsert")],
            "The 'insert.mode' value is invalid: When using UPSERT, please define \
             'primary.key.mode'",
        ),
        (
            &[("delete.enabled", "true"), ("primary.key.mode", "kafka")],
            "The 'delete.enabled' value is invalid: When 'delete.enabled' is set to 'true', the \
             'primary.key.mode' option must be set to 'record_key', 'record_value', or \
             'record_header'.",
        ),
        (
            &[("field.include.list", "a"), ("field.exclude.list", "b")],
            "The 'field.exclude.list' value is invalid: Cannot define both field.exclude.list and \
             field.include.list. Please specify only one.",
        ),
        (
            &[("collection.naming.strategy", "com.Own")],
            "Invalid value com.Own for configuration collection.naming.strategy: Class com.Own could \
             not be found.",
        ),
        (
            &[("use.time.zone", "Mars")],
            "The 'use.time.zone' value is invalid: A time zone is expected",
        ),
    ] {
        assert_eq!(errors(entries), [reason]);
    }
    assert_eq!(
        errors(&[("cloud.events.schema.name.pattern", "(")]).len(),
        1
    );
    assert_eq!(
        errors(&[
            ("insert.mode", " UPSERT "),
            ("primary.key.mode", "Record_Key")
        ])
        .len(),
        0
    );
}

#[test]
fn older_names_count() {
    let config = parsed(&[
        ("table.name.format", "kafka_${topic}"),
        (
            "table.naming.strategy",
            "io.debezium.sink.naming.PassthroughCollectionNamingStrategy",
        ),
        ("database.time_zone", "Europe/Berlin"),
    ]);
    assert_eq!(config.table_naming, TableNaming::by_topic("kafka_${topic}"));
    // Wall clock stays as it is, whatever the zone.
    assert_eq!(config.time.zone, Zone::Utc);
    let config = parsed(&[("collection.name.format", "${source.db}")]);
    assert!(config.table_naming.depends_on_record());
}

#[test]
fn connections_are_made_anew_unless_that_is_forbidden() {
    for (entries, reconnects) in [
        (&[][..], true),
        (&[("connection.restart.on.errors", "false")], false),
        (&[("connection.restart.on.errors", "true")], true),
        (&[("retry.policy", "debezium")], false),
        (
            &[
                ("retry.policy", "debezium"),
                ("connection.restart.on.errors", "true"),
            ],
            true,
        ),
    ] {
        assert_eq!(parsed(entries).retry.reconnects, reconnects, "{entries:?}");
    }
}

#[test]
fn values_are_read() {
    let config = parsed(&[
        ("primary.key.mode", "record_key"),
        ("primary.key.fields", "a, b,"),
        ("field.include.list", "x, t:y"),
        ("schema.evolution", "basic"),
    ]);
    assert_eq!(config.key_fields, ["a", "b"]);
    assert!(config.fields.admits("t", "y") && !config.fields.admits("u", "y"));
    assert_eq!(config.quoting, Quoting::Folded);
    assert!(config.columns.in_lower_case && config.columns.key_first);
    assert_eq!(config.evolution.joint_key, Some("schema.evolution"));
    assert_eq!(config.batch_size, 500);
    let quoted = parsed(&[("quote.identifiers", "true")]);
    assert_eq!(quoted.quoting, Quoting::Always);
    assert!(!quoted.columns.in_lower_case);
}
