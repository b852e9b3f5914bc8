//! Writing records.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use super::{ErrorCode, Request};
use crate::broker::bytes::{BytesError, Reader, put_count, put_text};

/// Writes batches of records. The batches themselves are not here: each follows
/// its part of the request, see [`Produce::encode_parts`].
#[derive(Debug, Clone)]
pub(crate) struct Produce {
    /// The transactional id, if there is one.
    pub(crate) transactional_id: Option<Arc<str>>,
    /// How many replicas must have the records before there is an answer; -1 for
    /// all in sync, 0 for no answer.
    pub(crate) acks: i16,
    /// How many milliseconds the broker waits for replicas.
    pub(crate) timeout_ms: i32,
}

/// A partition to write to.
#[derive(Debug, Clone)]
pub(crate) struct ProducePartition {
    /// The topic.
    pub(crate) topic: Arc<str>,
    /// The partition.
    pub(crate) partition: i32,
    /// How many bytes its batch has.
    pub(crate) bytes: usize,
}

/// What became of the batch for a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Produced {
    /// The topic.
    pub(crate) topic: String,
    /// The partition.
    pub(crate) partition: i32,
    /// Why the batch is not written.
    pub(crate) error: ErrorCode,
    /// The offset of its first record; -1 if that is not known.
    pub(crate) base_offset: i64,
    /// Where the log begins; -1 if that is not known.
    pub(crate) log_start_offset: i64,
    /// What the broker says about the error.
    pub(crate) message: Option<String>,
    /// Which records of the batch are refused, and why.
    pub(crate) refused: Vec<(i32, Option<String>)>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProduceAnswer {
    /// How many milliseconds to wait with the next request.
    pub(crate) throttle_ms: i32,
    /// What became of each batch.
    pub(crate) partitions: Vec<Produced>,
}

impl ProduceAnswer {
    /// How long to wait with the next request.
    pub(crate) fn throttle(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.throttle_ms).unwrap_or(0))
    }
}

impl Produce {
    /// The request in parts, each of which is followed by the batch of the
    /// partition with the same number. Partitions of a topic stand together.
    ///
    /// # Errors
    /// If a part is too long for the protocol.
    pub(crate) fn encode_parts(
        &self,
        version: i16,
        partitions: &[ProducePartition],
    ) -> Result<Vec<Vec<u8>>, BytesError> {
        let mut parts = Vec::with_capacity(partitions.len());
        let mut out = Vec::with_capacity(64);
        let topics = || partitions.chunk_by(|a, b| a.topic == b.topic);
        self.encode(version, &mut out)?;
        put_count(topics().count(), &mut out)?;
        for topic in topics() {
            put_text(topic.first().map_or("", |first| &first.topic), &mut out)?;
            put_count(topic.len(), &mut out)?;
            for partition in topic {
                out.extend_from_slice(&partition.partition.to_be_bytes());
                put_count(partition.bytes, &mut out)?;
                parts.push(std::mem::take(&mut out));
            }
        }
        Ok(parts)
    }
}

impl Request for Produce {
    const KEY: i16 = 0;
    /// The first one is of Kafka 2.1; later ones are coded in another way, and
    /// begin partitions of transactions by themselves.
    const VERSIONS: RangeInclusive<i16> = 7..=8;
    type Response = ProduceAnswer;

    /// What stands before the topics.
    fn encode(&self, _version: i16, out: &mut Vec<u8>) -> Result<(), BytesError> {
        match &self.transactional_id {
            Some(id) => put_text(id, out)?,
            None => out.extend_from_slice(&(-1_i16).to_be_bytes()),
        }
        out.extend_from_slice(&self.acks.to_be_bytes());
        out.extend_from_slice(&self.timeout_ms.to_be_bytes());
        Ok(())
    }

    fn decode(version: i16, reader: &mut Reader<'_>) -> Result<Self::Response, BytesError> {
        let mut partitions = Vec::new();
        for _ in 0..reader.count("the topics")? {
            let topic = reader.text("the name of a topic")?;
            for _ in 0..reader.count("the partitions")? {
                partitions.push(produced(version, topic, reader)?);
            }
        }
        Ok(ProduceAnswer {
            partitions,
            throttle_ms: reader.int32("the throttle time")?,
        })
    }
}

fn produced(version: i16, topic: &str, reader: &mut Reader<'_>) -> Result<Produced, BytesError> {
    let partition = reader.int32("the number of a partition")?;
    let error = reader.int16("the error of a partition")?;
    let base_offset = reader.int64("the offset of a batch")?;
    reader.int64("the time of a batch")?;
    let log_start_offset = reader.int64("the start of a partition")?;
    let (mut refused, mut message) = (Vec::new(), None);
    if version >= 8 {
        for _ in 0..reader.count("the records that are refused")? {
            let index = reader.int32("the number of a record")?;
            let why = reader.nullable_text("why a record is refused")?;
            refused.push((index, why.map(str::to_owned)));
        }
        message = reader
            .nullable_text("the message of a partition")?
            .map(str::to_owned);
    }
    Ok(Produced {
        topic: topic.to_owned(),
        partition,
        error,
        base_offset,
        log_start_offset,
        message,
        refused,
    })
}
