//! The cases that are put to the reference.

mod reading;

use tether_api::data::{
    Decimal, MapValue, Schema, SchemaBuilder, SchemaRef, Struct, Type, Value, logical,
};
use tether_api::testing::data::{Features, data};

use super::Case;
use crate::cases::generate;

/// Maps have one entry at most: the reference does not keep their order.
const FEATURES: Features = Features {
    entries: 1,
    ..Features::ALL
};

/// Settings that change what is written.
const WRITING: [&[(&str, &str)]; 7] = [
    &[],
    &[("object.additional.properties", "false")],
    &[("decimal.format", "numeric")],
    &[("generalized.sum.type.support", "true")],
    &[("ignore.default.for.nullables", "true")],
    &[("json.indent.output", "true")],
    &[("use.optional.for.nonrequired", "true")],
];

pub(super) fn all() -> Vec<Case> {
    let mut cases = generated();
    cases.extend(written());
    cases.extend(reading::read());
    cases.extend(reading::validated());
    cases
}

fn owned(config: &[(&str, &str)]) -> Vec<(String, String)> {
    let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    config.iter().map(pair).collect()
}

fn write(config: &[(&str, &str)], schema: &SchemaRef, value: impl Into<Value>) -> Case {
    Case::Write {
        config: owned(config),
        schema: Some(schema.clone()),
        value: value.into(),
    }
}

fn read_as(config: &[(&str, &str)], schema: &str, data: &str) -> Case {
    Case::Read {
        config: owned(config),
        schema: schema.to_owned(),
        references: Vec::new(),
        data: data.to_owned(),
    }
}

fn primitive(kind: Type) -> SchemaRef {
    Schema::primitive(kind, false)
}

fn optional(kind: Type) -> SchemaRef {
    Schema::primitive(kind, true)
}

fn structure(schema: &SchemaRef, values: Vec<Value>) -> Value {
    Struct::from_values(schema.clone(), values).unwrap().into()
}

fn generated() -> Vec<Case> {
    let mut cases = Vec::new();
    for (index, config) in WRITING.into_iter().enumerate() {
        let count = if index == 0 { 100 } else { 20 };
        for (schema, value) in generate(&data(FEATURES), count) {
            cases.push(write(config, &schema, value.clone()));
            if index == 0 {
                let whole = SchemaBuilder::structure()
                    .name("whole")
                    .field("x", schema)
                    .build();
                let value = structure(&whole, vec![value]);
                cases.push(write(config, &whole, value));
            }
        }
    }
    cases
}

/// Schemas with something about them, and values of theirs.
fn special() -> Vec<(SchemaRef, Vec<Value>)> {
    let symbols = Schema::builder(Type::String)
        .name("Color")
        .parameter("io.confluent.connect.json.Enum", "")
        .parameter("io.confluent.connect.json.Enum.red", "red")
        .parameter("io.confluent.connect.json.Enum.green", "green")
        .parameter("io.confluent.connect.json.Enum.<NULL>", "<NULL>")
        .build();
    let shared_symbols = Schema::builder(Type::String)
        .parameter("org.apache.kafka.connect.data.Enum", "Color")
        .parameter("org.apache.kafka.connect.data.Enum.red", "0")
        .parameter("org.apache.kafka.connect.data.Enum.green", "1")
        .optional()
        .build();
    let branch = SchemaBuilder::structure()
        .name("branch")
        .field("a", optional(Type::Int32))
        .field("b", optional(Type::String))
        .optional()
        .build();
    let union = |name: &str, field: &str| {
        let mut union = SchemaBuilder::structure()
            .name(name)
            .field(format!("{field}0"), optional(Type::Int64))
            .field(format!("{field}1"), optional(Type::String))
            .field(format!("{field}2"), branch.clone());
        if field.starts_with("connect_union") {
            union = union.parameter("org.apache.kafka.connect.data.Union", name);
        }
        union
    };
    let one_of = "io.confluent.connect.json.OneOf";
    let plain_union = union(one_of, "io.confluent.connect.json.OneOf.field.");
    let shared_union = union("connect_union_0", "connect_union_field_").optional();
    let unions = [plain_union.build(), shared_union.build()];
    let mut special = vec![
        (symbols, vec!["red".into(), "blue".into()]),
        (shared_symbols, vec!["green".into(), Value::Null]),
    ];
    for union in unions {
        let branch = structure(&branch, vec![7i32.into(), Value::Null]);
        let one = |index: usize, value: &Value| {
            let mut values = vec![Value::Null; 3];
            values[index] = value.clone();
            structure(&union, values)
        };
        let values = vec![
            one(0, &5i64.into()),
            one(1, &"x".into()),
            one(2, &branch),
            one(0, &Value::Null),
        ];
        let holder = SchemaBuilder::structure()
            .field("u", union.clone())
            .field("n", primitive(Type::Int8))
            .build();
        let held = values
            .iter()
            .map(|value| structure(&holder, vec![value.clone(), 1i8.into()]))
            .collect();
        special.push((holder, held));
        special.push((union, values));
    }
    special
}

fn written() -> Vec<Case> {
    let mut cases = Vec::new();
    let kinds = [
        Type::Int8,
        Type::Int16,
        Type::Int32,
        Type::Int64,
        Type::Float32,
        Type::Float64,
        Type::Boolean,
        Type::String,
        Type::Bytes,
    ];
    // Nulls, with and without default.
    for kind in kinds {
        cases.push(write(&[], &primitive(kind), Value::Null));
        cases.push(write(&[], &optional(kind), Value::Null));
        // What does not fit.
        cases.push(write(&[], &primitive(kind), Value::from(vec![Value::Null])));
    }
    let with_default = Schema::builder(Type::String).default_value("d".into());
    let with_default = with_default.optional().build();
    let fields = SchemaBuilder::structure()
        .name("fields")
        .version(3)
        .doc("some fields")
        .parameter("p", "q")
        .parameter("io.confluent.connect.json.other", "gone")
        .field("required", primitive(Type::Int32))
        .field("optional", optional(Type::Int32))
        .field("default", with_default.clone())
        .field("list", SchemaBuilder::array(optional(Type::Int16)).build())
        .field(
            "map",
            SchemaBuilder::map(primitive(Type::String), optional(Type::Int32)).build(),
        )
        .build();
    let list = Value::from(vec![1i16.into(), Value::Null]);
    let map: MapValue = [("k".into(), Value::Null)].into_iter().collect();
    let full = vec![
        1i32.into(),
        2i32.into(),
        "x".into(),
        list.clone(),
        map.clone().into(),
    ];
    let empty = vec![Value::Null; 5];
    for config in WRITING {
        cases.push(write(config, &with_default, Value::Null));
        cases.push(write(config, &fields, structure(&fields, full.clone())));
        cases.push(write(config, &fields, structure(&fields, empty.clone())));
        for (schema, values) in special() {
            for value in values {
                cases.push(write(config, &schema, value));
            }
        }
        for (schema, value) in logicals() {
            cases.push(write(config, &schema, value));
        }
    }
    // Defaults that are rewritten on their way.
    for (kind, default) in [
        (Type::Float64, Value::from(1.0f64)),
        (Type::Float64, 1.0e10f64.into()),
        (Type::Float64, 1.5e-7f64.into()),
        (Type::Float64, (-0.0f64).into()),
        (Type::Float64, f64::NAN.into()),
        (Type::Float32, 2.5f32.into()),
        (Type::Int64, i64::MAX.into()),
        (Type::Bytes, Value::Bytes(vec![1, 2].into())),
        (Type::String, "</a> \u{1f600}\u{7f}\"".into()),
    ] {
        let schema = Schema::builder(kind).default_value(default).build();
        cases.push(write(&[], &schema, Value::Null));
    }
    // Names whose order in Java's maps is another one.
    let names = [
        "zeta",
        "alpha",
        "Aa",
        "BB",
        "a_long_name_with_many_parts",
        "id",
        "name",
        "ts",
        "x1",
        "x2",
        "x3",
        "x4",
        "x5",
        "ß",
        "😀",
    ];
    for count in [2, 7, 12, 13, 15] {
        let mut schema = SchemaBuilder::structure();
        let mut parameters = Schema::builder(Type::Int32);
        for name in &names[..count] {
            schema = schema.field(*name, optional(Type::Int32));
            parameters = parameters.parameter(*name, "v");
        }
        let schema = schema.build();
        cases.push(write(
            &[],
            &schema,
            structure(&schema, vec![Value::Null; count]),
        ));
        cases.push(write(&[], &parameters.build(), 1i32));
    }
    let wide = (0..60).fold(SchemaBuilder::structure(), |schema, index| {
        schema.field(format!("field_{index}"), primitive(Type::Boolean))
    });
    let wide = wide.build();
    cases.push(write(&[], &wide, structure(&wide, vec![true.into(); 60])));
    // Schemaless data is refused.
    for value in [Value::Null, 1i32.into(), "x".into(), map.into(), list] {
        cases.push(Case::Write {
            config: Vec::new(),
            schema: None,
            value,
        });
    }
    // A value of another schema.
    let other = SchemaBuilder::structure()
        .field("o", optional(Type::Int8))
        .build();
    cases.push(write(&[], &fields, structure(&other, vec![Value::Null])));
    // Strategies that need a title.
    let strategy = "io.confluent.kafka.serializers.subject.RecordNameStrategy";
    let strategy = [("value.subject.name.strategy", strategy)];
    cases.push(write(&strategy, &fields, structure(&fields, full)));
    cases.push(write(&strategy, &primitive(Type::Int32), 1i32));
    cases
}

fn logicals() -> Vec<(SchemaRef, Value)> {
    let decimal = Value::from(Decimal::new(12_300, 2));
    vec![
        (logical::decimal_schema(2), decimal.clone()),
        (logical::decimal_schema(3), decimal.clone()),
        (logical::date_schema(), Value::Date(-3)),
        (logical::time_schema(), Value::Time(86_399_999)),
        (logical::timestamp_schema(), Value::Timestamp(-1)),
        (primitive(Type::Bytes), decimal),
        (
            primitive(Type::Bytes),
            Value::Bytes(vec![0xFF, 0, 7].into()),
        ),
        (logical::date_schema(), Value::from(1i32)),
    ]
}
