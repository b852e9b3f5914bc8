//! What was fetched and is still to be read.

use std::collections::VecDeque;

use tether_api::offset::TopicPartition;

use super::partitions::Partitions;
use crate::records::{Names, RecordReader};
use crate::{ConsumedRecord, Result};

/// One partition's part of an answer.
pub(super) struct Chunk {
    partition: TopicPartition,
    reader: RecordReader,
    /// How many bytes it has, as they were fetched.
    bytes: usize,
    /// Whether reading it has begun.
    begun: bool,
}

impl Chunk {
    pub(super) fn new(partition: TopicPartition, reader: RecordReader, bytes: usize) -> Self {
        Self {
            partition,
            reader,
            bytes,
            begun: false,
        }
    }
}

/// Chunks of all partitions, read as they came.
#[derive(Default)]
pub(super) struct Chunks(VecDeque<Chunk>);

impl Chunks {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn push(&mut self, chunk: Chunk) {
        self.0.push_back(chunk);
    }

    /// Drops those of a partition.
    pub(super) fn drop_of(&mut self, partition: &TopicPartition) {
        self.0.retain(|chunk| chunk.partition != *partition);
    }

    /// How many bytes wait to be read. Those of paused partitions do not count:
    /// others must not wait for them.
    pub(super) fn unread(&self, partitions: &Partitions) -> usize {
        self.0
            .iter()
            .filter(|chunk| !chunk.begun && !partitions.is_paused(&chunk.partition))
            .map(|chunk| chunk.bytes)
            .sum()
    }

    /// The offset of the next record of a partition, if there is a chunk of it.
    pub(super) fn position(&self, partition: &TopicPartition) -> Option<i64> {
        self.0
            .iter()
            .find(|chunk| chunk.partition == *partition)
            .map(|chunk| chunk.reader.position())
    }

    /// Reads from those of partitions that are not paused.
    ///
    /// # Errors
    /// Fatal, if the next record is damaged. It is still the next one.
    pub(super) fn read(
        &mut self,
        partitions: &Partitions,
        most: usize,
        enough_bytes: usize,
        names: &mut Names,
        records: &mut Vec<ConsumedRecord>,
    ) -> Result<()> {
        let (mut index, mut bytes) = (0, 0);
        while records.len() < most && bytes < enough_bytes {
            let Some(chunk) = self.0.get_mut(index) else {
                break;
            };
            if partitions.is_paused(&chunk.partition) {
                index += 1;
                continue;
            }
            chunk.begun = true;
            let left = most - records.len();
            bytes += chunk
                .reader
                .read(left, enough_bytes - bytes, names, records)?;
            if chunk.reader.is_at_end() {
                self.0.remove(index);
            }
        }
        Ok(())
    }
}
