//! Messages of `pg_logical_emit_message` (specification, section 4.5).

use std::sync::Arc;

use tether_api::Result;
use tether_api::data::{Schema, SchemaBuilder, SchemaRef, Struct, Text, Type, Value};
use tether_api::record::ConnectRecord;

use super::{Operation, ProcessingTime, transaction};

const KEY: &str = "io.debezium.connector.postgresql.MessageKey";
const VALUE: &str = "io.debezium.connector.postgresql.MessageValue";
const MESSAGE: &str = "io.debezium.connector.postgresql.Message";

/// Makes records of logical messages.
#[derive(Debug)]
pub(super) struct LogicalMessages {
    topic: Arc<str>,
    key_schema: SchemaRef,
    message_schema: SchemaRef,
    value_schema: SchemaRef,
}

impl LogicalMessages {
    /// `content` is the optional schema that `binary.handling.mode` asks for.
    pub(super) fn new(
        topic: Arc<str>,
        source: &SchemaRef,
        content: &SchemaRef,
        adjust: &dyn Fn(&str) -> String,
    ) -> Self {
        let prefix = || Schema::primitive(Type::String, true);
        let message_schema = SchemaBuilder::structure()
            .name(adjust(MESSAGE))
            .version(1)
            .field("prefix", prefix())
            .field("content", content.clone())
            .build();
        Self {
            topic,
            key_schema: SchemaBuilder::structure()
                .name(adjust(KEY))
                .version(1)
                .field("prefix", prefix())
                .build(),
            value_schema: SchemaBuilder::structure()
                .name(adjust(VALUE))
                .version(1)
                .field("op", Schema::primitive(Type::String, false))
                .field("ts_ms", Schema::primitive(Type::Int64, true))
                .field("source", source.clone())
                .field("transaction", transaction::block_schema())
                .field("message", message_schema.clone())
                .build(),
            message_schema,
        }
    }

    pub(super) fn record(
        &self,
        prefix: Text,
        content: Value,
        source: Value,
        transaction: Value,
        now: ProcessingTime,
    ) -> Result<ConnectRecord> {
        let prefix = Value::String(prefix);
        let key = Struct::from_values(self.key_schema.clone(), vec![prefix.clone()])?;
        let message = Struct::from_values(self.message_schema.clone(), vec![prefix, content])?;
        let values = vec![
            Value::String(Operation::Message.text()),
            Value::Int64(now.millis()),
            source,
            transaction,
            message.into(),
        ];
        let value = Struct::from_values(self.value_schema.clone(), values)?;
        Ok(ConnectRecord::new(self.topic.clone())
            .key(Some(self.key_schema.clone()), key)
            .value(Some(self.value_schema.clone()), value))
    }
}
