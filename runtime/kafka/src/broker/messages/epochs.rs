//! Where the records of a leader end (KIP-320).

use std::ops::RangeInclusive;
use std::sync::Arc;

use super::{ErrorCode, Request};
use crate::broker::bytes::{BytesError, Reader, put_count, put_text};

/// Asks where the records of earlier leaders end in the logs of this one.
#[derive(Debug, Clone)]
pub(crate) struct OffsetForLeaderEpoch {
    /// Of which partitions, each topic once for each of its partitions.
    pub(crate) partitions: Vec<EpochOfPartition>,
}

/// A partition and two of its leaders.
#[derive(Debug, Clone)]
pub(crate) struct EpochOfPartition {
    /// The topic.
    pub(crate) topic: Arc<str>,
    /// The partition.
    pub(crate) partition: i32,
    /// The epoch of the leader that is asked; -1 if unknown.
    pub(crate) current_epoch: i32,
    /// The epoch whose end is asked for.
    pub(crate) epoch: i32,
}

/// The end of an epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EpochEnd {
    /// The topic.
    pub(crate) topic: String,
    /// The partition.
    pub(crate) partition: i32,
    /// Why it is not known.
    pub(crate) error: ErrorCode,
    /// The largest epoch up to the one that was asked for; -1 if there is none.
    pub(crate) epoch: i32,
    /// The offset after its last record; -1 if there is none.
    pub(crate) end_offset: i64,
}

impl Request for OffsetForLeaderEpoch {
    const KEY: i16 = 23;
    const VERSIONS: RangeInclusive<i16> = 2..=3;
    type Response = Vec<EpochEnd>;

    fn encode(&self, version: i16, out: &mut Vec<u8>) -> Result<(), BytesError> {
        if version >= 3 {
            // A consumer is no replica.
            out.extend_from_slice(&(-1_i32).to_be_bytes());
        }
        put_count(self.partitions.len(), out)?;
        for partition in &self.partitions {
            put_text(&partition.topic, out)?;
            put_count(1, out)?;
            out.extend_from_slice(&partition.partition.to_be_bytes());
            out.extend_from_slice(&partition.current_epoch.to_be_bytes());
            out.extend_from_slice(&partition.epoch.to_be_bytes());
        }
        Ok(())
    }

    fn decode(_version: i16, reader: &mut Reader<'_>) -> Result<Self::Response, BytesError> {
        reader.int32("the throttle time")?;
        let mut ends = Vec::new();
        for _ in 0..reader.count("the topics")? {
            let topic = reader.text("the name of a topic")?;
            for _ in 0..reader.count("the partitions")? {
                ends.push(EpochEnd {
                    error: reader.int16("the error of a partition")?,
                    topic: topic.to_owned(),
                    partition: reader.int32("the number of a partition")?,
                    epoch: reader.int32("an epoch")?,
                    end_offset: reader.int64("the end of an epoch")?,
                });
            }
        }
        Ok(ends)
    }
}
