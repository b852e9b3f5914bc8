//! Topics in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use tether_api::record::TimestampType;

use crate::{ConsumedRecord, NewTopic, TopicDescription};

/// A topic and its records.
pub(super) struct Topic {
    name: Arc<str>,
    config: BTreeMap<String, String>,
    partitions: Vec<Partition>,
}

#[derive(Default)]
struct Partition {
    /// The offset of the first record that is left.
    start: i64,
    records: Vec<ConsumedRecord>,
}

impl Topic {
    pub(super) fn new(name: Arc<str>, partitions: i32, config: BTreeMap<String, String>) -> Self {
        let count = usize::try_from(partitions).unwrap_or(0).max(1);
        Self {
            name,
            config,
            partitions: std::iter::repeat_with(Partition::default)
                .take(count)
                .collect(),
        }
    }

    pub(super) fn partition_count(&self) -> i32 {
        i32::try_from(self.partitions.len()).unwrap_or(i32::MAX)
    }

    pub(super) fn config(&self, name: &str) -> Option<&str> {
        self.config.get(name).map(String::as_str)
    }

    pub(super) fn description(&self) -> NewTopic {
        NewTopic {
            name: self.name.to_string(),
            partitions: self.partition_count(),
            replication_factor: 1,
            config: self.config.clone(),
        }
    }

    pub(super) fn summary(&self) -> TopicDescription {
        TopicDescription {
            name: self.name.to_string(),
            partitions: self.partition_count(),
        }
    }

    /// Appends to a partition, which is created if it is missing.
    pub(super) fn append(&mut self, partition: i32, mut record: ConsumedRecord) -> i64 {
        let index = usize::try_from(partition).unwrap_or(0);
        if index >= self.partitions.len() {
            self.partitions.resize_with(index + 1, Partition::default);
        }
        let log = &mut self.partitions[index];
        record.topic = self.name.clone();
        record.partition = partition;
        record.offset = log.end();
        let offset = record.offset;
        log.records.push(record);
        offset
    }

    pub(super) fn truncate_before(&mut self, partition: i32, offset: i64) {
        if let Some(log) = self.partition_mut(partition) {
            log.records.retain(|record| record.offset >= offset);
            log.start = log.start.max(offset);
        }
    }

    pub(super) fn records(&self) -> Vec<ConsumedRecord> {
        self.partitions
            .iter()
            .flat_map(|log| log.records.iter().cloned())
            .collect()
    }

    /// The first offset of a partition and the one after its last record.
    pub(super) fn bounds(&self, partition: i32) -> Option<(i64, i64)> {
        let log = self.partitions.get(usize::try_from(partition).ok()?)?;
        Some((log.start, log.end()))
    }

    /// The records of a partition from an offset on.
    pub(super) fn read(&self, partition: i32, offset: i64) -> &[ConsumedRecord] {
        let Some(log) = usize::try_from(partition)
            .ok()
            .and_then(|index| self.partitions.get(index))
        else {
            return &[];
        };
        let from = log.records.partition_point(|record| record.offset < offset);
        &log.records[from..]
    }

    fn partition_mut(&mut self, partition: i32) -> Option<&mut Partition> {
        self.partitions.get_mut(usize::try_from(partition).ok()?)
    }
}

impl Partition {
    fn end(&self) -> i64 {
        self.records
            .last()
            .map_or(self.start, |record| record.offset + 1)
    }
}

/// A record of text, at time zero.
pub(super) fn text_record(key: &str, value: &str) -> ConsumedRecord {
    ConsumedRecord {
        topic: Arc::from(""),
        partition: 0,
        offset: 0,
        timestamp: Some(0),
        timestamp_type: TimestampType::CreateTime,
        key: Some(Bytes::copy_from_slice(key.as_bytes())),
        value: Some(Bytes::copy_from_slice(value.as_bytes())),
        headers: Vec::new(),
    }
}

/// Java's default partitioner: murmur2 of the key (`Utils.murmur2`), made
/// positive, modulo the number of partitions. Records without key go to
/// partition 0.
pub(super) fn partition_for(key: Option<&[u8]>, partitions: i32) -> i32 {
    match key {
        Some(key) => (murmur2(key) & 0x7fff_ffff).cast_signed() % partitions.max(1),
        None => 0,
    }
}

fn murmur2(data: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    let mut hash = 0x9747_b28c ^ length;
    let mut words = data.chunks_exact(4);
    for word in &mut words {
        let mut k = u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
        k = k.wrapping_mul(M);
        k ^= k >> 24;
        k = k.wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ k;
    }
    let tail = words.remainder();
    if !tail.is_empty() {
        for (index, byte) in tail.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * index);
        }
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn murmur2_is_javas() {
        // From UtilsTest.testMurmur2 of the reference.
        let cases: [(&[u8], i32); 5] = [
            (b"21", -973_932_308),
            (b"foobar", -790_332_482),
            (b"a-little-bit-long-string", -985_981_536),
            (b"a-little-bit-longer-string", -1_486_304_829),
            (
                b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8",
                -58_897_971,
            ),
        ];
        for (key, hash) in cases {
            assert_eq!(murmur2(key).cast_signed(), hash);
        }
    }
}
