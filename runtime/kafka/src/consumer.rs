//! Reading records from Kafka.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tether_api::offset::TopicPartition;
use tether_api::record::TimestampType;

use crate::Result;

/// One header as Kafka has it.
pub type RecordHeader = (Arc<str>, Option<Bytes>);

/// A record as it was read, still in bytes.
#[derive(Debug, Clone)]
pub struct ConsumedRecord {
    /// The topic; shared among the records of a batch.
    pub topic: Arc<str>,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
    /// Milliseconds since the epoch; `None` if the record has none.
    pub timestamp: Option<i64>,
    /// What the timestamp means.
    pub timestamp_type: TimestampType,
    /// The key.
    pub key: Option<Bytes>,
    /// The value.
    pub value: Option<Bytes>,
    /// The headers in order.
    pub headers: Vec<RecordHeader>,
}

/// What a consumer of a group reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subscription {
    /// These topics.
    Topics(Vec<String>),
    /// Every topic whose whole name matches this regular expression of Java's
    /// dialect, also those that come later.
    Pattern(String),
}

/// A partition and an offset in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicPartitionOffset {
    /// The partition.
    pub partition: TopicPartition,
    /// The offset.
    pub offset: i64,
}

/// What a poll brought.
#[derive(Debug)]
pub enum ConsumerEvent {
    /// Records, per partition in the order of offsets; empty when the time ran
    /// out.
    Records(Vec<ConsumedRecord>),
    /// These partitions were given to this member. Nothing is read from them
    /// before [`Consumer::accept_assignment`].
    Assigned(Vec<TopicPartition>),
    /// These partitions are to be given up. They stay this member's, and can be
    /// committed, until [`Consumer::accept_revocation`].
    Revoked(Vec<TopicPartition>),
    /// These partitions were taken away; others may read them already, so
    /// nothing can be committed. [`Consumer::accept_revocation`] is due too.
    Lost(Vec<TopicPartition>),
}

/// Reads records, as a member of a group or from assigned partitions.
///
/// One caller at a time, except that a [`Consumer::commit`] and look-ups of
/// [`Consumer::end_offsets`] may be under way while other methods are called.
/// While nobody calls [`Consumer::poll`], heartbeats go on until
/// `max.poll.interval.ms` is over.
#[async_trait]
pub trait Consumer: Send + Sync {
    /// Joins the group and reads these topics.
    ///
    /// # Errors
    /// Invalid, if a name or the expression is wrong.
    fn subscribe(&self, subscription: &Subscription) -> Result<()>;

    /// Reads exactly these partitions from these offsets, without a group.
    /// Offset -2 is the beginning, -1 the end.
    ///
    /// # Errors
    /// Invalid, if a partition is wrong.
    fn assign(&self, partitions: &[TopicPartitionOffset]) -> Result<()>;

    /// Waits at most this long for an event. Returns soon once there is at
    /// least one record, with at most `max_records`. A caller that drops the
    /// future before it is ready loses nothing: the next call returns what
    /// came meanwhile.
    ///
    /// # Errors
    /// Retriable ones have been dealt with by the client and can be ignored
    /// after logging. Others end the consumer's use.
    async fn poll(&self, timeout: Duration, max_records: usize) -> Result<ConsumerEvent>;

    /// Starts to read newly assigned partitions from their committed offsets,
    /// or where `auto.offset.reset` says.
    ///
    /// # Errors
    /// Fenced, if the group moved on.
    fn accept_assignment(&self, partitions: &[TopicPartition]) -> Result<()>;

    /// Gives up revoked or lost partitions.
    ///
    /// # Errors
    /// Fenced, if the group moved on.
    fn accept_revocation(&self, partitions: &[TopicPartition]) -> Result<()>;

    /// The partitions that this consumer reads.
    fn assignment(&self) -> Vec<TopicPartition>;

    /// The offset of the next record of each partition: after the last one
    /// that was returned (and after what no reader gets, such as a
    /// transaction's marker), else the committed one, else where
    /// `auto.offset.reset` leads.
    ///
    /// # Errors
    /// Retriable, if the broker does not answer in time.
    async fn positions(
        &self,
        partitions: &[TopicPartition],
        timeout: Duration,
    ) -> Result<Vec<TopicPartitionOffset>>;

    /// Goes on reading at these offsets. Records of these partitions that were
    /// fetched already are dropped.
    ///
    /// # Errors
    /// Invalid, if a partition is not assigned.
    async fn seek(&self, offsets: &[TopicPartitionOffset]) -> Result<()>;

    /// Stops returning records of these partitions.
    ///
    /// # Errors
    /// Invalid, if a partition is not assigned.
    fn pause(&self, partitions: &[TopicPartition]) -> Result<()>;

    /// Returns records of these partitions again.
    ///
    /// # Errors
    /// Invalid, if a partition is not assigned.
    fn resume(&self, partitions: &[TopicPartition]) -> Result<()>;

    /// Commits these offsets (each the next one to read) and waits for the
    /// broker's answer.
    ///
    /// # Errors
    /// Fenced, if the group moved on; retriable otherwise.
    async fn commit(&self, offsets: &[TopicPartitionOffset]) -> Result<()>;

    /// The offset after the last record of each partition.
    ///
    /// # Errors
    /// Retriable, if the broker does not answer in time.
    async fn end_offsets(
        &self,
        partitions: &[TopicPartition],
        timeout: Duration,
    ) -> Result<Vec<TopicPartitionOffset>>;

    /// The offset after the last record of a partition, as far as fetches have told;
    /// no broker is asked. `None` before the first fetch.
    fn known_end_offset(&self, _partition: &TopicPartition) -> Option<i64> {
        None
    }

    /// Leaves the group. Revocations are not announced any more; commit first.
    async fn close(&self);
}
