use proptest::prelude::*;
use tether_api::data::{
    Decimal, MapValue, Schema, SchemaBuilder, SchemaRef, Struct, Text, Type, Value, logical,
};
use tether_api::testing::data::{Features, data};

use super::*;

fn converter(config: &[(&str, &str)]) -> JsonFormat {
    let config = config
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    JsonFormat::new(&config, ConverterKind::Value).unwrap()
}

const PLAIN: &[(&str, &str)] = &[("schemas.enable", "false")];

fn write(
    converter: &JsonFormat,
    schema: Option<&SchemaRef>,
    value: impl Into<Value>,
) -> Result<String> {
    let mut out = Vec::new();
    converter.encode(schema, &value.into(), &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

fn read(converter: &JsonFormat, text: &str) -> Result<SchemaAndValue> {
    converter.decode(Some(&Bytes::copy_from_slice(text.as_bytes())))
}

fn read_error(converter: &JsonFormat, text: &str) -> String {
    let error = read(converter, text).err().unwrap();
    error.message().to_owned()
}

fn typed(schema: &str, payload: &str) -> String {
    format!(r#"{{"schema":{schema},"payload":{payload}}}"#)
}

/// The value of a payload under a schema of this type.
fn lenient(schema: &str, payload: &str) -> Value {
    read(&converter(&[]), &typed(schema, payload))
        .unwrap()
        .value
}

#[test]
fn the_envelope_has_the_schema_first() {
    let schema = SchemaBuilder::structure()
        .name("n")
        .version(2)
        .doc("d")
        .parameter("p", "q")
        .field("a", Schema::primitive(Type::Int32, false))
        .field(
            "b",
            SchemaBuilder::map(
                Schema::primitive(Type::String, false),
                SchemaBuilder::array(Schema::primitive(Type::Float64, true)).build(),
            )
            .optional()
            .build(),
        )
        .field(
            "c",
            Schema::builder(Type::Boolean)
                .default_value(true.into())
                .build(),
        )
        .build();
    let map: MapValue = [("k".into(), vec![1.0e7.into(), Value::Null].into())]
        .into_iter()
        .collect();
    let value = Struct::from_values(schema.clone(), vec![1i32.into(), map.into(), Value::Null]);
    assert_eq!(
        write(&converter(&[]), Some(&schema), value.unwrap()).unwrap(),
        concat!(
            r#"{"schema":{"type":"struct","fields":["#,
            r#"{"type":"int32","optional":false,"field":"a"},"#,
            r#"{"type":"map","keys":{"type":"string","optional":false},"#,
            r#""values":{"type":"array","items":{"type":"double","optional":true},"#,
            r#""optional":false},"optional":true,"field":"b"},"#,
            r#"{"type":"boolean","optional":false,"default":true,"field":"c"}],"#,
            r#""optional":false,"name":"n","version":2,"doc":"d","parameters":{"p":"q"}},"#,
            r#""payload":{"a":1,"b":{"k":[1.0E7,null]},"c":true}}"#
        )
    );
}

#[test]
fn values_are_written_as_in_java() {
    let plain = converter(PLAIN);
    let numeric = converter(&[("schemas.enable", "false"), ("decimal.format", "numeric")]);
    let decimal = |unscaled: i64, scale| Value::from(Decimal::new(unscaled, scale));
    let scale2 = logical::decimal_schema(2);
    assert_eq!(
        write(&plain, Some(&scale2), decimal(1230, 2)).unwrap(),
        "\"BM4=\""
    );
    assert_eq!(
        write(&plain, Some(&scale2), decimal(-100, 2)).unwrap(),
        "\"nA==\""
    );
    assert_eq!(
        write(&numeric, Some(&scale2), decimal(1230, 2)).unwrap(),
        "12.30"
    );
    let negative = logical::decimal_schema(-3);
    assert_eq!(
        write(&numeric, Some(&negative), decimal(5, -3)).unwrap(),
        "5E+3"
    );
    assert_eq!(
        write(&plain, Some(&scale2), decimal(1, 1))
            .err()
            .unwrap()
            .message(),
        "Decimal value has mismatching scale for given Decimal schema. Schema has scale 2, value \
         has scale 1."
    );
    for (value, text) in [
        (Value::from(1.0e-5), "1.0E-5"),
        (f64::NAN.into(), "\"NaN\""),
        (f32::NEG_INFINITY.into(), "\"-Infinity\""),
        (Bytes::from_static(b"\x01\x02").into(), "\"AQI=\""),
        ("\u{1f600}".into(), "\"\\uD83D\\uDE00\""),
    ] {
        assert_eq!(write(&plain, None, value).unwrap(), text);
    }
    let pairs: MapValue = [(1i32.into(), "a".into())].into_iter().collect();
    assert_eq!(write(&plain, None, pairs).unwrap(), r#"[[1,"a"]]"#);
    assert_eq!(
        write(&converter(&[]), None, 1i8).unwrap(),
        r#"{"schema":null,"payload":1}"#
    );
    assert_eq!(
        write(&plain, None, Value::Date(1)).err().unwrap().message(),
        "Java class class java.util.Date does not have corresponding schema type."
    );
}

#[test]
fn null_is_written_by_schema() {
    let optional = Schema::primitive(Type::Int32, true);
    let required = Schema::primitive(Type::Int32, false);
    let default = Schema::builder(Type::Int32)
        .optional()
        .default_value(7i32.into())
        .build();
    let plain = converter(PLAIN);
    let mut out = Vec::new();
    let encoded = plain.encode(None, &Value::Null, &mut out).unwrap();
    assert_eq!((encoded, out.len()), (Encoded::Null, 0));
    assert_eq!(write(&plain, Some(&optional), Value::Null).unwrap(), "null");
    assert_eq!(
        write(&converter(&[]), Some(&optional), Value::Null).unwrap(),
        typed(r#"{"type":"int32","optional":true}"#, "null")
    );
    assert_eq!(write(&plain, Some(&default), Value::Null).unwrap(), "7");
    let keep = converter(&[
        ("schemas.enable", "false"),
        ("replace.null.with.default", "false"),
    ]);
    assert_eq!(write(&keep, Some(&default), Value::Null).unwrap(), "null");
    assert_eq!(
        write(&plain, Some(&required), Value::Null)
            .err()
            .unwrap()
            .message(),
        "Conversion error: null value for field that is required and has no default value"
    );
    assert_eq!(
        write(&plain, Some(&required), "x").err().unwrap().message(),
        "Invalid type for INT32: class java.lang.String"
    );
}

#[test]
fn schemaless_values_have_four_types() {
    let plain = converter(PLAIN);
    let value = |text: &str| read(&plain, text).unwrap().value;
    assert_eq!(value("1"), Value::Int64(1));
    assert_eq!(value("18446744073709551617"), Value::Int64(1));
    assert_eq!(value("1.0"), Value::Float64(1.0));
    assert_eq!(value("\"\\u0041\""), "A".into());
    assert_eq!(value(" null "), Value::Null);
    assert_eq!(value(""), Value::Null);
    assert_eq!(value(" \n"), Value::Null);
    assert_eq!(value("\u{feff}true x"), true.into());
    let map: MapValue = [("a".into(), vec![Value::Int64(7)].into())]
        .into_iter()
        .collect();
    assert_eq!(value(r#"{"a":1,"a":[007]}"#), map.into());
    assert_eq!(plain.decode(None).unwrap(), SchemaAndValue::NULL);
    for text in ["1,", "1]", "1}", "1x"] {
        assert!(read(&plain, text).is_err(), "{text}");
    }
}

#[test]
fn only_envelopes_are_read_with_schemas() {
    let converter = converter(&[]);
    let expected = not_an_envelope();
    for text in [
        "",
        "null",
        "1",
        "{}",
        r#"{"schema":null}"#,
        r#"{"payload":1}"#,
        r#"{"schema":null,"payload":1,"more":2}"#,
    ] {
        assert_eq!(read_error(&converter, text), expected.message(), "{text}");
    }
    for text in [
        "{",
        "{\"schema\":",
        r#"{"schema":{"type":"int32"},"payload":1,"#,
        "\u{1}",
    ] {
        assert_eq!(
            read_error(&converter, text),
            "Converting byte[] to Kafka Connect data failed due to serialization error: ",
            "{text}"
        );
    }
    let error = converter
        .decode(Some(&Bytes::from_static(b"\"\xff\"")))
        .err()
        .unwrap();
    assert!(
        error.to_string().ends_with("Invalid UTF-8 at byte 1"),
        "{error}"
    );
}

#[test]
fn typed_reading_is_lenient() {
    assert_eq!(lenient(r#"{"type":"int32"}"#, "\"abc\""), Value::Int32(0));
    assert_eq!(lenient(r#"{"type":"int8"}"#, "300"), Value::Int8(44));
    assert_eq!(lenient(r#"{"type":"int32"}"#, "1.9e1"), Value::Int32(19));
    assert_eq!(lenient(r#"{"type":"string"}"#, "5"), Value::Null);
    assert_eq!(lenient(r#"{"type":"bytes"}"#, "5"), Value::Null);
    assert_eq!(lenient(r#"{"type":"boolean"}"#, "1"), Value::Boolean(false));
    assert_eq!(
        lenient(r#"{"type":"double"}"#, "\"NaN\""),
        Value::Float64(0.0)
    );
    assert_eq!(
        lenient(r#"{"type":"int32","default":5}"#, "null"),
        Value::Int32(5)
    );
    let strings = r#"{"type":"array","items":{"type":"string"}}"#;
    assert_eq!(lenient(strings, "5"), Vec::new().into());
    assert_eq!(lenient(strings, r#"{"a":"x"}"#), vec!["x".into()].into());
    let decimal = concat!(
        r#"{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","#,
        r#""parameters":{"scale":"2"}}"#
    );
    assert_eq!(lenient(decimal, "\"BM4=\""), Decimal::new(1230, 2).into());
    assert_eq!(lenient(decimal, "1.5"), Decimal::new(15, 1).into());
    let structure = concat!(
        r#"{"type":"struct","fields":[{"type":"int32","field":"a"},"#,
        r#"{"type":"string","optional":true,"field":"b"},"#,
        r#"{"type":"int64","default":9,"field":"c"}]}"#
    );
    for payload in [
        r#"{"b":"x","unknown":[1,{}],"a":1}"#,
        r#"{"a":1,"b":"x"}"#,
        r#"{"a":0,"b":"x","c":null,"a":1}"#,
    ] {
        let value = lenient(structure, payload);
        let value = value.as_struct().unwrap();
        assert_eq!(
            value.values(),
            [1i32.into(), "x".into(), 9i64.into()],
            "{payload}"
        );
    }
}

#[test]
fn misfits_are_named() {
    let converter = converter(&[]);
    let error = |schema: &str, payload: &str| read_error(&converter, &typed(schema, payload));
    let structure =
        |field: &str| format!(r#"{{"type":"struct","fields":[{{{field},"field":"a"}}]}}"#);
    assert_eq!(
        error(&structure(r#""type":"int32""#), "{}"),
        "Invalid null value for required INT32 field"
    );
    assert_eq!(
        error(&structure(r#""type":"string""#), r#"{"a":5}"#),
        "Invalid value: null used for required field: \"a\", schema type: STRING"
    );
    assert_eq!(
        error(&structure(r#""type":"int32""#), "5"),
        "Structs should be encoded as JSON objects, but found NUMBER"
    );
    let pairs = r#"{"type":"map","keys":{"type":"int32"},"values":{"type":"int32"}}"#;
    assert_eq!(
        error(pairs, "{}"),
        "Maps with non-string fields should be encoded as JSON array of tuples, but found OBJECT"
    );
    assert_eq!(
        error(pairs, "[[1,2,3]]"),
        "Found invalid map entry, expected length 2 but found :3"
    );
    assert_eq!(error(r#"{"type":"foo"}"#, "1"), "Unknown schema type: foo");
    assert_eq!(error("{}", "1"), "Schema must contain 'type' field");
    assert_eq!(
        error(r#"{"type":"struct"}"#, "1"),
        "Struct schema's \"fields\" argument is not an array."
    );
    let date = r#"{"type":"int32","name":"org.apache.kafka.connect.data.Date"}"#;
    assert_eq!(
        error(date, "1.0"),
        "Invalid type for Date, underlying representation should be integer but was NUMBER"
    );
    let decimal = r#"{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal"}"#;
    assert_eq!(error(decimal, "\"!\""), "Invalid bytes for Decimal field");
    // A syntax error further on comes first, as in the reference.
    assert!(error(&structure(r#""type":"int32""#), "{}}}{").starts_with("Invalid null"));
    assert!(error(&structure(r#""type":"int32""#), "{},").starts_with("Converting byte[]"));
}

#[test]
fn a_message_is_compared_with_earlier_ones() {
    let converter = converter(&[]);
    let message = |payload: &str| typed(r#"{"type":"int32"}"#, payload);
    let value = |text: &str| read(&converter, text).map(|data| data.value).ok();
    assert_eq!(value(&message("1")), Some(Value::Int32(1)));
    assert_eq!(value(&message(" 2 ")), Some(Value::Int32(2)));
    assert_eq!(value(&message("3,\"payload\":4")), Some(Value::Int32(4)));
    assert_eq!(value(&message("3,\"more\":4")), None);
    assert_eq!(value(&message("")), None);
    let turned = r#"{ "payload" : 5 , "schema" : {"type":"int32"} }"#;
    assert_eq!(value(turned), Some(Value::Int32(5)));
}

#[test]
fn the_schema_may_be_fixed() {
    let converter = converter(&[("schema.content", r#"{"type":"int16","optional":true}"#)]);
    let data = read(&converter, "12").unwrap();
    assert_eq!(data.value, Value::Int16(12));
    assert_eq!(data.schema, Some(Schema::primitive(Type::Int16, true)));
    let wrong = [("schema.content".to_owned(), "{".to_owned())].into();
    assert!(JsonFormat::new(&wrong, ConverterKind::Value).is_err());
}

#[test]
fn structs_that_contain_themselves_are_refused() {
    let schema = SchemaBuilder::structure()
        .name("list")
        .field("next", Schema::reference(Some("list".into()), true))
        .build();
    let value = Struct::new(schema.clone()).unwrap();
    let error = write(&converter(PLAIN), Some(&schema), value).unwrap_err();
    assert!(error.message().contains("list contains itself"), "{error}");
}

/// Whether a part is shared says nothing about how it is written.
#[test]
fn parts_that_values_share_are_written_in_each() {
    let part_schema = SchemaBuilder::structure()
        .field("n", Schema::primitive(Type::Int32, false))
        .build();
    let schema = SchemaBuilder::structure()
        .field("a", part_schema.clone())
        .field("b", part_schema.clone())
        .build();
    let part = |n: i32| -> Value {
        let part = Struct::from_values(part_schema.clone(), vec![n.into()]);
        part.unwrap().into()
    };
    let converter = converter(PLAIN);
    let written = |a: &Value, b: &Value| {
        let both = Struct::from_values(schema.clone(), vec![a.clone(), b.clone()]);
        write(&converter, Some(&schema), both.unwrap()).unwrap()
    };
    let (one, two) = (part(1), part(2));
    for (a, b, expected) in [
        (&one, &one, r#"{"a":{"n":1},"b":{"n":1}}"#),
        (&one, &two, r#"{"a":{"n":1},"b":{"n":2}}"#),
        (&two, &one, r#"{"a":{"n":2},"b":{"n":1}}"#),
        (&one, &part(3), r#"{"a":{"n":1},"b":{"n":3}}"#),
    ] {
        assert_eq!(written(a, b), expected);
    }
    // One of another schema is refused, however well it is known.
    let other = SchemaBuilder::structure()
        .field("m", Schema::primitive(Type::Int32, false))
        .build();
    let other: Value = Struct::from_values(other, vec![1.into()]).unwrap().into();
    let holder = SchemaBuilder::structure()
        .field("a", part_schema.clone())
        .build();
    for _ in 0..2 {
        let wrong = Struct::from_values(holder.clone(), vec![other.clone()]).unwrap();
        let error = write(&converter, Some(&holder), wrong).unwrap_err();
        assert_eq!(error.message(), "Mismatching schema.");
    }
}

/// A schema of values with a part of many fields, the first of which is a text.
fn with_part() -> (SchemaRef, SchemaRef) {
    let number = |optional| Schema::primitive(Type::Int64, optional);
    let with_default = SchemaBuilder::new(Type::String)
        .optional()
        .default_value("none".into())
        .build();
    let inner = SchemaBuilder::structure()
        .optional()
        .field("n", number(false))
        .build();
    let part = SchemaBuilder::structure()
        .field("version", Schema::primitive(Type::String, true))
        .field("a", number(true))
        .field("b", Schema::primitive(Type::String, true))
        .field("with_default", with_default)
        .field("zero", Schema::primitive(Type::Float64, true))
        .field("inner", inner)
        .field("c", number(true))
        .build();
    let whole = SchemaBuilder::structure()
        .field("before", number(true))
        .field("part", part.clone())
        .build();
    (whole, part)
}

fn part_of(version: &Text, schema: &SchemaRef, numbers: [u8; 7]) -> Value {
    let number = |number: u8| match number {
        0 => Value::Null,
        number => Value::Int64(number.into()),
    };
    let text = |number: u8| match number {
        0 => Value::Null,
        number => Value::from(format!("text\"{number}")),
    };
    let inner_schema = &schema.fields()[5].schema;
    let inner = Struct::from_values(inner_schema.clone(), vec![1i64.into()]);
    let values = vec![
        match numbers[0] {
            0 => Value::Null,
            _ => Value::String(version.clone()),
        },
        number(numbers[1]),
        text(numbers[2]),
        text(numbers[3]),
        match numbers[4] {
            0 => Value::Null,
            1 => Value::Float64(0.0),
            _ => Value::Float64(-0.0),
        },
        match numbers[5] {
            0 => Value::Null,
            _ => inner.unwrap().into(),
        },
        number(numbers[6]),
    ];
    Struct::from_values(schema.clone(), values).unwrap().into()
}

#[test]
fn deep_values_are_read_and_written() {
    let plain = converter(PLAIN);
    let depth = scan::MAX_DEPTH;
    let text = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let value = read(&plain, &text).unwrap().value;
    assert_eq!(write(&plain, None, value).unwrap(), text);
    assert!(read(&plain, &format!("[{text}]")).is_err());
}

proptest! {
    /// What values have in common says nothing about how they are written.
    #[test]
    fn values_are_written_whatever_came_before(
        all in proptest::collection::vec((0u8..2, [0u8..3, 0..3, 0..3, 0..3, 0..3, 0..3, 0..3]), 1..60),
    ) {
        let (schema, part_schema) = with_part();
        let known = converter(PLAIN);
        let version = Text::from_static("1.0");
        for (before, numbers) in all {
            let part = part_of(&version, &part_schema, numbers);
            let values = vec![Value::Int64(before.into()), part.clone()];
            let value = Struct::from_values(schema.clone(), values).unwrap();
            let alone = write(&converter(PLAIN), Some(&schema), value.clone()).unwrap();
            // A part that others have as well takes another way.
            let kept = if before == 0 { part } else { Value::Null };
            prop_assert_eq!(write(&known, Some(&schema), value).unwrap(), alone);
            drop(kept);
        }
    }

    #[test]
    fn data_round_trips((schema, value) in data(Features::ALL)) {
        // Else null would become the default.
        let converter = converter(&[("replace.null.with.default", "false")]);
        let text = write(&converter, Some(&schema), value.clone()).unwrap();
        let expected = SchemaAndValue::new(schema, value);
        prop_assert_eq!(&read(&converter, &text).unwrap(), &expected);
        // Again, by the text before the payload.
        prop_assert_eq!(&read(&converter, &text).unwrap(), &expected);
        let spaced: serde_json::Value = serde_json::from_str(&text).unwrap();
        let spaced = serde_json::to_string_pretty(&spaced).unwrap();
        prop_assert_eq!(&read(&converter, &spaced).unwrap(), &expected);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        let bytes = Bytes::from(bytes);
        let _ = converter(&[]).decode(Some(&bytes));
        let _ = converter(PLAIN).decode(Some(&bytes));
    }

    #[test]
    fn any_schema_text_is_read_or_refused(
        schema in r#"\{"type":"(int8|array|map|struct|bytes|string)"(,"(items|keys|values|fields|default|name|parameters|optional)":(1|"a"|\[\]|\{\}|null|true|\{"type":"int8"\}|\[\{"type":"int8","field":"a"\}\])){0,4}\}"#,
        payload in r#"(1|"a"|\[\]|\{\}|null|true|\{"a":1\}|\[\[1,2\]\])"#,
    ) {
        let _ = read(&converter(&[]), &typed(&schema, &payload));
    }
}
