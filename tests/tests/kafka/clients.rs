//! Clients of the shared broker, and what tests of them share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use tether_api::config::ConfigMap;
use tether_api::offset::TopicPartition;
use tether_kafka::{
    Admin, Clients, ConsumedRecord, Consumer, ConsumerEvent, DeliveryHandler, KafkaError, NewTopic,
    OutgoingRecord, Producer, RdKafkaClients, RecordMetadata, Subscription, TopicPartitionOffset,
};
use tether_tests::names;

pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// Clients of one broker.
pub(super) struct Cluster {
    pub(super) clients: RdKafkaClients,
    properties: ConfigMap,
}

impl Cluster {
    /// The shared broker.
    pub(super) async fn shared() -> Result<Self> {
        let bootstrap = tokio::task::spawn_blocking(tether_services::shared::bootstrap).await??;
        Ok(Self::new(&bootstrap, &[]))
    }

    pub(super) fn new(bootstrap: &str, properties: &[(&str, &str)]) -> Self {
        let bootstrap = ("bootstrap.servers", bootstrap);
        Self {
            clients: RdKafkaClients::new(),
            properties: config(std::iter::once(&bootstrap).chain(properties)),
        }
    }

    pub(super) fn with(&self, more: &[(&str, &str)]) -> ConfigMap {
        let mut properties = self.properties.clone();
        properties.extend(config(more));
        properties
    }

    pub(super) fn admin(&self) -> Result<Arc<dyn Admin>> {
        Ok(self.clients.admin(&self.with(&[]))?)
    }

    pub(super) fn producer(
        &self,
        more: &[(&str, &str)],
    ) -> Result<(Arc<dyn Producer>, Arc<Reports>)> {
        let reports = Arc::new(Reports::default());
        let producer = self.clients.producer(&self.with(more), reports.clone())?;
        Ok((producer, reports))
    }

    pub(super) fn consumer(&self, more: &[(&str, &str)]) -> Result<Arc<dyn Consumer>> {
        Ok(self.clients.consumer(&self.with(more))?)
    }

    /// A member of a group that reads from the beginning.
    pub(super) fn member(
        &self,
        group: &str,
        subscription: &Subscription,
        more: &[(&str, &str)],
    ) -> Result<Arc<dyn Consumer>> {
        let mut properties = vec![("group.id", group), ("auto.offset.reset", "earliest")];
        properties.extend(more);
        let consumer = self.consumer(&properties)?;
        consumer.subscribe(subscription)?;
        Ok(consumer)
    }

    /// Creates a topic under a new name.
    pub(super) async fn topic(&self, partitions: i32) -> Result<String> {
        let name = names::unique("kafka");
        self.create(&name, partitions).await?;
        Ok(name)
    }

    pub(super) async fn create(&self, name: &str, partitions: i32) -> Result<()> {
        let topic = NewTopic {
            name: name.to_owned(),
            partitions,
            replication_factor: 1,
            config: BTreeMap::new(),
        };
        Ok(self.admin()?.create_topic(&topic, PATIENCE).await?)
    }

    /// Writes these values, each with the number of its partition, and waits
    /// for them.
    pub(super) async fn write(&self, topic: &str, values: &[(i32, &str)]) -> Result<()> {
        let (producer, reports) = self.producer(&[])?;
        for (token, (partition, value)) in values.iter().enumerate() {
            let mut record = record(topic, None, Some(value.as_bytes()));
            record.partition = Some(*partition);
            producer.send(&record, token)?;
        }
        producer.flush(PATIENCE).await?;
        for (_, outcome) in reports.all() {
            outcome?;
        }
        Ok(())
    }
}

fn config<'a>(entries: impl IntoIterator<Item = &'a (&'a str, &'a str)>) -> ConfigMap {
    entries
        .into_iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

pub(super) fn record<'a>(
    topic: &'a str,
    key: Option<&'a [u8]>,
    value: Option<&'a [u8]>,
) -> OutgoingRecord<'a> {
    OutgoingRecord {
        topic,
        partition: None,
        key,
        value,
        timestamp: None,
        headers: &[],
    }
}

pub(super) fn topics(names: &[&str]) -> Subscription {
    Subscription::Topics(names.iter().map(|name| (*name).to_owned()).collect())
}

pub(super) fn partition(topic: &str, partition: i32) -> TopicPartition {
    TopicPartition::new(topic, partition)
}

pub(super) fn at(topic: &str, number: i32, offset: i64) -> TopicPartitionOffset {
    TopicPartitionOffset {
        partition: partition(topic, number),
        offset,
    }
}

type Report = (usize, std::result::Result<RecordMetadata, KafkaError>);

/// Keeps what a producer reports.
#[derive(Default)]
pub(super) struct Reports(Mutex<Vec<Report>>);

impl Reports {
    pub(super) fn all(&self) -> Vec<Report> {
        self.0.lock().unwrap().clone()
    }
}

impl DeliveryHandler for Reports {
    fn delivered(&self, token: usize, outcome: std::result::Result<RecordMetadata, KafkaError>) {
        self.0.lock().unwrap().push((token, outcome));
    }
}

/// Polls until records come, and returns them.
pub(super) async fn records(consumer: &dyn Consumer, count: usize) -> Result<Vec<ConsumedRecord>> {
    let mut all = Vec::new();
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while all.len() < count {
        if tokio::time::Instant::now() > deadline {
            bail!("{} of {count} records came", all.len());
        }
        match consumer.poll(Duration::from_secs(1), 500).await? {
            ConsumerEvent::Records(records) => all.extend(records),
            other => bail!("{other:?} in place of records"),
        }
    }
    Ok(all)
}

/// The values of records as text.
pub(super) fn values(records: &[ConsumedRecord]) -> Vec<String> {
    let text = |value: &Bytes| String::from_utf8_lossy(value).into_owned();
    records
        .iter()
        .map(|record| record.value.as_ref().map_or_else(String::new, text))
        .collect()
}

/// Polls until the assignment changes.
pub(super) async fn change(consumer: &dyn Consumer) -> Result<ConsumerEvent> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while tokio::time::Instant::now() < deadline {
        match consumer.poll(Duration::from_secs(1), 500).await? {
            ConsumerEvent::Records(records) if records.is_empty() => {}
            ConsumerEvent::Records(records) => bail!("{} records came", records.len()),
            event => return Ok(event),
        }
    }
    bail!("the assignment does not change")
}

/// Waits for an assignment and consents to it.
pub(super) async fn assigned(consumer: &dyn Consumer) -> Result<Vec<TopicPartition>> {
    match change(consumer)
        .await
        .context("waiting for an assignment")?
    {
        ConsumerEvent::Assigned(partitions) => {
            consumer.accept_assignment(&partitions)?;
            Ok(partitions)
        }
        other => bail!("{other:?} in place of an assignment"),
    }
}
