//! `HeaderToValue`.

use tether_api::data::{Schema, SchemaAndValue, SchemaBuilder, Struct, Type, Value};
use tether_api::record::ConnectRecord;
use tether_reference_tests::{Config, Verdicts};

use super::events::{generated, plain_events, usual_records};
use crate::transforms::compare_records;
use crate::transforms::corpus::{any_part, compare_configs, compare_generated, plain, records};

const CLASS: &str = "io.debezium.transforms.HeaderToValue";

const CONFIGS: [Config<'_>; 14] = [
    &[
        ("headers", "h1,h2"),
        ("fields", "f1, f2"),
        ("operation", "move"),
    ],
    &[
        ("headers", "h1,h2"),
        ("fields", "a.b,a.c"),
        ("operation", "copy"),
    ],
    &[
        ("headers", "h1, h2"),
        ("fields", "source.more,transaction.id"),
        ("operation", " MOVE "),
    ],
    &[
        ("headers", "h1,h2,h1"),
        ("fields", "op,after.extra,x"),
        ("operation", "Copy"),
    ],
    &[("headers", "h1"), ("fields", "op.x"), ("operation", "copy")],
    &[
        ("headers", "h2,h1"),
        ("fields", "a.b.c,a"),
        ("operation", "copy"),
    ],
    &[
        ("headers", "h1,h2"),
        ("fields", "after.point.z,after.new.y"),
        ("operation", "move"),
    ],
    &[
        ("headers", "h1"),
        ("fields", "xop.y"),
        ("operation", "copy"),
    ],
    &[
        ("headers", "h1,h2"),
        ("fields", "after.list.x,y."),
        ("operation", "copy"),
    ],
    &[
        ("headers", "h1,h2"),
        ("fields", "payload.a,b"),
        ("operation", "move"),
    ],
    &[
        ("headers", "h1,h3"),
        ("fields", "f1,f1"),
        ("operation", "move"),
    ],
    &[
        ("headers", "a,b,c"),
        ("fields", "f0,f7,f1.x"),
        ("operation", "move"),
    ],
    &[
        ("headers", "c,b"),
        ("fields", "n.c,n.b"),
        ("operation", "copy"),
    ],
    &[("headers", "h1"), ("fields", "."), ("operation", "copy")],
];

fn with(mut record: ConnectRecord, headers: &[(&str, Option<Type>, Value)]) -> ConnectRecord {
    for (name, kind, value) in headers {
        let schema = kind.map(|kind| plain(kind, true));
        let value = value.clone();
        record.headers.add(*name, SchemaAndValue { schema, value });
    }
    record
}

/// The records with headers of several kinds.
fn headed(record: &ConnectRecord) -> Vec<ConnectRecord> {
    let text = || Some(Type::String);
    let number = || Some(Type::Int64);
    vec![
        with(record.clone(), &[("h1", text(), "x".into())]),
        with(
            record.clone(),
            &[
                ("h1", text(), "x".into()),
                ("h2", number(), 7i64.into()),
                ("o", text(), "y".into()),
            ],
        ),
        with(
            record.clone(),
            &[
                ("h2", number(), Value::Null),
                ("h1", text(), "x".into()),
                ("h1", text(), "z".into()),
            ],
        ),
        with(record.clone(), &[("h1", None, Value::Null)]),
        with(record.clone(), &[("h3", number(), 3i64.into())]),
        record.clone(),
    ]
}

fn plain_struct() -> ConnectRecord {
    let inner = SchemaBuilder::structure()
        .optional()
        .doc("inner")
        .field("b", plain(Type::String, true))
        .build();
    let schema = SchemaBuilder::structure()
        .name("n")
        .version(3)
        .doc("d")
        .parameter("p", "q")
        .optional()
        .field(
            "id",
            Schema::builder(Type::Int32).default_value(5.into()).build(),
        )
        .field("a", inner.clone())
        .field("payload", inner.clone())
        .build();
    let value = |text: &str| Struct::from_values(inner.clone(), vec![text.into()]).unwrap();
    let values = vec![Value::Null, value("x").into(), value("y").into()];
    let value = Struct::from_values(schema.clone(), values).unwrap();
    ConnectRecord::new("t").value(Some(schema), value)
}

fn all() -> Vec<ConnectRecord> {
    let mut all = usual_records();
    all.push(plain_struct());
    all
}

#[test]
fn headers_become_fields_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    for config in CONFIGS {
        for record in all() {
            for record in headed(&record) {
                compare_records(&mut verdicts, CLASS, config, vec![record])?;
            }
        }
    }
    verdicts.finish().map(drop)
}

#[test]
fn the_schema_of_the_first_record_stays() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    for config in CONFIGS {
        for record in [plain_struct(), plain_events().remove(2)] {
            let all = headed(&record);
            for first in 0..all.len() {
                for second in 0..all.len() {
                    let pair = vec![all[first].clone(), all[second].clone()];
                    compare_records(&mut verdicts, CLASS, config, pair)?;
                }
            }
        }
    }
    verdicts.finish().map(drop)
}

#[test]
fn generated_records_get_fields_alike() -> anyhow::Result<()> {
    compare_generated(&[CLASS], &CONFIGS[11..13], records(&any_part(), 300))?;
    compare_generated(&[CLASS], &CONFIGS[..7], generated(100))
}

#[test]
fn configurations_are_refused_alike() -> anyhow::Result<()> {
    compare_configs(
        CLASS,
        &[
            &[],
            &[("headers", "a"), ("fields", "b")],
            &[("headers", "a"), ("fields", "b"), ("operation", "x")],
            &[("headers", "a"), ("fields", "b"), ("operation", " ")],
            &[("headers", "a b"), ("fields", "b"), ("operation", "move")],
            &[("headers", "a,,c"), ("fields", "b"), ("operation", "move")],
            &[("headers", "a,"), ("fields", "b"), ("operation", "move")],
            &[("headers", ","), ("fields", "b"), ("operation", "move")],
            &[("headers", "a"), ("fields", "b,c"), ("operation", "move")],
            &[("headers", "a"), ("fields", "b c,"), ("operation", "nope")],
        ],
    )
}
