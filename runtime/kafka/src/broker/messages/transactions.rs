//! What makes writes count once, and together.
//!
//! The versions are those of the first protocol of transactions, which brokers
//! of 2.1 to 4.x speak: partitions are added to a transaction before they are
//! written to, and its end leaves the epoch of the producer as it is.

use std::ops::RangeInclusive;
use std::sync::Arc;

use super::{ErrorCode, Request};
use crate::broker::bytes::{BytesError, Reader, put_count, put_text};

/// Asks for the number of a producer.
#[derive(Debug, Clone)]
pub(crate) struct InitProducerId {
    /// The transactional id, which is taken over.
    pub(crate) transactional_id: Option<Arc<str>>,
    /// After so many milliseconds the broker aborts a transaction.
    pub(crate) timeout_ms: i32,
}

/// A producer to the brokers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ProducerIdentity {
    /// Its number.
    pub(crate) id: i64,
    /// Which of those with this number it is.
    pub(crate) epoch: i16,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InitializedProducer {
    /// Why there is no number.
    pub(crate) error: ErrorCode,
    /// The number.
    pub(crate) identity: ProducerIdentity,
}

impl Request for InitProducerId {
    const KEY: i16 = 22;
    const VERSIONS: RangeInclusive<i16> = 0..=1;
    type Response = InitializedProducer;

    fn encode(&self, _version: i16, out: &mut Vec<u8>) -> Result<(), BytesError> {
        match &self.transactional_id {
            Some(id) => put_text(id, out)?,
            None => out.extend_from_slice(&(-1_i16).to_be_bytes()),
        }
        out.extend_from_slice(&self.timeout_ms.to_be_bytes());
        Ok(())
    }

    fn decode(_version: i16, reader: &mut Reader<'_>) -> Result<Self::Response, BytesError> {
        reader.int32("the throttle time")?;
        Ok(InitializedProducer {
            error: reader.int16("the error")?,
            identity: ProducerIdentity {
                id: reader.int64("the number of the producer")?,
                epoch: reader.int16("the epoch of the producer")?,
            },
        })
    }
}

/// Adds partitions to the open transaction, or begins one with them.
#[derive(Debug, Clone)]
pub(crate) struct AddPartitionsToTxn {
    /// The transactional id.
    pub(crate) transactional_id: Arc<str>,
    /// Who asks.
    pub(crate) producer: ProducerIdentity,
    /// Topics and partitions.
    pub(crate) partitions: Vec<(Arc<str>, i32)>,
}

/// A partition that is added, or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AddedPartition {
    /// The topic.
    pub(crate) topic: String,
    /// The partition.
    pub(crate) partition: i32,
    /// Why it is not added.
    pub(crate) error: ErrorCode,
}

impl Request for AddPartitionsToTxn {
    const KEY: i16 = 24;
    const VERSIONS: RangeInclusive<i16> = 0..=2;
    type Response = Vec<AddedPartition>;

    fn encode(&self, _version: i16, out: &mut Vec<u8>) -> Result<(), BytesError> {
        put_text(&self.transactional_id, out)?;
        put_producer(self.producer, out);
        // Each topic once, as the broker answers by topic.
        let mut sorted = self.partitions.clone();
        sorted.sort();
        let topics: Vec<_> = sorted.chunk_by(|a, b| a.0 == b.0).collect();
        put_count(topics.len(), out)?;
        for topic in topics {
            put_text(topic.first().map_or("", |(name, _)| name), out)?;
            put_count(topic.len(), out)?;
            for (_, partition) in topic {
                out.extend_from_slice(&partition.to_be_bytes());
            }
        }
        Ok(())
    }

    fn decode(_version: i16, reader: &mut Reader<'_>) -> Result<Self::Response, BytesError> {
        reader.int32("the throttle time")?;
        let mut added = Vec::new();
        for _ in 0..reader.count("the topics")? {
            let topic = reader.text("the name of a topic")?;
            for _ in 0..reader.count("the partitions")? {
                added.push(AddedPartition {
                    topic: topic.to_owned(),
                    partition: reader.int32("the number of a partition")?,
                    error: reader.int16("the error of a partition")?,
                });
            }
        }
        Ok(added)
    }
}

/// Ends the open transaction.
#[derive(Debug, Clone)]
pub(crate) struct EndTxn {
    /// The transactional id.
    pub(crate) transactional_id: Arc<str>,
    /// Who asks.
    pub(crate) producer: ProducerIdentity,
    /// Whether its records count.
    pub(crate) commit: bool,
}

impl Request for EndTxn {
    const KEY: i16 = 26;
    const VERSIONS: RangeInclusive<i16> = 0..=2;
    type Response = ErrorCode;

    fn encode(&self, _version: i16, out: &mut Vec<u8>) -> Result<(), BytesError> {
        put_text(&self.transactional_id, out)?;
        put_producer(self.producer, out);
        out.push(u8::from(self.commit));
        Ok(())
    }

    fn decode(_version: i16, reader: &mut Reader<'_>) -> Result<Self::Response, BytesError> {
        reader.int32("the throttle time")?;
        reader.int16("the error")
    }
}

fn put_producer(producer: ProducerIdentity, out: &mut Vec<u8>) {
    out.extend_from_slice(&producer.id.to_be_bytes());
    out.extend_from_slice(&producer.epoch.to_be_bytes());
}
