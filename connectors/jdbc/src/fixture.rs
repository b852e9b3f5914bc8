//! Configurations and records for tests.

use proptest::prelude::*;
use tether_api::config::ConfigMap;
use tether_api::data::{Decimal, MapValue, Schema, SchemaBuilder, SchemaRef, Struct, Type, Value};
use tether_api::offset::TopicPartition;
use tether_api::record::{ConnectRecord, SinkRecord, TimestampType};

use crate::config::{SinkConfig, confluent};

pub(crate) fn raw_config(entries: &[(&str, &str)]) -> ConfigMap {
    [("name", "sink"), ("connection.url", "jdbc:sqlite::memory:")]
        .iter()
        .chain(entries)
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

pub(crate) fn config(entries: &[(&str, &str)]) -> SinkConfig {
    confluent::FLAVOUR.parse(&raw_config(entries)).unwrap()
}

pub(crate) fn int() -> SchemaRef {
    Schema::primitive(Type::Int32, false)
}

pub(crate) fn text() -> SchemaRef {
    Schema::primitive(Type::String, true)
}

pub(crate) fn structure(fields: &[(&str, SchemaRef)]) -> SchemaRef {
    fields
        .iter()
        .fold(SchemaBuilder::structure(), |builder, (name, schema)| {
            builder.field(*name, schema.clone())
        })
        .build()
}

pub(crate) fn struct_of(schema: &SchemaRef, values: Vec<Value>) -> Value {
    Struct::from_values(schema.clone(), values).unwrap().into()
}

pub(crate) fn record(
    offset: i64,
    key: (Option<&SchemaRef>, Value),
    value: (Option<&SchemaRef>, Value),
) -> SinkRecord {
    SinkRecord::new(
        ConnectRecord::new("topic")
            .key(key.0.cloned(), key.1)
            .value(value.0.cloned(), value.1),
        TimestampType::NoTimestampType,
        TopicPartition::new("topic", 0),
        offset,
    )
}

/// Values of all types but structs.
pub(crate) fn any_value() -> impl Strategy<Value = Value> {
    let plain = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f32>().prop_map(Value::Float32),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(|text| Value::from(&*text)),
        any::<Vec<u8>>().prop_map(|bytes| Value::Bytes(bytes.into())),
        (any::<i64>(), -9..9i32)
            .prop_map(|(digits, scale)| Value::from(Decimal::from_i64(digits, scale))),
        any::<i32>().prop_map(Value::Date),
        (0..86_400_000i32).prop_map(Value::Time),
        any::<i64>().prop_map(Value::Timestamp),
    ];
    plain.prop_recursive(4, 40, 6, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..6);
        let entries = prop::collection::btree_map(any::<String>(), inner, 0..6);
        prop_oneof![
            list.prop_map(|values| Value::Array(values.into())),
            entries.prop_map(|entries| {
                let entries = entries.into_iter();
                let map: MapValue = entries
                    .map(|(key, value)| ((&*key).into(), value))
                    .collect();
                Value::Map(map.into())
            }),
        ]
    })
}
