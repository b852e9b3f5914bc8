//! How far a sink task has got in each partition.

use std::collections::BTreeMap;
use std::sync::Arc;

use tether_api::offset::TopicPartition;
use tether_api::sink::Offsets;
use tether_kafka::TopicPartitionOffset;

use crate::metrics::PartitionLag;

/// The partitions that a task has, and its positions in them.
#[derive(Default)]
pub(super) struct Partitions {
    all: Vec<Progress>,
    /// Where the last record was: they come partition by partition.
    last: usize,
}

/// Offsets are always the next one to read.
pub(super) struct Progress {
    pub(super) partition: TopicPartition,
    /// What the group has, as far as this task knows.
    committed: i64,
    /// After the last record that `put` took.
    current: i64,
    /// After the last record of the batch in hand.
    read: Option<i64>,
    /// The task asked for a pause of this partition.
    paused: bool,
    lag: Option<PartitionLag>,
}

impl Partitions {
    /// Adds partitions with their positions.
    pub(super) fn assign(&mut self, positions: &[TopicPartitionOffset]) {
        for position in positions {
            self.all
                .retain(|known| known.partition != position.partition);
            self.all.push(Progress {
                partition: position.partition.clone(),
                committed: position.offset,
                current: position.offset,
                read: None,
                paused: false,
                lag: None,
            });
        }
    }

    /// Measures the lag in each partition that is new.
    pub(super) fn measure_lags(&mut self, lag: impl Fn(&TopicPartition, i64) -> PartitionLag) {
        for known in &mut self.all {
            if known.lag.is_none() {
                known.lag = Some(lag(&known.partition, known.current));
            }
        }
    }

    /// Forgets partitions.
    pub(super) fn remove(&mut self, partitions: &[TopicPartition]) {
        self.all
            .retain(|known| !partitions.contains(&known.partition));
    }

    /// How many partitions there are.
    pub(super) fn count(&self) -> usize {
        self.all.len()
    }

    /// All partitions.
    pub(super) fn all(&self) -> Vec<TopicPartition> {
        self.all
            .iter()
            .map(|known| known.partition.clone())
            .collect()
    }

    /// Whether this is one of the partitions.
    pub(super) fn contains(&self, partition: &TopicPartition) -> bool {
        self.all.iter().any(|known| known.partition == *partition)
    }

    /// Notes that a record was read; its partition, or `None` if the task does
    /// not have it.
    pub(super) fn read(
        &mut self,
        topic: &Arc<str>,
        partition: i32,
        offset: i64,
    ) -> Option<&TopicPartition> {
        let is_it = |known: &Progress| {
            known.partition.partition == partition
                && (Arc::ptr_eq(&known.partition.topic, topic) || known.partition.topic == *topic)
        };
        if !self.all.get(self.last).is_some_and(is_it) {
            self.last = self.all.iter().position(is_it)?;
        }
        let known = self.all.get_mut(self.last)?;
        // The consumer shares one name among records: the next comparison is of
        // pointers.
        if !Arc::ptr_eq(&known.partition.topic, topic) {
            known.partition.topic = topic.clone();
        }
        known.read = Some(offset + 1);
        Some(&known.partition)
    }

    /// Notes that `put` took everything that was read.
    pub(super) fn delivered(&mut self) {
        for known in &mut self.all {
            if let Some(read) = known.read.take() {
                known.current = read;
            }
        }
    }

    /// What `put` took of these partitions, for `pre_commit`.
    pub(super) fn current(&self, partitions: &[TopicPartition]) -> Offsets {
        self.of(partitions)
            .map(|known| (known.partition.clone(), known.current))
            .collect()
    }

    /// What the group has of these partitions.
    pub(super) fn committed(&self, partitions: &[TopicPartition]) -> Offsets {
        self.of(partitions)
            .map(|known| (known.partition.clone(), known.committed))
            .collect()
    }

    /// Notes what was committed.
    pub(super) fn set_committed(&mut self, offsets: &Offsets) {
        for known in &mut self.all {
            if let Some(offset) = offsets.get(&known.partition) {
                known.committed = *offset;
            }
        }
    }

    /// Reading goes on at this offset, by wish of the task.
    pub(super) fn rewind(&mut self, partition: &TopicPartition, offset: i64) {
        for known in &mut self.all {
            if known.partition == *partition {
                known.committed = offset;
                known.current = offset;
            }
        }
    }

    /// Reading goes on at the committed offsets of these partitions.
    pub(super) fn rewind_to_committed(
        &mut self,
        partitions: &[TopicPartition],
    ) -> Vec<TopicPartitionOffset> {
        let mut seek = Vec::new();
        for known in &mut self.all {
            if partitions.contains(&known.partition) {
                known.current = known.committed;
                seek.push(TopicPartitionOffset {
                    partition: known.partition.clone(),
                    offset: known.committed,
                });
            }
        }
        seek
    }

    /// How many records were read whose offsets are not committed. The lags follow.
    pub(super) fn uncommitted(&self) -> usize {
        let uncommitted = self.all.iter().map(|known| {
            let read = known.read.unwrap_or(known.current);
            if let Some(lag) = &known.lag {
                lag.read_up_to(read);
            }
            usize::try_from(read - known.committed).unwrap_or(0)
        });
        uncommitted.sum()
    }

    /// Notes which partitions the task wants paused; those that it does not
    /// have are returned.
    pub(super) fn set_paused(
        &mut self,
        wishes: BTreeMap<TopicPartition, bool>,
    ) -> Vec<TopicPartition> {
        let mut unknown = Vec::new();
        for (partition, paused) in wishes {
            match self
                .all
                .iter_mut()
                .find(|known| known.partition == partition)
            {
                Some(known) => known.paused = paused,
                None => unknown.push(partition),
            }
        }
        unknown
    }

    /// The partitions that the task wants paused (true) or read (false).
    pub(super) fn paused(&self, paused: bool) -> Vec<TopicPartition> {
        self.all
            .iter()
            .filter(|known| known.paused == paused)
            .map(|known| known.partition.clone())
            .collect()
    }

    fn of<'a>(&'a self, partitions: &'a [TopicPartition]) -> impl Iterator<Item = &'a Progress> {
        self.all
            .iter()
            .filter(|known| partitions.contains(&known.partition))
    }
}
