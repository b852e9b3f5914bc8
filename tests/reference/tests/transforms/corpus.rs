//! Records for transformations: structs, maps and what they do not take.

use proptest::prelude::*;
use proptest::sample::select;
use tether_api::data::{
    MapValue, Schema, SchemaAndValue, SchemaBuilder, SchemaRef, Struct, Type, Value, logical,
};
use tether_api::header::Headers;
use tether_api::record::ConnectRecord;
use tether_api::testing::data::{Features, data, struct_schema, value};
use tether_reference_tests::{Config, Verdicts};

use super::compare_records;
use crate::cases::generate;

/// A schema, if there is one, and a value.
pub(crate) type Data = (Option<SchemaRef>, Value);

/// A struct of up to five fields, `f0` to `f4`, of any type.
pub(crate) fn any_struct() -> BoxedStrategy<Data> {
    struct_schema(Features::ALL)
        .prop_flat_map(|schema| (Just(Some(schema.clone())), value(&schema, Features::ALL)))
        .boxed()
}

/// A map of some of the entries `f0` to `f4`.
pub(crate) fn any_map() -> BoxedStrategy<Data> {
    let entries = proptest::collection::vec(data(Features::PLAIN), 5);
    let present = proptest::collection::vec(proptest::bool::weighted(0.7), 5);
    (entries, present)
        .prop_map(|(entries, present)| {
            let entries = entries.into_iter().zip(present).enumerate();
            let map: MapValue = entries
                .filter(|(_, (_, present))| *present)
                .map(|(index, ((_, value), _))| (format!("f{index}").into(), value))
                .collect();
            (None, untyped(map.into()))
        })
        .boxed()
}

/// Without a schema nobody can tell dates and times from timestamps, which in
/// Java are one class.
pub(crate) fn untyped(value: Value) -> Value {
    match value {
        Value::Date(days) => Value::Timestamp(i64::from(days) * logical::MILLIS_PER_DAY),
        Value::Time(millis) => Value::Timestamp(millis.into()),
        Value::Array(values) => values
            .iter()
            .cloned()
            .map(untyped)
            .collect::<Vec<_>>()
            .into(),
        Value::Map(entries) => {
            let entries = entries.iter().cloned();
            let untyped = entries.map(|(key, value)| (untyped(key), untyped(value)));
            untyped.collect::<MapValue>().into()
        }
        value => value,
    }
}

/// Structs and maps above all, nulls, and what is neither.
pub(crate) fn any_part() -> BoxedStrategy<Data> {
    let null_struct = struct_schema(Features::ALL).prop_map(|schema| (Some(schema), Value::Null));
    prop_oneof![
        8 => any_struct(),
        4 => any_map(),
        1 => Just((None, Value::Null)),
        1 => null_struct,
        1 => data(Features::ALL).prop_map(|(schema, value)| (Some(schema), value)),
        1 => data(Features::PLAIN).prop_map(|(_, value)| (None, untyped(value))),
    ]
    .boxed()
}

fn headers() -> impl Strategy<Value = Headers> {
    let name = select(vec!["a", "b", "c"]);
    proptest::collection::vec((name, data(Features::PLAIN)), 0..3).prop_map(|all| {
        let mut headers = Headers::new();
        for (name, (schema, value)) in all {
            headers.add(name, SchemaAndValue::new(schema, value));
        }
        headers
    })
}

/// A record with such a key and such a value.
fn record(part: &BoxedStrategy<Data>) -> impl Strategy<Value = ConnectRecord> + use<> {
    let topic = select(vec!["t", "orders-1", "a.b"]);
    let partition = proptest::option::weighted(0.8, 0..5i32);
    let timestamp = proptest::option::weighted(0.8, -1_000_000_000_000..3_000_000_000_000i64);
    (
        topic,
        partition,
        timestamp,
        headers(),
        part.clone(),
        part.clone(),
    )
        .prop_map(|(topic, partition, timestamp, headers, key, value)| {
            let mut record = ConnectRecord::new(topic)
                .key(key.0, key.1)
                .value(value.0, value.1);
            record.partition = partition;
            record.timestamp = timestamp;
            record.headers = headers;
            record
        })
}

/// So many records, the same in every run.
pub(crate) fn records(part: &BoxedStrategy<Data>, count: usize) -> Vec<ConnectRecord> {
    generate(&record(part), count)
}

/// The same as sink records.
pub(crate) fn sink_records(part: &BoxedStrategy<Data>, count: usize) -> Vec<ConnectRecord> {
    let records = records(part, count).into_iter().zip(7..);
    records
        .map(|(record, offset)| ConnectRecord {
            partition: record.partition.or(Some(0)),
            offset: Some(offset),
            ..record
        })
        .collect()
}

/// Compares what the transformations of these classes and configurations, in
/// turn, make of generated records.
pub(crate) fn compare_generated(
    classes: &[&str],
    configs: &[Config<'_>],
    records: Vec<ConnectRecord>,
) -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    for (index, record) in records.into_iter().enumerate() {
        let class = classes[index % classes.len()];
        let config = configs[index / classes.len() % configs.len()];
        compare_records(&mut verdicts, class, config, vec![record])?;
    }
    verdicts.finish().map(drop)
}

/// Compares how configurations are refused, or what becomes of a record.
pub(crate) fn compare_configs(class: &str, configs: &[Config<'_>]) -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    for config in configs {
        let record = ConnectRecord::new("t");
        compare_records(&mut verdicts, class, config, vec![record])?;
    }
    verdicts.finish().map(drop)
}

/// A struct schema of these fields.
pub(crate) fn schema_of(fields: &[(&str, SchemaRef)]) -> SchemaRef {
    let builder = fields
        .iter()
        .fold(SchemaBuilder::structure(), |builder, (name, schema)| {
            builder.field(*name, schema.clone())
        });
    builder.build()
}

/// A record whose value is a struct of this schema.
pub(crate) fn struct_record(schema: &SchemaRef, values: Vec<Value>) -> ConnectRecord {
    let value = Struct::from_values(schema.clone(), values).unwrap();
    ConnectRecord::new("t").value(Some(schema.clone()), value)
}

/// A record whose value is a map.
pub(crate) fn map_record(entries: Vec<(&str, Value)>) -> ConnectRecord {
    ConnectRecord::new("t").value(None, map(entries))
}

/// A map with text keys.
pub(crate) fn map(entries: Vec<(&str, Value)>) -> Value {
    let entries = entries.into_iter().map(|(key, value)| (key.into(), value));
    entries.collect::<MapValue>().into()
}

/// An optional schema with this name.
pub(crate) fn named(kind: Type, name: &str) -> SchemaRef {
    SchemaBuilder::new(kind)
        .optional()
        .name(name)
        .version(1)
        .build()
}

/// A primitive schema.
pub(crate) fn plain(kind: Type, optional: bool) -> SchemaRef {
    Schema::primitive(kind, optional)
}

/// A schema with a default.
pub(crate) fn with_default(kind: Type, optional: bool, default: impl Into<Value>) -> SchemaRef {
    Schema::builder(kind)
        .with_optional(optional)
        .default_value(default.into())
        .build()
}

/// Three kinds of structs, whose records follow each other, as after changes
/// of a schema: fields `id`, `name`, `at` and others.
pub(crate) fn changing_schemas() -> Vec<ConnectRecord> {
    let id = ("id", plain(Type::Int64, false));
    let name = ("name", plain(Type::String, true));
    let at = ("at", logical::timestamp_schema());
    let first = schema_of(&[id.clone(), name.clone(), at.clone()]);
    let second = schema_of(&[
        at,
        ("note", with_default(Type::String, true, "none")),
        name.clone(),
        id.clone(),
    ]);
    let third = schema_of(&[
        ("at", plain(Type::Int64, true)),
        ("id", plain(Type::Int64, false)),
        name,
    ]);
    let time = Value::Timestamp(1_709_210_096_789);
    let mut records = Vec::new();
    for round in 0..2i64 {
        records.extend([
            struct_record(&first, vec![round.into(), "x".into(), time.clone()]),
            struct_record(
                &second,
                vec![time.clone(), Value::Null, Value::Null, round.into()],
            ),
            struct_record(&first, vec![round.into(), Value::Null, time.clone()]),
            struct_record(&third, vec![5i64.into(), round.into(), "z".into()]),
            // An equal schema that is another object.
            struct_record(
                &first.to_builder().build(),
                vec![round.into(), "y".into(), time.clone()],
            ),
        ]);
    }
    records
}
