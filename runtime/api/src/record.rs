//! Records on their way between a connector and Kafka.

use std::sync::Arc;

use crate::data::{SchemaRef, Value};
use crate::header::Headers;
use crate::offset::{OffsetMap, SourceOffset, TopicPartition};

/// What source and sink records share, and all that a transformation sees.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectRecord {
    /// The topic.
    pub topic: Arc<str>,
    /// The partition; `None` lets the producer choose by key.
    pub partition: Option<i32>,
    /// The schema of the key; `None` if the key has none.
    pub key_schema: Option<SchemaRef>,
    /// The key.
    pub key: Value,
    /// The schema of the value; `None` if the value has none.
    pub value_schema: Option<SchemaRef>,
    /// The value; null is a tombstone.
    pub value: Value,
    /// Milliseconds since the epoch.
    pub timestamp: Option<i64>,
    /// The headers.
    pub headers: Headers,
    /// The offset at which a sink record was read; `None` for a source record,
    /// which has none yet.
    pub offset: Option<i64>,
}

impl ConnectRecord {
    /// A record without key, value, timestamp and headers.
    pub fn new(topic: impl Into<Arc<str>>) -> Self {
        Self {
            topic: topic.into(),
            partition: None,
            key_schema: None,
            key: Value::Null,
            value_schema: None,
            value: Value::Null,
            timestamp: None,
            headers: Headers::new(),
            offset: None,
        }
    }

    /// Sets the key.
    pub fn key(mut self, schema: Option<SchemaRef>, key: impl Into<Value>) -> Self {
        self.key_schema = schema;
        self.key = key.into();
        self
    }

    /// Sets the value.
    pub fn value(mut self, schema: Option<SchemaRef>, value: impl Into<Value>) -> Self {
        self.value_schema = schema;
        self.value = value.into();
        self
    }
}

/// A record that a source connector read.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceRecord {
    /// What is written to Kafka.
    pub record: ConnectRecord,
    /// Where in the source it comes from. Share one `Arc` among the records of
    /// a partition: the worker compares by pointer first.
    pub source_partition: Arc<OffsetMap>,
    /// The position after this record.
    pub source_offset: SourceOffset,
}

/// What a record's timestamp means (`org.apache.kafka.common.record.TimestampType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimestampType {
    /// The record has none.
    #[default]
    NoTimestampType,
    /// The producer set it.
    CreateTime,
    /// The broker set it when it appended the record.
    LogAppendTime,
}

impl TimestampType {
    /// The name that the reference prints.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoTimestampType => "NoTimestampType",
            Self::CreateTime => "CreateTime",
            Self::LogAppendTime => "LogAppendTime",
        }
    }
}

/// A record that was read from Kafka for a sink connector.
#[derive(Debug, Clone, PartialEq)]
pub struct SinkRecord {
    /// The record after the transformations.
    pub record: ConnectRecord,
    /// What the timestamp means.
    pub timestamp_type: TimestampType,
    /// Topic and partition that the record was read from, which
    /// transformations do not change (KIP-793). Commits, errors and dead
    /// letters use these.
    pub original: TopicPartition,
}

impl SinkRecord {
    /// A record that was read at this offset of a topic and partition. The
    /// record has that offset afterwards, whatever a transformation made of it.
    pub fn new(
        mut record: ConnectRecord,
        timestamp_type: TimestampType,
        original: TopicPartition,
        offset: i64,
    ) -> Self {
        record.offset = Some(offset);
        Self {
            record,
            timestamp_type,
            original,
        }
    }

    /// The offset within [`SinkRecord::original`]; -1, which no record has in
    /// Kafka, if the task took it away.
    pub fn offset(&self) -> i64 {
        self.record.offset.unwrap_or(-1)
    }
}

impl std::fmt::Display for SinkRecord {
    /// The position only: contents may be secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "topic='{}', partition={}, offset={}",
            self.original.topic,
            self.original.partition,
            self.offset()
        )
    }
}
