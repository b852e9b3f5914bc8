//! Connect schemas with something special about them.

use tether_api::data::{
    Bytes, Decimal, MapValue, Schema, SchemaBuilder, SchemaRef, Struct, Type, Value, logical,
};

use super::Side;

fn primitive(kind: Type) -> SchemaRef {
    Schema::primitive(kind, false)
}

fn structure(name: Option<&str>, fields: Vec<(&str, SchemaRef, Value)>) -> (SchemaRef, Value) {
    let mut builder = SchemaBuilder::structure();
    if let Some(name) = name {
        builder = builder.name(name);
    }
    let mut values = Vec::new();
    for (name, schema, value) in fields {
        builder = builder.field(name, schema);
        values.push(value);
    }
    let schema = builder.build();
    let value = Struct::from_values(schema.clone(), values).unwrap();
    (schema, value.into())
}

fn one(schema: SchemaRef, value: Value) -> (SchemaRef, Value) {
    structure(Some("M"), vec![("x", schema, value)])
}

fn enumeration() -> SchemaBuilder {
    Schema::builder(Type::String)
        .name("Color")
        .parameter("io.confluent.connect.protobuf.Enum", "Color")
        .parameter("io.confluent.connect.protobuf.Enum.RED", "0")
        .parameter("io.confluent.connect.protobuf.Enum.GREEN", "1")
        .parameter("io.confluent.connect.protobuf.Enum.BLUE", "-3")
}

fn tagged(schema: &SchemaRef, tag: i32) -> SchemaRef {
    let tag = tag.to_string();
    schema
        .to_builder()
        .parameter("io.confluent.connect.protobuf.Tag", tag)
        .build()
}

fn typed(kind: Type, name: &str) -> SchemaRef {
    Schema::builder(kind)
        .parameter("io.confluent.connect.protobuf.Type", name)
        .build()
}

#[test]
fn enumerations_and_unions_are_written_alike() -> anyhow::Result<()> {
    let mut side = Side::new()?;
    let color = enumeration().optional().build();
    for symbol in ["RED", "GREEN", "BLUE", "PINK"] {
        let (schema, value) = one(color.clone(), symbol.into());
        side.compare_both_ways(&[], &schema, &value)?;
    }
    let colors = SchemaBuilder::array(color.clone()).build();
    let (schema, value) = one(colors, vec!["GREEN".into(), "RED".into()].into());
    side.compare_both_ways(&[], &schema, &value)?;
    let twice = structure(
        None,
        vec![
            ("a", color.clone(), "GREEN".into()),
            ("b", color, "BLUE".into()),
        ],
    );
    side.compare_both_ways(&[], &twice.0, &twice.1)?;

    let (inner, inner_value) = structure(
        Some("a.Inner"),
        vec![("i", primitive(Type::Int32), 7i32.into())],
    );
    let text = Schema::primitive(Type::String, true);
    let inner = inner.to_builder().optional().build();
    let inner_value: Value = match inner_value {
        Value::Struct(value) => Struct::from_values(tagged(&inner, 5), value.values().to_vec())
            .unwrap()
            .into(),
        other => other,
    };
    let union = SchemaBuilder::structure()
        .name("io.confluent.connect.protobuf.Union.choice")
        .field("s", tagged(&text, 3))
        .field("n", tagged(&Schema::primitive(Type::Int64, true), 2))
        .field("m", tagged(&inner, 5))
        .optional()
        .build();
    let members: [[Value; 3]; 5] = [
        ["".into(), Value::Null, Value::Null],
        [Value::Null, 0i64.into(), Value::Null],
        [Value::Null, Value::Null, inner_value.clone()],
        ["first".into(), 5i64.into(), inner_value],
        [Value::Null, Value::Null, Value::Null],
    ];
    for members in members {
        let union_value = Struct::from_values(union.clone(), members.to_vec()).unwrap();
        let (schema, value) = structure(
            Some("pack.age.Whole"),
            vec![
                ("before", tagged(&text, 4), "b".into()),
                ("choice_0", union.clone(), union_value.into()),
                ("after", primitive(Type::Boolean), true.into()),
            ],
        );
        side.compare_both_ways(&[], &schema, &value)?;
        let (schema, value) =
            structure(Some("Whole"), vec![("choice", union.clone(), Value::Null)]);
        side.compare_both_ways(&[], &schema, &value)?;
    }
    side.finish()
}

#[test]
fn numbers_and_types_are_written_alike() -> anyhow::Result<()> {
    let mut side = Side::new()?;
    let numbers = [
        0i64,
        1,
        -1,
        127,
        128,
        1 << 31,
        i64::MAX,
        i64::MIN,
        4_294_967_295,
    ];
    for name in [
        "int64", "uint64", "sint64", "fixed64", "sfixed64", "uint32", "fixed32",
    ] {
        for number in numbers {
            let schema = typed(Type::Int64, name);
            let optional = schema.to_builder().optional().build();
            let (schema, value) = structure(
                Some("M"),
                vec![
                    ("x", schema.clone(), number.into()),
                    (
                        "y",
                        SchemaBuilder::array(schema).build(),
                        vec![number.into(), 1i64.into()].into(),
                    ),
                    ("z", optional, number.into()),
                ],
            );
            side.compare_both_ways(&[], &schema, &value)?;
            side.compare_both_ways(&[("wrapper.for.nullables", "true")], &schema, &value)?;
        }
    }
    for name in [
        "int32", "uint32", "sint32", "fixed32", "sfixed32", "int64", "sint64",
    ] {
        for number in [0, 1, -1, i32::MAX, i32::MIN] {
            let (schema, value) = one(typed(Type::Int32, name), number.into());
            side.compare_both_ways(&[], &schema, &value)?;
        }
    }
    for name in ["sint32", "int32", "nothing", "string"] {
        let (schema, value) = one(typed(Type::Int64, name), 1i64.into());
        side.compare_both_ways(&[], &schema, &value)?;
    }
    for (kind, value) in [
        (Type::Int8, Value::from(-1i8)),
        (Type::Int16, 300i16.into()),
        (Type::Float32, (-0.0f32).into()),
        (
            Type::Float32,
            f32::NAN.to_bits().to_string().parse::<f32>()?.into(),
        ),
        (Type::Float64, (-0.0f64).into()),
        (Type::String, "\0".into()),
        (Type::String, "é\u{1F600}".into()),
        (Type::Bytes, Bytes::from_static(&[0, 0]).into()),
    ] {
        let (schema, value) = one(primitive(kind), value);
        side.compare_both_ways(&[], &schema, &value)?;
    }
    side.finish()
}

#[test]
fn logical_values_are_written_alike() -> anyhow::Result<()> {
    let mut side = Side::new()?;
    let decimal = logical::decimal_builder(2)
        .parameter("connect.decimal.precision", "12")
        .build();
    let mut cases: Vec<(SchemaRef, Value)> = vec![
        (decimal.clone(), Decimal::new(0, 2).into()),
        (decimal.clone(), Decimal::new(-123_456, 2).into()),
        (decimal, Decimal::new(5, 7).into()),
        (logical::decimal_schema(-3), Decimal::new(12, -3).into()),
        (logical::date_schema(), Value::Timestamp(1)),
        (logical::date_schema(), Value::Timestamp(86_400_000)),
        (logical::time_schema(), Value::Time(86_400_001)),
        (logical::time_schema(), Value::Time(-1)),
        (
            logical::timestamp_schema(),
            Value::Timestamp(253_402_300_800_000),
        ),
        (
            logical::timestamp_schema(),
            Value::Timestamp(-62_135_596_800_001),
        ),
    ];
    for days in [
        0, -1, -141_427, -141_428, -200_000, -719_164, 18_321, 2_932_896,
    ] {
        cases.push((logical::date_schema(), Value::Date(days)));
    }
    for millis in [0, 1, 999, 86_399_999, 86_400_000] {
        cases.push((logical::time_schema(), Value::Time(millis)));
    }
    for millis in [0, -1, -1000, -1001, 1_709_210_096_789, 253_402_300_799_999] {
        cases.push((logical::timestamp_schema(), Value::Timestamp(millis)));
    }
    for (schema, value) in cases {
        let (whole, whole_value) = one(schema.clone(), value.clone());
        side.compare_both_ways(&[], &whole, &whole_value)?;
        let list = SchemaBuilder::array(schema).build();
        let (whole, whole_value) = one(list, vec![value].into());
        side.compare_both_ways(&[], &whole, &whole_value)?;
    }
    side.finish()
}

#[test]
fn structs_and_names_are_written_alike() -> anyhow::Result<()> {
    let mut side = Side::new()?;
    let int = || primitive(Type::Int32);
    let named = |name| structure(name, vec![("i", int(), 3i32.into())]);
    let (unnamed, unnamed_value) = named(None);
    let (inner, inner_value) = named(Some("n.Inner"));
    let (lower, lower_value) = named(Some("x"));
    let list = |schema: &SchemaRef| SchemaBuilder::array(schema.clone()).build();
    let map = |keys: SchemaRef, values: SchemaRef| SchemaBuilder::map(keys, values);
    let pairs = |key: Value, value: Value| -> Value {
        let map: MapValue = [(key, value)].into_iter().collect();
        map.into()
    };
    let defaults = |kind, value: Value| Schema::builder(kind).default_value(value).build();
    let cases: Vec<(SchemaRef, Value)> = vec![
        unnamed_and_named(&unnamed, &unnamed_value, &inner, &inner_value),
        one(lower, lower_value),
        one(
            list(&inner),
            vec![inner_value.clone(), inner_value.clone()].into(),
        ),
        one(list(&inner), Value::Array(std::sync::Arc::default())),
        one(list(&list(&int())), vec![vec![1i32.into()].into()].into()),
        one(
            list(&Schema::primitive(Type::Int32, true)),
            vec![1i32.into(), Value::Null].into(),
        ),
        one(
            map(primitive(Type::String), int()).build(),
            pairs("k".into(), 0i32.into()),
        ),
        one(
            map(primitive(Type::String), int()).name("my_map").build(),
            pairs("".into(), 5i32.into()),
        ),
        one(
            map(int(), inner.clone()).name("a.MyMap").build(),
            pairs(1i32.into(), inner_value.clone()),
        ),
        one(
            map(
                primitive(Type::String),
                Schema::primitive(Type::String, true),
            )
            .build(),
            pairs("k".into(), Value::Null),
        ),
        one(
            map(primitive(Type::String), list(&int())).build(),
            pairs("k".into(), vec![1i32.into(), 2i32.into()].into()),
        ),
        one(
            map(primitive(Type::String), enumeration().build()).build(),
            pairs("k".into(), "GREEN".into()),
        ),
        one(
            map(
                primitive(Type::String),
                map(primitive(Type::String), int()).build(),
            )
            .build(),
            pairs("k".into(), pairs("l".into(), 2i32.into())),
        ),
        one(
            map(inner.clone(), logical::date_schema()).build(),
            pairs(inner_value.clone(), Value::Date(3)),
        ),
        one(
            list(&map(int(), int()).build()),
            vec![pairs(1i32.into(), 2i32.into())].into(),
        ),
        one(defaults(Type::Int32, 5i32.into()), Value::Null),
        one(defaults(Type::String, "d".into()), Value::Null),
        one(defaults(Type::Boolean, true.into()), false.into()),
        structure(Some("M"), vec![]),
        structure(
            None,
            vec![("a", list(&unnamed), vec![unnamed_value.clone()].into())],
        ),
        structure(
            Some("M"),
            vec![
                ("a", tagged(&int(), 7), 1i32.into()),
                ("b", int(), 2i32.into()),
            ],
        ),
        structure(
            Some("M"),
            vec![
                ("a", tagged(&int(), 1), 1i32.into()),
                ("b", int(), 2i32.into()),
            ],
        ),
        structure(Some("M"), vec![("a", tagged(&int(), 0), 1i32.into())]),
        structure(Some("M"), vec![("a-b", int(), 1i32.into())]),
        structure(Some("M"), vec![("1a", int(), 1i32.into())]),
        structure(Some("a-b.M$N"), vec![("_x", int(), 1i32.into())]),
        structure(Some("M"), vec![("é", int(), 1i32.into())]),
        structure(
            Some("M"),
            vec![("a b", int(), 1i32.into()), ("a.b", int(), 2i32.into())],
        ),
        structure(
            Some("M"),
            vec![("Inner", int(), 1i32.into()), ("x", inner, inner_value)],
        ),
    ];
    let configs: [&[(&str, &str)]; 4] = [
        &[],
        &[("scrub.invalid.names", "true")],
        &[("wrapper.for.nullables", "true")],
        &[
            ("optional.for.nullables", "true"),
            ("enhanced.protobuf.schema.support", "true"),
        ],
    ];
    for config in configs {
        for (schema, value) in &cases {
            side.compare_both_ways(config, schema, value)?;
        }
    }
    side.finish()
}

fn unnamed_and_named(
    unnamed: &SchemaRef,
    unnamed_value: &Value,
    inner: &SchemaRef,
    inner_value: &Value,
) -> (SchemaRef, Value) {
    structure(
        None,
        vec![
            ("a", unnamed.clone(), unnamed_value.clone()),
            ("b", inner.clone(), inner_value.clone()),
            ("c", unnamed.clone(), unnamed_value.clone()),
            ("d", inner.clone(), inner_value.clone()),
        ],
    )
}

#[test]
fn imported_files_are_registered_alike() -> anyhow::Result<()> {
    let mut side = Side::new()?;
    let (schema, value) = structure(
        Some("M"),
        vec![
            ("at", logical::timestamp_schema(), Value::Timestamp(1)),
            ("day", logical::date_schema(), Value::Date(1)),
            ("time", logical::time_schema(), Value::Time(1)),
            (
                "amount",
                logical::decimal_schema(1),
                Decimal::new(1, 1).into(),
            ),
            ("text", Schema::primitive(Type::String, true), "x".into()),
        ],
    );
    let configs: [&[(&str, &str)]; 2] = [
        &[
            ("skip.known.types", "false"),
            ("wrapper.for.nullables", "true"),
        ],
        &[
            ("skip.known.types", "false"),
            ("use.latest.version", "true"),
            ("auto.register.schemas", "false"),
            ("wrapper.for.nullables", "true"),
        ],
    ];
    for config in configs {
        let known = side.registry.len();
        side.compare_both_ways(config, &schema, &value)?;
        // Files that everybody has are the same text on both sides, too.
        let count = side.registry.len() - known;
        anyhow::ensure!(count <= 6, "{count} texts registered");
    }
    side.finish()
}

#[test]
fn the_schema_to_write_with_is_found_alike() -> anyhow::Result<()> {
    let mut side = Side::new()?;
    let text = "syntax = \"proto3\";\n\nmessage Other {\n  int32 i = 1;\n}\nmessage M {\n  int32 x = 1;\n}\n";
    let body = serde_json::json!({"schema": text, "schemaType": "PROTOBUF"});
    let id = side.registry.register_body("t-value", &body).to_string();
    let (schema, value) = one(primitive(Type::Int32), 5i32.into());
    let configs: [&[(&str, &str)]; 4] = [
        &[
            ("auto.register.schemas", "false"),
            ("use.latest.version", "true"),
        ],
        &[
            ("auto.register.schemas", "false"),
            ("use.latest.version", "true"),
            ("latest.compatibility.strict", "false"),
        ],
        &[("auto.register.schemas", "false"), ("use.schema.id", &id)],
        &[("normalize.schemas", "true")],
    ];
    for config in configs {
        side.compare_both_ways(config, &schema, &value)?;
    }
    side.finish()
}

#[test]
fn data_must_fit_the_schema_to_write_with_alike() -> anyhow::Result<()> {
    let schema = SchemaBuilder::structure()
        .name("M")
        .field("x", primitive(Type::Int32))
        .field("s", primitive(Type::String))
        .build();
    let fields = vec![5i32.into(), "s".into()];
    let value: Value = Struct::from_values(schema.clone(), fields)?.into();
    for body in [
        "message M { int64 x = 1; bytes s = 2; string more = 3; }",
        "message M { int32 x = 1; }",
        "message N { } message M { E x = 1; string s = 2; } enum E { A = 0; }",
        "message M { sint32 x = 1; string s = 2; }",
        "message M { string x = 1; string s = 2; }",
        "message M { M x = 1; string s = 2; }",
        "message M { repeated int32 x = 1; repeated string s = 2; }",
        "message M { oneof o { int32 x = 1; string s = 2; } }",
        "message N { int32 x = 1; string s = 2; }",
        "message N { message M { int32 x = 1; string s = 2; } }",
    ] {
        let mut side = Side::new()?;
        let text = format!("syntax = \"proto3\";\n{body}\n");
        let body = serde_json::json!({"schema": text, "schemaType": "PROTOBUF"});
        let id = side.registry.register_body("t-value", &body).to_string();
        for chosen in [("use.latest.version", "true"), ("use.schema.id", &*id)] {
            let config = [("auto.register.schemas", "false"), chosen];
            side.compare_written(&config, Some(&schema), &value)?;
        }
        side.finish()?;
    }
    Ok(())
}
