//! Topics as a client sees them that is not ours to test: created, filled and read with librdkafka
//! directly.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use futures::executor::block_on;
use rdkafka::admin::{
    AdminClient, AdminOptions, ConfigSource, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};

use crate::eventually::eventually;

const TIMEOUT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(200);

/// A record as it is in a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Partition.
    pub partition: i32,
    /// Offset in the partition.
    pub offset: i64,
    /// Milliseconds since 1970, if it has a time.
    pub timestamp: Option<i64>,
    /// Key.
    pub key: Option<Vec<u8>>,
    /// Value.
    pub value: Option<Vec<u8>>,
    /// Headers, in their order.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Record {
    /// The key as text, empty if there is none.
    pub fn key_text(&self) -> String {
        text(self.key.as_deref())
    }

    /// The value as text, empty if there is none.
    pub fn value_text(&self) -> String {
        text(self.value.as_deref())
    }
}

fn text(bytes: Option<&[u8]>) -> String {
    String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
}

/// How a topic is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicSettings {
    /// The number of partitions.
    pub partitions: usize,
    /// The number of replicas.
    pub replicas: usize,
    /// The settings that the topic itself has, not those of the broker.
    pub own: BTreeMap<String, String>,
}

/// What is appended to a topic.
pub type KeyAndValue<'a> = (Option<&'a [u8]>, Option<&'a [u8]>);

/// The topics of a cluster.
#[derive(Debug, Clone)]
pub struct Topics {
    bootstrap: String,
}

impl Topics {
    /// The topics of the cluster with these `bootstrap.servers`.
    pub fn new(bootstrap: impl Into<String>) -> Self {
        Self {
            bootstrap: bootstrap.into(),
        }
    }

    /// Creates a topic; returns once it can be written to.
    pub fn create(&self, topic: &str, partitions: i32) -> Result<()> {
        let admin: AdminClient<DefaultClientContext> = self.config().create()?;
        let new = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
        let options = AdminOptions::new().operation_timeout(Some(TIMEOUT));
        let created = block_on(admin.create_topics([&new], &options))?;
        created.into_iter().try_for_each(|result| {
            result
                .map(drop)
                .map_err(|(topic, code)| anyhow!("{topic}: {code}"))
        })?;
        // The controller has it; the broker hears of it a moment later.
        eventually("the broker knows the topic", || {
            let metadata = admin.inner().fetch_metadata(None, TIMEOUT)?;
            let known = metadata.topics().iter().any(|known| known.name() == topic);
            ensure!(known, "{topic} is not known");
            Ok(())
        })
    }

    /// Deletes a topic.
    pub fn delete(&self, topic: &str) -> Result<()> {
        self.delete_all(&[topic])
    }

    /// Deletes topics.
    pub fn delete_all(&self, topics: &[&str]) -> Result<()> {
        let admin: AdminClient<DefaultClientContext> = self.config().create()?;
        let options = AdminOptions::new().operation_timeout(Some(TIMEOUT));
        let deleted = block_on(admin.delete_topics(topics, &options))?;
        deleted.into_iter().try_for_each(|result| {
            result
                .map(drop)
                .map_err(|(topic, code)| anyhow!("{topic}: {code}"))
        })
    }

    /// Whether there is such a topic.
    pub fn exists(&self, topic: &str) -> Result<bool> {
        let consumer: BaseConsumer = self.config().create()?;
        let metadata = consumer.fetch_metadata(None, TIMEOUT)?;
        Ok(metadata.topics().iter().any(|known| known.name() == topic))
    }

    /// How a topic is set up; `None` if there is no such topic.
    pub fn settings(&self, topic: &str) -> Result<Option<TopicSettings>> {
        let admin: AdminClient<DefaultClientContext> = self.config().create()?;
        let metadata = admin.inner().fetch_metadata(None, TIMEOUT)?;
        let Some(found) = metadata.topics().iter().find(|known| known.name() == topic) else {
            return Ok(None);
        };
        let resource = [ResourceSpecifier::Topic(topic)];
        let described = block_on(admin.describe_configs(&resource, &AdminOptions::new()))?;
        let resource = described.into_iter().next().context("no answer")?;
        let resource = resource.map_err(|code| anyhow!("{topic}: {code}"))?;
        Ok(Some(TopicSettings {
            partitions: found.partitions().len(),
            replicas: found
                .partitions()
                .iter()
                .map(|partition| partition.replicas().len())
                .max()
                .unwrap_or_default(),
            own: resource
                .entries
                .into_iter()
                .filter(|entry| entry.source == ConfigSource::DynamicTopic)
                .filter_map(|entry| Some((entry.name, entry.value?)))
                .collect(),
        }))
    }

    /// Appends records of key and value; returns once the broker has them.
    pub fn produce(&self, topic: &str, records: &[KeyAndValue<'_>]) -> Result<()> {
        let producer: BaseProducer = self.config().set("acks", "all").create()?;
        for (key, value) in records {
            let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(topic);
            record.key = *key;
            record.payload = *value;
            producer.send(record).map_err(|(error, _)| error)?;
        }
        producer.flush(TIMEOUT)?;
        Ok(())
    }

    /// Appends records with all that they have; returns once the broker has them. Their offsets do not
    /// count.
    pub fn produce_records(&self, topic: &str, records: &[Record]) -> Result<()> {
        let producer: BaseProducer = self.config().set("acks", "all").create()?;
        for record in records {
            let mut outgoing: BaseRecord<'_, [u8], [u8]> =
                BaseRecord::to(topic).partition(record.partition);
            outgoing.key = record.key.as_deref();
            outgoing.payload = record.value.as_deref();
            outgoing.timestamp = record.timestamp;
            let mut headers = OwnedHeaders::new();
            for (key, value) in &record.headers {
                let value = value.as_ref();
                headers = headers.insert(Header { key, value });
            }
            outgoing.headers = Some(headers);
            producer.send(outgoing).map_err(|(error, _)| error)?;
        }
        producer.flush(TIMEOUT)?;
        Ok(())
    }

    /// A reader of a topic, from its beginning.
    pub fn reader(&self, topic: &str) -> Result<TopicReader> {
        let consumer: BaseConsumer = self
            .config()
            // Only assigned, never subscribed: no group is made.
            .set("group.id", "tests")
            .set("enable.auto.commit", "false")
            .set("auto.offset.reset", "earliest")
            .create()?;
        Ok(TopicReader {
            consumer,
            topic: topic.to_owned(),
            next: Vec::new(),
            records: Vec::new(),
        })
    }

    /// Watches how far the first partition of a topic has got.
    pub fn progress(&self, topic: &str) -> Result<TopicProgress> {
        Ok(TopicProgress {
            consumer: self.config().create()?,
            topic: topic.to_owned(),
        })
    }

    /// All records that are in a topic now, partition by partition; of transactions those that are
    /// committed.
    pub fn records(&self, topic: &str) -> Result<Vec<Record>> {
        let mut reader = self.reader(topic)?;
        reader.read()?;
        let mut records = reader.records;
        records.sort_by_key(|record| (record.partition, record.offset));
        Ok(records)
    }

    fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.bootstrap);
        // A broker that is restarted is found again at once.
        config.set("reconnect.backoff.max.ms", "500");
        config
    }
}

/// How far the first partition of a topic has got.
pub struct TopicProgress {
    consumer: BaseConsumer,
    topic: String,
}

impl TopicProgress {
    /// The number of records that were ever in it.
    pub fn records(&self) -> Result<u64> {
        let (_, end) = self.consumer.fetch_watermarks(&self.topic, 0, TIMEOUT)?;
        Ok(u64::try_from(end)?)
    }
}

/// Reads a topic further and further.
pub struct TopicReader {
    consumer: BaseConsumer,
    topic: String,
    /// The next offset of each partition.
    next: Vec<i64>,
    records: Vec<Record>,
}

impl TopicReader {
    /// Reads to the current end and returns all records since the beginning, in the order in which they
    /// came: that of offsets within a partition.
    ///
    /// # Errors
    ///
    /// There is no such topic, or it cannot be read to its end within half a minute. What was read is
    /// kept for the next call.
    pub fn read(&mut self) -> Result<&[Record]> {
        let metadata = self.consumer.fetch_metadata(Some(&self.topic), TIMEOUT)?;
        let topic = metadata.topics().first().context("no metadata")?;
        if let Some(error) = topic.error() {
            let code = rdkafka::types::RDKafkaErrorCode::from(error);
            return Err(anyhow!("{}: {code}", self.topic));
        }
        if self.next.len() != topic.partitions().len() {
            self.assign(topic.partitions().len())?;
        }
        let mut ends = Vec::with_capacity(self.next.len());
        for (partition, next) in (0..).zip(&mut self.next) {
            let (low, high) = self
                .consumer
                .fetch_watermarks(&self.topic, partition, TIMEOUT)?;
            *next = (*next).max(low);
            ends.push(high);
        }
        let deadline = Instant::now() + TIMEOUT;
        while self.next.iter().zip(&ends).any(|(next, end)| next < end) {
            ensure!(
                Instant::now() < deadline,
                "{} cannot be read to its end",
                self.topic
            );
            self.read_one()?;
        }
        Ok(&self.records)
    }

    fn assign(&mut self, partitions: usize) -> Result<()> {
        self.next.resize(partitions, 0);
        let mut assignment = TopicPartitionList::new();
        for (partition, next) in (0..).zip(&self.next) {
            assignment.add_partition_offset(&self.topic, partition, Offset::Offset(*next))?;
        }
        self.consumer.assign(&assignment)?;
        Ok(())
    }

    /// Goes past what no reader gets: markers of transactions, and records of aborted ones.
    fn pass_markers(&mut self) -> Result<()> {
        for element in self.consumer.position()?.elements() {
            let partition = usize::try_from(element.partition())?;
            if let (Some(next), Offset::Offset(passed)) =
                (self.next.get_mut(partition), element.offset())
            {
                *next = (*next).max(passed);
            }
        }
        Ok(())
    }

    fn read_one(&mut self) -> Result<()> {
        // An error is a broker that is away; the client goes on by itself.
        let Some(Ok(message)) = self.consumer.poll(POLL) else {
            return self.pass_markers();
        };
        let partition = usize::try_from(message.partition())?;
        let next = self.next.get_mut(partition).context("unknown partition")?;
        ensure!(message.offset() >= *next, "offsets go backwards");
        *next = message.offset() + 1;
        let headers = message.headers().into_iter().flat_map(Headers::iter);
        self.records.push(Record {
            partition: message.partition(),
            offset: message.offset(),
            timestamp: message.timestamp().to_millis(),
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().map(<[u8]>::to_vec),
            headers: headers
                .map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec)))
                .collect(),
        });
        Ok(())
    }
}
