//! A consumer that reads from memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tether_api::config::ConfigMap;
use tether_api::offset::TopicPartition;

use super::group::Interest;
use super::{FakeKafka, Fault, Operation, State, timed_out};
use crate::{
    ConsumedRecord, Consumer, ConsumerEvent, KafkaError, KafkaErrorKind, Result, Subscription,
    TopicPartitionOffset,
};

/// A consumer; a member of its group after `subscribe`.
pub(super) struct FakeConsumer {
    kafka: FakeKafka,
    member: u64,
    group: Option<String>,
    reset: Reset,
    reading: Mutex<Reading>,
}

/// `auto.offset.reset`.
#[derive(Clone, Copy)]
enum Reset {
    Earliest,
    Latest,
    None,
}

#[derive(Default)]
struct Reading {
    subscribed: bool,
    positions: BTreeMap<TopicPartition, i64>,
    paused: BTreeSet<TopicPartition>,
}

impl FakeConsumer {
    pub(super) fn new(kafka: FakeKafka, member: u64, properties: &ConfigMap) -> Self {
        Self {
            kafka,
            member,
            group: properties.get("group.id").cloned(),
            reset: match properties.get("auto.offset.reset").map(String::as_str) {
                Some("earliest") => Reset::Earliest,
                Some("none") => Reset::None,
                _ => Reset::Latest,
            },
            reading: Mutex::default(),
        }
    }

    fn reading(&self) -> MutexGuard<'_, Reading> {
        // No code that can panic runs while the lock is held.
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_event(&self, max_records: usize) -> Result<Option<ConsumerEvent>> {
        let mut state = self.kafka.lock();
        let event = self
            .group
            .as_ref()
            .and_then(|group| state.groups.get_mut(group)?.next_event(self.member));
        if event.is_some() {
            return Ok(event);
        }
        let mut reading = self.reading();
        let Reading {
            positions, paused, ..
        } = &mut *reading;
        let mut batch: Vec<ConsumedRecord> = Vec::new();
        for (partition, position) in positions {
            if paused.contains(partition) {
                continue;
            }
            let Some(topic) = state.topics.get(&partition.topic) else {
                continue;
            };
            if let Some((start, end)) = topic.bounds(partition.partition)
                && !(start..=end).contains(position)
            {
                *position = self.reset.of(partition, start, end)?;
            }
            let room = max_records - batch.len();
            let records = topic.read(partition.partition, *position);
            batch.extend(records.iter().take(room).cloned());
            if let Some(last) = batch.last().filter(|last| {
                last.topic == partition.topic && last.partition == partition.partition
            }) {
                *position = last.offset + 1;
            }
        }
        Ok((!batch.is_empty()).then_some(ConsumerEvent::Records(batch)))
    }

    /// Where reading starts: a committed offset, else by the reset policy.
    fn start(&self, state: &State, partition: &TopicPartition) -> Result<i64> {
        let committed = self
            .group
            .as_ref()
            .and_then(|group| state.groups.get(group)?.offsets.get(partition));
        match committed {
            Some(offset) => Ok(*offset),
            None => {
                let (start, end) = bounds(state, partition)?;
                self.reset.of(partition, start, end)
            }
        }
    }

    fn check_assigned<'a>(
        &self,
        partitions: impl IntoIterator<Item = &'a TopicPartition>,
    ) -> Result<()> {
        let reading = self.reading();
        for partition in partitions {
            if !reading.positions.contains_key(partition) {
                return Err(KafkaError::new(
                    KafkaErrorKind::Invalid,
                    format!("No current assignment for partition {partition}"),
                ));
            }
        }
        Ok(())
    }

    fn leave(&self) {
        if let Some(name) = &self.group {
            self.kafka.update(|state| {
                if let Some(group) = state.groups.get_mut(name) {
                    group.leave(self.member, &state.topics);
                }
            });
        }
        *self.reading() = Reading::default();
    }
}

impl Reset {
    fn of(self, partition: &TopicPartition, start: i64, end: i64) -> Result<i64> {
        match self {
            Self::Earliest => Ok(start),
            Self::Latest => Ok(end),
            Self::None => Err(KafkaError::new(
                KafkaErrorKind::Fatal,
                format!("Undefined offset with no reset policy for partition {partition}"),
            )),
        }
    }
}

pub(super) fn bounds(state: &State, partition: &TopicPartition) -> Result<(i64, i64)> {
    state
        .topics
        .get(&partition.topic)
        .and_then(|topic| topic.bounds(partition.partition))
        .ok_or_else(|| {
            KafkaError::new(
                KafkaErrorKind::NotFound,
                format!("Partition {partition} does not exist"),
            )
        })
}

#[async_trait]
impl Consumer for FakeConsumer {
    fn subscribe(&self, subscription: &Subscription) -> Result<()> {
        let interest = Interest::new(subscription)?;
        let Some(name) = &self.group else {
            return Err(KafkaError::new(
                KafkaErrorKind::Invalid,
                "To use the group management or offset commit APIs, you must provide a valid \
                 group.id in the consumer configuration.",
            ));
        };
        self.kafka.perform_now(Operation::Subscribe, |state| {
            state.group(name);
            if let Some(group) = state.groups.get_mut(name) {
                group.join(self.member, interest, &state.topics);
            }
            self.reading().subscribed = true;
            Ok(())
        })
    }

    fn assign(&self, partitions: &[TopicPartitionOffset]) -> Result<()> {
        self.kafka.update(|state| {
            let mut positions = BTreeMap::new();
            for entry in partitions {
                let offset = match (entry.offset, bounds(state, &entry.partition)) {
                    (-2, bounds) => bounds?.0,
                    (-1, bounds) => bounds?.1,
                    (offset, _) => offset,
                };
                positions.insert(entry.partition.clone(), offset);
            }
            *self.reading() = Reading {
                positions,
                ..Reading::default()
            };
            Ok(())
        })
    }

    async fn poll(&self, timeout: Duration, max_records: usize) -> Result<ConsumerEvent> {
        self.kafka.count(Operation::Poll);
        match self.kafka.faults.next(Operation::Poll) {
            Fault::Pass => {}
            Fault::Reject(error) | Fault::FailAfter(error) | Fault::Lose(error) => {
                return Err(error);
            }
            Fault::Slow(delay) => tokio::time::sleep(delay).await,
            Fault::Hold => {
                let released = self.kafka.faults.hold(Operation::Poll);
                self.kafka.notify();
                released.await?;
            }
        }
        let mut changed = self.kafka.changed.subscribe();
        let event = async {
            loop {
                if let Some(event) = self.next_event(max_records)? {
                    return Ok(event);
                }
                if changed.changed().await.is_err() {
                    return Err(timed_out("the cluster is gone"));
                }
            }
        };
        tokio::time::timeout(timeout, event)
            .await
            .unwrap_or(Ok(ConsumerEvent::Records(Vec::new())))
    }

    fn accept_assignment(&self, partitions: &[TopicPartition]) -> Result<()> {
        self.kafka
            .perform_now(Operation::AcceptAssignment, |state| {
                if let Some(group) = self.group.as_ref().and_then(|name| state.groups.get(name)) {
                    group.check_owned(self.member, partitions)?;
                }
                for partition in partitions {
                    let offset = self.start(state, partition)?;
                    self.reading().positions.insert(partition.clone(), offset);
                }
                Ok(())
            })
    }

    fn accept_revocation(&self, partitions: &[TopicPartition]) -> Result<()> {
        self.kafka
            .perform_now(Operation::AcceptRevocation, |state| {
                {
                    let mut reading = self.reading();
                    for partition in partitions {
                        reading.positions.remove(partition);
                        reading.paused.remove(partition);
                    }
                }
                let name = self.group.as_ref();
                if let Some(group) = name.and_then(|name| state.groups.get_mut(name)) {
                    group.give_up(self.member, partitions, &state.topics);
                }
                Ok(())
            })
    }

    fn assignment(&self) -> Vec<TopicPartition> {
        self.reading().positions.keys().cloned().collect()
    }

    async fn positions(
        &self,
        partitions: &[TopicPartition],
        _timeout: Duration,
    ) -> Result<Vec<TopicPartitionOffset>> {
        self.kafka
            .perform(Operation::Positions, |_| {
                self.check_assigned(partitions)?;
                let reading = self.reading();
                Ok(partitions
                    .iter()
                    .filter_map(|partition| {
                        Some(TopicPartitionOffset {
                            partition: partition.clone(),
                            offset: *reading.positions.get(partition)?,
                        })
                    })
                    .collect())
            })
            .await
    }

    async fn seek(&self, offsets: &[TopicPartitionOffset]) -> Result<()> {
        self.kafka
            .perform(Operation::Seek, |state| {
                self.check_assigned(offsets.iter().map(|entry| &entry.partition))?;
                for entry in offsets {
                    let offset = match entry.offset {
                        -2 => bounds(state, &entry.partition)?.0,
                        -1 => bounds(state, &entry.partition)?.1,
                        offset => offset,
                    };
                    self.reading()
                        .positions
                        .insert(entry.partition.clone(), offset);
                }
                Ok(())
            })
            .await
    }

    fn pause(&self, partitions: &[TopicPartition]) -> Result<()> {
        self.check_assigned(partitions)?;
        self.reading().paused.extend(partitions.iter().cloned());
        Ok(())
    }

    fn resume(&self, partitions: &[TopicPartition]) -> Result<()> {
        self.check_assigned(partitions)?;
        self.reading()
            .paused
            .retain(|partition| !partitions.contains(partition));
        self.kafka.notify();
        Ok(())
    }

    async fn commit(&self, offsets: &[TopicPartitionOffset]) -> Result<()> {
        self.kafka
            .perform(Operation::Commit, |state| {
                let Some(name) = &self.group else {
                    return Err(KafkaError::new(
                        KafkaErrorKind::Invalid,
                        "A consumer without group.id cannot commit",
                    ));
                };
                let group = state.group(name);
                if self.reading().subscribed {
                    let partitions = offsets.iter().map(|entry| &entry.partition);
                    group.check_owned(self.member, partitions)?;
                }
                for entry in offsets {
                    group.offsets.insert(entry.partition.clone(), entry.offset);
                }
                Ok(())
            })
            .await
    }

    async fn end_offsets(
        &self,
        partitions: &[TopicPartition],
        _timeout: Duration,
    ) -> Result<Vec<TopicPartitionOffset>> {
        self.kafka
            .perform(Operation::EndOffsets, |state| {
                partitions
                    .iter()
                    .map(|partition| {
                        Ok(TopicPartitionOffset {
                            partition: partition.clone(),
                            offset: bounds(state, partition)?.1,
                        })
                    })
                    .collect()
            })
            .await
    }

    fn known_end_offset(&self, partition: &TopicPartition) -> Option<i64> {
        let bounds = self.kafka.read(|state| bounds(state, partition));
        bounds.ok().map(|(_, end)| end)
    }

    async fn close(&self) {
        self.leave();
    }
}

impl Drop for FakeConsumer {
    fn drop(&mut self) {
        self.leave();
    }
}
