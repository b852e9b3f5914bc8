//! Heartbeats: records that carry nothing but a position (specification,
//! section 13).

use std::sync::Arc;

use tether_api::Result;
use tether_api::data::{Schema, SchemaBuilder, SchemaRef, Struct, Type, Value};
use tether_api::record::ConnectRecord;

use super::ProcessingTime;

const KEY: &str = "io.debezium.connector.common.ServerNameKey";
const VALUE: &str = "io.debezium.connector.common.Heartbeat";

/// Makes heartbeats.
#[derive(Debug)]
pub(super) struct Heartbeats {
    topic: Arc<str>,
    key: Value,
    key_schema: SchemaRef,
    value_schema: SchemaRef,
}

impl Heartbeats {
    pub(super) fn new(
        topic: Arc<str>,
        name: &str,
        adjust: &dyn Fn(&str) -> String,
    ) -> Result<Self> {
        let key_schema = SchemaBuilder::structure()
            .name(adjust(KEY))
            .version(1)
            .field("serverName", Schema::primitive(Type::String, false))
            .build();
        let value_schema = SchemaBuilder::structure()
            .name(adjust(VALUE))
            .version(1)
            .field("ts_ms", Schema::primitive(Type::Int64, false))
            .build();
        let key = Struct::from_values(key_schema.clone(), vec![name.into()])?;
        Ok(Self {
            topic,
            key: key.into(),
            key_schema,
            value_schema,
        })
    }

    pub(super) fn record(&self, now: ProcessingTime) -> Result<ConnectRecord> {
        let value =
            Struct::from_values(self.value_schema.clone(), vec![Value::Int64(now.millis())])?;
        let mut record = ConnectRecord::new(self.topic.clone())
            .key(Some(self.key_schema.clone()), self.key.clone())
            .value(Some(self.value_schema.clone()), value);
        record.partition = Some(0);
        Ok(record)
    }
}
