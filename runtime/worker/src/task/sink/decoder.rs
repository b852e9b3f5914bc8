//! From the bytes of Kafka records to Connect records.

use std::sync::Arc;

use tether_api::converter::Decoded;
use tether_api::data::{Bytes, SchemaAndValue, Text};
use tether_api::header::Headers;
use tether_api::offset::TopicPartition;
use tether_api::record::{ConnectRecord, SinkRecord};
use tether_api::{ConnectError, Result};
use tether_kafka::ConsumedRecord;

use crate::conversion::{Converters, Side};
use crate::task::MAX_PREPARATIONS;
use crate::task::error_handling::{ErrorHandling, Stage};
use crate::task::transformation_chain::TransformationChain;

/// Names of headers that are kept for later records.
const KEPT_NAMES: usize = 64;

/// Decodes records and applies the transformations.
pub(super) struct RecordDecoder {
    converters: Arc<Converters>,
    chain: TransformationChain,
    errors: ErrorHandling,
    /// Names of headers seen: the same few come with every record.
    names: Vec<Text>,
}

impl RecordDecoder {
    pub(super) fn new(
        converters: Arc<Converters>,
        chain: TransformationChain,
        errors: ErrorHandling,
    ) -> Self {
        Self {
            converters,
            chain,
            errors,
            names: Vec::new(),
        }
    }

    /// Decodes a record: key, value, headers. Text and bytes stay slices of
    /// what was consumed. Waits only if a converter has to learn a schema.
    ///
    /// # Errors
    /// Other, if a converter refuses the record.
    pub(super) async fn decode(
        &mut self,
        record: ConsumedRecord,
        original: TopicPartition,
    ) -> Result<SinkRecord> {
        let mut preparations = 0;
        loop {
            let side = match self.try_decode(&record, &original)? {
                Ok(decoded) => return Ok(decoded),
                Err(side) => side,
            };
            preparations += 1;
            if preparations > MAX_PREPARATIONS {
                return Err(ConnectError::other(format!(
                    "The {side:?} converter is not ready for the record {} although it prepared itself for \
                     its schema, which is a defect in the converter",
                    Position::of(&record)
                )));
            }
            let bytes = match side {
                Side::Key => record.key.as_ref(),
                Side::Value => record.value.as_ref(),
            };
            if let Some(bytes) = bytes {
                self.converters
                    .of(side)
                    .prepare_to_connect(&record.topic, bytes)
                    .await
                    .map_err(|error| self.errors.fail(side.into(), error, Position::of(&record)))?;
            }
        }
    }

    /// Applies the transformations; `None` if one dropped the record.
    ///
    /// # Errors
    /// Other, if a transformation refuses the record.
    pub(super) fn transform(&mut self, record: SinkRecord) -> Result<Option<SinkRecord>> {
        let SinkRecord {
            record,
            timestamp_type,
            original,
            offset,
        } = record;
        let transformed = self.chain.apply(record).map_err(|error| {
            let position = Position {
                topic: &original.topic,
                partition: original.partition,
                offset,
            };
            self.errors.fail(Stage::Transformation, error, position)
        })?;
        Ok(transformed.map(|record| SinkRecord {
            record,
            timestamp_type,
            original,
            offset,
        }))
    }

    /// The record, or the part whose converter is not ready.
    fn try_decode(
        &mut self,
        record: &ConsumedRecord,
        original: &TopicPartition,
    ) -> Result<std::result::Result<SinkRecord, Side>> {
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
    ) -> Result<Option<SchemaAndValue>> {
        let decoded = self
            .converters
            .of(side)
            .to_connect(&record.topic, bytes)
            .map_err(|error| self.errors.fail(side.into(), error, Position::of(record)))?;
        Ok(match decoded {
            Decoded::Data(data) => Some(data),
            Decoded::Unprepared => None,
        })
    }

    fn decode_headers(&mut self, record: &ConsumedRecord) -> Result<Headers> {
        let mut headers = Headers::new();
        for (name, bytes) in &record.headers {
            let value = self
                .converters
                .header
                .to_connect_header(&record.topic, name, bytes.as_ref())
                .map_err(|error| {
                    let error = error.context(format!("header {name}"));
                    self.errors
                        .fail(Stage::HeaderConverter, error, Position::of(record))
                })?;
            headers.add(self.name(name), value);
        }
        Ok(headers)
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

/// Which record it is, without its contents, which may be secret.
struct Position<'a> {
    topic: &'a str,
    partition: i32,
    offset: i64,
}

impl<'a> Position<'a> {
    fn of(record: &'a ConsumedRecord) -> Self {
        Self {
            topic: &record.topic,
            partition: record.partition,
            offset: record.offset,
        }
    }
}

impl std::fmt::Display for Position<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            topic,
            partition,
            offset,
        } = self;
        write!(f, "topic='{topic}', partition={partition}, offset={offset}")
    }
}
