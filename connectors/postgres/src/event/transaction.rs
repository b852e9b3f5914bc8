//! Transaction metadata (specification, section 14).

use std::sync::{Arc, LazyLock};

use tether_api::Result;
use tether_api::data::{
    Schema, SchemaBuilder, SchemaRef, Struct, Text, Type, Value, java_hash_order,
};
use tether_api::record::ConnectRecord;

use crate::lsn::Lsn;
use crate::offset::{PostgresOffset, TransactionProgress};

const KEY: &str = "io.debezium.connector.common.TransactionMetadataKey";
const VALUE: &str = "io.debezium.connector.common.TransactionMetadataValue";
const BLOCK: &str = "event.block";
const COLLECTION: &str = "event.collection";

/// The schema of the field `transaction` of events.
pub(super) fn block_schema() -> SchemaRef {
    static BLOCK_SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let number = Schema::primitive(Type::Int64, false);
        SchemaBuilder::structure()
            .optional()
            .name(BLOCK)
            .version(1)
            .field("id", Schema::primitive(Type::String, false))
            .field("total_order", number.clone())
            .field("data_collection_order", number)
            .build()
    });
    BLOCK_SCHEMA.clone()
}

/// Makes the field `transaction` of events, and records of where transactions
/// begin and end.
///
/// Identifiers are `<number of the transaction>:<position of the event>`, so
/// those of the begin, the events and the end of a transaction differ; what is
/// before the colon joins them.
#[derive(Debug)]
pub(super) struct Transactions {
    topic: Arc<str>,
    key_schema: SchemaRef,
    value_schema: SchemaRef,
    collection_schema: SchemaRef,
}

impl Transactions {
    pub(super) fn new(topic: Arc<str>, adjust: &dyn Fn(&str) -> String) -> Self {
        let text = || Schema::primitive(Type::String, false);
        let number = |optional| Schema::primitive(Type::Int64, optional);
        let collection_schema = SchemaBuilder::structure()
            .optional()
            .name(COLLECTION)
            .version(1)
            .field("data_collection", text())
            .field("event_count", number(false))
            .build();
        let collections = SchemaBuilder::array(collection_schema.clone()).optional();
        Self {
            topic,
            key_schema: SchemaBuilder::structure()
                .name(adjust(KEY))
                .version(1)
                .field("id", text())
                .build(),
            value_schema: SchemaBuilder::structure()
                .name(adjust(VALUE))
                .version(1)
                .field("status", text())
                .field("id", text())
                .field("event_count", number(true))
                .field("data_collections", collections.build())
                .field("ts_ms", number(false))
                .build(),
            collection_schema,
        }
    }

    /// Counts an event of this collection and makes its field `transaction`.
    pub(super) fn event(&self, offset: &mut PostgresOffset, collection: &str) -> Result<Value> {
        let order = offset.transaction.event(collection);
        let values = vec![
            identifier(offset),
            Value::Int64(offset.transaction.total()),
            Value::Int64(order),
        ];
        Struct::from_values(block_schema(), values).map(Value::from)
    }

    /// The record of the begin of the transaction under way.
    pub(super) fn begin(&self, offset: &PostgresOffset, millis: i64) -> Result<ConnectRecord> {
        self.record("BEGIN", offset, Value::Null, Value::Null, millis)
    }

    /// The record of the end of the transaction under way.
    pub(super) fn end(&self, offset: &PostgresOffset, millis: i64) -> Result<ConnectRecord> {
        let total = Value::Int64(offset.transaction.total());
        let collections = self.collections(&offset.transaction)?;
        self.record("END", offset, total, collections, millis)
    }

    fn collections(&self, transaction: &TransactionProgress) -> Result<Value> {
        let counts = java_hash_order(transaction.counts().collect(), |(name, _)| *name);
        let collection = |(name, events): (&str, i64)| {
            let values = vec![name.into(), Value::Int64(events)];
            Struct::from_values(self.collection_schema.clone(), values).map(Value::from)
        };
        let collections: Result<Vec<Value>> = counts.into_iter().map(collection).collect();
        Ok(collections?.into())
    }

    fn record(
        &self,
        status: &'static str,
        offset: &PostgresOffset,
        total: Value,
        collections: Value,
        millis: i64,
    ) -> Result<ConnectRecord> {
        let id = identifier(offset);
        let key = Struct::from_values(self.key_schema.clone(), vec![id.clone()])?;
        let status = Value::String(Text::from_static(status));
        let values = vec![status, id, total, collections, Value::Int64(millis)];
        let value = Struct::from_values(self.value_schema.clone(), values)?;
        Ok(ConnectRecord::new(self.topic.clone())
            .key(Some(self.key_schema.clone()), key)
            .value(Some(self.value_schema.clone()), value))
    }
}

fn identifier(offset: &PostgresOffset) -> Value {
    let id = offset.transaction.id().map_or("null", |id| id);
    let lsn = offset.lsn.unwrap_or_default();
    format!("{id}:{}", Lsn::as_long(lsn)).into()
}
