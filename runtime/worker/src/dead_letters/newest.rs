//! The newest letters of a topic, for a look at them.
//!
//! # How much memory that takes
//! A fetch asks for at most [`FETCH_BYTES`], of [`PARTITION_BYTES`] for each
//! partition. A record that is longer comes alone, and has the length that the brokers
//! let in. Of each record its beginning is copied at once ([`LONGEST_VALUE`],
//! [`LONGEST_HEADER`], [`MOST_HEADERS`]), and no more than the letters that are asked
//! for are kept. One look at a time is under way in a worker.

use std::sync::Arc;
use std::time::Duration;

use tether_api::config::ConfigMap;
use tether_api::{ConnectError, Result};
use tether_kafka::{Clients, ConsumedRecord};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::{Begin, Excerpt, TopicReader};

/// Letters of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetters {
    /// The topic.
    pub topic: String,
    /// Whether all partitions were read to their ends; else newer ones may be
    /// missing.
    pub complete: bool,
    /// The newest ones, the latest first.
    pub letters: Vec<DeadLetter>,
}

/// A record of a dead letter topic, its long parts cut off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
    /// Milliseconds since the epoch; `None` if the record has none.
    pub timestamp: Option<i64>,
    /// The key.
    pub key: Option<Excerpt>,
    /// The value.
    pub value: Option<Excerpt>,
    /// The first headers.
    pub headers: Vec<(String, Option<Excerpt>)>,
}

const FETCH_BYTES: usize = 1024 * 1024;
const PARTITION_BYTES: usize = 256 * 1024;
const LONGEST_VALUE: usize = 16 * 1024;
const LONGEST_HEADER: usize = 8 * 1024;
const LONGEST_HEADER_NAME: usize = 256;
const MOST_HEADERS: usize = 64;

/// How long a look may take; what was read by then is what there is to see.
const PATIENCE: Duration = Duration::from_secs(10);

static LOOKS: Semaphore = Semaphore::const_new(1);

/// The newest letters of a topic, at most `most` of each partition and of all.
///
/// # Errors
/// `NotFound`, if there is no such topic; those of the clients.
pub(crate) async fn newest(
    clients: &dyn Clients,
    admin: &ConfigMap,
    consumer: &ConfigMap,
    topic: &str,
    most: usize,
) -> Result<DeadLetters> {
    let _turn = LOOKS
        .acquire()
        .await
        .map_err(|_| ConnectError::illegal_state("No topic is looked at any more"))?;
    let deadline = Instant::now() + PATIENCE;
    let mut properties = consumer.clone();
    for (key, bytes) in [
        ("fetch.max.bytes", FETCH_BYTES),
        ("max.partition.fetch.bytes", PARTITION_BYTES),
    ] {
        properties.insert(key.to_owned(), bytes.to_string());
    }
    let admin = clients.admin(admin)?;
    let consumer = clients.consumer(&properties)?;
    let begin = Begin::Last(i64::try_from(most).unwrap_or(i64::MAX));
    let opening = TopicReader::open(admin.as_ref(), Arc::clone(&consumer), topic, begin);
    let reader = tokio::time::timeout_at(deadline, opening)
        .await
        .map_err(|_| late(topic))??;
    let mut letters = Vec::new();
    let complete = loop {
        match tokio::time::timeout_at(deadline, reader.next()).await {
            Err(_) => break false,
            Ok(read) => match read? {
                None => break true,
                Some(records) => {
                    letters.extend(records.iter().map(DeadLetter::of));
                    letters.sort_by_key(|letter: &DeadLetter| {
                        std::cmp::Reverse((letter.timestamp, letter.offset))
                    });
                    letters.truncate(most);
                }
            },
        }
    };
    consumer.close().await;
    Ok(DeadLetters {
        topic: topic.to_owned(),
        complete,
        letters,
    })
}

fn late(topic: &str) -> ConnectError {
    let seconds = PATIENCE.as_secs();
    ConnectError::retriable(format!(
        "The brokers did not tell within {seconds} s what there is in topic '{topic}'"
    ))
}

impl DeadLetter {
    fn of(record: &ConsumedRecord) -> Self {
        let headers = record.headers.iter().take(MOST_HEADERS);
        Self {
            partition: record.partition,
            offset: record.offset,
            timestamp: record.timestamp,
            key: Excerpt::of_optional(record.key.as_ref(), LONGEST_VALUE),
            value: Excerpt::of_optional(record.value.as_ref(), LONGEST_VALUE),
            headers: headers
                .map(|(name, value)| {
                    let name = name.chars().take(LONGEST_HEADER_NAME).collect();
                    (name, Excerpt::of_optional(value.as_ref(), LONGEST_HEADER))
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use tether_api::ErrorKind;
    use tether_api::record::TimestampType;
    use tether_kafka::fake::FakeKafka;

    use super::*;

    fn append(kafka: &FakeKafka, partition: i32, timestamp: i64, value: Vec<u8>) {
        let header = (
            Arc::from("h"),
            Some(Bytes::from(vec![b'h'; LONGEST_HEADER + 1])),
        );
        let record = ConsumedRecord {
            topic: Arc::from("dlq"),
            partition,
            offset: 0,
            timestamp: Some(timestamp),
            timestamp_type: TimestampType::CreateTime,
            key: None,
            value: Some(value.into()),
            headers: vec![header; MOST_HEADERS + 1],
        };
        kafka.append("dlq", partition, record);
    }

    async fn look(kafka: &FakeKafka, most: usize) -> Result<DeadLetters> {
        let none = ConfigMap::new();
        newest(kafka, &none, &none, "dlq", most).await
    }

    #[tokio::test(start_paused = true)]
    async fn the_newest_of_all_partitions_come_first_and_no_longer_than_they_may_be() {
        let kafka = FakeKafka::new();
        kafka.add_topic("dlq", 2);
        for timestamp in 0..5 {
            append(&kafka, 0, timestamp, b"old".to_vec());
        }
        append(&kafka, 1, 10, vec![b'x'; LONGEST_VALUE + 1]);
        append(&kafka, 0, 11, b"new".to_vec());
        let found = look(&kafka, 2).await.unwrap();
        assert!(found.complete);
        let places: Vec<_> = found
            .letters
            .iter()
            .map(|letter| (letter.partition, letter.offset))
            .collect();
        assert_eq!(places, [(0, 5), (1, 0)]);
        let long = &found.letters[1];
        let value = long.value.as_ref().unwrap();
        assert_eq!(
            (value.bytes.len(), value.length),
            (LONGEST_VALUE, LONGEST_VALUE + 1)
        );
        assert_eq!(long.headers.len(), MOST_HEADERS);
        let (_, header) = &long.headers[0];
        assert!(header.as_ref().unwrap().is_cut());
    }

    #[tokio::test(start_paused = true)]
    async fn a_topic_may_be_empty_or_not_there() {
        let kafka = FakeKafka::new();
        let error = look(&kafka, 2).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        kafka.add_topic("dlq", 1);
        let found = look(&kafka, 2).await.unwrap();
        assert!(found.complete && found.letters.is_empty());
    }
}
