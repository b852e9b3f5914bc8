//! A Kafka broker within this process, for the demo only.
//!
//! It is librdkafka's mock cluster, which comes with the client that is in the
//! binary anyway. The alternative among Rust crates is tansu, a real broker; it
//! would bring some 490 crates, among them a second crypto library, telemetry
//! and a scripting language, for a demo. Other crates are protocol codecs or
//! test routers that no Kafka client can connect to.
//!
//! What the mock can do: produce (idempotent too), fetch, list offsets by
//! beginning and end, metadata, consumer groups with committed offsets.
//!
//! What it cannot do, so that the demo has to do without:
//! - create or describe topics by request: [`EmbeddedBroker::create_topic`]
//!   makes them before anybody needs them. A topic that is asked for and does
//!   not exist appears by itself, with four partitions;
//! - compact: a partition keeps its newest 5 MiB and 100,000 batches, whichever
//!   is less, so memory stays bounded, and internal topics lose their oldest
//!   entries when they grow beyond that;
//! - isolate transactions, find offsets by time, delete or list groups;
//! - answer a waiting fetch as soon as there is data: it answers after
//!   `fetch.wait.max.ms`, which consumers should therefore set low;
//! - start a consumer group in less than three seconds, nor one that lost a
//!   member in less than `session.timeout.ms` minus a second. Consumers should
//!   set that to little more than the three seconds, below which they never get
//!   in;
//! - bear clients that break the protocol or mix assignors within a group: that
//!   may end the process, so it listens on loopback only.

use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::producer::{BaseProducer, Producer};
use rdkafka::types::RDKafkaErrorCode;

/// A broker on a free port of the loopback interface. It ends, and forgets
/// everything, when this is dropped.
pub struct EmbeddedBroker {
    /// The mock cluster belongs to a client and lives as long. This way it can
    /// be shared between threads, as a cluster of its own cannot.
    owner: BaseProducer,
    bootstrap: String,
}

impl EmbeddedBroker {
    /// Starts a broker.
    ///
    /// # Errors
    /// If no port or thread can be had.
    pub fn start() -> KafkaResult<Self> {
        let owner: BaseProducer = ClientConfig::new()
            .set("test.mock.num.brokers", "1")
            // Else it warns that it replaces the (missing) bootstrap servers.
            .set("log_level", "3")
            .create()?;
        let bootstrap = owner
            .client()
            .mock_cluster()
            .ok_or(KafkaError::MockCluster(RDKafkaErrorCode::Fail))?
            .bootstrap_servers();
        Ok(Self { owner, bootstrap })
    }

    /// The `host:port` for `bootstrap.servers`.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// Creates a topic.
    ///
    /// # Errors
    /// If it exists already or the name is not one of a topic.
    pub fn create_topic(&self, topic: &str, partitions: i32) -> KafkaResult<()> {
        self.owner
            .client()
            .mock_cluster()
            .ok_or(KafkaError::MockCluster(RDKafkaErrorCode::Fail))?
            .create_topic(topic, partitions, 1)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use rdkafka::Message;
    use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
    use rdkafka::producer::BaseRecord;

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(60);

    fn client(broker: &EmbeddedBroker) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", broker.bootstrap());
        config
    }

    fn produce(broker: &EmbeddedBroker, topic: &str, payloads: &[Vec<u8>]) {
        let producer: BaseProducer = client(broker)
            .set("enable.idempotence", "true")
            .create()
            .unwrap();
        for payload in payloads {
            producer
                .send(BaseRecord::<(), _>::to(topic).partition(0).payload(payload))
                .unwrap();
            producer.flush(DEADLINE).unwrap();
        }
    }

    fn subscribe(broker: &EmbeddedBroker, topic: &str) -> BaseConsumer {
        let consumer: BaseConsumer = client(broker)
            .set("group.id", "demo")
            .set("enable.auto.commit", "false")
            .set("auto.offset.reset", "earliest")
            .set("fetch.wait.max.ms", "50")
            .set("session.timeout.ms", "5000")
            .set("heartbeat.interval.ms", "200")
            .create()
            .unwrap();
        consumer.subscribe(&[topic]).unwrap();
        consumer
    }

    fn next(consumer: &BaseConsumer) -> Vec<u8> {
        let deadline = Instant::now() + DEADLINE;
        while Instant::now() < deadline {
            if let Some(Ok(message)) = consumer.poll(Duration::from_millis(100)) {
                consumer.commit_message(&message, CommitMode::Sync).unwrap();
                return message.payload().unwrap().to_vec();
            }
        }
        panic!("no message in time");
    }

    #[test]
    fn a_group_goes_on_where_it_committed() {
        let broker = EmbeddedBroker::start().unwrap();
        broker.create_topic("users", 1).unwrap();
        assert!(broker.create_topic("users", 1).is_err());
        produce(&broker, "users", &[b"a".to_vec(), b"b".to_vec()]);
        let first = subscribe(&broker, "users");
        assert_eq!(next(&first), b"a");
        drop(first);
        assert_eq!(next(&subscribe(&broker, "users")), b"b");
    }

    /// The bound on memory that the mock has, and that the demo relies on.
    #[test]
    fn a_partition_forgets_its_oldest_beyond_five_mebibytes() {
        let broker = EmbeddedBroker::start().unwrap();
        broker.create_topic("big", 1).unwrap();
        produce(&broker, "big", &vec![vec![7; 512 * 1024]; 16]);
        let consumer: BaseConsumer = client(&broker).create().unwrap();
        let (low, high) = consumer.fetch_watermarks("big", 0, DEADLINE).unwrap();
        assert_eq!(high, 16);
        assert!(high - low <= 11, "{low}..{high}");
    }
}
