//! Names that Avro may not have, and how they are made valid.

use tether_api::data::{Schema, SchemaBuilder, Struct, Type, Value};
use tether_reference_tests::Config;

use super::Side;

const NAMES: &[&str] = &[
    "a_1",
    "1a",
    "a-b",
    "a-b.c d.E",
    "a.",
    ".a",
    "aé",
    "日本😀",
    "a/b%",
    "int",
    "record",
    "a.int",
    "io.confluent.connect.avro.ConnectDefault",
];

#[test]
fn names_are_taken_or_refused_alike() -> anyhow::Result<()> {
    let mut side = Side::new()?;
    let configs: [Config<'_>; 2] = [&[], &[("scrub.invalid.names", "true")]];
    for name in NAMES {
        let inner = SchemaBuilder::structure()
            .name(*name)
            .field("x", Schema::primitive(Type::Int32, false))
            .build();
        let as_struct = Struct::from_values(inner.clone(), vec![1i32.into()])?;
        let outer = SchemaBuilder::structure()
            .name("around.Outer")
            .field("i", inner)
            .build();
        let as_struct = Struct::from_values(outer.clone(), vec![as_struct.into()])?;
        let field = SchemaBuilder::structure()
            .name("a.F")
            .field(*name, Schema::primitive(Type::Int32, false))
            .build();
        let as_field = Struct::from_values(field.clone(), vec![2i32.into()])?;
        let fixed = Schema::builder(Type::Bytes)
            .name(*name)
            .parameter("connect.fixed.size", "1")
            .build();
        let bytes = Value::Bytes(tether_api::data::Bytes::from_static(b"x"));
        let cases = [
            (outer, Value::from(as_struct)),
            (field, as_field.into()),
            (fixed, bytes),
        ];
        for (schema, value) in cases {
            for config in configs {
                let bytes = side.compare_written(config, Some(&schema), &value)?;
                side.compare_read(config, bytes.as_deref())?;
            }
        }
    }
    side.finish()
}
