//! From Connect records to the bytes of Kafka records.

use std::ops::Range;
use std::sync::Arc;

use tether_api::converter::Encoded;
use tether_api::data::{SchemaRef, Value};
use tether_api::record::ConnectRecord;
use tether_api::{ConnectError, Result};
use tether_kafka::OutgoingRecord;

use crate::conversion::{Converters, Side};
use crate::task::error_handling::{Failure, Stage};

/// The buffer shrinks to this size after a batch.
const KEPT_BUFFER: usize = 1 << 20;

/// Timestamps below zero are wrong, except this one, which stands for none.
const NO_TIMESTAMP: i64 = -1;

/// Encodes records, all into the same buffer: the producer copies what it takes.
pub(super) struct RecordEncoder {
    converters: Arc<Converters>,
    buffer: Vec<u8>,
    /// The values of the records' headers, in order.
    headers: Vec<Option<Range<usize>>>,
}

/// Where in the encoder's memory a record is.
#[derive(Debug)]
pub(super) struct EncodedRecord {
    key: Option<Range<usize>>,
    value: Option<Range<usize>>,
    headers: Range<usize>,
    timestamp: Option<i64>,
    /// The number of bytes of key, value and headers.
    pub(super) size: usize,
}

/// Name and value of a header.
type HeaderPair<'a> = (&'a str, Option<&'a [u8]>);

/// The headers of encoded records that follow each other.
pub(super) struct HeaderPairs<'a> {
    /// How many headers come before these in the encoder's memory.
    first: usize,
    pairs: Vec<HeaderPair<'a>>,
}

impl HeaderPairs<'_> {
    fn of(&self, encoded: &EncodedRecord) -> &[HeaderPair<'_>] {
        let at = |position: usize| position.wrapping_sub(self.first);
        let range = at(encoded.headers.start)..at(encoded.headers.end);
        self.pairs.get(range).unwrap_or_default()
    }
}

/// What [`RecordEncoder::encode`] did.
pub(super) enum Encoding {
    /// The record can be sent.
    Ready(EncodedRecord),
    /// Await [`RecordEncoder::prepare`] and call again.
    Unprepared(Side),
}

impl RecordEncoder {
    /// An encoder with a connector's converters.
    pub(super) fn new(converters: Arc<Converters>) -> Self {
        Self {
            converters,
            buffer: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// Encodes a record behind those that are there.
    ///
    /// # Errors
    /// Which converter refuses the record, and why.
    pub(super) fn encode(&mut self, record: &ConnectRecord) -> Result<Encoding, Failure> {
        let (bytes, headers) = (self.buffer.len(), self.headers.len());
        let encoded = self.append(record);
        if !matches!(encoded, Ok(Encoding::Ready(_))) {
            self.buffer.truncate(bytes);
            self.headers.truncate(headers);
        }
        encoded
    }

    fn append(&mut self, record: &ConnectRecord) -> Result<Encoding, Failure> {
        let (bytes, headers) = (self.buffer.len(), self.headers.len());
        self.encode_headers(record)?;
        let key = (record.key_schema.as_ref(), &record.key);
        let Part::Bytes(key) = self.encode_side(Side::Key, record, key)? else {
            return Ok(Encoding::Unprepared(Side::Key));
        };
        let value = (record.value_schema.as_ref(), &record.value);
        let Part::Bytes(value) = self.encode_side(Side::Value, record, value)? else {
            return Ok(Encoding::Unprepared(Side::Value));
        };
        Ok(Encoding::Ready(EncodedRecord {
            key,
            value,
            headers: headers..self.headers.len(),
            timestamp: None,
            size: self.buffer.len() - bytes,
        }))
    }

    /// Checks what no converter has seen of a record that has been encoded.
    ///
    /// # Errors
    /// Other, if its timestamp or partition is wrong. Such an error is not
    /// tolerated.
    pub(super) fn finish(record: &ConnectRecord, encoded: &mut EncodedRecord) -> Result<()> {
        encoded.timestamp = timestamp(record.timestamp)?;
        if let Some(partition) = record.partition
            && partition < 0
        {
            return Err(ConnectError::other(format!(
                "Invalid partition: {partition}. Partition number should always be non-negative or null."
            ))
            .with_class("java.lang.IllegalArgumentException"));
        }
        Ok(())
    }

    /// Lets a converter get ready for a record's schema.
    ///
    /// # Errors
    /// If it cannot.
    pub(super) async fn prepare(&self, side: Side, record: &ConnectRecord) -> Result<(), Failure> {
        let schema = match side {
            Side::Key => record.key_schema.as_ref(),
            Side::Value => record.value_schema.as_ref(),
        };
        self.converters
            .of(side)
            .prepare_from_connect(&record.topic, schema)
            .await
            .map_err(|error| self.failure(side, error))
    }

    /// The failure of a converter.
    pub(super) fn failure(&self, side: Side, error: ConnectError) -> Failure {
        Failure::new(side.into(), self.converters.classes.of(side), error)
    }

    /// The number of bytes of the encoded records.
    pub(super) fn size(&self) -> usize {
        self.buffer.len()
    }

    /// Names and values of the headers of encoded records that follow each other.
    pub(super) fn header_pairs<'a>(
        &'a self,
        run: impl Iterator<Item = (&'a ConnectRecord, &'a EncodedRecord)> + Clone,
    ) -> HeaderPairs<'a> {
        let first = run.clone().next();
        HeaderPairs {
            first: first.map_or(0, |(_, encoded)| encoded.headers.start),
            pairs: run
                .flat_map(|(record, encoded)| {
                    let values = self.headers.get(encoded.headers.clone());
                    record.headers.iter().zip(values.unwrap_or_default())
                })
                .map(|(header, range)| (&*header.key, self.slice(range.as_ref())))
                .collect(),
        }
    }

    /// An encoded record as the producer takes it, with the headers from
    /// [`RecordEncoder::header_pairs`].
    pub(super) fn outgoing<'a>(
        &'a self,
        record: &'a ConnectRecord,
        encoded: &EncodedRecord,
        headers: &'a HeaderPairs<'a>,
    ) -> OutgoingRecord<'a> {
        OutgoingRecord {
            topic: &record.topic,
            partition: record.partition,
            key: self.slice(encoded.key.as_ref()),
            value: self.slice(encoded.value.as_ref()),
            timestamp: encoded.timestamp,
            headers: headers.of(encoded),
        }
    }

    /// Forgets the encoded records.
    pub(super) fn clear(&mut self) {
        self.buffer.clear();
        self.headers.clear();
    }

    /// Forgets the encoded records and gives back memory that a large one took.
    pub(super) fn end_batch(&mut self) {
        self.clear();
        self.buffer.shrink_to(KEPT_BUFFER);
    }

    fn slice(&self, range: Option<&Range<usize>>) -> Option<&[u8]> {
        self.buffer.get(range?.clone())
    }

    fn encode_headers(&mut self, record: &ConnectRecord) -> Result<(), Failure> {
        for header in &record.headers {
            let start = self.buffer.len();
            let written = self
                .converters
                .header
                .from_connect_header(
                    &record.topic,
                    &header.key,
                    header.value.schema.as_ref(),
                    &header.value.value,
                    &mut self.buffer,
                )
                .map_err(|error| {
                    let class = self.converters.classes.header;
                    let failure = Failure::new(Stage::HeaderConverter, class, error);
                    failure.of(format!("header {}", header.key))
                })?;
            self.headers
                .push(written.then_some(start..self.buffer.len()));
        }
        Ok(())
    }

    fn encode_side(
        &mut self,
        side: Side,
        record: &ConnectRecord,
        (schema, value): (Option<&SchemaRef>, &Value),
    ) -> Result<Part, Failure> {
        let start = self.buffer.len();
        let encoded = self
            .converters
            .of(side)
            .from_connect(&record.topic, schema, value, &mut self.buffer)
            .map_err(|error| self.failure(side, error))?;
        Ok(match encoded {
            Encoded::Written => Part::Bytes(Some(start..self.buffer.len())),
            Encoded::Null => Part::Bytes(None),
            Encoded::Unprepared => Part::Unprepared,
        })
    }
}

enum Part {
    Bytes(Option<Range<usize>>),
    Unprepared,
}

fn timestamp(timestamp: Option<i64>) -> Result<Option<i64>> {
    match timestamp {
        Some(NO_TIMESTAMP) | None => Ok(None),
        Some(millis) if millis < 0 => Err(ConnectError::other(format!(
            "Invalid record timestamp {millis}"
        ))
        .with_class("org.apache.kafka.common.InvalidRecordException")),
        given => Ok(given),
    }
}
