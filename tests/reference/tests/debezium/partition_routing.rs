//! `PartitionRouting`.

use proptest::prelude::*;
use tether_api::data::{Decimal, Schema, SchemaBuilder, SchemaRef, Struct, Type, Value, logical};
use tether_api::record::ConnectRecord;
use tether_reference_tests::{Config, Verdicts};

use super::events::{event, fields, usual_records};
use crate::cases::generate;
use crate::transforms::compare_records_but_secrets;
use crate::transforms::corpus::{compare_configs, plain};

const CLASS: &str = "io.debezium.transforms.partitions.PartitionRouting";

const CONFIGS: [Config<'_>; 9] = [
    &[
        ("partition.payload.fields", "change.id"),
        ("partition.topic.num", "3"),
    ],
    &[
        ("partition.payload.fields", "change.name, source.table"),
        ("partition.topic.num", "100"),
        ("partition.hash.function", "murmur"),
    ],
    &[
        ("partition.payload.fields", "before.id,after.nope"),
        ("partition.topic.num", "7"),
        ("partition.hash.function", " Java "),
    ],
    &[
        ("partition.payload.fields", "op, ts_ms"),
        ("partition.topic.num", "1000"),
    ],
    &[
        ("partition.payload.fields", "op, ts_ms , source . lsn"),
        ("partition.topic.num", "1000"),
        ("partition.hash.function", "MURMUR"),
    ],
    &[
        ("partition.payload.fields", "change.state,transaction.id"),
        ("partition.topic.num", "11"),
        ("partition.hash.function", "other"),
    ],
    &[
        ("partition.payload.fields", "change.point.x,after.amount"),
        ("partition.topic.num", "9"),
    ],
    &[
        ("partition.payload.fields", "nope,change.list"),
        ("partition.topic.num", "97"),
    ],
    &[
        ("partition.payload.fields", "before.nope.x"),
        ("partition.topic.num", "97"),
    ],
];

fn compare(
    verdicts: &mut Verdicts,
    config: Config<'_>,
    record: ConnectRecord,
) -> anyhow::Result<()> {
    compare_records_but_secrets(verdicts, CLASS, config, vec![record], |message| {
        message.get(.."Unprocessable message".len())
    })
}

#[test]
fn partitions_are_chosen_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    for config in CONFIGS {
        for record in usual_records() {
            compare(&mut verdicts, config, record.clone())?;
            let offset = Some(1);
            compare(
                &mut verdicts,
                config,
                ConnectRecord {
                    offset,
                    partition: Some(0),
                    ..record
                },
            )?;
        }
    }
    verdicts.finish().map(drop)
}

/// Columns whose Java hash does not depend on the machine.
fn hashed_schema() -> SchemaRef {
    let optional = |builder: SchemaBuilder| builder.optional().build();
    SchemaBuilder::structure()
        .optional()
        .field("i8", plain(Type::Int8, true))
        .field("i16", plain(Type::Int16, true))
        .field("i32", plain(Type::Int32, true))
        .field("i64", plain(Type::Int64, true))
        .field("f32", plain(Type::Float32, true))
        .field("f64", plain(Type::Float64, true))
        .field("bool", plain(Type::Boolean, true))
        .field("text", plain(Type::String, true))
        .field("decimal", optional(logical::decimal_builder(2)))
        .field("date", optional(logical::date_builder()))
        .field("time", optional(logical::time_builder()))
        .field("at", optional(logical::timestamp_builder()))
        .field(
            "list",
            optional(SchemaBuilder::array(plain(Type::Int64, true))),
        )
        .field(
            "map",
            optional(SchemaBuilder::map(
                plain(Type::String, false),
                plain(Type::Int32, true),
            )),
        )
        .build()
}

fn hashed_row() -> impl Strategy<Value = Value> {
    let numbers = (any::<i8>(), any::<i16>(), any::<i32>(), any::<i64>());
    let others = (
        any::<f32>(),
        any::<f64>(),
        any::<bool>(),
        "\\PC{0,40}",
        any::<i128>(),
    );
    let times = (
        -100_000..100_000i32,
        0..86_400_000i32,
        -1_000_000_000_000..4_000_000_000_000i64,
    );
    let items = (
        proptest::collection::vec(proptest::option::of(any::<i64>()), 0..4),
        proptest::collection::btree_map("[a-z]{0,3}", any::<i32>(), 0..4),
    );
    (numbers, others, times, items).prop_map(|(numbers, others, times, items)| {
        let map = items
            .1
            .into_iter()
            .map(|(key, value)| (key.as_str().into(), value.into()));
        let map: tether_api::data::MapValue = map.collect();
        let values = vec![
            numbers.0.into(),
            numbers.1.into(),
            numbers.2.into(),
            numbers.3.into(),
            others.0.into(),
            others.1.into(),
            others.2.into(),
            others.3.into(),
            Decimal::new(others.4, 2).into(),
            Value::Date(times.0),
            Value::Time(times.1),
            Value::Timestamp(times.2),
            items
                .0
                .into_iter()
                .map(Value::from)
                .collect::<Vec<_>>()
                .into(),
            map.into(),
        ];
        Struct::from_values(hashed_schema(), values).unwrap().into()
    })
}

#[test]
fn hashes_are_javas() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    let schema: SchemaRef = hashed_schema();
    for row in generate(&hashed_row(), 60) {
        for field in schema.fields() {
            let path = format!("after.{}", field.name);
            for function in ["java", "murmur"] {
                let config = [
                    ("partition.payload.fields", path.as_str()),
                    ("partition.topic.num", "2147483647"),
                    ("partition.hash.function", function),
                ];
                let record = event(fields(&schema, "c", Value::Null, row.clone(), false));
                compare(&mut verdicts, &config, record)?;
            }
        }
    }
    verdicts.finish().map(drop)
}

#[test]
fn names_of_operations_have_no_case() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    let schema = hashed_schema();
    let row = Struct::new(schema.clone()).map_err(|error| anyhow::anyhow!("{error}"))?;
    for operation in ["T", "M", "m", "D", "x", ""] {
        let fields = fields(&schema, operation, row.clone().into(), Value::Null, false);
        compare(&mut verdicts, CONFIGS[0], event(fields))?;
    }
    let named = Schema::builder(Type::Struct).name("x.Envelope").build();
    let empty = Struct::from_values(named.clone(), Vec::new()).unwrap();
    compare(
        &mut verdicts,
        CONFIGS[0],
        ConnectRecord::new("t").value(Some(named), empty),
    )?;
    verdicts.finish().map(drop)
}

#[test]
fn configurations_are_refused_alike() -> anyhow::Result<()> {
    let fields = ("partition.payload.fields", "change.id");
    compare_configs(
        CLASS,
        &[
            &[],
            &[fields],
            &[fields, ("partition.topic.num", "0")],
            &[fields, ("partition.topic.num", "x")],
            &[fields, ("partition.topic.num", " 3")],
            &[fields, ("partition.topic.num", " ")],
            &[("partition.topic.num", "3")],
            &[
                ("partition.payload.fields", "a,,b"),
                ("partition.topic.num", "3"),
            ],
            &[
                ("partition.payload.fields", "a,"),
                ("partition.topic.num", "3"),
            ],
            &[
                ("partition.payload.fields", ","),
                ("partition.topic.num", "3"),
            ],
        ],
    )
}
