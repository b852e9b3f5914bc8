//! Records of about twenty fields through typical transformations.
//!
//! `cargo bench -p tether-transforms`; the time is that of one record.

#![expect(
    clippy::expect_used,
    reason = "a benchmark that cannot go on has to end"
)]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use tether_api::config::ConfigMap;
use tether_api::data::{MapValue, Schema, SchemaBuilder, Struct, Type, Value, logical};
use tether_api::plugin::PluginFactory;
use tether_api::record::ConnectRecord;
use tether_api::transform::Transformation;

fn transformation(class: &str, config: &[(&str, &str)]) -> Box<dyn Transformation> {
    let class = format!("org.apache.kafka.connect.transforms.{class}");
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    let config: ConfigMap = config.iter().map(owned).collect();
    tether_transforms::plugins()
        .into_iter()
        .filter(|plugin| plugin.class == class)
        .find_map(|plugin| match plugin.factory {
            PluginFactory::Transformation(new) => new(&config).ok(),
            _ => None,
        })
        .expect("the transformation is there and its configuration is right")
}

/// A struct of twenty fields.
fn structure() -> ConnectRecord {
    let mut builder = SchemaBuilder::structure();
    let mut values = Vec::new();
    for group in 0..4 {
        for (name, schema, value) in fields() {
            builder = builder.field(format!("{name}{group}"), schema);
            values.push(value);
        }
    }
    let schema = builder.build();
    let value = Struct::from_values(schema.clone(), values).expect("the values fit");
    record().value(Some(schema), value)
}

/// The same as a map without a schema.
fn map() -> ConnectRecord {
    let mut entries = Vec::new();
    for group in 0..4 {
        for (name, _, value) in fields() {
            entries.push((format!("{name}{group}").into(), value));
        }
    }
    record().value(None, MapValue::from(entries))
}

const FORMAT: (&str, &str) = ("format", "yyyy-MM-dd HH:mm:ss");

fn record() -> ConnectRecord {
    let mut record = ConnectRecord::new("orders");
    record.timestamp = Some(1_709_210_096_789);
    record.partition = Some(3);
    record
}

fn fields() -> [(&'static str, tether_api::data::SchemaRef, Value); 5] {
    let plain = |kind, optional| Schema::primitive(kind, optional);
    [
        ("id", plain(Type::Int64, false), 123_456_789i64.into()),
        ("amount", plain(Type::Float64, true), 1234.56.into()),
        (
            "at",
            logical::timestamp_schema(),
            Value::Timestamp(1_709_210_096_789),
        ),
        (
            "day",
            plain(Type::String, false),
            "2024-02-29 12:34:56".into(),
        ),
        ("note", plain(Type::String, true), Value::Null),
    ]
}

/// A name, a class and its configuration.
type Case = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

fn transforms(criterion: &mut Criterion) {
    let cases: [Case; 10] = [
        (
            "Cast",
            "Cast$Value",
            &[("spec", "id0:string,amount1:int32")],
        ),
        (
            "ReplaceField",
            "ReplaceField$Value",
            &[("exclude", "note0,day1"), ("renames", "id0:key")],
        ),
        (
            "InsertField",
            "InsertField$Value",
            &[("topic.field", "topic"), ("timestamp.field", "ts")],
        ),
        ("MaskField", "MaskField$Value", &[("fields", "day0,id1")]),
        ("ExtractField", "ExtractField$Value", &[("field", "day3")]),
        ("ValueToKey", "ValueToKey", &[("fields", "id0,day0")]),
        (
            "TimestampConverter to text",
            "TimestampConverter$Value",
            &[("field", "at0"), ("target.type", "string"), FORMAT],
        ),
        (
            "TimestampConverter from text",
            "TimestampConverter$Value",
            &[("field", "day0"), ("target.type", "Timestamp"), FORMAT],
        ),
        (
            "RegexRouter",
            "RegexRouter",
            &[("regex", "(.*)s"), ("replacement", "$1")],
        ),
        (
            "InsertHeader",
            "InsertHeader",
            &[("header", "h"), ("value.literal", "5")],
        ),
    ];
    for (kind, record) in [("struct", structure()), ("map", map())] {
        let mut group = criterion.benchmark_group(kind);
        group.throughput(Throughput::Elements(1));
        for (name, class, config) in cases {
            let mut transformation = transformation(class, config);
            group.bench_function(name, |bencher| {
                bencher.iter_batched(
                    // Nobody else holds the value, as in a worker.
                    || copy(&record),
                    |record| black_box(transformation.apply(record)),
                    BatchSize::SmallInput,
                );
            });
        }
        group.finish();
    }
}

/// A record whose value is its own.
fn copy(record: &ConnectRecord) -> ConnectRecord {
    let mut copy = record.clone();
    copy.value = match &record.value {
        Value::Struct(value) => (**value).clone().into(),
        Value::Map(value) => (**value).clone().into(),
        value => value.clone(),
    };
    copy
}

criterion_group!(benches, transforms);
criterion_main!(benches);
