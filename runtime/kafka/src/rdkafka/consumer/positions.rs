//! Where a consumer begins in each of its partitions.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ::rdkafka::consumer::{BaseConsumer, Consumer};
use ::rdkafka::error::RDKafkaErrorCode;
use ::rdkafka::{Offset, TopicPartitionList};
use tether_api::offset::TopicPartition;

use super::context::GroupContext;
use crate::rdkafka::error::{failure, from_library, kind_of};
use crate::rdkafka::partitions::{absolute_offsets, answers, with_offsets, without_offsets};
use crate::{KafkaError, KafkaErrorKind, Result, TopicPartitionOffset};

/// What fails when offsets cannot be had.
const READING: &str = "Failed to read the offsets";

/// Where reading a partition begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    /// At this offset.
    At(i64),
    /// At the first offset.
    Beginning,
    /// After the last record.
    End,
    /// At the committed offset, else where `auto.offset.reset` says.
    Committed,
}

impl Position {
    pub(super) fn of(offset: Offset) -> Self {
        match offset {
            Offset::Offset(offset) => Self::At(offset),
            Offset::Beginning => Self::Beginning,
            Offset::End => Self::End,
            _ => Self::Committed,
        }
    }

    fn offset(self) -> Offset {
        match self {
            Self::At(offset) => Offset::Offset(offset),
            Self::Beginning => Offset::Beginning,
            Self::End => Offset::End,
            Self::Committed => Offset::Stored,
        }
    }
}

/// `auto.offset.reset`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reset {
    Earliest,
    Latest,
    None,
}

impl Reset {
    /// Reads librdkafka's value.
    pub(super) fn of(value: Option<&str>) -> Self {
        match value {
            Some("earliest") => Self::Earliest,
            Some("error") => Self::None,
            _ => Self::Latest,
        }
    }

    /// Where to begin without an offset.
    ///
    /// # Errors
    /// Fatal, if that is not allowed.
    pub(super) fn position(self, partition: &TopicPartition) -> Result<Position> {
        match self {
            Self::Earliest => Ok(Position::Beginning),
            Self::Latest => Ok(Position::End),
            Self::None => Err(KafkaError::new(
                KafkaErrorKind::Fatal,
                format!("Undefined offset with no reset policy for partition {partition}"),
            )),
        }
    }
}

/// The partitions of a consumer.
#[derive(Debug, Default)]
pub(super) struct Assignment {
    /// Where reading begins, wherever it has come since.
    positions: BTreeMap<TopicPartition, Position>,
    /// Partitions that were taken away without consent.
    lost: BTreeSet<TopicPartition>,
}

impl Assignment {
    pub(super) fn add(&mut self, partition: TopicPartition, position: Position) {
        self.positions.insert(partition, position);
    }

    pub(super) fn remove(&mut self, partition: &TopicPartition) {
        self.positions.remove(partition);
        self.lost.remove(partition);
    }

    pub(super) fn lose(&mut self, partitions: &[TopicPartition]) {
        self.lost.extend(partitions.iter().cloned());
    }

    pub(super) fn partitions(&self) -> Vec<TopicPartition> {
        self.positions.keys().cloned().collect()
    }

    /// Begins anew at this position, if the partition is still assigned.
    pub(super) fn begin_at(&mut self, partition: &TopicPartition, position: Position) {
        if let Some(present) = self.positions.get_mut(partition) {
            *present = position;
        }
    }

    /// # Errors
    /// Invalid, if a partition is not assigned.
    pub(super) fn check<'a>(
        &self,
        partitions: impl IntoIterator<Item = &'a TopicPartition>,
    ) -> Result<()> {
        for partition in partitions {
            if !self.positions.contains_key(partition) {
                return Err(KafkaError::new(
                    KafkaErrorKind::Invalid,
                    format!("No current assignment for partition {partition}"),
                ));
            }
        }
        Ok(())
    }

    /// # Errors
    /// Fenced, if a partition is not this member's any more.
    pub(super) fn check_owned<'a>(
        &self,
        partitions: impl IntoIterator<Item = &'a TopicPartition>,
    ) -> Result<()> {
        for partition in partitions {
            if !self.positions.contains_key(partition) || self.lost.contains(partition) {
                return Err(KafkaError::new(
                    KafkaErrorKind::Fenced,
                    format!(
                        "Offset commit cannot be completed since the consumer does not own \
                         partition {partition} any more: the group has rebalanced"
                    ),
                ));
            }
        }
        Ok(())
    }

    /// Where to begin; `None` if the partition is not assigned.
    pub(super) fn position(&self, partition: &TopicPartition) -> Option<Position> {
        self.positions.get(partition).copied()
    }
}

/// An offset for each position, in their order; `None` for partitions that the
/// broker does not know. Blocks.
///
/// # Errors
/// Retriable, if the broker does not answer in time; Fatal, if there is neither
/// an offset nor a reset policy.
pub(super) fn resolve(
    consumer: &BaseConsumer<GroupContext>,
    positions: &[(TopicPartition, Position)],
    reset: Reset,
    timeout: Duration,
) -> Result<Vec<Option<i64>>> {
    let to_fetch: Vec<_> = positions
        .iter()
        .filter(|(_, position)| *position == Position::Committed)
        .map(|(partition, _)| partition)
        .collect();
    let mut committed = committed(consumer, &to_fetch, timeout)?;
    let mut offsets = Vec::with_capacity(positions.len());
    for (partition, position) in positions {
        let position = match position {
            Position::Committed => match committed.remove(partition) {
                Some(offset) => Position::At(offset),
                None => reset.position(partition)?,
            },
            position => *position,
        };
        offsets.push((partition.clone(), position.offset()));
    }
    for (partition, outcome) in answers(&ask(consumer, &offsets, timeout)?) {
        let slot = offsets.iter_mut().find(|(listed, _)| *listed == partition);
        match (outcome, slot) {
            (Ok(offset), Some((_, slot))) => *slot = offset,
            (Err(code), _) if kind_of(code) != KafkaErrorKind::NotFound => {
                return Err(failure(
                    &format!("{READING} of partition {partition}"),
                    code,
                ));
            }
            _ => {}
        }
    }
    Ok(offsets
        .into_iter()
        .map(|(_, offset)| match offset {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        })
        .collect())
}

/// The committed offsets of those partitions that have one.
fn committed(
    consumer: &BaseConsumer<GroupContext>,
    partitions: &[&TopicPartition],
    timeout: Duration,
) -> Result<BTreeMap<TopicPartition, i64>> {
    if partitions.is_empty() {
        return Ok(BTreeMap::new());
    }
    let doing = "Failed to read committed offsets";
    let list = consumer
        .committed_offsets(without_offsets(partitions.iter().copied())?, timeout)
        .map_err(|error| from_library(doing, &error, KafkaErrorKind::Retriable))?;
    let mut committed = BTreeMap::new();
    for (partition, outcome) in answers(&list) {
        match outcome {
            Ok(Offset::Offset(offset)) => {
                committed.insert(partition, offset);
            }
            Ok(_) | Err(RDKafkaErrorCode::NoOffset) => {}
            Err(code) => return Err(failure(&format!("{doing} of partition {partition}"), code)),
        }
    }
    Ok(committed)
}

/// Asks for those offsets that are not absolute.
fn ask(
    consumer: &BaseConsumer<GroupContext>,
    offsets: &[(TopicPartition, Offset)],
    timeout: Duration,
) -> Result<TopicPartitionList> {
    let logical = offsets
        .iter()
        .filter(|(_, offset)| !matches!(offset, Offset::Offset(_)))
        .map(|(partition, offset)| (partition, *offset));
    let list = with_offsets(logical)?;
    if list.count() == 0 {
        return Ok(list);
    }
    // The broker takes -1 and -2 in place of a time for the ends of the log,
    // and these are the numbers of `Offset::End` and `Offset::Beginning`.
    consumer
        .offsets_for_times(list, timeout)
        .map_err(|error| from_library(READING, &error, KafkaErrorKind::Retriable))
}

/// Absolute offsets in place of logical ones, in their order. Blocks.
///
/// # Errors
/// Retriable, if the broker does not answer in time; `NotFound`.
pub(super) fn absolute(
    consumer: &BaseConsumer<GroupContext>,
    offsets: &[(TopicPartition, Offset)],
    timeout: Duration,
) -> Result<Vec<TopicPartitionOffset>> {
    let answers = absolute_offsets(READING, &ask(consumer, offsets, timeout)?)?;
    let mut asked: BTreeMap<_, _> = answers
        .into_iter()
        .map(|entry| (entry.partition, entry.offset))
        .collect();
    Ok(offsets
        .iter()
        .filter_map(|(partition, offset)| {
            let offset = match offset {
                Offset::Offset(offset) => *offset,
                _ => asked.remove(partition)?,
            };
            Some(TopicPartitionOffset {
                partition: partition.clone(),
                offset,
            })
        })
        .collect())
}
