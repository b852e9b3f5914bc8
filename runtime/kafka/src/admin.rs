//! Topics, groups and the cluster.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use tether_api::offset::TopicPartition;

use crate::{Result, TopicPartitionOffset};

/// A topic to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTopic {
    /// The name.
    pub name: String,
    /// The number of partitions; -1 takes the broker's default.
    pub partitions: i32,
    /// The number of replicas; -1 takes the broker's default.
    pub replication_factor: i16,
    /// Topic settings such as `cleanup.policy`.
    pub config: BTreeMap<String, String>,
}

/// An existing topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicDescription {
    /// The name.
    pub name: String,
    /// The number of partitions.
    pub partitions: i32,
}

/// A consumer group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupDescription {
    /// The group.
    pub group: String,
    /// The number of members.
    pub members: usize,
}

/// Manages topics and groups. Every call takes at most `timeout`; a call that
/// takes longer fails as retriable.
#[async_trait]
pub trait Admin: Send + Sync {
    /// The cluster's id; `None` if the broker does not tell.
    ///
    /// # Errors
    /// Retriable, if no broker can be reached.
    async fn cluster_id(&self, timeout: Duration) -> Result<Option<String>>;

    /// These topics, or all; topics that don't exist are left out. Never
    /// creates a topic.
    ///
    /// # Errors
    /// Retriable, if no broker can be reached.
    async fn topics(
        &self,
        names: Option<&[String]>,
        timeout: Duration,
    ) -> Result<Vec<TopicDescription>>;

    /// Creates a topic and waits until its leaders are known.
    ///
    /// # Errors
    /// `AlreadyExists`, `NotAuthorized`, `Invalid`, `Unsupported`.
    async fn create_topic(&self, topic: &NewTopic, timeout: Duration) -> Result<()>;

    /// A setting of a topic; `None` if the broker does not know it.
    ///
    /// # Errors
    /// `NotFound`, `NotAuthorized`, `Unsupported`.
    async fn topic_config(
        &self,
        topic: &str,
        name: &str,
        timeout: Duration,
    ) -> Result<Option<String>>;

    /// The offset after the last record of each partition. Unlike the same
    /// question to a consumer, it does not wait behind a fetch that waits for
    /// records.
    ///
    /// # Errors
    /// `NotFound`; retriable, if the broker does not answer in time.
    async fn end_offsets(
        &self,
        partitions: &[TopicPartition],
        timeout: Duration,
    ) -> Result<Vec<TopicPartitionOffset>>;

    /// A consumer group; `None` if it does not exist.
    ///
    /// # Errors
    /// `NotAuthorized`, retriable.
    async fn group(&self, group: &str, timeout: Duration) -> Result<Option<GroupDescription>>;

    /// The committed offsets of a group.
    ///
    /// # Errors
    /// `NotAuthorized`, retriable.
    async fn group_offsets(
        &self,
        group: &str,
        timeout: Duration,
    ) -> Result<BTreeMap<TopicPartition, i64>>;

    /// Sets committed offsets of a group without members.
    ///
    /// # Errors
    /// `GroupNotEmpty`, `NotAuthorized`, `NotFound` for an unknown partition.
    async fn alter_group_offsets(
        &self,
        group: &str,
        offsets: &BTreeMap<TopicPartition, i64>,
        timeout: Duration,
    ) -> Result<()>;

    /// Deletes committed offsets of a group without members. Partitions without
    /// one are passed over.
    ///
    /// # Errors
    /// `GroupNotEmpty`, `NotAuthorized`.
    async fn delete_group_offsets(
        &self,
        group: &str,
        partitions: &[TopicPartition],
        timeout: Duration,
    ) -> Result<()>;

    /// Deletes a group; one that does not exist is success.
    ///
    /// # Errors
    /// `GroupNotEmpty`, `NotAuthorized`.
    async fn delete_group(&self, group: &str, timeout: Duration) -> Result<()>;
}
