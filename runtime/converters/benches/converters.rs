//! Records of about 100 bytes and 1 KB through each converter, both ways.
//!
//! `cargo bench -p tether-converters`; the throughput is in records per second.

#![expect(
    clippy::expect_used,
    reason = "a benchmark that cannot go on has to end"
)]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tether_api::config::ConfigMap;
use tether_api::converter::{Converter, ConverterKind, Decoded, Encoded};
use tether_api::data::{Bytes, Schema, SchemaBuilder, SchemaRef, Struct, Type, Value, logical};
use tether_api::plugin::PluginFactory;

const JSON: &str = "org.apache.kafka.connect.json.JsonConverter";
const AVRO: &str = "io.confluent.connect.avro.AvroConverter";
const JSON_SCHEMA: &str = "io.confluent.connect.json.JsonSchemaConverter";
const PROTOBUF: &str = "io.confluent.connect.protobuf.ProtobufConverter";
const STRING: &str = "org.apache.kafka.connect.storage.StringConverter";

fn converter(class: &str, config: &[(&str, &str)]) -> Arc<dyn Converter> {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    let config: ConfigMap = config.iter().map(owned).collect();
    tether_converters::plugins()
        .into_iter()
        .filter(|plugin| plugin.class == class)
        .find_map(|plugin| match plugin.factory {
            PluginFactory::Converter(new) => new(&config, ConverterKind::Value).ok(),
            _ => None,
        })
        .expect("the converter is there and its configuration is right")
}

/// A record of so many groups of fields: an integer, a number, a truth value, a
/// timestamp and two texts.
fn record(groups: usize, text: &str) -> (SchemaRef, Value) {
    let fields = |group: usize| {
        let plain = |kind, optional| Schema::primitive(kind, optional);
        [
            ("id", plain(Type::Int64, false), 123_456_789i64.into()),
            ("amount", plain(Type::Float64, true), 1234.56.into()),
            ("active", plain(Type::Boolean, false), true.into()),
            (
                "at",
                logical::timestamp_schema(),
                Value::Timestamp(1_709_210_096_789),
            ),
            ("name", plain(Type::String, false), text.into()),
            ("note", plain(Type::String, true), text.into()),
        ]
        .map(|(name, schema, value)| (format!("{name}{group}"), schema, value))
    };
    let mut builder = SchemaBuilder::structure().name("bench.Record");
    let mut values = Vec::new();
    for (name, schema, value) in (0..groups).flat_map(fields) {
        builder = builder.field(name, schema);
        values.push(value);
    }
    let schema = builder.build();
    let value = Struct::from_values(schema.clone(), values).expect("one value per field");
    (schema, value.into())
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(future)
}

fn encode(converter: &dyn Converter, schema: &SchemaRef, value: &Value, out: &mut Vec<u8>) {
    let encoded = converter.from_connect("bench", Some(schema), value, out);
    if encoded.expect("the value fits") == Encoded::Unprepared {
        wait(converter.prepare_from_connect("bench", Some(schema))).expect("a registry");
        encode(converter, schema, value, out);
    }
}

fn decode(converter: &dyn Converter, bytes: &Bytes) -> Decoded {
    let decoded = converter.to_connect("bench", Some(bytes));
    match decoded.expect("the bytes fit") {
        Decoded::Unprepared => {
            wait(converter.prepare_to_connect("bench", bytes)).expect("a registry");
            decode(converter, bytes)
        }
        decoded => decoded,
    }
}

fn converters(criterion: &mut Criterion) {
    let registry = [("schema.registry.url", "mock://bench")];
    let cases = [
        ("json", converter(JSON, &[])),
        (
            "json-schemaless",
            converter(JSON, &[("schemas.enable", "false")]),
        ),
        ("json-schema", converter(JSON_SCHEMA, &registry)),
        ("avro", converter(AVRO, &registry)),
        ("protobuf", converter(PROTOBUF, &registry)),
        ("string", converter(STRING, &[])),
    ];
    // Sizes of the payload in JSON.
    let records = [
        ("100B", record(1, "a short text")),
        (
            "1KB",
            record(5, "a text of some fifty characters, with an escape: \n"),
        ),
    ];
    for (name, converter) in &cases {
        let mut group = criterion.benchmark_group(*name);
        group.throughput(Throughput::Elements(1));
        for (size, (schema, value)) in &records {
            let mut bytes = Vec::new();
            encode(&**converter, schema, value, &mut bytes);
            let mut out = Vec::with_capacity(bytes.len());
            group.bench_function(BenchmarkId::new("from_connect", size), |bencher| {
                bencher.iter(|| {
                    out.clear();
                    encode(&**converter, black_box(schema), black_box(value), &mut out);
                });
            });
            let bytes = Bytes::from(bytes);
            group.bench_function(BenchmarkId::new("to_connect", size), |bencher| {
                bencher.iter(|| decode(&**converter, black_box(&bytes)));
            });
        }
        group.finish();
    }
}

fn headers(criterion: &mut Criterion) {
    let new = tether_converters::plugins()
        .into_iter()
        .find_map(|plugin| match plugin.factory {
            PluginFactory::HeaderConverter(new) if plugin.simple_name().starts_with("Simple") => {
                Some(new)
            }
            _ => None,
        });
    let converter = new.expect("it is there")(&ConfigMap::new()).expect("it has no settings");
    let mut group = criterion.benchmark_group("header");
    group.throughput(Throughput::Elements(1));
    for text in ["plain text", "12345", "[1,2,3]"] {
        let bytes = Bytes::from_static(text.as_bytes());
        group.bench_function(BenchmarkId::new("to_connect", text), |bencher| {
            bencher.iter(|| converter.to_connect_header("bench", "h", Some(black_box(&bytes))));
        });
    }
    group.finish();
}

criterion_group!(benches, converters, headers);
criterion_main!(benches);
