//! The partitions that a consumer reads, and where each of them is fetched.

use std::collections::BTreeMap;

use tether_api::offset::TopicPartition;
use tokio::time::Instant;

use crate::broker::Growing;

/// The partitions of one consumer.
#[derive(Default)]
pub(super) struct Partitions {
    all: BTreeMap<TopicPartition, Partition>,
    /// How often a partition was left without a place.
    searches: u64,
}

/// One partition.
#[derive(Debug)]
pub(super) struct Partition {
    next: Next,
    paused: bool,
    leader: Option<Leader>,
    /// A replica to ask in place of the leader, and until when (KIP-392).
    replica: Option<(i32, Instant)>,
    /// The epoch of the leader that wrote the last record before the next one;
    /// -1 if unknown.
    written_by: i32,
    /// Whether the leader is another one since, which may not have all that
    /// was fetched (KIP-320).
    unchecked: bool,
    end_offset: Option<i64>,
    /// How often fetching it failed in a row.
    failures: u32,
    /// When it may be fetched again.
    not_before: Option<Instant>,
}

/// Where the next fetch begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    At(i64),
    /// That is to be found out; the number tells one search from others.
    Unplaced(u64),
}

/// The broker that leads a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Leader {
    pub(super) node: i32,
    pub(super) epoch: i32,
}

/// A partition of which it is not known where to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unplaced {
    /// The partition.
    pub(crate) partition: TopicPartition,
    search: u64,
}

/// A partition whose next offset the broker does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OutOfRange {
    /// The partition.
    pub(crate) partition: TopicPartition,
    /// The offset.
    pub(crate) offset: i64,
}

/// What the next request to a broker asks of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Records from this offset on.
    Records { offset: i64, leader_epoch: i32 },
    /// Where the records of the leader with this epoch end.
    EpochEnd {
        offset: i64,
        epoch: i32,
        leader_epoch: i32,
    },
}

impl Partitions {
    pub(super) fn add(&mut self, partition: TopicPartition) {
        let next = self.search();
        self.all.insert(
            partition,
            Partition {
                next,
                paused: false,
                leader: None,
                replica: None,
                written_by: -1,
                unchecked: false,
                end_offset: None,
                failures: 0,
                not_before: None,
            },
        );
    }

    fn search(&mut self) -> Next {
        self.searches += 1;
        Next::Unplaced(self.searches)
    }

    pub(super) fn remove(&mut self, partition: &TopicPartition) {
        self.all.remove(partition);
    }

    /// The next fetch begins here.
    pub(super) fn seek(&mut self, partition: &TopicPartition, offset: i64) {
        if let Some(partition) = self.all.get_mut(partition) {
            partition.go_on_at(offset);
            partition.written_by = -1;
        }
    }

    pub(super) fn place(&mut self, unplaced: &Unplaced, offset: i64) {
        if let Some(partition) = self.all.get_mut(&unplaced.partition)
            && partition.next == Next::Unplaced(unplaced.search)
        {
            partition.go_on_at(offset);
        }
    }

    /// The broker does not have the next offset.
    pub(super) fn displace(&mut self, partition: &TopicPartition) {
        let next = self.search();
        if let Some(partition) = self.all.get_mut(partition) {
            partition.next = next;
            partition.written_by = -1;
            partition.unchecked = false;
        }
    }

    pub(super) fn unplaced(&self) -> Vec<Unplaced> {
        self.all
            .iter()
            .filter_map(|(partition, known)| match known.next {
                Next::At(_) => None,
                Next::Unplaced(search) => Some(Unplaced {
                    partition: partition.clone(),
                    search,
                }),
            })
            .collect()
    }

    pub(super) fn pause(&mut self, partitions: &[TopicPartition], paused: bool) {
        for partition in partitions {
            if let Some(partition) = self.all.get_mut(partition) {
                partition.paused = paused;
            }
        }
    }

    pub(super) fn is_paused(&self, partition: &TopicPartition) -> bool {
        self.all.get(partition).is_some_and(|known| known.paused)
    }

    pub(super) fn next_offset(&self, partition: &TopicPartition) -> Option<i64> {
        self.all.get(partition)?.next_offset()
    }

    pub(super) fn end_offset(&self, partition: &TopicPartition) -> Option<i64> {
        self.all.get(partition)?.end_offset
    }

    pub(super) fn get_mut(&mut self, partition: &TopicPartition) -> Option<&mut Partition> {
        self.all.get_mut(partition)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Asks no replicas but these.
    pub(super) fn keep_replicas(&mut self, is_alive: impl Fn(i32) -> bool) {
        for partition in self.all.values_mut() {
            partition.replica.take_if(|(node, _)| !is_alive(*node));
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&TopicPartition, &Partition)> {
        self.all.iter()
    }
}

impl Partition {
    fn go_on_at(&mut self, offset: i64) {
        self.next = Next::At(offset);
        self.unchecked = false;
        self.failures = 0;
        self.not_before = None;
    }

    pub(super) fn next_offset(&self) -> Option<i64> {
        match self.next {
            Next::At(offset) => Some(offset),
            Next::Unplaced(_) => None,
        }
    }

    /// What to ask for now, and which broker; `None` if nothing.
    pub(super) fn wanted(&self, now: Instant) -> Option<(i32, Wanted)> {
        let Leader { node, epoch } = self.leader?;
        let due = self.not_before.is_none_or(|at| at <= now);
        let offset = self.next_offset().filter(|_| due && !self.paused)?;
        if self.unchecked {
            let wanted = Wanted::EpochEnd {
                offset,
                epoch: self.written_by,
                leader_epoch: epoch,
            };
            return Some((node, wanted));
        }
        let replica = self.replica.filter(|(_, until)| *until > now);
        let wanted = Wanted::Records {
            offset,
            leader_epoch: epoch,
        };
        Some((replica.map_or(node, |(node, _)| node), wanted))
    }

    /// When there may be something to ask for, if not now.
    pub(super) fn not_before(&self) -> Option<Instant> {
        self.not_before.filter(|_| !self.paused)
    }

    pub(super) fn has_leader(&self) -> bool {
        self.leader.is_some()
    }

    /// Takes the leader that metadata names.
    pub(super) fn set_leader(&mut self, leader: Leader) {
        self.unchecked |= self.written_by >= 0 && leader.epoch > self.written_by;
        self.leader = Some(leader);
    }

    /// The leader is to be asked for anew.
    pub(super) fn forget_leader(&mut self) {
        self.leader = None;
        self.replica = None;
    }

    /// Asks this replica until then.
    pub(super) fn prefer(&mut self, node: i32, until: Instant) {
        self.replica = Some((node, until));
    }

    /// Asks the leader again; false if that was asked.
    pub(super) fn leave_replica(&mut self) -> bool {
        self.replica.take().is_some()
    }

    /// What a fetch has told.
    pub(super) fn fetched(&mut self, end_offset: i64) {
        self.end_offset = (end_offset >= 0).then_some(end_offset);
        self.failures = 0;
        self.not_before = None;
    }

    /// Records came, written last by the leader of this epoch.
    pub(super) fn advance(&mut self, next_offset: i64, written_by: i32) {
        self.next = Next::At(next_offset);
        self.written_by = written_by;
    }

    /// The leader has all that was fetched.
    pub(super) fn checked(&mut self) {
        self.unchecked = false;
        self.failures = 0;
        self.not_before = None;
    }

    /// Waits before the next attempt. Returns whether the last one was good.
    pub(super) fn failed(&mut self, backoff: Growing) -> bool {
        let first = self.failures == 0;
        self.not_before = Some(Instant::now() + backoff.random_after(self.failures));
        self.failures = self.failures.saturating_add(1);
        first
    }
}
