//! From the bytes of Kafka records to Connect records.

use std::sync::Arc;

use tether_api::converter::Decoded;
use tether_api::data::{Bytes, SchemaAndValue, Text};
use tether_api::header::Headers;
use tether_api::offset::TopicPartition;
use tether_api::record::{ConnectRecord, SinkRecord};
use tether_api::{ConnectError, Result};
use tether_kafka::ConsumedRecord;

use super::failed_records::FailedRecords;
use crate::conversion::{Converters, Side};
use crate::task::MAX_PREPARATIONS;
use crate::task::error_handling::{Attempts, Failure, Stage, Verdict};
use crate::task::topic_tracker::TopicTracker;
use crate::task::transformation_chain::TransformationChain;

/// Names of headers that are kept for later records.
const KEPT_NAMES: usize = 64;

/// Decodes records and applies the transformations.
pub(super) struct RecordDecoder {
    converters: Arc<Converters>,
    chain: TransformationChain,
    failed: FailedRecords,
    topics: TopicTracker,
    /// Names of headers seen: the same few come with every record.
    names: Vec<Text>,
}

/// What became of a record.
#[expect(
    clippy::large_enum_variant,
    reason = "it is taken apart at once; a box would be memory for each record"
)]
pub(super) enum Processed {
    /// It goes to the task.
    Record(SinkRecord),
    /// A transformation dropped it, or it is passed over because it failed.
    Dropped,
    /// It is not processed, because the task is to stop.
    Stopped,
}

impl RecordDecoder {
    pub(super) fn new(
        converters: Arc<Converters>,
        chain: TransformationChain,
        failed: FailedRecords,
        topics: TopicTracker,
    ) -> Self {
        Self {
            converters,
            chain,
            failed,
            topics,
            names: Vec::new(),
        }
    }

    /// A new batch begins.
    pub(super) fn begin_batch(&mut self) {
        self.topics.begin_batch();
    }

    /// Decodes a record (key, value, headers) and applies the transformations.
    /// Text and bytes stay slices of what was consumed. Waits only if a
    /// converter has to learn a schema, or after a failure.
    ///
    /// # Errors
    /// Other, if a converter or transformation refuses the record and that ends
    /// the task.
    pub(super) async fn process(
        &mut self,
        record: &ConsumedRecord,
        original: &TopicPartition,
    ) -> Result<Processed> {
        let mut attempts = Attempts::default();
        loop {
            let failure = match self.attempt(record, original).await {
                Ok(Some(record)) => return Ok(Processed::Record(record)),
                Ok(None) => return Ok(Processed::Dropped),
                Err(failure) => failure,
            };
            match self.failed.handle(failure, &mut attempts, record).await? {
                // From the bytes on, since a transformation keeps what it was
                // given.
                Verdict::Again => {}
                Verdict::Skip => return Ok(Processed::Dropped),
                Verdict::Stopped => return Ok(Processed::Stopped),
            }
        }
    }

    /// The record for the task; `None` if a transformation dropped it.
    async fn attempt(
        &mut self,
        record: &ConsumedRecord,
        original: &TopicPartition,
    ) -> Result<Option<SinkRecord>, Failure> {
        let decoded = self.decode(record, original).await?;
        self.topics.used(&original.topic);
        let SinkRecord {
            record,
            timestamp_type,
            original,
            offset,
        } = decoded;
        Ok(self.chain.apply(record)?.map(|record| SinkRecord {
            record,
            timestamp_type,
            original,
            offset,
        }))
    }

    async fn decode(
        &mut self,
        record: &ConsumedRecord,
        original: &TopicPartition,
    ) -> Result<SinkRecord, Failure> {
        let mut preparations = 0;
        loop {
            let side = match self.try_decode(record, original)? {
                Ok(decoded) => return Ok(decoded),
                Err(side) => side,
            };
            let bytes = match side {
                Side::Key => record.key.as_ref(),
                Side::Value => record.value.as_ref(),
            };
            preparations += 1;
            let prepared = if preparations > MAX_PREPARATIONS {
                Err(ConnectError::other(format!(
                    "The {side:?} converter is not ready although it prepared itself for the record's schema, \
                     which is a defect in the converter"
                )))
            } else if let Some(bytes) = bytes {
                let converter = self.converters.of(side);
                converter.prepare_to_connect(&record.topic, bytes).await
            } else {
                Ok(())
            };
            prepared.map_err(|error| self.failure(side, error))?;
        }
    }

    /// The record, or the part whose converter is not ready.
    fn try_decode(
        &mut self,
        record: &ConsumedRecord,
        original: &TopicPartition,
    ) -> Result<Result<SinkRecord, Side>, Failure> {
        let Some(key) = self.decode_side(Side::Key, record, record.key.as_ref())? else {
            return Ok(Err(Side::Key));
        };
        let Some(value) = self.decode_side(Side::Value, record, record.value.as_ref())? else {
            return Ok(Err(Side::Value));
        };
        Ok(Ok(SinkRecord {
            record: ConnectRecord {
                topic: original.topic.clone(),
                partition: Some(record.partition),
                key_schema: key.schema,
                key: key.value,
                value_schema: value.schema,
                value: value.value,
                timestamp: record.timestamp,
                headers: self.decode_headers(record)?,
                offset: Some(record.offset),
            },
            timestamp_type: record.timestamp_type,
            original: original.clone(),
            offset: record.offset,
        }))
    }

    fn decode_side(
        &self,
        side: Side,
        record: &ConsumedRecord,
        bytes: Option<&Bytes>,
    ) -> Result<Option<SchemaAndValue>, Failure> {
        let decoded = self
            .converters
            .of(side)
            .to_connect(&record.topic, bytes)
            .map_err(|error| self.failure(side, error))?;
        Ok(match decoded {
            Decoded::Data(data) => Some(data),
            Decoded::Unprepared => None,
        })
    }

    fn decode_headers(&mut self, record: &ConsumedRecord) -> Result<Headers, Failure> {
        let mut headers = Headers::new();
        for (name, bytes) in &record.headers {
            let value = self
                .converters
                .header
                .to_connect_header(&record.topic, name, bytes.as_ref())
                .map_err(|error| {
                    let class = self.converters.classes.header;
                    let failure = Failure::new(Stage::HeaderConverter, class, error);
                    failure.of(format!("header {name}"))
                })?;
            headers.add(self.name(name), value);
        }
        Ok(headers)
    }

    fn failure(&self, side: Side, error: ConnectError) -> Failure {
        Failure::new(side.into(), self.converters.classes.of(side), error)
    }

    fn name(&mut self, name: &str) -> Text {
        match self.names.iter().find(|known| **known == *name) {
            Some(known) => known.clone(),
            None => {
                let text = Text::from(name);
                if self.names.len() < KEPT_NAMES {
                    self.names.push(text.clone());
                }
                text
            }
        }
    }
}
