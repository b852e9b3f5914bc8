//! Headers whose types are guessed.

use proptest::prelude::*;
use tether_api::data::{Bytes, Decimal, MapValue, SchemaAndValue, Value};
use tether_api::testing::data::{Features, data};
use tether_reference_tests::{Outcome, Verdicts, ask_bytes, ask_data};

use super::header_converter;
use crate::cases::generate;

const SIMPLE: &str = "org.apache.kafka.connect.storage.SimpleHeaderConverter";

fn compare_read(verdicts: &mut Verdicts, text: &str) -> anyhow::Result<()> {
    let bytes = Bytes::copy_from_slice(text.as_bytes());
    let ours = header_converter(SIMPLE, &[])
        .and_then(|converter| converter.to_connect_header("t", "header", Some(&bytes)));
    let reference = ask_data("to_connect_header", SIMPLE, &[], Some(&bytes))?;
    // The reference answers null as a whole where the value is null.
    let reference = match reference {
        Outcome::Failed { class, .. } if class == "java.lang.NullPointerException" => {
            Outcome::Returned(SchemaAndValue::NULL)
        }
        other => other,
    };
    verdicts.compare(text, &Outcome::from(ours), &reference);
    Ok(())
}

fn compare_written(verdicts: &mut Verdicts, value: &Value) -> anyhow::Result<()> {
    let mut out = Vec::new();
    let ours = header_converter(SIMPLE, &[])
        .and_then(|converter| converter.from_connect_header("t", "header", None, value, &mut out))
        .map(|present| present.then(|| Bytes::from(out)));
    let reference = ask_bytes("from_connect_header", SIMPLE, &[], None, value)?;
    verdicts.compare(value, &Outcome::from(ours), &reference);
    Ok(())
}

#[test]
fn guesses_are_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    for text in [
        "",
        " ",
        "  \t ",
        "null",
        " null ",
        "NULL",
        "true",
        "false",
        " true ",
        "True",
        "true}",
        "1",
        "1.0",
        "1e3",
        "007",
        "+5",
        "-5",
        "128",
        "-129",
        "32768",
        "2147483648",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775809",
        "123456789012345678901234567890",
        "1e19",
        "1e18",
        "9e18",
        "1e30",
        "1e40",
        "1e309",
        "-1e309",
        "1e2147483647",
        "1e-400",
        "0e99999",
        "0.000",
        "123456789.123456789",
        "1.5",
        "-.5",
        "5.",
        "+",
        "-",
        "1_0",
        "0x10",
        "1,2",
        "a,b",
        "1 2",
        "12:34",
        "1:2:3",
        "1}",
        "\"quoted\"",
        "\"",
        "2024-02-29",
        "2023-02-29",
        "2024-13-45",
        "1500-01-01",
        "0001-01-01",
        "24-02-0029",
        "9999-12-31",
        "2024-2-29x",
        "2024-02-2x",
        "12:34:56.789Z",
        "25:61:61.999Z",
        "1:02:03.4567Z",
        "12:34:56.789",
        "2024-02-29T12:34:56.789Z",
        "1969-12-31T23:59:59.999Z",
        "2024-02-29T12\\:34\\:56.789Z",
        "12\\:34\\:56.789Z",
        "2024-02-29 12:34:56.789Z",
        "[]",
        "[ ]",
        "[1,2,3]",
        "[1, 2,300]",
        "[1,2.5]",
        "[1,40000,3000000000]",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1,2",
        "[a]",
        "[\"a\"]",
        "[\"a\",\"b\"]",
        "[\"a\",null]",
        "[null]",
        "[null,1]",
        "[1,\"a\"]",
        "[true,false]",
        "[true,1]",
        "[[1],[300]]",
        "[[1],[\"a\"]]",
        "[1,[2]]",
        "[[]]",
        "[\"a b\" , \"c\"]",
        "[\" \"]",
        "[\" a\"]",
        "[\"a\\\"b\"]",
        "[\"\\\\\"]",
        "[\"\"]",
        "[2024-02-29]",
        "[2024-02-29,1]",
        "[1,2024-02-29]",
        "[12:34:56.789Z,12:34:56.790Z]",
        "[12:34:56.789Z,5]",
        "[5,99999999,12:34:56.789Z]",
        "[2024-02-29T12:34:56.789Z,7]",
        "[1,99999999999999999999]",
        "[99999999999999999999,1.5]",
        "[3000000000,1.5,1e40]",
        "{}",
        "{ }",
        "{\"a\":1}",
        "{\"a\":1,\"b\":2}",
        "{\"a\":1 \"b\":300}",
        "{\"a\":1,}",
        "{\"a\":1,\"b\":\"x\"}",
        "{\"a\":null}",
        "{\"a\":null,\"b\":1}",
        "{1:2}",
        "{1:2,300:4}",
        "{1:2,\"a\":4}",
        "{null:1}",
        "{a:1}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1",
        "{,}",
        "{\"a\":[1,2],\"b\":[3]}",
        "{\"a\":{\"b\":{}}}",
        "{\"a\":1,\"a\":2}",
        "{1:1,1.0:2}",
        "{\"a\":1}x",
        "[1]x",
        " [1] ",
        "x[1]",
        "\u{1f600}",
        "é",
        "\\",
        "\\[1]",
        "a\\,b",
    ] {
        compare_read(&mut verdicts, text)?;
    }
    let punctuated = "[\\[\\]{}:,\" 0-9eE.+\\-\\\\T Z]{0,16}";
    for text in generate(&punctuated.prop_map(String::from), 200) {
        compare_read(&mut verdicts, &text)?;
    }
    verdicts.finish().map(drop)
}

#[test]
fn text_is_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    let map: MapValue = [("k\"".into(), vec![Value::Null, true.into()].into())]
        .into_iter()
        .collect();
    for value in [
        Value::Null,
        1i8.into(),
        1.0e7f64.into(),
        f32::NAN.into(),
        "x\"\\".into(),
        Bytes::from_static(b"\x01\x02").into(),
        Decimal::new(-1230, 2).into(),
        Value::Date(0),
        Value::Date(1),
        Value::Date(-400),
        Value::Date(19_782),
        Value::Time(45_296_789),
        Value::Timestamp(-1),
        Value::Timestamp(86_400_000),
        Value::Timestamp(1_709_210_096_789),
        Value::Timestamp(253_402_300_800_000),
        vec![
            "x\\\"".into(),
            Bytes::from_static(b"\x01").into(),
            Value::Date(5),
        ]
        .into(),
        map.into(),
    ] {
        compare_written(&mut verdicts, &value)?;
    }
    for (_, value) in generate(&data(Features::ALL), 60) {
        compare_written(&mut verdicts, &value)?;
    }
    verdicts.finish().map(drop)
}
