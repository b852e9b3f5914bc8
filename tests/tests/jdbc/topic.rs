//! Records of a topic.

use std::sync::Arc;

use tether_api::data::{Schema, SchemaBuilder, SchemaRef, Struct, Type, Value};
use tether_api::offset::TopicPartition;
use tether_api::record::{ConnectRecord, SinkRecord, TimestampType};

pub(super) fn required(kind: Type) -> SchemaRef {
    Schema::primitive(kind, false)
}

pub(super) fn optional(kind: Type) -> SchemaRef {
    Schema::primitive(kind, true)
}

pub(super) fn structure(fields: &[(&str, SchemaRef)]) -> SchemaRef {
    let fields = fields.iter();
    fields
        .fold(SchemaBuilder::structure(), |builder, (name, schema)| {
            builder.field(*name, schema.clone())
        })
        .build()
}

/// Makes records of one topic, with offsets that count up.
pub(super) struct Topic {
    name: Arc<str>,
    key: SchemaRef,
    next: i64,
}

impl Topic {
    /// A topic whose keys are primitives of this type.
    pub(super) fn new(name: &str, key: Type) -> Self {
        Self {
            name: name.into(),
            key: required(key),
            next: 0,
        }
    }

    /// A record with a struct as its value.
    pub(super) fn record<const N: usize>(
        &mut self,
        key: impl Into<Value>,
        schema: &SchemaRef,
        values: [Value; N],
    ) -> SinkRecord {
        let value =
            Struct::from_values(schema.clone(), values.into()).map_or(Value::Null, Value::from);
        let key_schema = self.key.clone();
        self.raw(Some(key_schema), key.into(), Some(schema.clone()), value)
    }

    /// A record that deletes its key.
    pub(super) fn tombstone(&mut self, key: impl Into<Value>) -> SinkRecord {
        let key_schema = self.key.clone();
        self.raw(Some(key_schema), key.into(), None, Value::Null)
    }

    pub(super) fn raw(
        &mut self,
        key_schema: Option<SchemaRef>,
        key: Value,
        value_schema: Option<SchemaRef>,
        value: Value,
    ) -> SinkRecord {
        self.next += 1;
        SinkRecord::new(
            ConnectRecord::new(self.name.clone())
                .key(key_schema, key)
                .value(value_schema, value),
            TimestampType::NoTimestampType,
            TopicPartition::new(self.name.clone(), 0),
            self.next - 1,
        )
    }
}
