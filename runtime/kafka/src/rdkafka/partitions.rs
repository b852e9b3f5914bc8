//! Lists of partitions, to and from librdkafka.

use ::rdkafka::error::{KafkaError as RdError, RDKafkaErrorCode};
use ::rdkafka::{Offset, TopicPartitionList};
use tether_api::offset::TopicPartition;

use super::error::failure;
use crate::{KafkaError, KafkaErrorKind, Result, TopicPartitionOffset};

/// A list with an offset for each partition.
///
/// # Errors
/// Invalid, if a topic's name cannot be one or an offset makes no sense.
pub(super) fn with_offsets<'a>(
    entries: impl IntoIterator<Item = (&'a TopicPartition, Offset)>,
) -> Result<TopicPartitionList> {
    let mut list = TopicPartitionList::new();
    for (partition, offset) in entries {
        check_topic(&partition.topic)?;
        list.add_partition_offset(&partition.topic, partition.partition, offset)
            .map_err(|_| {
                KafkaError::new(
                    KafkaErrorKind::Invalid,
                    format!("{offset:?} is no offset of partition {partition}"),
                )
            })?;
    }
    Ok(list)
}

/// A list without offsets.
///
/// # Errors
/// Invalid, if a topic's name cannot be one.
pub(super) fn without_offsets<'a>(
    partitions: impl IntoIterator<Item = &'a TopicPartition>,
) -> Result<TopicPartitionList> {
    with_offsets(
        partitions
            .into_iter()
            .map(|partition| (partition, Offset::Invalid)),
    )
}

/// The library panics at a name with a character of code 0.
///
/// # Errors
/// Invalid, if the name has one, or is empty.
pub(super) fn check_topic(name: &str) -> Result<()> {
    if name.is_empty() || name.contains('\0') {
        return Err(KafkaError::new(
            KafkaErrorKind::Invalid,
            format!("Topic name is invalid: {name:?}"),
        ));
    }
    Ok(())
}

/// The partitions of a list.
pub(super) fn partitions(list: &TopicPartitionList) -> Vec<TopicPartition> {
    list.elements()
        .iter()
        .map(|element| TopicPartition::new(element.topic(), element.partition()))
        .collect()
}

/// A partition of an answer: where it is at, or why not.
pub(super) type Answer = (
    TopicPartition,
    std::result::Result<Offset, RDKafkaErrorCode>,
);

/// The partitions of a list that a call has filled in.
pub(super) fn answers(list: &TopicPartitionList) -> Vec<Answer> {
    list.elements()
        .iter()
        .map(|element| {
            let partition = TopicPartition::new(element.topic(), element.partition());
            let outcome = match element.error() {
                Ok(()) => Ok(element.offset()),
                Err(error) => Err(code_of(&error)),
            };
            (partition, outcome)
        })
        .collect()
}

fn code_of(error: &RdError) -> RDKafkaErrorCode {
    error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail)
}

/// The absolute offsets of an answer.
///
/// # Errors
/// The first error of a partition.
pub(super) fn absolute_offsets(
    doing: &str,
    list: &TopicPartitionList,
) -> Result<Vec<TopicPartitionOffset>> {
    answers(list)
        .into_iter()
        .map(|(partition, outcome)| match outcome {
            Ok(Offset::Offset(offset)) => Ok(TopicPartitionOffset { partition, offset }),
            Ok(_) => Err(failure(
                &format!("{doing} of partition {partition}"),
                RDKafkaErrorCode::OffsetNotAvailable,
            )),
            Err(code) => Err(failure(&format!("{doing} of partition {partition}"), code)),
        })
        .collect()
}

/// An offset as callers write it: -2 is the beginning, -1 the end.
pub(super) fn offset(raw: i64) -> Offset {
    match raw {
        -2 => Offset::Beginning,
        -1 => Offset::End,
        offset => Offset::Offset(offset),
    }
}
