//! From Connect records to the bytes of Kafka records.

use std::ops::Range;
use std::sync::Arc;

use tether_api::converter::{Encoded, RawHeader};
use tether_api::data::{SchemaRef, Value};
use tether_api::header::Headers;
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
    /// The last record with headers.
    same: Option<SameHeaders>,
}

/// The headers of a record, which the next one may share. They need not be
/// converted again then.
struct SameHeaders {
    headers: Headers,
    topic: Arc<str>,
    /// Where their values are among those of all headers.
    values: Range<usize>,
    /// The number of bytes of the values.
    size: usize,
}

impl SameHeaders {
    fn are_those_of(&self, record: &ConnectRecord) -> bool {
        self.headers.is_shared_with(&record.headers) && Arc::ptr_eq(&self.topic, &record.topic)
    }
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

/// The headers of encoded records that follow each other.
pub(super) struct HeaderPairs<'a> {
    /// How many headers come before these in the encoder's memory.
    first: usize,
    pairs: Vec<RawHeader<'a>>,
}

impl HeaderPairs<'_> {
    fn of(&self, encoded: &EncodedRecord) -> &[RawHeader<'_>] {
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
            same: None,
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
            self.same = None;
        }
        encoded
    }

    fn append(&mut self, record: &ConnectRecord) -> Result<Encoding, Failure> {
        let headers = self.headers.len();
        let size_of_headers = self.encode_headers(record)?;
        let bytes = self.buffer.len();
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
            size: size_of_headers + self.buffer.len() - bytes,
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
        self.same = None;
    }

    /// Forgets the encoded records and gives back memory that a large one took.
    pub(super) fn end_batch(&mut self) {
        self.clear();
        self.buffer.shrink_to(KEPT_BUFFER);
    }

    fn slice(&self, range: Option<&Range<usize>>) -> Option<&[u8]> {
        self.buffer.get(range?.clone())
    }

    /// The values of so many headers that were encoded last.
    fn last_headers(&self, count: usize) -> Vec<Option<Vec<u8>>> {
        let first = self.headers.len().saturating_sub(count);
        let values = self.headers.iter().skip(first);
        values
            .map(|range| self.slice(range.as_ref()).map(<[u8]>::to_vec))
            .collect()
    }

    /// Returns the number of bytes of the values.
    fn encode_headers(&mut self, record: &ConnectRecord) -> Result<usize, Failure> {
        if record.headers.is_empty() {
            return Ok(0);
        }
        if let Some(same) = self.same.as_ref().filter(|same| same.are_those_of(record)) {
            self.headers.extend_from_within(same.values.clone());
            return Ok(same.size);
        }
        let (first, bytes) = (self.headers.len(), self.buffer.len());
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
        self.same = Some(SameHeaders {
            headers: record.headers.clone(),
            topic: record.topic.clone(),
            values: first..self.headers.len(),
            size: self.buffer.len() - bytes,
        });
        Ok(self.buffer.len() - bytes)
    }

    fn encode_side(
        &mut self,
        side: Side,
        record: &ConnectRecord,
        (schema, value): (Option<&SchemaRef>, &Value),
    ) -> Result<Part, Failure> {
        let start = self.buffer.len();
        let topic = &record.topic;
        let converter = self.converters.of(side);
        let encoded = if converter.wants_headers() {
            // Copied, as the part is written behind them into the same buffer.
            let values = self.last_headers(record.headers.len());
            let names = record.headers.iter().map(|header| &*header.key);
            let headers: Vec<RawHeader<'_>> = names
                .zip(&values)
                .map(|(name, value)| (name, value.as_deref()))
                .collect();
            converter.from_connect_with_headers(topic, &headers, schema, value, &mut self.buffer)
        } else {
            converter.from_connect(topic, schema, value, &mut self.buffer)
        };
        let encoded = encoded.map_err(|error| self.failure(side, error))?;
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

#[cfg(test)]
mod tests {
    use tether_api::converter::{Converter, Decoded};
    use tether_api::data::{Bytes, SchemaAndValue};

    use super::*;
    use crate::conversion::ConverterClasses;
    use crate::testing::TextHeaders;

    /// Writes text; as converter of values, the headers of the record too.
    struct WithHeaders {
        wanted: bool,
    }

    impl Converter for WithHeaders {
        fn from_connect(
            &self,
            _topic: &str,
            _schema: Option<&SchemaRef>,
            value: &Value,
            out: &mut Vec<u8>,
        ) -> Result<Encoded> {
            out.extend_from_slice(value.as_str().unwrap_or_default().as_bytes());
            Ok(Encoded::Written)
        }

        fn wants_headers(&self) -> bool {
            self.wanted
        }

        fn from_connect_with_headers(
            &self,
            topic: &str,
            headers: &[RawHeader<'_>],
            schema: Option<&SchemaRef>,
            value: &Value,
            out: &mut Vec<u8>,
        ) -> Result<Encoded> {
            for (name, value) in headers {
                let value = value.map(String::from_utf8_lossy);
                out.extend_from_slice(format!("{name}={value:?};").as_bytes());
            }
            self.from_connect(topic, schema, value, out)
        }

        fn to_connect(&self, _topic: &str, _bytes: Option<&Bytes>) -> Result<Decoded> {
            Ok(Decoded::Data(SchemaAndValue::NULL))
        }
    }

    fn record(value: &str, headers: &[(&str, Value)]) -> ConnectRecord {
        let mut record = ConnectRecord::new("t").value(None, value);
        for (name, value) in headers {
            let value = SchemaAndValue::schemaless(value.clone());
            record.headers.add(*name, value);
        }
        record
    }

    #[test]
    fn a_converter_sees_the_headers_of_its_record() -> Result<(), Failure> {
        let mut encoder = RecordEncoder::new(Arc::new(Converters {
            key: Arc::new(WithHeaders { wanted: false }),
            value: Arc::new(WithHeaders { wanted: true }),
            header: Arc::new(TextHeaders),
            classes: ConverterClasses {
                key: "K",
                value: "V",
                header: "H",
            },
        }));
        let records = [
            record("1", &[("a", "x".into()), ("b", Value::Null)]),
            record("2", &[]),
            record("3", &[("a", "y".into())]),
        ];
        let mut written = Vec::new();
        for record in &records {
            let Encoding::Ready(encoded) = encoder.encode(record)? else {
                panic!("nothing is to be prepared");
            };
            let value = encoder.slice(encoded.value.as_ref());
            written.push(String::from_utf8_lossy(value.unwrap_or_default()).into_owned());
        }
        assert_eq!(
            written,
            [r#"a=Some("x");b=None;1"#, "2", r#"a=Some("y");3"#]
        );
        Ok(())
    }
}
