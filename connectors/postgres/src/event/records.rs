//! Events as records.

use std::sync::Arc;

use tether_api::Result;
use tether_api::data::{SchemaRef, Struct, Text, Value};
use tether_api::header::Headers;
use tether_api::offset::{OffsetMap, SourceOffset};
use tether_api::record::{ConnectRecord, SourceRecord};

use super::heartbeat::Heartbeats;
use super::logical_message::LogicalMessages;
use super::source::{SourceBlock, SourceTable};
use super::transaction::Transactions;
use super::{
    Change, ContextHeaders, Operation, Origin, ProcessingTime, SnapshotMarker, TableEvents,
};
use crate::metrics::Tally;
use crate::offset::{PostgresOffset, StreamOffset};

/// The collection that logical messages are counted as in transaction
/// metadata.
const LOGICAL_MESSAGES: &str = "LOGICAL_DECODING_MESSAGE";
const MICROS_PER_MILLI: i64 = 1_000;

/// About how many bytes a record takes besides the text and the values of its
/// row: envelope, source block, key, headers, offset.
pub const RECORD_BYTES: usize = 2048;

/// What records are made with.
pub struct RecordSettings<'a> {
    /// The version that events report.
    pub version: &'static str,
    /// `topic.prefix`.
    pub name: &'a str,
    /// The database.
    pub database: &'a str,
    /// The topic of heartbeats.
    pub heartbeat_topic: Arc<str>,
    /// The topic of transaction metadata.
    pub transaction_topic: Arc<str>,
    /// The topic of logical messages.
    pub message_topic: Arc<str>,
    /// The optional schema of the content of logical messages.
    pub message_content: SchemaRef,
    /// The headers of all data records.
    pub headers: ContextHeaders,
    /// Whether a tombstone follows each deletion.
    pub tombstones: bool,
    /// Operations of which no events are made.
    pub skipped: Vec<Operation>,
    /// Whether transactions are counted and told of.
    pub transaction_metadata: bool,
    /// Makes names fit `schema.name.adjustment.mode`.
    pub adjust: &'a dyn Fn(&str) -> String,
}

/// Where an event stands: what its source block and its offset are made from.
#[derive(Debug)]
pub struct EventPosition<'a> {
    /// The offset after the event. Transactions are counted in it.
    pub offset: &'a mut PostgresOffset,
    /// Where a replayed transaction comes from.
    pub origin: Option<&'a Origin>,
    /// The part in a snapshot.
    pub marker: SnapshotMarker,
}

/// Makes records of events.
#[derive(Debug)]
pub struct Records {
    partition: Arc<OffsetMap>,
    source: SourceBlock,
    headers: ContextHeaders,
    heartbeats: Heartbeats,
    messages: LogicalMessages,
    transactions: Option<Transactions>,
    skipped: Vec<Operation>,
    tombstones: bool,
    tally: Tally,
    /// The offset of the latest event of a snapshot, which the next one may have
    /// as well.
    stored: Arc<PostgresOffset>,
}

impl Records {
    /// Makes records with these settings.
    ///
    /// # Errors
    /// None that a configuration can cause.
    pub fn new(settings: RecordSettings<'_>) -> Result<Self> {
        let RecordSettings { name, adjust, .. } = settings;
        let source = SourceBlock::new(settings.version, name, settings.database);
        let messages = LogicalMessages::new(
            settings.message_topic,
            source.schema(),
            &settings.message_content,
            adjust,
        );
        let transactions = settings
            .transaction_metadata
            .then(|| Transactions::new(settings.transaction_topic, adjust));
        Ok(Self {
            partition: Arc::new(PostgresOffset::partition(name)),
            source,
            headers: settings.headers,
            heartbeats: Heartbeats::new(settings.heartbeat_topic, name, adjust)?,
            messages,
            transactions,
            skipped: settings.skipped,
            tombstones: settings.tombstones,
            tally: Tally::default(),
            stored: Arc::default(),
        })
    }

    /// The events that were made.
    pub fn tally(&mut self) -> &mut Tally {
        &mut self.tally
    }

    /// The schema of source blocks, which envelopes are made with.
    pub fn source_schema(&self) -> &SchemaRef {
        self.source.schema()
    }

    /// The source partition of all records.
    pub fn partition(&self) -> &Arc<OffsetMap> {
        &self.partition
    }

    /// Whether no events are made of this operation.
    pub fn skips(&self, operation: Operation) -> bool {
        self.skipped.contains(&operation)
    }

    /// Appends the records of a change.
    ///
    /// # Errors
    /// If a schema does not fit, which none made by this crate does.
    pub fn change(
        &mut self,
        table: &TableEvents,
        change: Change,
        position: &mut EventPosition<'_>,
        records: &mut Vec<SourceRecord>,
    ) -> Result<()> {
        let source = self.source.value(
            position.offset,
            position.origin,
            &table.source,
            position.marker,
        )?;
        let mut events = Events {
            records: self,
            table,
            position,
            source,
            out: records,
        };
        let (null, key_schema) = (Value::Null, table.key.as_ref());
        match change {
            Change::Read { key, row } => events.add(Operation::Read, key, null, row, None),
            Change::Create { key, row } => events.add(Operation::Create, key, null, row, None),
            Change::Update { key, before, after } => {
                events.add(Operation::Update, key, before, after, None)
            }
            Change::Delete { key, before } => {
                events.add(Operation::Delete, key, before, null, None)
            }
            Change::Truncate => {
                events.add(Operation::Truncate, null.clone(), null.clone(), null, None)
            }
            Change::KeyChange {
                old_key,
                new_key,
                before,
                after,
            } => {
                let context = &events.records.headers;
                let with_old = context.with_old_key(key_schema, old_key.clone());
                events.old_key(old_key, new_key.clone(), before)?;
                events.add(Operation::Create, new_key, null, after, Some(with_old))
            }
            Change::KeyGone {
                old_key,
                new_key,
                before,
            } => events.old_key(old_key, new_key, before),
        }
    }

    /// Appends the record of a logical message.
    ///
    /// # Errors
    /// As above.
    pub fn message(
        &mut self,
        prefix: Text,
        content: Value,
        position: &mut EventPosition<'_>,
        records: &mut Vec<SourceRecord>,
    ) -> Result<()> {
        let source = self.source.value(
            position.offset,
            position.origin,
            &SourceTable::default(),
            position.marker,
        )?;
        let transaction = self.count(LOGICAL_MESSAGES, position.offset, records)?;
        let now = ProcessingTime::now();
        let record = self
            .messages
            .record(prefix, content, source, transaction, now)?;
        records.push(self.placed(record, position.offset));
        if position.offset.tx_id.is_none() {
            position.offset.transaction.end();
        }
        Ok(())
    }

    /// Appends a heartbeat at this position.
    ///
    /// # Errors
    /// As above.
    pub fn heartbeat(
        &self,
        offset: &PostgresOffset,
        records: &mut Vec<SourceRecord>,
    ) -> Result<()> {
        let record = self.heartbeats.record(ProcessingTime::now())?;
        records.push(self.placed(record, offset));
        Ok(())
    }

    /// Begins the transaction of the position. Appends a record of it if there
    /// is transaction metadata, unless the transaction is under way already,
    /// which it is after a restart in its middle.
    ///
    /// # Errors
    /// As above.
    pub fn begin(
        &self,
        offset: &mut PostgresOffset,
        records: &mut Vec<SourceRecord>,
    ) -> Result<()> {
        let (Some(transactions), Some(id)) = (&self.transactions, offset.tx_id) else {
            return Ok(());
        };
        let id = id.to_string();
        if offset.transaction.id().is_some_and(|known| **known == *id) {
            return Ok(());
        }
        offset.transaction.begin(id.into());
        let record = transactions.begin(offset, millis(offset))?;
        records.push(self.placed(record, offset));
        Ok(())
    }

    /// Ends the transaction of the position. Appends a record of it if there is
    /// transaction metadata.
    ///
    /// # Errors
    /// As above.
    pub fn end(&self, offset: &mut PostgresOffset, records: &mut Vec<SourceRecord>) -> Result<()> {
        if let Some(transactions) = &self.transactions
            && offset.transaction.id().is_some()
        {
            let record = transactions.end(offset, millis(offset))?;
            records.push(self.placed(record, offset));
        }
        offset.transaction.end();
        Ok(())
    }

    /// Counts an event in its transaction and makes its field `transaction`;
    /// null without transaction metadata or outside of a transaction.
    fn count(
        &self,
        collection: &str,
        offset: &mut PostgresOffset,
        records: &mut Vec<SourceRecord>,
    ) -> Result<Value> {
        let Some(transactions) = &self.transactions else {
            return Ok(Value::Null);
        };
        let Some(id) = offset.tx_id else {
            self.end(offset, records)?;
            return Ok(Value::Null);
        };
        let id = id.to_string();
        if offset.transaction.id().is_none_or(|known| **known != *id) {
            self.end(offset, records)?;
            self.begin(offset, records)?;
        }
        transactions.event(offset, collection)
    }

    /// The offset as records keep it. The rows of a snapshot share it.
    fn stored(&mut self, offset: &PostgresOffset) -> SourceOffset {
        if let Some(offset) = StreamOffset::of(offset) {
            return Some(Arc::new(offset));
        }
        if *self.stored != *offset {
            self.stored = Arc::new(offset.clone());
        }
        Some(self.stored.clone())
    }

    fn placed(&self, record: ConnectRecord, offset: &PostgresOffset) -> SourceRecord {
        SourceRecord {
            record,
            source_partition: self.partition.clone(),
            source_offset: Some(Arc::new(offset.clone())),
        }
    }
}

fn millis(offset: &PostgresOffset) -> i64 {
    offset
        .ts_usec
        .unwrap_or_default()
        .div_euclid(MICROS_PER_MILLI)
}

/// Makes the events of one change, which share their source block.
struct Events<'a, 'p> {
    records: &'a mut Records,
    table: &'a TableEvents,
    position: &'a mut EventPosition<'p>,
    source: Value,
    out: &'a mut Vec<SourceRecord>,
}

impl Events<'_, '_> {
    /// The deletion of a row whose key changes.
    fn old_key(&mut self, old_key: Value, new_key: Value, before: Value) -> Result<()> {
        let key_schema = self.table.key.as_ref();
        let with_new = self.records.headers.with_new_key(key_schema, new_key);
        let headers = Some(with_new);
        self.add(Operation::Delete, old_key, before, Value::Null, headers)
    }

    fn add(
        &mut self,
        operation: Operation,
        key: Value,
        before: Value,
        after: Value,
        headers: Option<Headers>,
    ) -> Result<()> {
        if self.records.skips(operation) {
            return Ok(());
        }
        let transaction = if operation == Operation::Read {
            Value::Null
        } else {
            let collection = &self.table.collection;
            self.records
                .count(collection, self.position.offset, self.out)?
        };
        let now = ProcessingTime::now();
        self.records
            .tally
            .event(operation, self.position.offset, now);
        let [millis, micros, nanos] = now.fields();
        let values = vec![
            before,
            after,
            self.source.clone(),
            transaction,
            Value::String(operation.text()),
            millis,
            micros,
            nanos,
        ];
        let envelope = Struct::from_values(self.table.envelope.clone(), values)?;
        // Truncations go to topics of tables with keys without having one.
        let key_schema = match operation {
            Operation::Truncate => None,
            _ => self.table.key.clone(),
        };
        let stored = self.records.stored(self.position.offset);
        let event = ConnectRecord {
            topic: self.table.topic.clone(),
            partition: None,
            key_schema,
            key,
            value_schema: Some(self.table.envelope.clone()),
            value: envelope.into(),
            timestamp: None,
            headers: headers.unwrap_or_else(|| self.records.headers.plain()),
            offset: None,
        };
        let tombstone =
            (operation == Operation::Delete && self.records.tombstones).then(|| ConnectRecord {
                headers: event.headers.clone(),
                ..ConnectRecord::new(event.topic.clone())
                    .key(event.key_schema.clone(), event.key.clone())
            });
        let placed = |record| SourceRecord {
            record,
            source_partition: self.records.partition.clone(),
            source_offset: stored.clone(),
        };
        self.out.push(placed(event));
        self.out.extend(tombstone.map(placed));
        Ok(())
    }
}
