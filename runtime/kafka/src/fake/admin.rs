//! Topics and groups in memory.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use tether_api::offset::TopicPartition;

use super::consumer::bounds;
use super::{FakeKafka, Operation, State};
use crate::{
    Admin, GroupDescription, KafkaError, KafkaErrorKind, NewTopic, Result, TopicDescription,
    TopicPartitionOffset,
};

/// What [`Admin::cluster_id`] answers.
const CLUSTER_ID: &str = "fake-cluster";

fn check_empty(state: &State, group: &str) -> Result<()> {
    match state.groups.get(group) {
        Some(found) if found.size() > 0 => Err(KafkaError::new(
            KafkaErrorKind::GroupNotEmpty,
            format!("Group {group} still has members"),
        )),
        _ => Ok(()),
    }
}

#[async_trait]
impl Admin for FakeKafka {
    async fn cluster_id(&self, _timeout: Duration) -> Result<Option<String>> {
        self.perform(Operation::ClusterId, |_| Ok(Some(CLUSTER_ID.to_owned())))
            .await
    }

    async fn topics(
        &self,
        names: Option<&[String]>,
        _timeout: Duration,
    ) -> Result<Vec<TopicDescription>> {
        self.perform(Operation::Topics, |state| {
            Ok(state
                .topics
                .values()
                .map(super::Topic::summary)
                .filter(|topic| names.is_none_or(|names| names.contains(&topic.name)))
                .collect())
        })
        .await
    }

    async fn create_topic(&self, topic: &NewTopic, _timeout: Duration) -> Result<()> {
        self.perform(Operation::CreateTopic, |state| {
            if state.topics.contains_key(topic.name.as_str()) {
                return Err(KafkaError::new(
                    KafkaErrorKind::AlreadyExists,
                    format!("Topic '{}' already exists.", topic.name),
                ));
            }
            state.topic_or_create(&topic.name, topic.partitions, topic.config.clone());
            state.metadata_changed();
            Ok(())
        })
        .await
    }

    async fn topic_config(
        &self,
        topic: &str,
        name: &str,
        _timeout: Duration,
    ) -> Result<Option<String>> {
        self.perform(Operation::TopicConfig, |state| {
            match state.topics.get(topic) {
                Some(topic) => Ok(topic.config(name).map(str::to_owned)),
                None => Err(KafkaError::new(
                    KafkaErrorKind::NotFound,
                    format!("Topic {topic} does not exist"),
                )),
            }
        })
        .await
    }

    async fn group(&self, group: &str, _timeout: Duration) -> Result<Option<GroupDescription>> {
        self.perform(Operation::Group, |state| {
            Ok(state.groups.get(group).map(|found| GroupDescription {
                group: group.to_owned(),
                members: found.size(),
            }))
        })
        .await
    }

    async fn group_offsets(
        &self,
        group: &str,
        _timeout: Duration,
    ) -> Result<BTreeMap<TopicPartition, i64>> {
        self.perform(Operation::GroupOffsets, |state| {
            Ok(state
                .groups
                .get(group)
                .map(|found| found.offsets.clone())
                .unwrap_or_default())
        })
        .await
    }

    async fn alter_group_offsets(
        &self,
        group: &str,
        offsets: &BTreeMap<TopicPartition, i64>,
        _timeout: Duration,
    ) -> Result<()> {
        self.perform(Operation::AlterGroupOffsets, |state| {
            check_empty(state, group)?;
            for partition in offsets.keys() {
                let exists = state
                    .topics
                    .get(&partition.topic)
                    .is_some_and(|topic| topic.bounds(partition.partition).is_some());
                if !exists {
                    return Err(KafkaError::new(
                        KafkaErrorKind::NotFound,
                        format!("Partition {partition} does not exist"),
                    ));
                }
            }
            let committed = offsets.iter().map(|(key, offset)| (key.clone(), *offset));
            state.group(group).offsets.extend(committed);
            Ok(())
        })
        .await
    }

    async fn delete_group_offsets(
        &self,
        group: &str,
        partitions: &[TopicPartition],
        _timeout: Duration,
    ) -> Result<()> {
        self.perform(Operation::DeleteGroupOffsets, |state| {
            check_empty(state, group)?;
            if let Some(found) = state.groups.get_mut(group) {
                found.offsets.retain(|key, _| !partitions.contains(key));
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
        self.perform(Operation::EndOffsets, |state| {
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

    async fn delete_group(&self, group: &str, _timeout: Duration) -> Result<()> {
        self.perform(Operation::DeleteGroup, |state| {
            check_empty(state, group)?;
            state.groups.remove(group);
            Ok(())
        })
        .await
    }
}
