//! What the task loops themselves cost per record: everything between a
//! connector and a Kafka client, with clients and converters that do next to
//! nothing.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, mpsc as std_mpsc};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tether_api::config::{ConfigDef, ConfigMap};
use tether_api::connector::{Connector, ConnectorContext, Task};
use tether_api::converter::{Converter, Decoded, Encoded, HeaderConverter};
use tether_api::data::{SchemaAndValue, SchemaRef, Text, Value};
use tether_api::offset::{OffsetMap, TopicPartition};
use tether_api::plugin::{PluginDescriptor, PluginFactory};
use tether_api::record::{ConnectRecord, SinkRecord, SourceRecord, TimestampType};
use tether_api::sink::{SinkTask, SinkTaskContext};
use tether_api::source::{SourceTask, SourceTaskContext};
use tether_api::{ConnectError, Result};
use tether_kafka::{
    Admin, Clients, ConsumedRecord, Consumer, ConsumerEvent, DeliveryHandler, KafkaError,
    KafkaErrorKind, OutgoingRecord, Producer, RecordMetadata, Result as KafkaResult, Subscription,
    TopicPartitionOffset, TransactionalProducer,
};
use tether_storage::{MemoryOffsetStore, MemoryStatusStore, TargetState, TaskId};
use tether_worker::config::WorkerConfig;
use tether_worker::config_provider::VariableResolver;
use tether_worker::plugins::Plugins;
use tether_worker::worker::{Worker, WorkerContext};
use tokio::sync::{Notify, mpsc};

const BATCH: usize = 500;

/// How many records still have to go through, and who waits for that.
struct Remaining {
    records: AtomicUsize,
    through: AtomicUsize,
    goal: AtomicUsize,
    more: Notify,
    done: Notify,
}

static REMAINING: LazyLock<Remaining> = LazyLock::new(|| Remaining {
    records: AtomicUsize::new(0),
    through: AtomicUsize::new(0),
    goal: AtomicUsize::new(usize::MAX),
    more: Notify::new(),
    done: Notify::new(),
});

impl Remaining {
    /// Waits until there is a batch to make.
    async fn take_batch(&self) {
        while self
            .records
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| {
                left.checked_sub(BATCH)
            })
            .is_err()
        {
            self.more.notified().await;
        }
    }

    fn arrived(&self, count: usize) {
        if self.through.fetch_add(count, Ordering::AcqRel) + count
            >= self.goal.load(Ordering::Acquire)
        {
            self.done.notify_one();
        }
    }

    async fn run(&self, records: usize) -> Duration {
        let begin = Instant::now();
        let goal = self.through.load(Ordering::Acquire) + records;
        self.goal.store(goal, Ordering::Release);
        self.records.fetch_add(records, Ordering::AcqRel);
        self.more.notify_one();
        while self.through.load(Ordering::Acquire) < goal {
            self.done.notified().await;
        }
        begin.elapsed()
    }
}

/// Copies text.
struct Copy;

#[async_trait]
impl Converter for Copy {
    fn from_connect(
        &self,
        _topic: &str,
        _schema: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<Encoded> {
        match value {
            Value::String(text) => {
                out.extend_from_slice(text.as_bytes());
                Ok(Encoded::Written)
            }
            _ => Ok(Encoded::Null),
        }
    }

    fn to_connect(&self, _topic: &str, bytes: Option<&Bytes>) -> Result<Decoded> {
        let value = bytes.map(|bytes| Value::Bytes(bytes.clone()));
        Ok(Decoded::Data(SchemaAndValue::schemaless(
            value.unwrap_or_default(),
        )))
    }
}

impl HeaderConverter for Copy {
    fn from_connect_header(
        &self,
        _topic: &str,
        _name: &str,
        _schema: Option<&SchemaRef>,
        _value: &Value,
        _out: &mut Vec<u8>,
    ) -> Result<bool> {
        Ok(false)
    }

    fn to_connect_header(
        &self,
        _topic: &str,
        _name: &str,
        _bytes: Option<&Bytes>,
    ) -> Result<SchemaAndValue> {
        Ok(SchemaAndValue::NULL)
    }
}

/// A connector of either kind whose tasks make or take batches.
struct Batches {
    source: bool,
}

struct MakeBatches {
    batch: Vec<SourceRecord>,
}

struct TakeBatches;

#[async_trait]
impl Connector for Batches {
    fn config_def(&self) -> Arc<ConfigDef> {
        Arc::new(ConfigDef::new())
    }

    async fn start(&mut self, _context: ConnectorContext, _config: ConfigMap) -> Result<()> {
        Ok(())
    }

    async fn task_configs(&mut self, _max_tasks: usize) -> Result<Vec<ConfigMap>> {
        Err(ConnectError::other("not asked"))
    }

    fn new_task(&self) -> Task {
        if !self.source {
            return Task::Sink(Box::new(TakeBatches));
        }
        let partition = Arc::new(OffsetMap::new().with("table", "t"));
        let topic: Arc<str> = "topic".into();
        let batch = (0..BATCH as i64)
            .map(|at| SourceRecord {
                record: ConnectRecord::new(topic.clone())
                    .key(None, Text::from(format!("key-{at}")))
                    .value(None, Text::from("x".repeat(200))),
                source_partition: partition.clone(),
                source_offset: Some(Arc::new(OffsetMap::new().with("at", at))),
            })
            .collect();
        Task::Source(Box::new(MakeBatches { batch }))
    }

    fn task_class(&self) -> &'static str {
        "bench.Task"
    }
}

#[async_trait]
impl SourceTask for MakeBatches {
    async fn start(&mut self, _context: SourceTaskContext, _config: ConfigMap) -> Result<()> {
        Ok(())
    }

    async fn poll(&mut self) -> Result<Vec<SourceRecord>> {
        REMAINING.take_batch().await;
        Ok(self.batch.clone())
    }
}

#[async_trait]
impl SinkTask for TakeBatches {
    async fn start(&mut self, _context: SinkTaskContext, _config: ConfigMap) -> Result<()> {
        Ok(())
    }

    async fn put(&mut self, records: &[SinkRecord]) -> Result<()> {
        black_box(records);
        REMAINING.arrived(records.len());
        Ok(())
    }
}

/// Kafka clients without Kafka.
struct NoKafka;

/// Acknowledges on a thread of its own, as librdkafka does.
struct NoProducer {
    tokens: std_mpsc::SyncSender<usize>,
}

struct NoConsumer {
    assigned: AtomicBool,
    batch: Mutex<Vec<ConsumedRecord>>,
}

fn unused<T>() -> KafkaResult<T> {
    Err(KafkaError::new(
        KafkaErrorKind::Unsupported,
        "not in a benchmark",
    ))
}

impl Clients for NoKafka {
    fn producer(
        &self,
        _properties: &ConfigMap,
        deliveries: Arc<dyn DeliveryHandler>,
    ) -> KafkaResult<Arc<dyn Producer>> {
        let (tokens, sent) = std_mpsc::sync_channel(10_000);
        std::thread::spawn(move || {
            while let Ok(token) = sent.recv() {
                let metadata = RecordMetadata {
                    partition: 0,
                    offset: 0,
                };
                deliveries.delivered(token, Ok(metadata));
                REMAINING.arrived(1);
            }
        });
        Ok(Arc::new(NoProducer { tokens }))
    }

    fn transactional_producer(
        &self,
        _properties: &ConfigMap,
        _deliveries: Arc<dyn DeliveryHandler>,
    ) -> KafkaResult<Arc<dyn TransactionalProducer>> {
        unused()
    }

    fn consumer(&self, _properties: &ConfigMap) -> KafkaResult<Arc<dyn Consumer>> {
        let topic: Arc<str> = "topic".into();
        let batch = (0..BATCH as i64)
            .map(|offset| ConsumedRecord {
                topic: topic.clone(),
                partition: 0,
                offset,
                timestamp: Some(1),
                timestamp_type: TimestampType::CreateTime,
                key: Some(Bytes::from(format!("key-{offset}"))),
                value: Some(Bytes::from("x".repeat(200))),
                headers: Vec::new(),
            })
            .collect();
        Ok(Arc::new(NoConsumer {
            assigned: AtomicBool::new(false),
            batch: Mutex::new(batch),
        }))
    }

    fn admin(&self, _properties: &ConfigMap) -> KafkaResult<Arc<dyn Admin>> {
        unused()
    }
}

#[async_trait]
impl Producer for NoProducer {
    fn send(&self, record: &OutgoingRecord<'_>, token: usize) -> KafkaResult<()> {
        black_box(record);
        self.tokens
            .try_send(token)
            .map_err(|_| KafkaError::new(KafkaErrorKind::QueueFull, "full"))
    }

    async fn flush(&self, _timeout: Duration) -> KafkaResult<()> {
        Ok(())
    }

    fn purge(&self) {}
}

#[async_trait]
impl Consumer for NoConsumer {
    fn subscribe(&self, _subscription: &Subscription) -> KafkaResult<()> {
        Ok(())
    }

    fn assign(&self, _partitions: &[TopicPartitionOffset]) -> KafkaResult<()> {
        unused()
    }

    async fn poll(&self, _timeout: Duration, _max_records: usize) -> KafkaResult<ConsumerEvent> {
        if !self.assigned.swap(true, Ordering::AcqRel) {
            return Ok(ConsumerEvent::Assigned(vec![TopicPartition::new(
                "topic", 0,
            )]));
        }
        REMAINING.take_batch().await;
        let batch = self.batch.lock().map(|batch| batch.clone());
        Ok(ConsumerEvent::Records(batch.unwrap_or_default()))
    }

    fn accept_assignment(&self, _partitions: &[TopicPartition]) -> KafkaResult<()> {
        Ok(())
    }

    fn accept_revocation(&self, _partitions: &[TopicPartition]) -> KafkaResult<()> {
        Ok(())
    }

    fn assignment(&self) -> Vec<TopicPartition> {
        Vec::new()
    }

    async fn positions(
        &self,
        partitions: &[TopicPartition],
        _timeout: Duration,
    ) -> KafkaResult<Vec<TopicPartitionOffset>> {
        Ok(partitions
            .iter()
            .map(|partition| TopicPartitionOffset {
                partition: partition.clone(),
                offset: 0,
            })
            .collect())
    }

    async fn seek(&self, _offsets: &[TopicPartitionOffset]) -> KafkaResult<()> {
        Ok(())
    }

    fn pause(&self, _partitions: &[TopicPartition]) -> KafkaResult<()> {
        Ok(())
    }

    fn resume(&self, _partitions: &[TopicPartition]) -> KafkaResult<()> {
        Ok(())
    }

    async fn commit(&self, _offsets: &[TopicPartitionOffset]) -> KafkaResult<()> {
        Ok(())
    }

    async fn end_offsets(
        &self,
        _partitions: &[TopicPartition],
        _timeout: Duration,
    ) -> KafkaResult<Vec<TopicPartitionOffset>> {
        unused()
    }

    async fn close(&self) {}
}

fn plugin(class: &'static str, factory: PluginFactory) -> PluginDescriptor {
    PluginDescriptor {
        class,
        aliases: &[],
        version: "1",
        config_def: || Arc::new(ConfigDef::new()),
        factory,
    }
}

fn map(entries: &[(&str, &str)]) -> ConfigMap {
    entries
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

fn worker() -> Result<Worker> {
    let properties = map(&[
        ("bootstrap.servers", "nowhere:9092"),
        ("offset.storage.file.filename", "unused"),
        ("key.converter", "b.Copy"),
        ("value.converter", "b.Copy"),
        ("header.converter", "b.Headers"),
    ]);
    let plugins = Plugins::new(vec![
        plugin(
            "b.Make",
            PluginFactory::Source(|| Box::new(Batches { source: true })),
        ),
        plugin(
            "b.Take",
            PluginFactory::Sink(|| Box::new(Batches { source: false })),
        ),
        plugin(
            "b.Copy",
            PluginFactory::Converter(|_, _| Ok(Arc::new(Copy))),
        ),
        plugin(
            "b.Headers",
            PluginFactory::HeaderConverter(|_| Ok(Arc::new(Copy))),
        ),
    ]);
    Worker::new(WorkerContext {
        worker_id: "bench".to_owned(),
        variables: Arc::new(VariableResolver::new(&properties)?),
        config: WorkerConfig::standalone(properties)?,
        kafka_cluster_id: "none".to_owned(),
        plugins: Arc::new(plugins),
        clients: Arc::new(NoKafka),
        offsets: Arc::new(MemoryOffsetStore::new()),
        statuses: Arc::new(MemoryStatusStore::default()),
        generation: Arc::new(AtomicI32::new(0)),
        requests: mpsc::unbounded_channel().0,
    })
}

fn record_path(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("record path");
    group.throughput(Throughput::Elements(BATCH as u64));
    for (name, class) in [("source", "b.Make"), ("sink", "b.Take")] {
        let (Ok(runtime), Ok(worker)) = (tokio::runtime::Runtime::new(), worker()) else {
            continue;
        };
        let config = map(&[("connector.class", class), ("topics", "topic")]);
        let started = runtime.block_on(worker.start_task(
            &TaskId::new(name, 0),
            1,
            &config,
            &config,
            TargetState::Started,
            None,
        ));
        if started.is_err() {
            continue;
        }
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|iterations| {
                let records = BATCH * usize::try_from(iterations).unwrap_or(1);
                runtime.block_on(REMAINING.run(records))
            });
        });
        runtime.block_on(worker.shutdown());
    }
    group.finish();
}

criterion_group!(benches, record_path);
criterion_main!(benches);
