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
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Processed {
    /// It was added to the batch, unless a transformation dropped it or it is
    /// passed over because it failed.
    Done,
    /// It is not processed, because the task is to stop.
    Stopped,
}

/// Why a record is not processed yet.
pub(super) enum Obstacle {
    /// A converter has not seen the schema.
    Unprepared(Side),
    /// A converter or transformation refuses the record.
    Failed(Failure),
}

impl From<Failure> for Obstacle {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
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

    /// Decodes a record (key, value, headers), applies the transformations and
    /// adds what is left of it to the batch. Text and bytes stay slices of what
    /// was consumed. It does not wait, so that records that are fine cost no
    /// future, and puts them where they stay, as they are large.
    ///
    /// # Errors
    /// What has to be overcome first, by [`RecordDecoder::overcome`].
    pub(super) fn process(
        &mut self,
        record: &ConsumedRecord,
        original: &TopicPartition,
        batch: &mut Vec<SinkRecord>,
    ) -> Result<(), Obstacle> {
        let mut decoded = self.decode(record, original)?;
        self.topics.used(&original.topic);
        if !self.chain.is_empty() {
            match self.chain.apply(decoded)? {
                Some(transformed) => decoded = transformed,
                None => return Ok(()),
            }
        }
        batch.push(SinkRecord::new(
            decoded,
            record.timestamp_type,
            original.clone(),
            record.offset,
        ));
        Ok(())
    }

    /// Lets a converter learn a schema, or waits for another attempt after a
    /// failure, as often as it takes to process the record or to give it up.
    ///
    /// # Errors
    /// Other, if a converter or transformation refuses the record and that ends
    /// the task.
    pub(super) async fn overcome(
        &mut self,
        mut obstacle: Obstacle,
        record: &ConsumedRecord,
        original: &TopicPartition,
        batch: &mut Vec<SinkRecord>,
    ) -> Result<Processed> {
        let mut attempts = Attempts::default();
        let mut preparations = 0;
        loop {
            let failure = match obstacle {
                Obstacle::Failed(failure) => Some(failure),
                Obstacle::Unprepared(side) => {
                    preparations += 1;
                    self.prepare(side, record, preparations).await.err()
                }
            };
            if let Some(failure) = failure {
                preparations = 0;
                match self.failed.handle(failure, &mut attempts, record).await? {
                    // From the bytes on, since a transformation keeps what it
                    // was given.
                    Verdict::Again => {}
                    Verdict::Skip => return Ok(Processed::Done),
                    Verdict::Stopped => return Ok(Processed::Stopped),
                }
            }
            obstacle = match self.process(record, original, batch) {
                Ok(()) => return Ok(Processed::Done),
                Err(obstacle) => obstacle,
            };
        }
    }

    // The transformations may be moved to another thread, but not shared.
    async fn prepare(
        &mut self,
        side: Side,
        record: &ConsumedRecord,
        preparations: u32,
    ) -> Result<(), Failure> {
        let bytes = match side {
            Side::Key => record.key.as_ref(),
            Side::Value => record.value.as_ref(),
        };
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
        prepared.map_err(|error| self.failure(side, error))
    }

    fn decode(
        &mut self,
        record: &ConsumedRecord,
        original: &TopicPartition,
    ) -> Result<ConnectRecord, Obstacle> {
        let key = self.decode_side(Side::Key, record, record.key.as_ref())?;
        let value = self.decode_side(Side::Value, record, record.value.as_ref())?;
        Ok(ConnectRecord {
            topic: original.topic.clone(),
            partition: Some(record.partition),
            key_schema: key.schema,
            key: key.value,
            value_schema: value.schema,
            value: value.value,
            timestamp: record.timestamp,
            headers: self.decode_headers(record)?,
            offset: Some(record.offset),
        })
    }

    fn decode_side(
        &self,
        side: Side,
        record: &ConsumedRecord,
        bytes: Option<&Bytes>,
    ) -> Result<SchemaAndValue, Obstacle> {
        let decoded = self
            .converters
            .of(side)
            .to_connect(&record.topic, bytes)
            .map_err(|error| self.failure(side, error))?;
        match decoded {
            Decoded::Data(data) => Ok(data),
            Decoded::Unprepared => Err(Obstacle::Unprepared(side)),
        }
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
