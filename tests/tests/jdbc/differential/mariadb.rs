//! A column of each type on MariaDB, and events.

use serde_json::json;

use super::events::by_key;
use super::record::{named, optional};
use super::scenario::{Scenario, Server};
use super::types::{Column, data, of, plain, records, times};

pub(super) fn scenarios() -> Vec<Scenario> {
    let on_mariadb = |name, records| Scenario {
        name,
        server: Server::MariaDb,
        records,
        ..Scenario::default()
    };
    vec![
        on_mariadb("plain", records(&plain())),
        on_mariadb("times", records(&times_within_range())),
        on_mariadb("data", records(&data_of_known_length())),
        // Values from 128 on would be too large for it.
        Scenario {
            differs: &[
                "- column sources.small tinyint(4) YES  NULL",
                "+ column sources.small smallint(6) YES  NULL",
            ],
            ..on_mariadb("sources", records(&sources()))
        },
        Scenario {
            settings: &[("truncate.enabled", "true")],
            ..on_mariadb("by_key", by_key())
        },
    ]
}

/// What MariaDB has room for.
fn times_within_range() -> Vec<Column> {
    let outside = ["day", "ts_ms", "zoned_time", "zoned"];
    let time = |kind, name: &str| named(kind, &format!("io.debezium.time.{name}"));
    let mut columns = times();
    columns.retain(|(name, _, _)| !outside.contains(name));
    columns.extend([
        (
            "day",
            time("int32", "Date"),
            vec![json!(18262), json!(-141_427)],
        ),
        (
            "ts_ms",
            time("int64", "Timestamp"),
            vec![json!(1_600_000_000_123i64)],
        ),
        (
            "zoned",
            time("string", "ZonedTimestamp"),
            vec![
                json!("2020-02-29T10:15:30.123456Z"),
                json!("2020-02-29T10:15:30+02:00"),
            ],
        ),
    ]);
    columns
}

fn data_of_known_length() -> Vec<Column> {
    let mut columns = data();
    columns.retain(|(name, _, _)| *name != "any_bits");
    columns
}

fn sources() -> Vec<Column> {
    vec![
        (
            "v",
            of(optional("string"), "VARCHAR", &[("length", "20")]),
            vec![json!("a")],
        ),
        (
            "c",
            of(optional("string"), "CHAR", &[("length", "3")]),
            vec![json!("a")],
        ),
        ("one", of(optional("string"), "CHAR", &[]), vec![json!("a")]),
        (
            "b",
            of(optional("bytes"), "VARBINARY", &[("length", "9")]),
            vec![json!("AAH/")],
        ),
        (
            "tb",
            of(optional("bytes"), "TINYBLOB", &[]),
            vec![json!("AAH/")],
        ),
        (
            "bb",
            of(optional("bytes"), "BLOB", &[]),
            vec![json!("AAH/")],
        ),
        (
            "tiny",
            of(optional("int16"), "TINYINT", &[("length", "1")]),
            vec![json!(1)],
        ),
        (
            "small",
            of(optional("int16"), "TINYINT", &[]),
            vec![json!(100)],
        ),
        (
            "medium",
            of(optional("int32"), "MEDIUMINT", &[]),
            vec![json!(7)],
        ),
        (
            "big",
            of(optional("int64"), "BIGINT UNSIGNED", &[]),
            vec![json!(7)],
        ),
        (
            "tm",
            of(
                named("int64", "io.debezium.time.MicroTime"),
                "TIME",
                &[("length", "3")],
            ),
            vec![json!(3_723_004_000i64)],
        ),
        (
            "ts",
            of(
                named("int64", "io.debezium.time.Timestamp"),
                "DATETIME",
                &[("length", "3")],
            ),
            vec![json!(1_600_000_000_123i64)],
        ),
    ]
}
