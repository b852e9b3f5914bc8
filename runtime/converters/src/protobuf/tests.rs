//! The converter without its reference. What is expected of settings that the
//! reference's published classes lack follows the sources of later ones.

use proptest::collection::vec;
use proptest::prelude::*;
use tether_api::data::{Bytes, Schema, SchemaBuilder, SchemaRef, Struct, Type, Value};
use tether_api::testing::data::{Features, struct_schema, value};

use super::config::Options;
use super::from_connect::from_connect;
use super::fuzz::{self, OPTIONS};
use super::wire::{Input, WireError};

const DEFAULT: Options = Options {
    scrub: false,
    optional_for_nullables: false,
    ..OPTIONS
};

fn read(text: &str, options: Options, data: &[u8]) -> Result<(SchemaRef, Value), WireError> {
    let (schema, plan) = fuzz::read(text, options).unwrap();
    let bytes = Bytes::copy_from_slice(data);
    let value = plan.read(&Input::new(&bytes, 0))?;
    Ok((schema, value))
}

fn field(value: &Value, index: usize) -> Value {
    match value {
        Value::Struct(value) => value.values()[index].clone(),
        other => panic!("{other:?} is no struct"),
    }
}

const TEXT: &str = r#"
    syntax = "proto3";
    message M {
      oneof choice { string s = 1; int32 i = 2; N n = 3; }
      Color color = 4;
      N other = 5;
      optional int32 maybe = 6;
      message N { int32 a = 1; repeated int32 list = 2; map<string, int32> map = 3; }
      enum Color { RED = 0; GREEN = 2; }
    }
"#;

#[test]
fn enumerations_are_numbers_where_settings_say_so() {
    let options = Options {
        int_for_enums: true,
        ..DEFAULT
    };
    let (schema, value) = read(TEXT, options, b"\x20\x02").unwrap();
    assert_eq!(field(&value, 1), Value::Int32(2));
    let color = &schema.field("color").unwrap().schema;
    assert_eq!(color.kind(), Type::Int32);
    let parameter = color
        .parameters()
        .get("io.confluent.connect.protobuf.Enum.GREEN");
    assert_eq!(parameter.map(|number| &**number), Some("2"));
    // And back.
    let made = from_connect(&schema, options).unwrap();
    let mut out = Vec::new();
    made.plan.write(&value, &mut out).unwrap();
    assert_eq!(out, b"\x20\x02");
    let (_, unknown) = read(TEXT, DEFAULT, b"\x20\x07").unwrap();
    assert_eq!(field(&unknown, 1), "UNKNOWN_ENUM_VALUE_Color_7".into());
}

#[test]
fn unions_are_named_and_flattened_as_settings_say() {
    let plain = Options {
        index_for_unions: false,
        ..DEFAULT
    };
    let names = |options| {
        let (schema, _) = read(TEXT, options, b"").unwrap();
        let fields = schema.fields().iter();
        fields
            .map(|field| field.name.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(DEFAULT)[0], "choice_0");
    assert_eq!(names(plain)[0], "choice");
    let flat = Options {
        flatten_unions: true,
        ..DEFAULT
    };
    assert_eq!(names(flat), ["s", "i", "n", "color", "other", "maybe"]);
    let (_, value) = read(TEXT, flat, b"\x0a\x01x\x10\x05").unwrap();
    let values: Vec<_> = (0..3).map(|index| field(&value, index)).collect();
    assert_eq!(values, [Value::Null, 5i32.into(), Value::Null]);
    let general = Options {
        generalized: true,
        ..DEFAULT
    };
    let (schema, _) = read(TEXT, general, b"").unwrap();
    let union = &schema.fields()[0].schema;
    assert_eq!(union.name(), Some("choice"));
    assert!(
        union
            .parameters()
            .get("org.apache.kafka.connect.data.Union")
            .is_some()
    );
    let made = from_connect(&schema, general).unwrap();
    assert!(made.text.contains("oneof choice {"), "{}", made.text);
}

#[test]
fn what_is_not_set_is_a_struct_where_settings_say_so() {
    let options = Options {
        struct_for_nulls: true,
        ..DEFAULT
    };
    let (_, value) = read(TEXT, options, b"").unwrap();
    assert_eq!(field(&value, 0), Value::Null);
    assert_eq!(field(&field(&value, 2), 0), Value::Int32(0));
    assert_eq!(field(&value, 3), Value::Int32(0));
    let (_, value) = read(TEXT, DEFAULT, b"").unwrap();
    assert_eq!(field(&value, 2), Value::Null);
    assert_eq!(field(&value, 3), Value::Null);
    let endless = "syntax = \"proto3\"; message M { M m = 1; }";
    assert!(matches!(
        read(endless, options, b""),
        Err(WireError::Depth(_))
    ));
}

#[test]
fn pieces_of_a_message_are_put_together() {
    // The member of the union, something else, the member again.
    let (_, value) = read(
        TEXT,
        DEFAULT,
        b"\x1a\x02\x08\x01\x2a\x02\x10\x01\x1a\x02\x10\x07",
    )
    .unwrap();
    let member = field(&field(&value, 0), 2);
    assert_eq!(field(&member, 0), Value::Int32(1));
    assert_eq!(field(&member, 1), vec![7i32.into()].into());
    // Another member in between ends the first one.
    let (_, value) = read(TEXT, DEFAULT, b"\x1a\x02\x08\x01\x10\x09\x1a\x02\x10\x07").unwrap();
    assert_eq!(field(&field(&field(&value, 0), 2), 0), Value::Int32(0));
}

#[test]
fn schemas_that_contain_themselves_are_read_and_written() {
    let text =
        "syntax = \"proto3\"; message Node { int32 x = 1; Node next = 2; repeated Node all = 3; }";
    let data = b"\x08\x01\x12\x04\x08\x02\x12\x00\x1a\x02\x08\x03";
    let (schema, value) = read(text, DEFAULT, data).unwrap();
    assert_eq!(field(&field(&value, 1), 0), Value::Int32(2));
    let made = from_connect(&schema, DEFAULT).unwrap();
    let mut out = Vec::new();
    made.plan.write(&value, &mut out).unwrap();
    assert_eq!(out, data);
    let deep = b"\x12\xff\xff\xff\xff\x0f".repeat(3);
    assert!(read(text, DEFAULT, &deep).is_err());
}

#[test]
fn short_texts_do_not_describe_more_than_memory_holds() {
    let mut text = "syntax = \"proto3\"; message M0 { int32 x = 1; }".to_owned();
    for n in 1..90 {
        let inner = n - 1;
        text.push_str(&format!(
            "message M{n} {{ M{inner} a = 1; M{inner} b = 2; }}"
        ));
    }
    text = text.replacen("message M0", "message First { M89 m = 1; } message M0", 1);
    assert!(fuzz::read(&text, DEFAULT).is_ok());
    let deep = "message A { ".repeat(99);
    assert!(fuzz::read(&deep, DEFAULT).is_err());
}

fn structs() -> impl Strategy<Value = (SchemaRef, Value)> {
    let features = Features {
        any_keys: false,
        ..Features::PLAIN
    };
    struct_schema(features).prop_flat_map(move |schema| {
        let value = value(&schema, features);
        (Just(schema), value)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read_and_written_again((schema, value) in structs()) {
        let Ok(made) = from_connect(&schema, OPTIONS) else {
            return Ok(());
        };
        let mut out = Vec::new();
        if made.plan.write(&value, &mut out).is_err() {
            return Ok(());
        }
        let (read_schema, read_value) = match read(&made.text, OPTIONS, &out) {
            // A map's value that is null is written, and is no date.
            Err(WireError::Value { .. }) => return Ok(()),
            read => read.unwrap(),
        };
        let again = from_connect(&read_schema, OPTIONS).unwrap();
        let mut bytes = Vec::new();
        again.plan.write(&read_value, &mut bytes).unwrap();
        let (_, second) = read(&again.text, OPTIONS, &bytes).unwrap();
        prop_assert_eq!(format!("{second:?}"), format!("{read_value:?}"));
    }

    #[test]
    fn any_schema_is_read_or_refused(text in "\\PC*") {
        fuzz::fuzz_schema(&text);
    }

    #[test]
    fn any_data_is_read_or_refused(data in vec(any::<u8>(), 0..200)) {
        fuzz::fuzz_data(TEXT, &data);
    }
}

#[test]
fn two_structs_of_one_name_are_refused() {
    let structure = |field: &str| {
        SchemaBuilder::structure()
            .name("Same")
            .field(field, Schema::primitive(Type::Int32, false))
            .build()
    };
    let schema = SchemaBuilder::structure()
        .name("M")
        .field("a", structure("x"))
        .field("b", structure("y"))
        .build();
    let error = from_connect(&schema, DEFAULT).err().unwrap();
    assert!(error.message().contains("two structs with the name Same"));
    let fits = SchemaBuilder::structure()
        .name("M")
        .field("a", structure("x"))
        .build();
    let made = from_connect(&fits, DEFAULT).unwrap();
    let other = Struct::from_values(structure("y"), vec![1i32.into()]).unwrap();
    let value = Struct::from_values(fits, vec![other.into()]).unwrap();
    let error = made.plan.write(&value.into(), &mut Vec::new()).unwrap_err();
    assert_eq!(error.message(), "Mismatching struct schema");
}
