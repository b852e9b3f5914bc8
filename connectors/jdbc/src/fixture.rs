//! Configurations and records for tests.

use tether_api::config::ConfigMap;
use tether_api::data::{Schema, SchemaBuilder, SchemaRef, Struct, Type, Value};
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
