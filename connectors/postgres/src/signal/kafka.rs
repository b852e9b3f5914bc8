//! Signals that are records of a topic (`signal.kafka.topic`).
//!
//! Only its first partition is read, from the offset that the consumer group
//! has committed on. Records of another key are for other connectors.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tether_api::config::ConfigMap;
use tether_api::offset::TopicPartition;
use tether_kafka::{
    Clients, ConsumedRecord, Consumer, ConsumerEvent, KafkaErrorKind, RdKafkaClients,
    TopicPartitionOffset,
};

use super::channel::SignalReader;
use super::{Signal, json};
use crate::config::KafkaSignals as Settings;

/// How many records are read at once, as many as by the reference's consumer.
const MOST: usize = 500;

/// How long the brokers may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The least time to wait for records: a client that has just begun to read has
/// none at once.
const LEAST_WAIT: Duration = Duration::from_millis(100);

/// How many characters of a key that is not ours are logged.
const SHOWN: usize = 100;

/// Where a partition begins, and where it ends, as offsets.
const BEGINNING: i64 = -2;
const END: i64 = -1;

/// Reads a topic.
pub(super) struct KafkaSignals {
    /// `topic.prefix`, which is the key of its signals.
    connector: String,
    partition: TopicPartition,
    group: String,
    poll_timeout: Duration,
    clients: Arc<dyn Clients>,
    properties: ConfigMap,
    reading: Option<Reading>,
}

struct Reading {
    consumer: Arc<dyn Consumer>,
    /// The offset after the last record that was returned, and not yet
    /// committed.
    passed: Option<i64>,
}

impl KafkaSignals {
    /// The channel of a connector of this `topic.prefix`; `None` if a setting is
    /// missing, which is logged.
    pub(super) fn new(connector: &str, settings: &Settings) -> Option<Self> {
        let clients = Arc::new(RdKafkaClients::new());
        Self::with_clients(connector, settings, clients)
    }

    fn with_clients(
        connector: &str,
        settings: &Settings,
        clients: Arc<dyn Clients>,
    ) -> Option<Self> {
        let Some(servers) = settings.bootstrap_servers.as_deref() else {
            tracing::error!(
                "The 'signal.kafka.bootstrap.servers' value is invalid: A value is required"
            );
            return None;
        };
        let mut properties: ConfigMap = [
            ("bootstrap.servers", servers),
            ("group.id", &settings.group_id),
            ("fetch.min.bytes", "1"),
            ("session.timeout.ms", "10000"),
            ("auto.offset.reset", "earliest"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        for (name, value) in &settings.consumer {
            properties.insert(name.clone(), value.reveal().to_owned());
        }
        // Offsets are committed once signals have been passed on.
        properties.insert("enable.auto.commit".to_owned(), "false".to_owned());
        Some(Self {
            connector: connector.to_owned(),
            partition: TopicPartition::new(settings.topic.as_str(), 0),
            group: properties.get("group.id").cloned().unwrap_or_default(),
            poll_timeout: settings.poll_timeout.max(LEAST_WAIT),
            clients,
            properties,
            reading: None,
        })
    }

    /// Begins to read.
    async fn open(&self) -> tether_kafka::Result<Reading> {
        let admin = self.clients.admin(&self.properties)?;
        let committed = admin.group_offsets(&self.group, PATIENCE).await?;
        let consumer = self.clients.consumer(&self.properties)?;
        let reset = self.properties.get("auto.offset.reset");
        let reset = match reset.map(String::as_str) {
            Some("latest") => END,
            _ => BEGINNING,
        };
        let offset = committed.get(&self.partition).copied().unwrap_or(reset);
        consumer.assign(&[self.at(offset)])?;
        tracing::info!(
            offset,
            "Reading signals of topic '{}'",
            self.partition.topic
        );
        Ok(Reading {
            consumer,
            passed: None,
        })
    }

    async fn poll(&mut self) -> tether_kafka::Result<Vec<Signal>> {
        if self.reading.is_none() {
            self.reading = Some(self.open().await?);
        }
        self.commit().await;
        let Some(reading) = &mut self.reading else {
            return Ok(Vec::new());
        };
        let records = match reading.consumer.poll(self.poll_timeout, MOST).await {
            Ok(ConsumerEvent::Records(records)) => records,
            Ok(_) => return Ok(Vec::new()),
            Err(error) => {
                if error.kind != KafkaErrorKind::Retriable {
                    self.reading = None;
                }
                return Err(error);
            }
        };
        if let Some(last) = records.last() {
            reading.passed = Some(last.offset + 1);
        }
        let connector = &self.connector;
        let signals = records
            .iter()
            .filter_map(|record| signal(record, connector));
        Ok(signals.collect())
    }

    /// Commits what was returned.
    async fn commit(&mut self) {
        let Some(reading) = &self.reading else { return };
        let Some(passed) = reading.passed else { return };
        match reading.consumer.commit(&[self.at(passed)]).await {
            Ok(()) => {
                if let Some(reading) = &mut self.reading {
                    reading.passed = None;
                }
            }
            Err(error) => tracing::warn!(%error, "The offset of signals cannot be committed"),
        }
    }

    fn at(&self, offset: i64) -> TopicPartitionOffset {
        TopicPartitionOffset {
            partition: self.partition.clone(),
            offset,
        }
    }
}

#[async_trait]
impl SignalReader for KafkaSignals {
    async fn read(&mut self) -> Vec<Signal> {
        match self.poll().await {
            Ok(signals) => signals,
            Err(error) => {
                let topic = &self.partition.topic;
                tracing::warn!(%error, "Signals of topic '{topic}' cannot be read");
                Vec::new()
            }
        }
    }

    async fn close(&mut self) {
        self.commit().await;
        if let Some(reading) = self.reading.take() {
            reading.consumer.close().await;
        }
    }
}

/// The signal of a record, if it has one for this connector.
fn signal(record: &ConsumedRecord, connector: &str) -> Option<Signal> {
    let key = record.key.as_deref().map(String::from_utf8_lossy);
    if key.as_deref() != Some(connector) {
        let key: String = key
            .as_deref()
            .unwrap_or("null")
            .chars()
            .take(SHOWN)
            .collect();
        tracing::info!("Signal key '{key}' doesn't match the connector's name '{connector}'");
        return None;
    }
    let value = String::from_utf8_lossy(record.value.as_deref().filter(|value| !value.is_empty())?);
    let object = match json::object(&value) {
        Ok(object) => object,
        Err(reason) => {
            tracing::error!("Skipped signal due to an error: {reason}");
            return None;
        }
    };
    let text = |name| json::string(&object, name).unwrap_or_default().to_owned();
    Some(Signal {
        id: text("id"),
        kind: text("type"),
        data: match object.get("data") {
            Some(data @ serde_json::Value::Object(_)) => data.to_string(),
            _ => String::new(),
        },
        channel_offset: Some(record.offset),
    })
}

#[cfg(test)]
mod tests {
    use tether_api::config::Password;
    use tether_kafka::fake::FakeKafka;

    use super::*;

    const TOPIC: &str = "srv-signal";

    fn channel(kafka: &FakeKafka, group: &str) -> Option<KafkaSignals> {
        let settings = Settings {
            topic: TOPIC.to_owned(),
            bootstrap_servers: Some("localhost:9092".to_owned()),
            group_id: "kafka-signal".to_owned(),
            poll_timeout: Duration::ZERO,
            consumer: [("group.id".to_owned(), Password::new(group))].into(),
        };
        KafkaSignals::with_clients("srv", &settings, Arc::new(kafka.clone()))
    }

    async fn ids(channel: &mut KafkaSignals) -> Vec<(String, Option<i64>)> {
        let read = channel.read().await;
        let ids = read.into_iter();
        ids.map(|signal| (signal.id, signal.channel_offset))
            .collect()
    }

    #[tokio::test]
    async fn a_topic_is_read_on_from_what_was_committed() {
        let kafka = FakeKafka::new();
        kafka.add_topic(TOPIC, 1);
        let send = |key: &str, value: &str| kafka.append_text(TOPIC, 0, key, value);
        send("other", r#"{"id":"0","type":"log","data":{}}"#);
        send("srv", r#"{"id":"1","type":"log","data":{"message":"m"}}"#);
        send("srv", "not JSON");
        send("srv", r#"{"id":"2","type":"pause-snapshot"}"#);
        let mut first = channel(&kafka, "own").unwrap();
        let both = [("1".to_owned(), Some(1)), ("2".to_owned(), Some(3))];
        assert_eq!(ids(&mut first).await, both);
        assert!(ids(&mut first).await.is_empty());
        send("srv", r#"{"id":"3","type":"log","data":{"message":"m"}}"#);
        assert_eq!(ids(&mut first).await, [("3".to_owned(), Some(4))]);
        first.close().await;
        send("srv", r#"{"id":"4","type":"log","data":{"message":"m"}}"#);
        let mut second = channel(&kafka, "own").unwrap();
        assert_eq!(ids(&mut second).await, [("4".to_owned(), Some(5))]);
    }

    proptest::proptest! {
        #[test]
        fn any_record_is_a_signal_or_not(value: Vec<u8>) {
            let record = ConsumedRecord {
                topic: TOPIC.into(),
                partition: 0,
                offset: 7,
                timestamp: None,
                timestamp_type: tether_api::record::TimestampType::NoTimestampType,
                key: Some("srv".into()),
                value: Some(value.into()),
                headers: Vec::new(),
            };
            let _ = signal(&record, "srv");
        }
    }

    #[tokio::test]
    async fn servers_have_to_be_given() {
        let settings = Settings {
            topic: TOPIC.to_owned(),
            bootstrap_servers: None,
            group_id: String::new(),
            poll_timeout: Duration::ZERO,
            consumer: [].into(),
        };
        assert!(KafkaSignals::new("srv", &settings).is_none());
    }
}
