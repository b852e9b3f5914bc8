//! Records of partitions.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::{ErrorCode, Request};
use crate::broker::bytes::{BytesError, Reader, put_count, put_text};
use crate::records::AbortedTransaction;

/// What a consumer says in place of the number of a replica, and where it knows
/// no number.
const NONE: i32 = -1;

/// Asks for records without a session, so for all partitions each time.
#[derive(Debug, Clone)]
pub(crate) struct Fetch {
    /// How many milliseconds the broker waits for `min_bytes`.
    pub(crate) max_wait_ms: i32,
    /// How many bytes there should be.
    pub(crate) min_bytes: i32,
    /// How many bytes the answer may have, unless its first batch has more.
    pub(crate) max_bytes: i32,
    /// Whether records of open transactions are held back.
    pub(crate) read_committed: bool,
    /// The rack of this client, for a replica close to it; empty if unknown.
    pub(crate) rack: String,
    /// From which partitions. The broker serves the first ones first.
    pub(crate) topics: Vec<FetchTopic>,
}

/// A topic to read.
#[derive(Debug, Clone)]
pub(crate) struct FetchTopic {
    /// Its name.
    pub(crate) name: Arc<str>,
    /// Its partitions.
    pub(crate) partitions: Vec<FetchPartition>,
}

/// A partition to read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FetchPartition {
    /// Its number.
    pub(crate) partition: i32,
    /// The epoch of the leader that this client knows; -1 for none.
    pub(crate) leader_epoch: i32,
    /// From where on.
    pub(crate) offset: i64,
    /// How many bytes, unless the first batch has more.
    pub(crate) max_bytes: i32,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fetched {
    /// How many milliseconds to wait with the next request.
    pub(crate) throttle_ms: i32,
    /// Why there is nothing.
    pub(crate) error: ErrorCode,
    /// What there is, for each topic.
    pub(crate) topics: Vec<FetchedTopic>,
}

impl Fetched {
    /// How long to wait with the next request.
    pub(crate) fn throttle(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.throttle_ms).unwrap_or(0))
    }
}

/// What there is of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FetchedTopic {
    /// Its name.
    pub(crate) name: String,
    /// Its partitions.
    pub(crate) partitions: Vec<FetchedPartition>,
}

/// What there is of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FetchedPartition {
    /// Its number.
    pub(crate) partition: i32,
    /// Why there is nothing.
    pub(crate) error: ErrorCode,
    /// The offset after the last record; -1 if unknown.
    pub(crate) high_watermark: i64,
    /// The offset of the first open transaction, else as above.
    pub(crate) last_stable_offset: i64,
    /// Transactions among these records that were aborted.
    pub(crate) aborted: Vec<AbortedTransaction>,
    /// The broker to ask from now on; `None` for the one that was asked.
    pub(crate) preferred_replica: Option<i32>,
    /// Batches, of which the last may be cut: a part of the answer's bytes.
    pub(crate) records: Bytes,
}

impl Request for Fetch {
    const KEY: i16 = 1;
    /// The first one is of Kafka 2.1. Later ones name topics by ids.
    const VERSIONS: RangeInclusive<i16> = 10..=11;
    type Response = Fetched;

    fn encode(&self, version: i16, out: &mut Vec<u8>) -> Result<(), BytesError> {
        out.extend_from_slice(&NONE.to_be_bytes());
        out.extend_from_slice(&self.max_wait_ms.to_be_bytes());
        out.extend_from_slice(&self.min_bytes.to_be_bytes());
        out.extend_from_slice(&self.max_bytes.to_be_bytes());
        out.push(u8::from(self.read_committed));
        // No session, and none to begin.
        out.extend_from_slice(&0_i32.to_be_bytes());
        out.extend_from_slice(&(-1_i32).to_be_bytes());
        put_count(self.topics.len(), out)?;
        for topic in &self.topics {
            put_text(&topic.name, out)?;
            put_count(topic.partitions.len(), out)?;
            for partition in &topic.partitions {
                out.extend_from_slice(&partition.partition.to_be_bytes());
                out.extend_from_slice(&partition.leader_epoch.to_be_bytes());
                out.extend_from_slice(&partition.offset.to_be_bytes());
                // Where the log of a follower begins.
                out.extend_from_slice(&(-1_i64).to_be_bytes());
                out.extend_from_slice(&partition.max_bytes.to_be_bytes());
            }
        }
        // Partitions that leave the session.
        put_count(0, out)?;
        if version >= 11 {
            put_text(&self.rack, out)?;
        }
        Ok(())
    }

    fn decode(version: i16, reader: &mut Reader<'_>) -> Result<Self::Response, BytesError> {
        let throttle_ms = reader.int32("the throttle time")?;
        let error = reader.int16("the error")?;
        reader.int32("the session")?;
        let mut topics = Vec::new();
        for _ in 0..reader.count("the topics")? {
            let name = reader.text("the name of a topic")?.to_owned();
            let mut partitions = Vec::new();
            for _ in 0..reader.count("the partitions")? {
                partitions.push(partition(version, reader)?);
            }
            topics.push(FetchedTopic { name, partitions });
        }
        Ok(Fetched {
            throttle_ms,
            error,
            topics,
        })
    }
}

fn partition(version: i16, reader: &mut Reader<'_>) -> Result<FetchedPartition, BytesError> {
    let partition = reader.int32("the number of a partition")?;
    let error = reader.int16("the error of a partition")?;
    let high_watermark = reader.int64("the end of a partition")?;
    let last_stable_offset = reader.int64("the last stable offset")?;
    reader.int64("the start of a partition")?;
    let mut aborted = Vec::new();
    for _ in 0..reader.count("the aborted transactions")? {
        aborted.push(AbortedTransaction {
            producer_id: reader.int64("a producer")?,
            first_offset: reader.int64("the first offset of a transaction")?,
        });
    }
    let preferred = match version >= 11 {
        true => reader.int32("the preferred replica")?,
        false => NONE,
    };
    let records = reader.nullable_shared_bytes("the records")?;
    Ok(FetchedPartition {
        partition,
        error,
        high_watermark,
        last_stable_offset,
        aborted,
        preferred_replica: (preferred != NONE).then_some(preferred),
        records: records.unwrap_or_default(),
    })
}
