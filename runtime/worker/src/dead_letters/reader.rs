//! Reads a topic up to the end that it has at the start.

use std::sync::Arc;
use std::time::Duration;

use tether_api::offset::TopicPartition;
use tether_api::{ConnectError, Result};
use tether_kafka::{
    Admin, ConsumedRecord, Consumer, ConsumerEvent, KafkaErrorKind, TopicPartitionOffset,
};

/// How long a single question to the brokers may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How long to wait for records before looking whether the end is reached.
const POLL: Duration = Duration::from_millis(500);

const MAX_RECORDS: usize = 500;

/// The offset that stands for the beginning.
const BEGINNING: i64 = -2;

/// Where a reader begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// With the first record of each partition.
    First,
    /// So many offsets before the end of each partition.
    Last(i64),
}

/// Reads a topic up to its end; what comes later is not read.
pub struct TopicReader {
    consumer: Arc<dyn Consumer>,
    partitions: Vec<TopicPartition>,
    ends: Vec<TopicPartitionOffset>,
}

impl TopicReader {
    /// A reader of a topic. The consumer reads nothing else, and begins with the
    /// first record where an offset is not there any more.
    ///
    /// # Errors
    /// `NotFound`, if there is no such topic; if Kafka does not answer.
    pub async fn open(
        admin: &dyn Admin,
        consumer: Arc<dyn Consumer>,
        topic: &str,
        begin: Begin,
    ) -> Result<Self> {
        let count = partitions(admin, topic).await?.ok_or_else(|| {
            ConnectError::not_found(format!("There is no topic '{topic}' in this cluster"))
        })?;
        let name: Arc<str> = Arc::from(topic);
        let partitions: Vec<TopicPartition> = (0..count)
            .map(|partition| TopicPartition {
                topic: name.clone(),
                partition,
            })
            .collect();
        let ends = admin
            .end_offsets(&partitions, TIMEOUT)
            .await
            .map_err(|error| {
                ConnectError::from(error)
                    .context(format!("Could not look up the end of topic '{topic}'"))
            })?;
        let start: Vec<TopicPartitionOffset> = ends
            .iter()
            .map(|end| TopicPartitionOffset {
                partition: end.partition.clone(),
                offset: match begin {
                    Begin::First => BEGINNING,
                    Begin::Last(count) => end.offset.saturating_sub(count).max(0),
                },
            })
            .collect();
        consumer.assign(&start)?;
        Ok(Self {
            consumer,
            partitions,
            ends,
        })
    }

    /// The next records; `None` at the end.
    ///
    /// # Errors
    /// If the topic cannot be read.
    pub async fn next(&self) -> Result<Option<Vec<ConsumedRecord>>> {
        loop {
            match self.consumer.poll(POLL, MAX_RECORDS).await {
                Ok(ConsumerEvent::Records(records)) if records.is_empty() => {
                    if self.at_end().await? {
                        return Ok(None);
                    }
                }
                Ok(ConsumerEvent::Records(mut records)) => {
                    // What came later may be what is written here.
                    records.retain(|record| record.offset < self.end_of(record.partition));
                    if !records.is_empty() {
                        return Ok(Some(records));
                    }
                    if self.at_end().await? {
                        return Ok(None);
                    }
                }
                // Without a group nothing is assigned or taken away.
                Ok(_) => {}
                Err(error) if error.kind == KafkaErrorKind::Retriable => {
                    tracing::warn!(%error, "The consumer met a passing problem");
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn at_end(&self) -> Result<bool> {
        let positions = self.consumer.positions(&self.partitions, TIMEOUT).await?;
        Ok(positions
            .iter()
            .all(|position| position.offset >= self.end_of(position.partition.partition)))
    }

    fn end_of(&self, partition: i32) -> i64 {
        self.ends
            .iter()
            .find(|end| end.partition.partition == partition)
            .map_or(0, |end| end.offset)
    }
}

/// The number of partitions of a topic; `None` if there is no such topic.
///
/// # Errors
/// If Kafka does not answer.
pub async fn partitions(admin: &dyn Admin, topic: &str) -> Result<Option<i32>> {
    let names = [topic.to_owned()];
    let topics = admin.topics(Some(&names), TIMEOUT).await.map_err(|error| {
        ConnectError::from(error).context(format!("Could not look up topic '{topic}'"))
    })?;
    Ok(topics
        .into_iter()
        .find(|found| found.name == topic)
        .map(|found| found.partitions))
}
