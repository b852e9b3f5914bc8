//! One run of one case.

use std::time::Duration;

use anyhow::{Result, ensure};
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::types::RDKafkaErrorCode;
use serde_json::json;
use tether_services::jars::Jars;
use tether_services::{Kafka, Registry};
use tether_tests::bench_throughput::{Throughput, Watch};
use tether_tests::bench_worker::{BenchWorker, JavaSide, Kind};
use tether_tests::names;
use tether_tests::registry_client::RegistryClient;
use tether_tests::topics::Topics;

use crate::case::{Case, Format};
use crate::encode::Encoder;
use crate::row::{KEY, Width};
use crate::table::{BATCH, Tables};

/// How long a run may take.
const LIMIT: Duration = Duration::from_secs(3600);
/// How long the broker may take for what was sent.
const FLUSH: Duration = Duration::from_secs(60);
/// How often what the broker says is read while records are sent.
const POLL_EVERY: u64 = 1000;

/// The services that all runs share.
pub(crate) struct Bench {
    pub(crate) kafka: Kafka,
    pub(crate) tables: Tables,
    registry: Registry,
    topics: Topics,
    java_side: JavaSide,
    /// Rows in a narrow table.
    narrow_rows: u64,
}

impl Bench {
    /// Services that only this benchmark uses.
    pub(crate) fn new(kafka: Kafka, narrow_rows: u64) -> Result<Self> {
        let jars = Jars::fetch()?;
        let plugins = [jars.plugin_path(), jars.debezium_jdbc_path()];
        Ok(Self {
            tables: Tables::start()?,
            registry: Registry::start()?,
            topics: Topics::new(kafka.bootstrap()),
            kafka,
            java_side: JavaSide {
                class_path: jars.kafka_class_path(),
                plugin_path: plugins.map(|path| path.display().to_string()).join(","),
            },
            narrow_rows,
        })
    }

    /// How many rows of this width are written.
    pub(crate) fn rows(&self, width: Width) -> u64 {
        width.rows(self.narrow_rows)
    }

    /// A topic with all rows as records.
    pub(crate) fn fill(&self, width: Width, format: Format) -> Result<String> {
        let topic = names::unique(&format!("{}-{}", width.name(), format.name()));
        self.topics.create(&topic, 1)?;
        let columns = width.columns();
        let registry = RegistryClient::new(self.registry.url());
        let keys = Encoder::new(format, &columns[..1], &topic, "key", &registry)?;
        let values = Encoder::new(format, &columns, &topic, "value", &registry)?;
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", self.kafka.bootstrap())
            .set("enable.idempotence", "true")
            .set("linger.ms", "50")
            .create()?;
        let (mut key, mut value) = (Vec::new(), Vec::new());
        for number in 1..=self.rows(width) {
            let row = width.row(&columns, i64::try_from(number)?);
            keys.encode(&columns[..1], &row, &mut key);
            values.encode(&columns, &row, &mut value);
            let mut record = BaseRecord::to(&topic).key(&key).payload(&value);
            while let Err((error, returned)) = producer.send(record) {
                let is_full = error == KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull);
                ensure!(is_full, error);
                producer.poll(Duration::from_millis(10));
                record = returned;
            }
            if number % POLL_EVERY == 0 {
                producer.poll(Duration::ZERO);
            }
        }
        producer.flush(FLUSH)?;
        let progress = self.topics.progress(&topic)?;
        ensure!(
            progress.records()? == self.rows(width),
            "the topic is not full"
        );
        Ok(topic)
    }

    /// Deletes a topic.
    pub(crate) fn delete(&self, topic: &str) -> Result<()> {
        self.topics.delete(topic)
    }

    /// A worker writes the records of a topic to a table that holds what it has to hold afterwards.
    pub(crate) fn run(
        &self,
        kind: Kind,
        case: Case,
        topic: &str,
        fingerprint: &str,
    ) -> Result<Throughput> {
        let rows = self.rows(case.width);
        let tables = &self.tables;
        tables.prepare(case.mode, case.width, rows)?;
        let mut worker = BenchWorker::start(
            kind,
            &self.kafka.bootstrap(),
            &case.format.converters(&self.registry.url()),
            &self.java_side,
        )?;
        let name = names::unique(&case.name());
        let config = json!({
            "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector",
            "topics": topic,
            "connection.url": format!(
                "jdbc:postgresql://127.0.0.1:{}/postgres?reWriteBatchedInserts=true",
                tables.postgres.port()
            ),
            "connection.username": "postgres",
            "connection.password": "postgres",
            "collection.name.format": case.width.name(),
            "primary.key.mode": "record_key",
            "primary.key.fields": KEY,
            "insert.mode": case.mode.name(),
            "batch.size": BATCH.to_string(),
            "consumer.override.max.poll.records": BATCH.to_string(),
            // The faster of the reference's ways.
            "dialect.postgres.unnest.insert.enabled": "true",
        });
        worker.rest().create(&name, &config)?;
        let statement = tables.watch(case.width)?;
        let mut watch = Watch::new(&mut worker, &name, LIMIT, |goal| {
            let is_written = tables.has(&statement, goal)?;
            Ok(if is_written { goal } else { 0 })
        });
        let warm = watch.reach(rows / 5)?;
        let end = watch.reach(rows)?;
        worker.stop()?;
        let written = tables.fingerprint(case.width)?;
        ensure!(
            written == fingerprint,
            "{} of {}: {written}, not {fingerprint}",
            case.name(),
            kind.name()
        );
        Ok(warm.until(&end))
    }
}
