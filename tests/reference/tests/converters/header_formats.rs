//! The converters of keys and values that convert headers as well.

use tether_api::data::{Bytes, Decimal, Schema, SchemaBuilder, SchemaRef, Struct, Type, Value};
use tether_reference_tests::{Config, Outcome, Verdicts, ask_bytes, ask_data};

use super::{Pair, header_converter};

const JSON: &str = "org.apache.kafka.connect.json.JsonConverter";
const STRING: &str = "org.apache.kafka.connect.storage.StringConverter";

/// Every class with the settings that change what it does.
const CONVERTERS: &[(&str, Config<'_>)] = &[
    (JSON, &[]),
    (JSON, &[("schemas.enable", "false")]),
    (
        JSON,
        &[
            ("decimal.format", "NUMERIC"),
            ("replace.null.with.default", "false"),
        ],
    ),
    (JSON, &[("schemas.enable", "maybe")]),
    (STRING, &[]),
    (STRING, &[("converter.encoding", "UTF-16BE")]),
    (
        "org.apache.kafka.connect.converters.ByteArrayConverter",
        &[],
    ),
    ("org.apache.kafka.connect.converters.BooleanConverter", &[]),
    ("org.apache.kafka.connect.converters.ShortConverter", &[]),
    ("org.apache.kafka.connect.converters.IntegerConverter", &[]),
    ("org.apache.kafka.connect.converters.LongConverter", &[]),
    ("org.apache.kafka.connect.converters.FloatConverter", &[]),
    ("org.apache.kafka.connect.converters.DoubleConverter", &[]),
];

fn compare_written(
    pair: &Pair<'_>,
    verdicts: &mut Verdicts,
    schema: Option<&SchemaRef>,
    value: &Value,
) -> anyhow::Result<Option<Bytes>> {
    let mut out = Vec::new();
    let ours = header_converter(pair.class, pair.config)
        .and_then(|converter| converter.from_connect_header("t", "h", schema, value, &mut out))
        .map(|present| present.then(|| Bytes::from(out)));
    let ours = Outcome::from(ours);
    let reference = ask_bytes(
        "from_connect_header",
        pair.class,
        pair.config,
        schema,
        value,
    )?;
    verdicts.compare((pair.class, pair.config, schema, value), &ours, &reference);
    Ok(match ours {
        Outcome::Returned(bytes) => bytes,
        Outcome::Failed { .. } => None,
    })
}

fn compare_read(
    pair: &Pair<'_>,
    verdicts: &mut Verdicts,
    bytes: Option<&[u8]>,
) -> anyhow::Result<()> {
    let owned = bytes.map(Bytes::copy_from_slice);
    let ours = header_converter(pair.class, pair.config)
        .and_then(|converter| converter.to_connect_header("t", "h", owned.as_ref()));
    let reference = ask_data("to_connect_header", pair.class, pair.config, bytes)?;
    verdicts.compare(
        (pair.class, pair.config, bytes),
        &Outcome::from(ours),
        &reference,
    );
    Ok(())
}

#[test]
fn headers_are_converted_alike() -> anyhow::Result<()> {
    let structure = SchemaBuilder::structure()
        .field(
            "a",
            Schema::builder(Type::Int32)
                .optional()
                .default_value(5i32.into())
                .build(),
        )
        .field("d", tether_api::data::logical::decimal_schema(2))
        .build();
    let fields = vec![Value::Null, Decimal::new(1230, 2).into()];
    let value: Value = Struct::from_values(structure.clone(), fields)?.into();
    let primitive = |kind| Some(Schema::primitive(kind, true));
    let cases: Vec<(Option<SchemaRef>, Value)> = vec![
        (None, Value::Null),
        (None, "tüxt".into()),
        (None, 7i64.into()),
        (None, true.into()),
        (primitive(Type::String), Value::Null),
        (primitive(Type::String), "x".into()),
        (
            primitive(Type::Bytes),
            Bytes::from_static(b"\x01\xff").into(),
        ),
        (primitive(Type::Boolean), true.into()),
        (primitive(Type::Int16), 258i16.into()),
        (primitive(Type::Int32), (-1i32).into()),
        (primitive(Type::Int64), i64::MIN.into()),
        (primitive(Type::Float32), 1.5f32.into()),
        (primitive(Type::Float64), (-0.25f64).into()),
        (Some(structure), value),
    ];
    let foreign = [
        &b""[..],
        b"1",
        b"\0",
        b"\0\x01",
        b"null",
        b"{\"a\":1}",
        b"12345678",
    ];
    let mut verdicts = Verdicts::new();
    for (class, config) in CONVERTERS {
        let pair = Pair { class, config };
        compare_read(&pair, &mut verdicts, None)?;
        for (schema, value) in &cases {
            // Java's text of bytes is where they are in memory.
            if *class == STRING && matches!(value, Value::Bytes(_)) {
                continue;
            }
            let bytes = compare_written(&pair, &mut verdicts, schema.as_ref(), value)?;
            if let Some(bytes) = bytes {
                compare_read(&pair, &mut verdicts, Some(&bytes))?;
            }
        }
        for bytes in foreign {
            compare_read(&pair, &mut verdicts, Some(bytes))?;
        }
    }
    verdicts.finish().map(drop)
}
