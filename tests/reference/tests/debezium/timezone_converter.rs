//! `TimezoneConverter`.

use tether_api::data::{SchemaBuilder, SchemaRef, Struct, Type, Value, logical};
use tether_api::record::ConnectRecord;
use tether_reference_tests::{Config, Verdicts};

use super::events::{event, fields, usual_records};
use crate::transforms::compare_records;
use crate::transforms::corpus::{compare_configs, named, plain};

const CLASS: &str = "io.debezium.transforms.TimezoneConverter";

fn time_schema() -> SchemaRef {
    let debezium = |kind, name: &str| named(kind, &format!("io.debezium.time.{name}"));
    SchemaBuilder::structure()
        .name("srv.public.orders.Value")
        .optional()
        .field("millis", debezium(Type::Int64, "Timestamp"))
        .field("micros", debezium(Type::Int64, "MicroTimestamp"))
        .field("nanos", debezium(Type::Int64, "NanoTimestamp"))
        .field("zoned", debezium(Type::String, "ZonedTimestamp"))
        .field("zoned_time", debezium(Type::String, "ZonedTime"))
        .field("at", logical::timestamp_builder().optional().build())
        .field("day", debezium(Type::Int32, "Date"))
        .field("time", debezium(Type::Int64, "MicroTime"))
        .field("connect_day", logical::date_builder().optional().build())
        .field("other", named(Type::String, "io.debezium.data.Json"))
        .field("plain", plain(Type::Int64, true))
        .build()
}

fn times(millis: i64, zoned: &str, zoned_time: &str) -> Value {
    let values = vec![
        millis.into(),
        (millis * 1_000 + 7).into(),
        (millis * 1_000_000 - 1).into(),
        zoned.into(),
        zoned_time.into(),
        Value::Timestamp(millis),
        5i32.into(),
        6i64.into(),
        Value::Date(7),
        "{}".into(),
        8i64.into(),
    ];
    Struct::from_values(time_schema(), values).unwrap().into()
}

fn changed(before: Value, after: Value) -> ConnectRecord {
    event(fields(&time_schema(), "u", before, after, false))
}

/// Around changes of the clocks of New York and Berlin, and long ago.
const MILLIS: [i64; 12] = [
    0,
    -1,
    1_710_054_000_000,
    1_710_055_799_999,
    1_710_057_600_000,
    1_730_595_600_000,
    1_730_599_200_000,
    1_711_850_400_000,
    1_711_854_000_000,
    -5_000_000_000_000,
    4_102_444_800_123,
    1_721_049_255_123,
];

const ZONED: [&str; 10] = [
    "2024-07-15T13:14:15.123456Z",
    "2024-01-15T13:14:15Z",
    "2024-03-10T02:30:00-05:00",
    "2024-11-03T01:30:00+00:00",
    "1850-05-05T00:00:00.000000001Z",
    "2024-12-31T23:59:59.9+14:00",
    "2024-02-29T00:00+01:00:30",
    "12024-02-29T00:00:00Z",
    "+12024-02-29T00:00:00Z",
    "-0044-03-15T12:00:00.5Z",
];

const ZONES: [&str; 7] = [
    "America/New_York",
    "Europe/Berlin",
    "+08:00",
    "-03:30:15",
    "UTC",
    "Asia/Kathmandu",
    "Etc/GMT+5",
];

#[test]
fn times_are_converted_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    for zone in ZONES {
        let config = [("converted.timezone", zone)];
        for (index, millis) in MILLIS.into_iter().enumerate() {
            let zoned = ZONED[index % 7];
            // The time of day of a zone without summer time does not depend on today.
            let time = match zone {
                "America/New_York" | "Europe/Berlin" => Value::Null,
                _ => "23:14:15.120Z".into(),
            };
            let row = times(millis, zoned, "");
            let row = match row {
                Value::Struct(row) => {
                    let mut row = (*row).clone();
                    row.values_mut()[4] = time;
                    Value::from(row)
                }
                row => row,
            };
            let record = changed(row.clone(), row);
            compare_records(&mut verdicts, CLASS, &config, vec![record])?;
        }
        for zoned in ZONED {
            if zoned.starts_with('1') && zoned.len() == 21 {
                continue;
            }
            let record = changed(Value::Null, times(5, zoned, "00:00+05:30"));
            let config = [
                ("converted.timezone", zone),
                ("exclude.list", "source:orders:zoned_time"),
            ];
            compare_records(&mut verdicts, CLASS, &config, vec![record])?;
        }
    }
    let infinite = changed(Value::Null, times(5, "infinity", "00:00Z"));
    compare_records(
        &mut verdicts,
        CLASS,
        &[("converted.timezone", "UTC")],
        vec![infinite],
    )?;
    verdicts.finish().map(drop)
}

const LISTS: &[Config<'_>] = &[
    &[("include.list", "source:orders")],
    &[("include.list", "source:orders:millis,source:orders:zoned")],
    &[("include.list", "source:orders:millis, orders:zoned")],
    &[("include.list", "topic:srv.public.orders:before.micros")],
    &[("include.list", "topic:other:millis")],
    &[("include.list", "orders:nanos")],
    &[("include.list", "srv.public.orders:after.nanos")],
    &[("include.list", "source:orders:source.ts_ms")],
    &[(
        "include.list",
        "source:orders:source.ts_ms,source:orders:millis",
    )],
    &[("include.list", "SOURCE:orders:millis")],
    &[("exclude.list", "source:orders")],
    &[(
        "exclude.list",
        "source:orders:millis,topic:srv.public.orders:zoned,micros",
    )],
    &[("exclude.list", "topic:other")],
    &[("exclude.list", "source:orders:source.lsn")],
    &[("exclude.list", "orders:before.millis, zoned")],
];

#[test]
fn lists_select_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    for list in LISTS {
        let zone = ("converted.timezone", "Asia/Kathmandu");
        let config: Vec<_> = [zone].into_iter().chain(list.iter().copied()).collect();
        let row = times(1_721_049_255_123, ZONED[0], "10:00:00Z");
        let record = changed(row.clone(), row);
        let records = vec![
            record.clone(),
            record.clone(),
            ConnectRecord {
                topic: "other".into(),
                ..record
            },
        ];
        compare_records(&mut verdicts, CLASS, &config, records)?;
        for record in usual_records() {
            compare_records(&mut verdicts, CLASS, &config, vec![record])?;
        }
    }
    verdicts.finish().map(drop)
}

#[test]
fn configurations_are_refused_alike() -> anyhow::Result<()> {
    let zone = ("converted.timezone", "UTC");
    compare_configs(
        CLASS,
        &[
            &[],
            &[("converted.timezone", " ")],
            &[("converted.timezone", "utc")],
            &[("converted.timezone", "Mars/Olympus")],
            &[("converted.timezone", "+8:00")],
            &[("converted.timezone", "GMT+1")],
            &[zone, ("include.list", "")],
            &[zone, ("include.list", "orders")],
            &[zone, ("include.list", "source:a.b,")],
            &[zone, ("include.list", "source:a*")],
            &[zone, ("include.list", "source:(")],
            &[zone, ("exclude.list", "source:a:b:c:d")],
            &[
                zone,
                ("include.list", "source:a"),
                ("exclude.list", "source:b"),
            ],
            &[
                ("converted.timezone", "x"),
                ("include.list", "a:b"),
                ("exclude.list", "a:b"),
            ],
            &[zone, ("exclude.list", "topic:a:b , c:d")],
        ],
    )
}
