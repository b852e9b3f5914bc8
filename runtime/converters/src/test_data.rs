//! Schemas with values that fit them, for property tests.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::Union;
use tether_api::data::{
    Bytes, Decimal, MapValue, Schema, SchemaBuilder, SchemaRef, Struct, Type, Value, logical,
};

/// A schema and a value of it.
pub(crate) type Data = (SchemaRef, Value);

/// Any schema, nested to some depth, and a value of it.
pub(crate) fn data() -> BoxedStrategy<Data> {
    schema()
        .prop_flat_map(|schema| {
            let value = value(&schema);
            (Just(schema), value)
        })
        .boxed()
}

fn schema() -> BoxedStrategy<SchemaRef> {
    let kinds = prop::sample::select(vec![
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
    let leaf = prop_oneof![
        6 => kinds.prop_map(Schema::builder),
        1 => (0..12i32).prop_map(logical::decimal_builder),
        1 => Just(()).prop_map(|()| logical::date_builder()),
        1 => Just(()).prop_map(|()| logical::time_builder()),
        1 => Just(()).prop_map(|()| logical::timestamp_builder()),
    ];
    let leaf = (leaf, any::<bool>())
        .prop_map(|(builder, optional)| builder.with_optional(optional).build());
    leaf.prop_recursive(3, 16, 4, |inner| {
        let array = inner.clone().prop_map(SchemaBuilder::array);
        let map = (inner.clone(), inner.clone())
            .prop_map(|(keys, values)| SchemaBuilder::map(keys, values));
        let structure = vec(inner, 0..5).prop_map(|fields| {
            let mut builder = SchemaBuilder::structure();
            for (index, field) in fields.into_iter().enumerate() {
                builder = builder.field(format!("f{index}"), field);
            }
            builder
        });
        (
            Union::new([array.boxed(), map.boxed(), structure.boxed()]),
            any::<bool>(),
        )
            .prop_map(|(builder, optional)| builder.with_optional(optional).build())
    })
    .boxed()
}

fn value(schema: &SchemaRef) -> BoxedStrategy<Value> {
    let present = present(schema);
    if schema.is_optional() {
        prop_oneof![1 => Just(Value::Null), 4 => present].boxed()
    } else {
        present
    }
}

fn present(schema: &SchemaRef) -> BoxedStrategy<Value> {
    match logical::Logical::of(schema) {
        Some(logical::Logical::Decimal) => {
            let scale = logical::decimal_scale(schema).unwrap_or(0);
            return any::<i128>()
                .prop_map(move |unscaled| Decimal::new(unscaled, scale).into())
                .boxed();
        }
        Some(logical::Logical::Date) => return any::<i32>().prop_map(Value::Date).boxed(),
        Some(logical::Logical::Time) => return (0..86_400_000).prop_map(Value::Time).boxed(),
        Some(logical::Logical::Timestamp) => {
            return any::<i64>().prop_map(Value::Timestamp).boxed();
        }
        None => {}
    }
    let part = |schema: Option<&SchemaRef>| schema.map_or(Just(Value::Null).boxed(), value);
    match schema.kind() {
        Type::Int8 => any::<i8>().prop_map(Value::from).boxed(),
        Type::Int16 => any::<i16>().prop_map(Value::from).boxed(),
        Type::Int32 => any::<i32>().prop_map(Value::from).boxed(),
        Type::Int64 => any::<i64>().prop_map(Value::from).boxed(),
        Type::Float32 => proptest::num::f32::NORMAL.prop_map(Value::from).boxed(),
        Type::Float64 => proptest::num::f64::NORMAL.prop_map(Value::from).boxed(),
        Type::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        Type::String => any::<String>().prop_map(Value::from).boxed(),
        Type::Bytes => vec(any::<u8>(), 0..20)
            .prop_map(|bytes| Bytes::from(bytes).into())
            .boxed(),
        Type::Array => vec(part(schema.value_schema()), 0..4)
            .prop_map(Value::from)
            .boxed(),
        Type::Map => {
            // A null name would read back as the text "null".
            let keys = schema
                .key_schema()
                .map_or(Just(Value::Null).boxed(), present);
            vec((keys, part(schema.value_schema())), 0..4)
                .prop_map(|entries| entries.into_iter().collect::<MapValue>().into())
                .boxed()
        }
        Type::Struct => {
            let schema = schema.clone();
            let fields: Vec<_> = schema.fields().iter().map(|f| value(&f.schema)).collect();
            fields
                .prop_map(move |values| {
                    Struct::from_values(schema.clone(), values).map_or(Value::Null, Value::from)
                })
                .boxed()
        }
    }
}
