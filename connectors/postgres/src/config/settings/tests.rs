use super::*;
use crate::config::Choice;
use crate::config::{DecimalMode, SnapshotMode};
use crate::table::TableId;

const REQUIRED: [(&str, &str); 4] = [
    ("database.hostname", "localhost"),
    ("database.user", "postgres"),
    ("database.dbname", "app"),
    ("topic.prefix", "srv"),
];

fn parse(entries: &[(&str, &str)]) -> Result<Settings> {
    let entries = REQUIRED.iter().chain(entries);
    let config = entries
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    Settings::parse(&config)
}

#[test]
fn four_keys_are_enough() {
    let settings = parse(&[]).unwrap();
    assert_eq!(settings.slot.name, "debezium");
    assert_eq!(settings.publication.name, "dbz_publication");
    assert_eq!(settings.snapshot.mode, SnapshotMode::Initial);
    assert_eq!(settings.queue.max_records, 8192);
    assert_eq!(settings.errors.max_retries, None);
    assert_eq!(settings.topics.transaction(), "srv.transaction");
    assert!(settings.events.skipped.truncate && !settings.events.skipped.explicit);
    assert!(settings.heartbeat.interval.is_none());
    assert_eq!(settings.connection.port, 5432);
    assert_eq!(
        settings.values.unavailable_placeholder,
        "__debezium_unavailable_value"
    );
}

#[test]
fn the_shipped_configuration_is_read() {
    let shipped = include_str!("../../../../../connector-configs/debezium-employee-connector.json");
    // The file is of one level with texts only, so that its lines will do.
    let config = shipped
        .lines()
        .filter_map(|line| line.trim().trim_end_matches(',').split_once(": "))
        .map(|(key, value)| {
            (
                key.trim_matches('"').to_owned(),
                value.trim_matches('"').to_owned(),
            )
        })
        .collect();
    let settings = Settings::parse(&config).unwrap();
    assert_eq!(settings.connector, "employee-connector");
    assert_eq!(settings.slot.name, "employee_slot");
    let employees = TableId::new("public", "employees");
    assert!(settings.filters.captures(&employees));
    assert_eq!(
        settings.topics.table(&employees).unwrap(),
        "employee-server.public.employees"
    );
}

#[test]
fn everything_wrong_is_named() {
    let error = parse(&[
        ("database.user", " "),
        ("snapshot.mode", "never"),
        ("max.batch.size", "0"),
    ])
    .unwrap_err();
    let lines: Vec<&str> = error.message().lines().collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert_eq!(
        lines[0],
        "The 'database.user' value is invalid: A value is required"
    );
    assert_eq!(
        lines[2],
        "The 'snapshot.mode' value is invalid: Value must be one of always, initial_only, configuration_based, when_needed, initial, custom, no_data"
    );
}

#[test]
fn modes_may_be_written_in_any_case() {
    let settings = parse(&[("decimal.handling.mode", "Double")]).unwrap();
    assert_eq!(settings.values.decimals, DecimalMode::Double);
    assert_eq!(settings.values.decimals.word(), "double");
}

#[test]
fn confirming_idle_positions_needs_heartbeats() {
    let mode = ("lsn.flush.mode", "connector_and_driver");
    let interval = |entries: &[(&str, &str)]| parse(entries).unwrap().heartbeat.interval;
    assert_eq!(interval(&[mode]).map(|time| time.as_secs()), Some(600));
    assert_eq!(
        interval(&[mode, ("provide.transaction.metadata", "true")]),
        None
    );
    let own = interval(&[mode, ("heartbeat.interval.ms", "1000")]);
    assert_eq!(own.map(|time| time.as_secs()), Some(1));
}

#[test]
fn secrets_do_not_show() {
    let settings = parse(&[
        ("database.password", "hunter2"),
        ("database.sslpassword", "hunter2"),
        ("driver.password", "hunter2"),
        ("signal.consumer.sasl.jaas.config", "hunter2"),
    ])
    .unwrap();
    assert!(!format!("{settings:?}").contains("hunter2"));
}
