//! Where a consumer is in each of its partitions.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ::rdkafka::Offset;
use ::rdkafka::consumer::{BaseConsumer, Consumer};
use ::rdkafka::error::RDKafkaErrorCode;
use tether_api::offset::TopicPartition;

use super::context::GroupContext;
use crate::rdkafka::error::{failure, from_library};
use crate::rdkafka::partitions::{absolute_offsets, answers, with_offsets, without_offsets};
use crate::{KafkaError, KafkaErrorKind, Result, TopicPartitionOffset};

/// Where reading goes on in a partition.
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
}

/// The partitions of a consumer.
#[derive(Debug, Default)]
pub(super) struct Assignment {
    positions: BTreeMap<TopicPartition, Position>,
    /// Partitions that were taken away without consent.
    lost: BTreeSet<TopicPartition>,
}

impl Assignment {
    pub(super) fn add(&mut self, partition: TopicPartition, position: Position) {
        self.positions.insert(partition, position);
    }

    pub(super) fn clear(&mut self) {
        self.positions.clear();
        self.lost.clear();
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

    /// Sets the position of a partition, if it is still assigned.
    pub(super) fn move_to(&mut self, partition: &TopicPartition, position: Position) {
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

    /// The positions of these partitions.
    ///
    /// # Errors
    /// Invalid, if a partition is not assigned.
    pub(super) fn positions(
        &self,
        partitions: &[TopicPartition],
    ) -> Result<Vec<(TopicPartition, Position)>> {
        self.check(partitions)?;
        Ok(partitions
            .iter()
            .filter_map(|partition| Some((partition.clone(), *self.positions.get(partition)?)))
            .collect())
    }
}

/// An absolute offset for each position, in their order, and those that came
/// from `auto.offset.reset`, which the caller has to seek to so that what was
/// told comes true. Blocks.
///
/// # Errors
/// Retriable, if the broker does not answer in time; Fatal, if there is neither
/// an offset nor a reset policy.
pub(super) fn resolve(
    consumer: &BaseConsumer<GroupContext>,
    positions: Vec<(TopicPartition, Position)>,
    reset: Reset,
    timeout: Duration,
) -> Result<(Vec<TopicPartitionOffset>, Vec<TopicPartitionOffset>)> {
    let passed = passed_offsets(consumer);
    let mut found: BTreeMap<TopicPartition, i64> = BTreeMap::new();
    let mut to_list = Vec::new();
    let mut to_fetch = Vec::new();
    for (partition, position) in &positions {
        match position {
            Position::At(offset) => {
                let past = passed.get(partition).copied().unwrap_or(*offset);
                found.insert(partition.clone(), past.max(*offset));
            }
            Position::Beginning => to_list.push((partition.clone(), Offset::Beginning)),
            Position::End => to_list.push((partition.clone(), Offset::End)),
            Position::Committed => to_fetch.push(partition.clone()),
        }
    }
    for (partition, committed) in committed(consumer, &to_fetch, timeout)? {
        match (committed, reset) {
            (Some(offset), _) => {
                found.insert(partition, offset);
            }
            (None, Reset::Earliest) => to_list.push((partition, Offset::Beginning)),
            (None, Reset::Latest) => to_list.push((partition, Offset::End)),
            (None, Reset::None) => {
                return Err(KafkaError::new(
                    KafkaErrorKind::Fatal,
                    format!("Undefined offset with no reset policy for partition {partition}"),
                ));
            }
        }
    }
    let listed = list_offsets(consumer, &to_list, timeout)?;
    for entry in &listed {
        found.insert(entry.partition.clone(), entry.offset);
    }
    let offsets = positions
        .into_iter()
        .filter_map(|(partition, _)| {
            let offset = *found.get(&partition)?;
            Some(TopicPartitionOffset { partition, offset })
        })
        .collect();
    Ok((offsets, listed))
}

/// Where librdkafka is in each partition: past the records that were returned,
/// and past those that no reader gets, such as a transaction's marker. It starts
/// anew with each seek.
fn passed_offsets(consumer: &BaseConsumer<GroupContext>) -> BTreeMap<TopicPartition, i64> {
    let list = consumer.position().unwrap_or_default();
    answers(&list)
        .into_iter()
        .filter_map(|(partition, outcome)| match outcome {
            Ok(Offset::Offset(offset)) => Some((partition, offset)),
            _ => None,
        })
        .collect()
}

fn committed(
    consumer: &BaseConsumer<GroupContext>,
    partitions: &[TopicPartition],
    timeout: Duration,
) -> Result<Vec<(TopicPartition, Option<i64>)>> {
    if partitions.is_empty() {
        return Ok(Vec::new());
    }
    let doing = "Failed to read committed offsets";
    let list = consumer
        .committed_offsets(without_offsets(partitions)?, timeout)
        .map_err(|error| from_library(doing, &error, KafkaErrorKind::Retriable))?;
    answers(&list)
        .into_iter()
        .map(|(partition, outcome)| match outcome {
            Ok(Offset::Offset(offset)) => Ok((partition, Some(offset))),
            Ok(_) | Err(RDKafkaErrorCode::NoOffset) => Ok((partition, None)),
            Err(code) => Err(failure(&format!("{doing} of partition {partition}"), code)),
        })
        .collect()
}

/// The first or last offsets of partitions. Blocks.
///
/// # Errors
/// Retriable, if the broker does not answer in time; `NotFound`.
pub(super) fn list_offsets(
    consumer: &BaseConsumer<GroupContext>,
    entries: &[(TopicPartition, Offset)],
    timeout: Duration,
) -> Result<Vec<TopicPartitionOffset>> {
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let doing = "Failed to read the offsets";
    // The broker takes -1 and -2 in place of a time for the ends of the log,
    // and these are the numbers of `Offset::End` and `Offset::Beginning`.
    let list = with_offsets(
        entries
            .iter()
            .map(|(partition, offset)| (partition, *offset)),
    )?;
    let list = consumer
        .offsets_for_times(list, timeout)
        .map_err(|error| from_library(doing, &error, KafkaErrorKind::Retriable))?;
    absolute_offsets(doing, &list)
}
