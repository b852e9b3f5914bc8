use proptest::prelude::*;
use tether_api::converter::HeaderConverter;
use tether_api::data::{
    Bytes, Decimal, MapValue, Schema, SchemaAndValue, SchemaBuilder, Struct, Type, Value, logical,
};

use super::SimpleHeaderConverter;

fn read(bytes: impl Into<Bytes>) -> SchemaAndValue {
    SimpleHeaderConverter
        .to_connect_header("t", "h", Some(&bytes.into()))
        .unwrap()
}

fn written(value: impl Into<Value>) -> String {
    let mut out = Vec::new();
    let present = SimpleHeaderConverter
        .from_connect_header("t", "h", None, &value.into(), &mut out)
        .unwrap();
    assert!(present);
    String::from_utf8(out).unwrap()
}

fn plain(kind: Type, value: impl Into<Value>) -> SchemaAndValue {
    SchemaAndValue::new(Schema::primitive(kind, false), value.into())
}

#[test]
fn types_are_guessed() {
    let cases = [
        ("true", plain(Type::Boolean, true)),
        (" false ", plain(Type::Boolean, false)),
        ("1.0", plain(Type::Int8, 1i8)),
        ("1e3", plain(Type::Int16, 1000i16)),
        ("007", plain(Type::Int8, 7i8)),
        ("+5", plain(Type::Int8, 5i8)),
        ("-40000", plain(Type::Int32, -40_000i32)),
        ("9223372036854775807", plain(Type::Int64, i64::MAX)),
        ("1e19", plain(Type::Float32, 1e19f32)),
        ("1e30", plain(Type::Float32, 1e30f32)),
        ("1e40", plain(Type::Float64, 1e40f64)),
        (
            "123456789.123456789",
            plain(Type::Float32, 1.234_567_9e8f32),
        ),
        ("1,2", plain(Type::Int8, 1i8)),
        ("12:34", plain(Type::Int8, 12i8)),
        (
            "2024-02-29",
            SchemaAndValue::new(logical::date_schema(), Value::Date(19_782)),
        ),
        (
            "12:34:56.789Z",
            SchemaAndValue::new(logical::time_schema(), Value::Time(45_296_789)),
        ),
        (
            "2024-02-29T12:34:56.789Z",
            SchemaAndValue::new(
                logical::timestamp_schema(),
                Value::Timestamp(1_709_210_096_789),
            ),
        ),
        (
            "9223372036854775808",
            SchemaAndValue::new(
                logical::decimal_schema(0),
                Decimal::new(1i128 << 63, 0).into(),
            ),
        ),
        (
            "1e309",
            SchemaAndValue::new(logical::decimal_schema(-309), Decimal::new(1, -309).into()),
        ),
        (
            "1e2000000000",
            SchemaAndValue::new(
                logical::decimal_schema(-2_000_000_000),
                Decimal::new(1, -2_000_000_000).into(),
            ),
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(read(text), expected, "{text}");
    }
    assert_eq!(read("null"), SchemaAndValue::NULL);
}

#[test]
fn everything_else_is_a_string() {
    for text in [
        "",
        "  ",
        "NULL",
        "True",
        "a,b",
        "1 2",
        "\"quoted\"",
        "[a]",
        "{a:1}",
        "[\"a\",null]",
        "[1,2",
        "true}",
        "1_000",
        "[1 2]",
        "{1}",
        "{null:1}",
    ] {
        assert_eq!(read(text), plain(Type::String, text), "{text}");
    }
}

#[test]
fn arrays_and_maps_have_a_common_schema_or_none() {
    let array = |kind, values: Vec<Value>| {
        SchemaAndValue::new(
            SchemaBuilder::array(Schema::primitive(kind, false)).build(),
            values.into(),
        )
    };
    assert_eq!(
        read("[1, 2,300,]"),
        array(Type::Int16, vec![1i16.into(), 2i16.into(), 300i16.into()])
    );
    assert_eq!(
        read("[1,2.5]"),
        array(Type::Float32, vec![1f32.into(), 2.5f32.into()])
    );
    assert_eq!(
        read("[1,true]"),
        SchemaAndValue::new(
            Schema::builder(Type::Array).build(),
            vec![Value::Int8(1), true.into()].into()
        )
    );
    let map: MapValue = [("a".into(), 1i8.into()), ("b".into(), 2i8.into())]
        .into_iter()
        .collect();
    assert_eq!(
        read(r#"{"a":1 "b":2}"#),
        SchemaAndValue::new(
            SchemaBuilder::map(
                Schema::primitive(Type::String, false),
                Schema::primitive(Type::Int8, false)
            )
            .build(),
            map.into()
        )
    );
    assert_eq!(read("{}").schema, Some(Schema::builder(Type::Map).build()));
}

#[test]
fn values_become_readable_text() {
    let schema = SchemaBuilder::structure()
        .field("a", Schema::primitive(Type::Int32, false))
        .field("b\"", Schema::primitive(Type::String, true))
        .build();
    let data = Struct::from_values(schema, vec![1i32.into(), Value::Null]).unwrap();
    assert_eq!(written(data), r#"{"a":1,"b\"":null}"#);
    assert_eq!(
        written(vec!["x\\\"".into(), Bytes::from_static(b"\x01").into()]),
        r#"["x\\\"","AQ=="]"#
    );
    assert_eq!(written("x\""), "x\"");
    assert_eq!(written(1.0e7f64), "1.0E7");
    assert_eq!(written(Value::Date(1)), "1970-01-02");
    assert_eq!(written(Value::Date(0)), "00:00:00.000Z");
    assert_eq!(
        written(Value::Timestamp(1_709_210_096_789)),
        "2024-02-29T12:34:56.789Z"
    );
}

#[test]
fn deep_nesting_yields_the_bytes() {
    let text = "[".repeat(100_000);
    assert_eq!(read(text.clone()), plain(Type::Bytes, Bytes::from(text)));
}

proptest! {
    #[test]
    fn any_bytes_are_read(bytes: Vec<u8>) {
        read(bytes);
    }

    #[test]
    fn any_punctuation_is_read(text in "[\\[\\]{}:,\"\\\\0-9eE.+\\-TZ tnu]{0,40}") {
        read(text);
    }

    #[test]
    fn numbers_read_back(number: i64) {
        prop_assert_eq!(read(number.to_string()).value.as_i64(), Some(number));
    }

    #[test]
    fn lists_of_numbers_read_back(numbers in proptest::collection::vec(any::<i32>(), 1..10)) {
        let values: Vec<Value> = numbers.iter().map(|n| Value::Int32(*n)).collect();
        let back = read(written(values)).value;
        let back: Vec<_> = back.as_array().unwrap().iter().map(Value::as_i64).collect();
        let numbers: Vec<_> = numbers.into_iter().map(|n| Some(i64::from(n))).collect();
        prop_assert_eq!(back, numbers);
    }
}
