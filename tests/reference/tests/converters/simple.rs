//! Text, bytes, numbers and truth values.

use proptest::collection::vec;
use proptest::prelude::*;
use tether_api::data::{Decimal, MapValue, Schema, SchemaBuilder, Struct, Type, Value};
use tether_reference_tests::Verdicts;

use super::Pair;
use crate::cases::generate;

const CLASSES: [&str; 8] = [
    "org.apache.kafka.connect.storage.StringConverter",
    "org.apache.kafka.connect.converters.ByteArrayConverter",
    "org.apache.kafka.connect.converters.BooleanConverter",
    "org.apache.kafka.connect.converters.ShortConverter",
    "org.apache.kafka.connect.converters.IntegerConverter",
    "org.apache.kafka.connect.converters.LongConverter",
    "org.apache.kafka.connect.converters.FloatConverter",
    "org.apache.kafka.connect.converters.DoubleConverter",
];

fn values() -> Vec<Value> {
    let schema = SchemaBuilder::structure()
        .field("a", Schema::primitive(Type::Int32, false))
        .field("b", Schema::primitive(Type::String, true))
        .field("c", Schema::primitive(Type::Float32, true))
        .build();
    let fields = vec![1i32.into(), Value::Null, 1.5f32.into()];
    let map: MapValue = [("k".into(), 1i32.into()), ("l".into(), Value::Null)]
        .into_iter()
        .collect();
    vec![
        Value::Null,
        (-1i8).into(),
        i16::MIN.into(),
        7i32.into(),
        i64::MAX.into(),
        1.0e7f32.into(),
        1.0e-5f64.into(),
        f64::NAN.into(),
        true.into(),
        "tüxt😀".into(),
        Decimal::new(1230, 2).into(),
        Decimal::new(5, -3).into(),
        vec![1i32.into(), Value::Null, vec![].into()].into(),
        map.into(),
        Struct::from_values(schema, fields).unwrap().into(),
    ]
}

#[test]
fn simple_converters_write_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    for class in CLASSES {
        let pair = Pair { class, config: &[] };
        for value in values() {
            pair.compare_from_connect(&mut verdicts, None, &value)?;
        }
        for kind in [Type::Boolean, Type::Bytes, Type::Int16, Type::String] {
            let schema = Schema::primitive(kind, true);
            for value in [Value::Null, true.into(), 1i16.into()] {
                pair.compare_from_connect(&mut verdicts, Some(&schema), &value)?;
            }
        }
    }
    verdicts.finish().map(drop)
}

#[test]
fn simple_converters_read_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    let mut inputs: Vec<Vec<u8>> = (0..10).map(|length| vec![1; length]).collect();
    inputs.extend(generate(&vec(any::<u8>(), 8), 10));
    inputs.extend([
        vec![0],
        vec![2],
        vec![0xff],
        "tüxt😀".into(),
        vec![0x80, 0x41],
    ]);
    for class in CLASSES {
        let pair = Pair { class, config: &[] };
        pair.compare_to_connect(&mut verdicts, None)?;
        for bytes in &inputs {
            let text = class.ends_with("StringConverter") && std::str::from_utf8(bytes).is_err();
            // Java counts the replacement characters for some malformed text
            // differently.
            if !text {
                pair.compare_to_connect(&mut verdicts, Some(bytes))?;
            }
        }
    }
    verdicts.finish().map(drop)
}

#[test]
fn character_sets_are_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    for encoding in [
        "US-ASCII", "latin1", "UTF-16", "UTF-16BE", "utf-16le", "utf8",
    ] {
        let pair = Pair {
            class: CLASSES[0],
            config: &[("converter.encoding", encoding)],
        };
        for text in ["", "x", "xé€😀"] {
            pair.compare_from_connect(&mut verdicts, None, &text.into())?;
        }
        for bytes in [
            &b"abc"[..],
            b"\xfe\xff\0a",
            b"\xff\xfea\0",
            b"a\xe9\xc3\xa9",
        ] {
            pair.compare_to_connect(&mut verdicts, Some(bytes))?;
        }
    }
    verdicts.finish().map(drop)
}
