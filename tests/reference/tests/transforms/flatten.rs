//! `Flatten`.

use proptest::prelude::*;
use tether_api::data::{Decimal, MapValue, Schema, SchemaBuilder, Struct, Type, Value};
use tether_api::testing::data::{Features, data, struct_schema, value};
use tether_reference_tests::Verdicts;

use super::compare;
use crate::cases::generate;

const KEY: &str = "org.apache.kafka.connect.transforms.Flatten$Key";
const VALUE: &str = "org.apache.kafka.connect.transforms.Flatten$Value";

#[test]
fn generated_structs_are_flattened_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    let structs = struct_schema(Features::ALL)
        .prop_flat_map(|schema| (Just(schema.clone()), value(&schema, Features::ALL)));
    for (index, (schema, value)) in generate(&structs, 100).iter().enumerate() {
        let class = [KEY, VALUE][index % 2];
        let config = [&[][..], &[("delimiter", "_")]][index / 2 % 2];
        compare(&mut verdicts, class, config, Some(schema), value)?;
    }
    verdicts.finish().map(drop)
}

#[test]
fn what_is_no_struct_is_refused_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    for (schema, value) in generate(&data(Features::ALL), 40) {
        compare(&mut verdicts, VALUE, &[], Some(&schema), &value)?;
        compare(&mut verdicts, VALUE, &[], None, &value)?;
    }
    verdicts.finish().map(drop)
}

#[test]
fn maps_are_flattened_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    let map = |entries: Vec<(&str, Value)>| -> Value {
        let entries = entries.into_iter().map(|(key, value)| (key.into(), value));
        entries.collect::<MapValue>().into()
    };
    let schema = SchemaBuilder::structure()
        .field("a", Schema::primitive(Type::Int8, false))
        .build();
    let structure = Struct::from_values(schema, vec![1i8.into()]).unwrap();
    let deep = map(vec![
        (
            "a",
            map(vec![(
                "b",
                map(vec![("c", 1i32.into()), ("d", Value::Null)]),
            )]),
        ),
        ("", map(vec![("x", 1i8.into())])),
        ("list", vec![map(vec![("y", 1i8.into())])].into()),
        ("empty", map(vec![])),
        ("a.b", 2i8.into()),
    ]);
    for value in [
        Value::Null,
        1i8.into(),
        "x".into(),
        vec![].into(),
        map(vec![]),
        deep,
        map(vec![("a", structure.into())]),
        map(vec![("a", Decimal::new(1, 1).into())]),
        map(vec![("a", map(vec![("b", Value::Date(1))]))]),
        map(vec![
            ("a", map(vec![("b", 1i8.into())])),
            ("a.b", 2i8.into()),
        ]),
    ] {
        for config in [&[][..], &[("delimiter", "_")], &[("delimiter", "")]] {
            compare(&mut verdicts, VALUE, config, None, &value)?;
        }
    }
    verdicts.finish().map(drop)
}

#[test]
fn names_and_defaults_are_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    let int = Schema::primitive(Type::Int32, false);
    let with_default = Schema::builder(Type::Int32)
        .default_value(5i32.into())
        .build();
    let inner = SchemaBuilder::structure()
        .optional()
        .field("x", int.clone())
        .field("y", with_default)
        .build();
    let twice = SchemaBuilder::structure()
        .field("in", inner.clone())
        .field("in.x", int.clone())
        .build();
    let once = SchemaBuilder::structure()
        .name("outer")
        .field("in", inner.clone())
        .field("z", Schema::primitive(Type::String, true))
        .build();
    let inside: Value = Struct::from_values(inner, vec![1i32.into(), Value::Null])
        .unwrap()
        .into();
    for (schema, values) in [
        (&twice, vec![inside.clone(), 1i32.into()]),
        (&once, vec![inside, Value::Null]),
        (&once, vec![Value::Null, "s".into()]),
    ] {
        let value: Value = Struct::from_values(schema.clone(), values).unwrap().into();
        compare(&mut verdicts, VALUE, &[], Some(schema), &value)?;
    }
    verdicts.finish().map(drop)
}
