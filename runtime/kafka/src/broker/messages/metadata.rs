//! Which brokers there are, and which of them lead partitions.

use std::ops::RangeInclusive;
use std::sync::Arc;

use super::{ErrorCode, Request};
use crate::broker::bytes::{BytesError, Reader, put_count, put_text};

/// Asks for the leaders of the partitions of these topics.
#[derive(Debug, Clone)]
pub(crate) struct Metadata {
    /// Their names.
    pub(crate) topics: Vec<Arc<str>>,
    /// Whether brokers may create those that are missing.
    pub(crate) may_create: bool,
}

/// A part of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClusterMetadata {
    /// The brokers that are alive.
    pub(crate) brokers: Vec<BrokerMetadata>,
    /// The topics that were asked for.
    pub(crate) topics: Vec<TopicMetadata>,
}

/// Where a broker is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BrokerMetadata {
    /// Its number.
    pub(crate) node: i32,
    /// Where it is.
    pub(crate) host: String,
    /// Where it is.
    pub(crate) port: i32,
}

/// A topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TopicMetadata {
    /// Why nothing is known of it.
    pub(crate) error: ErrorCode,
    /// Its name.
    pub(crate) name: String,
    /// Its partitions.
    pub(crate) partitions: Vec<PartitionMetadata>,
}

/// A partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PartitionMetadata {
    /// Why it has no leader.
    pub(crate) error: ErrorCode,
    /// Its number.
    pub(crate) partition: i32,
    /// The number of the broker that leads it; -1 if none does.
    pub(crate) leader: i32,
    /// How often it got a new leader; -1 if that is not known.
    pub(crate) leader_epoch: i32,
}

impl Request for Metadata {
    const KEY: i16 = 3;
    const VERSIONS: RangeInclusive<i16> = 7..=7;
    type Response = ClusterMetadata;

    fn encode(&self, _version: i16, out: &mut Vec<u8>) -> Result<(), BytesError> {
        put_count(self.topics.len(), out)?;
        for topic in &self.topics {
            put_text(topic, out)?;
        }
        out.push(u8::from(self.may_create));
        Ok(())
    }

    fn decode(_version: i16, reader: &mut Reader<'_>) -> Result<Self::Response, BytesError> {
        reader.int32("the throttle time")?;
        let mut brokers = Vec::new();
        for _ in 0..reader.count("the brokers")? {
            brokers.push(BrokerMetadata {
                node: reader.int32("the number of a broker")?,
                host: reader.text("the host of a broker")?.to_owned(),
                port: reader.int32("the port of a broker")?,
            });
            reader.nullable_text("the rack of a broker")?;
        }
        reader.nullable_text("the id of the cluster")?;
        reader.int32("the controller")?;
        let mut topics = Vec::new();
        for _ in 0..reader.count("the topics")? {
            topics.push(topic(reader)?);
        }
        Ok(ClusterMetadata { brokers, topics })
    }
}

fn topic(reader: &mut Reader<'_>) -> Result<TopicMetadata, BytesError> {
    let error = reader.int16("the error of a topic")?;
    let name = reader.text("the name of a topic")?.to_owned();
    reader.int8("whether a topic is internal")?;
    let mut partitions = Vec::new();
    for _ in 0..reader.count("the partitions")? {
        partitions.push(PartitionMetadata {
            error: reader.int16("the error of a partition")?,
            partition: reader.int32("the number of a partition")?,
            leader: reader.int32("the leader of a partition")?,
            leader_epoch: reader.int32("the epoch of a leader")?,
        });
        for replicas in [
            "the replicas",
            "the replicas in sync",
            "the replicas offline",
        ] {
            for _ in 0..reader.count(replicas)? {
                reader.int32(replicas)?;
            }
        }
    }
    Ok(TopicMetadata {
        error,
        name,
        partitions,
    })
}
