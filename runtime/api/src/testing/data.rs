//! Schemas with values that fit them, for property tests.
//!
//! Floating point numbers have few digits, so that every Java version writes
//! them alike.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::data::{
    Bytes, Decimal, MapValue, Schema, SchemaBuilder, SchemaRef, Struct, Type, Value, logical,
};

/// What generated schemas have beyond their types.
#[derive(Debug, Clone, Copy)]
pub struct Features {
    /// Names, versions, documentation and parameters.
    pub metadata: bool,
    /// Default values.
    pub defaults: bool,
    /// Maps whose keys are not strings.
    pub any_keys: bool,
    /// The most entries of maps.
    pub entries: usize,
}

impl Features {
    /// Types only.
    pub const PLAIN: Self = Self {
        metadata: false,
        defaults: false,
        any_keys: false,
        entries: 3,
    };
    /// Everything.
    pub const ALL: Self = Self {
        metadata: true,
        defaults: true,
        any_keys: true,
        entries: 3,
    };
}

/// A schema, nested to some depth, and a value of it.
pub fn data(features: Features) -> BoxedStrategy<(SchemaRef, Value)> {
    schema(features)
        .prop_flat_map(move |schema| {
            let value = value(&schema, features);
            (Just(schema), value)
        })
        .boxed()
}

/// A schema, nested to some depth.
pub fn schema(features: Features) -> BoxedStrategy<SchemaRef> {
    let leaf = finish(leaf(), features);
    leaf.prop_recursive(3, 16, 4, move |inner| {
        let array = inner.clone().prop_map(SchemaBuilder::array);
        let keys = if features.any_keys {
            inner.clone()
        } else {
            Just(Schema::primitive(Type::String, false)).boxed()
        };
        let map = (keys, inner.clone()).prop_map(|(keys, values)| SchemaBuilder::map(keys, values));
        finish(
            prop_oneof![array, map, structure(inner, features)].boxed(),
            features,
        )
    })
    .boxed()
}

/// A struct schema.
pub fn struct_schema(features: Features) -> BoxedStrategy<SchemaRef> {
    finish(structure(schema(features), features), features)
}

fn leaf() -> BoxedStrategy<SchemaBuilder> {
    let kinds = select(vec![
        Type::Int8,
        Type::Int16,
        Type::Int32,
        Type::Int64,
        Type::Float32,
        Type::Float64,
        Type::Boolean,
        Type::String,
        Type::Bytes,
    ]);
    prop_oneof![
        6 => kinds.prop_map(Schema::builder),
        1 => (0..12i32).prop_map(logical::decimal_builder),
        1 => Just(()).prop_map(|()| logical::date_builder()),
        1 => Just(()).prop_map(|()| logical::time_builder()),
        1 => Just(()).prop_map(|()| logical::timestamp_builder()),
    ]
    .boxed()
}

fn structure(
    fields: impl Strategy<Value = SchemaRef> + 'static,
    features: Features,
) -> BoxedStrategy<SchemaBuilder> {
    // Names differ, as formats with named types do not tell two structs of one
    // name apart.
    let name = any::<u64>().prop_map(|number| format!("space{}.N{number:x}", number % 3));
    (vec(fields, 0..5), name)
        .prop_map(move |(fields, name)| {
            let mut builder = SchemaBuilder::structure();
            if features.metadata {
                builder = builder.name(name);
            }
            for (index, field) in fields.into_iter().enumerate() {
                builder = builder.field(format!("f{index}"), field);
            }
            builder
        })
        .boxed()
}

/// Adds what the features allow.
fn finish(builder: BoxedStrategy<SchemaBuilder>, features: Features) -> BoxedStrategy<SchemaRef> {
    let text = || proptest::option::weighted(0.2, "[a-z\"\\\\é😀]{1,4}");
    let metadata = (text(), text(), proptest::option::weighted(0.2, 1..9i32));
    (
        builder,
        any::<bool>(),
        metadata,
        proptest::bool::weighted(0.2),
    )
        .prop_flat_map(
            move |(builder, optional, (doc, parameter, version), default)| {
                let mut builder = builder.with_optional(optional);
                if features.metadata {
                    if let Some(doc) = doc {
                        builder = builder.doc(doc);
                    }
                    if let Some(parameter) = parameter {
                        builder = builder.parameter("p", parameter);
                    }
                    let schema = builder.build();
                    builder = schema.to_builder();
                    if schema.name().is_none() || schema.version().is_none() {
                        builder = builder.with_version(version);
                    }
                }
                let schema = builder.build();
                if default && features.defaults && can_be_default(&schema) {
                    present(&schema, features)
                        .prop_map(move |value| schema.to_builder().default_value(value).build())
                        .boxed()
                } else {
                    Just(schema).boxed()
                }
            },
        )
        .boxed()
}

/// Whether Java can have a default of this schema: the schema of a struct that
/// is a default lacks that default, so it never is the one that it is the
/// default of; and byte arrays within a list or map equal only themselves.
fn can_be_default(schema: &SchemaRef) -> bool {
    fn holds_no_objects(schema: Option<&SchemaRef>) -> bool {
        schema.is_none_or(|schema| {
            !matches!(schema.kind(), Type::Bytes | Type::Struct)
                && holds_no_objects(schema.key_schema())
                && holds_no_objects(schema.value_schema())
        })
    }
    schema.kind() != Type::Struct
        && holds_no_objects(schema.key_schema())
        && holds_no_objects(schema.value_schema())
}

/// A value of a schema.
pub fn value(schema: &SchemaRef, features: Features) -> BoxedStrategy<Value> {
    let present = present(schema, features);
    if schema.is_optional() {
        prop_oneof![1 => Just(Value::Null), 4 => present].boxed()
    } else {
        present
    }
}

/// A value of a schema that is not null.
fn present(schema: &SchemaRef, features: Features) -> BoxedStrategy<Value> {
    use logical::Logical;
    match Logical::of(schema) {
        Some(Logical::Decimal) => {
            let scale = logical::decimal_scale(schema).unwrap_or(0);
            return any::<i128>()
                .prop_map(move |unscaled| Decimal::new(unscaled, scale).into())
                .boxed();
        }
        Some(Logical::Date) => return any::<i32>().prop_map(Value::Date).boxed(),
        Some(Logical::Time) => return (0..86_400_000).prop_map(Value::Time).boxed(),
        Some(Logical::Timestamp) => return any::<i64>().prop_map(Value::Timestamp).boxed(),
        None => {}
    }
    let part = |schema: Option<&SchemaRef>| {
        schema.map_or(Just(Value::Null).boxed(), |schema| value(schema, features))
    };
    match schema.kind() {
        Type::Int8 => any::<i8>().prop_map(Value::from).boxed(),
        Type::Int16 => any::<i16>().prop_map(Value::from).boxed(),
        Type::Int32 => any::<i32>().prop_map(Value::from).boxed(),
        Type::Int64 => any::<i64>().prop_map(Value::from).boxed(),
        Type::Float32 => eighths().prop_map(|number| (number as f32).into()).boxed(),
        Type::Float64 => eighths().prop_map(Value::from).boxed(),
        Type::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        Type::String => any::<String>().prop_map(Value::from).boxed(),
        Type::Bytes => vec(any::<u8>(), 0..20)
            .prop_map(|bytes| Bytes::from(bytes).into())
            .boxed(),
        Type::Array => vec(part(schema.value_schema()), 0..4)
            .prop_map(Value::from)
            .boxed(),
        Type::Map => {
            let keys = schema.key_schema();
            let keys = keys.map_or(Just(Value::Null).boxed(), |keys| present(keys, features));
            vec((keys, part(schema.value_schema())), 0..=features.entries)
                .prop_map(|entries| entries.into_iter().collect::<MapValue>().into())
                .boxed()
        }
        Type::Struct => {
            let schema = schema.clone();
            let fields: Vec<_> = schema
                .fields()
                .iter()
                .map(|f| value(&f.schema, features))
                .collect();
            fields
                .prop_map(move |values| {
                    Struct::from_values(schema.clone(), values).map_or(Value::Null, Value::from)
                })
                .boxed()
        }
    }
}

fn eighths() -> impl Strategy<Value = f64> {
    any::<i16>().prop_map(|number| f64::from(number) / 8.0)
}
