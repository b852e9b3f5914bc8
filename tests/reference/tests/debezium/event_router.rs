//! `EventRouter`.

use proptest::prelude::*;
use tether_api::data::{SchemaBuilder, SchemaRef, Struct, Type, Value, logical};
use tether_api::record::ConnectRecord;
use tether_reference_tests::{Config, Verdicts};

use super::events::{event, fields, generated, usual_records};
use crate::cases::generate;
use crate::transforms::corpus::{compare_configs, named, plain};
use crate::transforms::{compare_records, compare_records_but_secrets};

const CLASS: &str = "io.debezium.transforms.outbox.EventRouter";

/// The schema of an outbox table.
fn outbox_schema() -> SchemaRef {
    SchemaBuilder::structure()
        .name("srv.public.outbox.Value")
        .optional()
        .field("id", named(Type::String, "io.debezium.data.Uuid"))
        .field("aggregatetype", plain(Type::String, false))
        .field("aggregateid", plain(Type::String, true))
        .field("type", plain(Type::String, true))
        .field("payload", named(Type::String, "io.debezium.data.Json"))
        .field("millis", named(Type::Int64, "io.debezium.time.Timestamp"))
        .field(
            "micros",
            named(Type::Int64, "io.debezium.time.MicroTimestamp"),
        )
        .field(
            "nanos",
            named(Type::Int64, "io.debezium.time.NanoTimestamp"),
        )
        .field("number", plain(Type::Int64, true))
        .field("at", logical::timestamp_builder().optional().build())
        .field("version", plain(Type::Int32, true))
        .field("part", plain(Type::Int32, true))
        .field("bytes", plain(Type::Bytes, true))
        .build()
}

fn outbox(route: &str, key: Option<&str>, payload: Option<&str>, version: Option<i32>) -> Value {
    let schema = outbox_schema();
    let values = vec![
        "0b6b5ee1-0cd9-4c5e-8a2c-4f4a8d3a1f60".into(),
        route.into(),
        key.map(str::to_owned).into(),
        "Created".into(),
        payload.map(str::to_owned).into(),
        1_700_000_000_123i64.into(),
        (-1_700_000_000_123_456i64).into(),
        1_700_000_000_123_456_789i64.into(),
        5i64.into(),
        Value::Null,
        version.into(),
        version.map(|version| version + 1).into(),
        tether_api::data::Bytes::from(vec![1, 2]).into(),
    ];
    Struct::from_values(schema, values).unwrap().into()
}

fn of(op: &str, row: Value) -> ConnectRecord {
    let schema = outbox_schema();
    let (before, after) = match op {
        "d" => (row, Value::Null),
        "u" => (row.clone(), row),
        _ => (Value::Null, row),
    };
    event(fields(&schema, op, before, after, false))
}

const PAYLOADS: &[&str] = &[
    "",
    "  ",
    "plain",
    "7",
    "{}",
    "[]",
    "[1, 2]",
    "{",
    r#"{"a": 1} trailing"#,
    r#"{"a": 1, "b": "x", "c": true, "d": null, "e": 2.50, "f": 12345678901, "g": {"h": {"i": -0}}}"#,
    r#"{"big": 123456789012345678901234567890}"#,
    r#"{"list": [1, 2, null], "texts": ["a"], "empty": [], "nested": [[1], [2, 3]]}"#,
    r#"{"list": [1, 2.5]}"#,
    r#"{"list": [1, 12345678901]}"#,
    r#"{"list": [1, "a"]}"#,
    r#"{"list": [null, null]}"#,
    r#"{"list": [{"a": 1}, {"a": 2}, null, {"a": null}]}"#,
    r#"{"list": [{"a": 1}, {"a": 2}]}"#,
    r#"{"list": [{"a": {"b": [1.5]}}]}"#,
    r#"{"list": [[], [1]]}"#,
    r#"{"": 1}"#,
    r#"{"a b": 1, "a-b": 2, "a.b": 3, "1": {"x": 1}}"#,
    r#"{"a": 1, "a": "twice"}"#,
    r#"{"é": "ü😀", "exp": 1e3, "neg": -1.5e-7, "huge": 1e400}"#,
    r#"{"a": 01}"#,
    r#"{'a': 1}"#,
    r#" {"a": 1}"#,
];

fn outbox_events() -> Vec<ConnectRecord> {
    let mut records: Vec<ConnectRecord> = PAYLOADS
        .iter()
        .map(|payload| of("c", outbox("customer", Some("k"), Some(payload), Some(3))))
        .collect();
    records.extend([
        of("c", outbox("customer", None, None, None)),
        of(
            "r",
            outbox("order.line", Some("k"), Some("{\"a\":1}"), Some(4)),
        ),
        of("u", outbox("customer", Some("k"), Some("x"), None)),
        of("d", outbox("customer", Some("k"), Some("x"), None)),
        of("t", Value::Null),
        of("m", outbox("", Some("k"), Some("x"), None)),
    ]);
    records
}

const CONFIGS: &[Config<'_>] = &[
    &[],
    &[("route.tombstone.on.empty.payload", "true")],
    &[("table.expand.json.payload", "true")],
    &[
        ("table.expand.json.payload", "TRUE"),
        ("table.json.payload.null.behavior", "optional_bytes"),
        ("route.tombstone.on.empty.payload", "true"),
    ],
    &[
        ("table.expand.json.payload", "true"),
        ("field.name.adjustment.mode", "avro"),
        (
            "table.fields.additional.placement",
            "type:envelope:eventType",
        ),
    ],
    &[
        (
            "table.fields.additional.placement",
            "type:header:eventType, part:partition , number:envelope",
        ),
        ("table.field.event.schema.version", "version"),
    ],
    &[(
        "table.fields.additional.placement",
        "type:header,number:header:n,bytes:Header",
    )],
    &[("table.fields.additional.placement", "nope:header")],
    &[("table.fields.additional.placement", "nope:envelope")],
    &[("table.fields.additional.placement", "nope:partition")],
    &[
        (
            "table.fields.additional.placement",
            "nope:header,nope:envelope:x,nope:partition,type:envelope",
        ),
        ("table.field.additional.missing", "ignore"),
    ],
    &[("table.fields.additional.placement", "type:partition")],
    &[("table.fields.additional.placement", "type:envelope:payload")],
    &[("table.field.event.timestamp", "millis")],
    &[("table.field.event.timestamp", "micros")],
    &[("table.field.event.timestamp", "nanos")],
    &[("table.field.event.timestamp", "number")],
    &[("table.field.event.timestamp", "at")],
    &[("table.field.event.timestamp", "type")],
    &[("table.field.event.timestamp", "nope")],
    &[("table.field.event.id", "nope")],
    &[("table.field.event.key", "nope")],
    &[
        ("table.field.event.key", "number"),
        ("table.field.event.id", "part"),
    ],
    &[("table.field.event.payload", "nope")],
    &[
        ("table.field.event.payload", "bytes"),
        ("table.expand.json.payload", "true"),
    ],
    &[
        ("table.field.event.payload", "number"),
        ("table.fields.additional.placement", "type:envelope"),
    ],
    &[("route.by.field", "nope")],
    &[("route.by.field", "number")],
    &[("route.by.field", "aggregateid")],
    &[
        ("route.topic.regex", "(cust)(.*)"),
        ("route.topic.replacement", "$2-$1"),
    ],
    &[
        ("route.topic.regex", "(cust)(.*)"),
        ("route.topic.replacement", "${x}"),
    ],
    &[
        ("route.topic.regex", "(cust)(.*)"),
        ("route.topic.replacement", "$3"),
    ],
    &[("route.topic.replacement", "fixed")],
    &[("table.op.invalid.behavior", " ERROR ")],
    &[("table.op.invalid.behavior", "fatal")],
    &[
        ("table.fields.additional.placement", "type:envelope"),
        ("table.field.event.schema.version", "number"),
    ],
];

fn compare(
    verdicts: &mut Verdicts,
    config: Config<'_>,
    records: Vec<ConnectRecord>,
) -> anyhow::Result<()> {
    compare_records_but_secrets(verdicts, CLASS, config, records, |message| {
        message
            .starts_with("Unexpected update message received ")
            .then_some("Unexpected update message received, fail.")
    })
}

#[test]
fn outboxes_are_routed_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    for config in CONFIGS {
        for record in outbox_events() {
            compare(&mut verdicts, config, vec![record])?;
        }
    }
    verdicts.finish().map(drop)
}

#[test]
fn other_records_are_routed_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    let for_orders: Config<'_> = &[
        ("table.field.event.key", "id"),
        ("table.field.event.payload", "point"),
        ("route.by.field", "region"),
        (
            "table.fields.additional.placement",
            "state:header,name:envelope:n",
        ),
    ];
    for config in [&[][..], for_orders, &for_orders[..3]] {
        for record in usual_records() {
            compare(&mut verdicts, config, vec![record])?;
        }
        for record in generated(60) {
            compare(&mut verdicts, config, vec![record])?;
        }
    }
    verdicts.finish().map(drop)
}

#[test]
fn schemas_of_the_first_event_stay() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    let payloads = [Some("{\"a\":1}"), Some("{\"b\":1}"), Some("x"), None];
    for config in [CONFIGS[4], CONFIGS[5]] {
        for first in payloads {
            for second in payloads {
                for version in [Some(3), None] {
                    let records = vec![
                        of("c", outbox("one", Some("k"), first, Some(3))),
                        of("c", outbox("two", Some("k"), second, version)),
                    ];
                    compare(&mut verdicts, config, records)?;
                }
            }
        }
    }
    verdicts.finish().map(drop)
}

/// JSON whose arrays hold objects of one schema: in what order the reference
/// puts together others differs from one JVM to the next.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i32>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        (-1e9..1e9f64).prop_map(serde_json::Value::from),
        "[a-zé\" ]{0,6}".prop_map(Into::into),
    ];
    let tree = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3)
                .prop_filter("objects", |items| {
                    items.iter().filter(|item| item.is_object()).count() < 2
                })
                .prop_map(serde_json::Value::from),
            proptest::collection::btree_map("[a-c -]{1,2}", inner, 0..4)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    });
    proptest::collection::btree_map("[a-z]{1,2}", tree, 0..4)
        .prop_map(|members| serde_json::Value::Object(members.into_iter().collect()).to_string())
}

#[test]
fn json_is_expanded_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    for (index, payload) in generate(&json(), 300).into_iter().enumerate() {
        let config = [CONFIGS[2], CONFIGS[3], CONFIGS[4]][index % 3];
        let record = of("c", outbox("customer", Some("k"), Some(&payload), Some(3)));
        compare_records(&mut verdicts, CLASS, config, vec![record])?;
    }
    verdicts.finish().map(drop)
}

#[test]
fn configurations_are_refused_alike() -> anyhow::Result<()> {
    compare_configs(
        CLASS,
        &[
            &[("table.op.invalid.behavior", "nope")],
            &[("table.expand.json.payload", "nope")],
            &[("route.tombstone.on.empty.payload", "nope")],
            &[("table.json.payload.null.behavior", "nope")],
            &[("table.field.additional.missing", "nope")],
            &[("table.fields.additional.placement", "")],
            &[("table.fields.additional.placement", "a")],
            &[("table.fields.additional.placement", "a:header, b")],
            &[("table.fields.additional.placement", "a:b:c:d,x:y")],
            &[("table.fields.additional.placement", ",")],
            &[("route.topic.regex", "(")],
            &[
                ("route.topic.regex", "("),
                ("table.expand.json.payload", "nope"),
            ],
            &[
                ("route.tombstone.on.empty.payload", "x"),
                ("table.op.invalid.behavior", "x"),
            ],
            &[("tracing.with.context.field.only", "nope")],
        ],
    )
}
