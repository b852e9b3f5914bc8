//! JSON, with and without schemas.

use proptest::prelude::*;
use tether_api::data::{
    Bytes, Decimal, MapValue, Schema, SchemaBuilder, SchemaRef, Struct, Type, Value, logical,
};
use tether_api::testing::data::{Features, data};
use tether_reference_tests::{Config, Verdicts};

use super::Pair;
use crate::cases::generate;

const CLASS: &str = "org.apache.kafka.connect.json.JsonConverter";
const CONFIGS: [Config<'_>; 4] = [
    &[],
    &[("schemas.enable", "false")],
    &[("decimal.format", "numeric")],
    &[("replace.null.with.default", "false")],
];
const SCHEMALESS: Config<'_> = &[("schemas.enable", "false")];

#[test]
fn generated_data_is_written_and_read_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    let cases = generate(&data(Features::ALL), 120);
    for (index, (schema, value)) in cases.iter().enumerate() {
        let pair = Pair {
            class: CLASS,
            config: CONFIGS[index % CONFIGS.len()],
        };
        let bytes = pair.compare_from_connect(&mut verdicts, Some(schema), value)?;
        pair.compare_to_connect(&mut verdicts, bytes.as_deref())?;
    }
    verdicts.finish().map(drop)
}

#[test]
fn misfits_are_refused_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    let primitive = |kind| Schema::primitive(kind, false);
    let structure = SchemaBuilder::structure()
        .field("a", primitive(Type::Int32))
        .build();
    let other = structure.to_builder().name("other").build();
    let of_other = Struct::from_values(other, vec![1i32.into()]).unwrap();
    let strings = SchemaBuilder::map(Schema::primitive(Type::String, true), primitive(Type::Int8));
    let null_key: MapValue = [(Value::Null, 1i8.into())].into_iter().collect();
    let number_key: MapValue = [(1i8.into(), 1i8.into())].into_iter().collect();
    let optional = Schema::builder(Type::Int32)
        .optional()
        .default_value(7i32.into())
        .build();
    let decimal = logical::decimal_schema(2);
    let no_scale = Schema::builder(Type::Bytes).name(logical::DECIMAL).build();
    let cases: Vec<(Option<SchemaRef>, Value)> = vec![
        (None, Value::Null),
        (Some(primitive(Type::Int32)), Value::Null),
        (Some(Schema::primitive(Type::Int32, true)), Value::Null),
        (Some(optional), Value::Null),
        (Some(primitive(Type::Int32)), "x".into()),
        (Some(primitive(Type::Int8)), 1i32.into()),
        (Some(primitive(Type::String)), 1i32.into()),
        (Some(primitive(Type::Bytes)), "x".into()),
        (Some(primitive(Type::Boolean)), 1i8.into()),
        (Some(structure.clone()), 1i32.into()),
        (Some(structure), of_other.clone().into()),
        (None, of_other.into()),
        (Some(strings.build()), null_key.clone().into()),
        (None, null_key.into()),
        (None, number_key.into()),
        (None, Value::Date(1)),
        (None, Decimal::new(1, 1).into()),
        (None, vec![Value::Null, 1.5f32.into()].into()),
        (None, f64::INFINITY.into()),
        (None, Bytes::from_static(b"\0\xff").into()),
        (
            None,
            "\u{1}\u{1f}\u{7f}\u{80}\u{2028}\u{ffff}😀\"\\/\n".into(),
        ),
        (Some(decimal.clone()), Decimal::new(15, 1).into()),
        (Some(decimal.clone()), Decimal::new(0, 2).into()),
        (Some(decimal), "x".into()),
        (Some(no_scale), Decimal::new(1, 1).into()),
        (
            Some(logical::decimal_schema(-3)),
            Decimal::new(5, -3).into(),
        ),
        (Some(logical::date_schema()), 1i32.into()),
        (Some(logical::date_schema()), Value::Timestamp(86_400_000)),
        (Some(logical::date_schema()), Value::Timestamp(1)),
        (Some(logical::time_schema()), Value::Time(-1)),
        (Some(logical::time_schema()), Value::Time(86_400_001)),
        (Some(logical::timestamp_schema()), Value::Date(-1)),
    ];
    for (schema, value) in &cases {
        for config in CONFIGS {
            let pair = Pair {
                class: CLASS,
                config,
            };
            pair.compare_from_connect(&mut verdicts, schema.as_ref(), value)?;
        }
    }
    verdicts.finish().map(drop)
}

#[test]
fn text_without_schema_is_read_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    let pair = Pair {
        class: CLASS,
        config: SCHEMALESS,
    };
    for text in [
        "",
        " ",
        "null",
        "true",
        "false",
        "tru",
        "truex",
        "1",
        "-1",
        "007",
        "-0",
        "1.0",
        "-0.0",
        "1e3",
        "1E400",
        "1e-400",
        "12345678901234567890",
        "-99999999999999999999",
        "1.",
        ".5",
        "+1",
        "1x",
        "1 x",
        "\"\"",
        "\"x",
        "\"\\u00e9\\n\\/\"",
        "\"\\ud83d\\ude00\"",
        "\"\\x\"",
        "\"\n\"",
        "[]",
        "[1,]",
        "[,]",
        "[1 2]",
        "[1,\"a\",null,[true]]",
        "{}",
        "{\"a\":1}",
        "{\"a\":1,}",
        "{\"a\"}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":1,\"a\":2}",
        "{\"a\":{\"b\":[]}}",
        "[1] trailing",
        "{\"a\":1}}",
        "/* c */ 1",
        "NaN",
        "\u{feff}1",
        "0x10",
        "1_000",
        "[",
        "{",
        "{\"a\":",
        "nul",
        "1e99999999999",
    ] {
        pair.compare_to_connect(&mut verdicts, Some(text.as_bytes()))?;
    }
    pair.compare_to_connect(&mut verdicts, None)?;
    pair.compare_to_connect(&mut verdicts, Some(b"\"\xff\""))?;
    let generated = "(\\[|\\]|\\{|\\}|,|:|\"a\"|1|-2.5|null|true| ){0,8}";
    for text in generate(&generated.prop_map(String::from), 80) {
        pair.compare_to_connect(&mut verdicts, Some(text.as_bytes()))?;
    }
    verdicts.finish().map(drop)
}

#[test]
fn envelopes_are_read_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    let pair = Pair {
        class: CLASS,
        config: &[],
    };
    for text in [
        "",
        " ",
        "null",
        "1",
        "[]",
        "{}",
        "{\"schema\":null}",
        "{\"payload\":1}",
        "{\"schema\":null,\"payload\":{\"a\":[1]}}",
        "{\"schema\":null,\"payload\":1,\"x\":1}",
        "{\"schema\":1,\"payload\":1}",
        "{\"schema\":{},\"payload\":1}",
        "{\"payload\":5,\"schema\":{\"type\":\"int32\"}}",
        "{\"schema\":{\"type\":\"int32\"},\"payload\":1,\"payload\":2}",
        "{\"schema\":{\"type\":\"int32\"},\"payload\":1",
        "{\"schema\":{\"type\":\"int32\"},\"payload\":1}}",
    ] {
        pair.compare_to_connect(&mut verdicts, Some(text.as_bytes()))?;
    }
    for (schema, payloads) in payloads() {
        for payload in payloads {
            let text = format!("{{\"schema\":{schema},\"payload\":{payload}}}");
            pair.compare_to_connect(&mut verdicts, Some(text.as_bytes()))?;
        }
    }
    verdicts.finish().map(drop)
}

/// Schemas with payloads that fit them more or less.
fn payloads() -> Vec<(&'static str, Vec<&'static str>)> {
    const ANYTHING: &[&str] = &[
        "null",
        "true",
        "1",
        "300",
        "-70000",
        "5000000000",
        "99999999999999999999",
        "1.9",
        "-1.9",
        "1e30",
        "\"abc\"",
        "\"AQI=\"",
        "\"AQI\"",
        "\"A Q\"",
        "[]",
        "[1]",
        "[\"a\",null]",
        "{}",
        "{\"a\":1}",
        "{\"a\":\"x\"}",
        "{\"a\":null}",
        "{\"a\":{}}",
        "[[1,2]]",
        "[[1]]",
        "[[1,2,3]]",
        "[[1,2],[1,3]]",
    ];
    let schemas = [
        r#"{"type":"int8"}"#,
        r#"{"type":"int16","optional":true}"#,
        r#"{"type":"int32","default":5}"#,
        r#"{"type":"int64","default":null,"optional":true}"#,
        r#"{"type":"int64","default":null}"#,
        r#"{"type":"float"}"#,
        r#"{"type":"double"}"#,
        r#"{"type":"boolean"}"#,
        r#"{"type":"string"}"#,
        r#"{"type":"string","default":5}"#,
        r#"{"type":"bytes"}"#,
        r#"{"type":"array","items":{"type":"int32"}}"#,
        r#"{"type":"array","items":{"type":"string"}}"#,
        r#"{"type":"map","keys":{"type":"string"},"values":{"type":"int32"}}"#,
        r#"{"type":"map","keys":{"type":"int32"},"values":{"type":"int32","optional":true}}"#,
        r#"{"type":"struct","fields":[{"type":"int32","field":"a"}]}"#,
        r#"{"type":"struct","fields":[{"type":"string","field":"a"}]}"#,
        r#"{"type":"struct","fields":[{"type":"string","optional":true,"field":"a"}]}"#,
        r#"{"type":"struct","fields":[{"type":"int64","default":9,"field":"a"}]}"#,
        r#"{"type":"struct","fields":[{"type":"array","items":{"type":"string"},"field":"a"}]}"#,
        r#"{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"}}"#,
        r#"{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal"}"#,
        r#"{"type":"int32","name":"org.apache.kafka.connect.data.Date","version":1}"#,
        r#"{"type":"int32","name":"org.apache.kafka.connect.data.Time","version":1}"#,
        r#"{"type":"int64","name":"org.apache.kafka.connect.data.Timestamp","version":1}"#,
        r#"{"type":"int32","name":"n","version":2,"doc":"d","parameters":{"a":"b"}}"#,
    ];
    let odd = [
        r#"{"type":"foo"}"#,
        r#"{"type":1}"#,
        r#"{"type":"array"}"#,
        r#"{"type":"array","items":null}"#,
        r#"{"type":"map"}"#,
        r#"{"type":"map","keys":{"type":"int8"}}"#,
        r#"{"type":"map","keys":null,"values":{"type":"int8"}}"#,
        r#"{"type":"map","keys":{"type":"int8"},"values":null}"#,
        r#"{"type":"struct"}"#,
        r#"{"type":"struct","fields":{}}"#,
        r#"{"type":"struct","fields":[1]}"#,
        r#"{"type":"struct","fields":[null]}"#,
        r#"{"type":"struct","fields":[{"type":"int8"}]}"#,
        r#"{"type":"struct","fields":[{"type":"int8","field":""}]}"#,
        r#"{"type":"struct","fields":[{"type":"int8","field":"a"},{"type":"int8","field":"a"}]}"#,
        r#"{"type":"int8","parameters":{"a":1}}"#,
        r#"{"type":"int8","version":1.5,"name":5,"doc":5,"optional":"true"}"#,
        r#"{"type":"int8","version":5000000000}"#,
        r#"{"type":"struct","fields":[{"type":"int8","field":"a"}],"default":{"a":1}}"#,
    ];
    let typed = schemas
        .into_iter()
        .map(|schema| (schema, ANYTHING.to_vec()));
    let odd = odd.into_iter().map(|schema| (schema, vec!["1", "{}"]));
    typed.chain(odd).collect()
}

#[test]
fn a_fixed_schema_is_used_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    let content = r#"{"type":"struct","fields":[{"type":"int32","field":"a"}],"optional":true}"#;
    for config in [
        &[("schema.content", content)][..],
        &[("schema.content", content), ("schemas.enable", "false")],
        &[("schema.content", "null")],
    ] {
        let pair = Pair {
            class: CLASS,
            config,
        };
        for text in [
            "{\"a\":1}",
            "null",
            "{}",
            "5",
            "{\"schema\":null,\"payload\":1}",
        ] {
            pair.compare_to_connect(&mut verdicts, Some(text.as_bytes()))?;
        }
    }
    verdicts.finish().map(drop)
}
