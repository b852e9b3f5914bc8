//! What the tests of tasks and of the worker share: stores that record and
//! fail, plugins, and a log of calls to wait on.

use std::collections::VecDeque;
use std::sync::atomic::AtomicI32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tether_api::config::{ConfigDef, ConfigMap};
use tether_api::converter::{Converter, Decoded, Encoded, HeaderConverter};
use tether_api::data::{Schema, SchemaAndValue, SchemaRef, Text, Type, Value};
use tether_api::plugin::{PluginDescriptor, PluginFactory};
use tether_api::record::ConnectRecord;
use tether_api::transform::Transformation;
use tether_api::{ConnectError, Result};
use tether_kafka::fake::FakeKafka;
use tether_metrics::Metrics;
use tether_storage::{
    ConnectorStatus, MemoryOffsetStore, MemoryStatusStore, OffsetEntry, OffsetStore, State,
    StatusStore, TaskId, TaskStatus, TopicStatus,
};
use tokio::sync::{mpsc, watch};

use crate::config::WorkerConfig;
use crate::config_provider::VariableResolver;
use crate::metrics::WorkerMetrics;
use crate::plugins::Plugins;
use crate::worker::{WorkerContext, WorkerRequest};

/// Far more than anything takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(600);

pub(crate) fn map(entries: &[(&str, &str)]) -> ConfigMap {
    entries
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

/// What happened, in order. Clones share it.
#[derive(Clone)]
pub(crate) struct Log {
    lines: Arc<Mutex<Vec<String>>>,
    changed: watch::Sender<()>,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            lines: Arc::default(),
            changed: watch::Sender::new(()),
        }
    }
}

impl Log {
    pub(crate) fn add(&self, line: impl Into<String>) {
        self.lines.lock().unwrap().push(line.into());
        self.changed.send_replace(());
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    pub(crate) fn count(&self, line: &str) -> usize {
        self.lines().iter().filter(|known| *known == line).count()
    }

    /// Waits until the lines fulfil a condition.
    pub(crate) async fn until(&self, condition: impl Fn(&[String]) -> bool) {
        let mut changed = self.changed.subscribe();
        let wait = async {
            while !condition(&self.lines()) {
                changed.changed().await.unwrap();
            }
        };
        if tokio::time::timeout(PATIENCE, wait).await.is_err() {
            panic!("waited in vain; the log is {:#?}", self.lines());
        }
    }

    /// Lets (virtual) time pass and checks that nothing happens.
    pub(crate) async fn none_for(&self, time: Duration) {
        let before = self.lines();
        tokio::time::sleep(time).await;
        assert_eq!(before, self.lines());
    }

    /// Waits for a line.
    pub(crate) async fn until_line(&self, line: &str) {
        self.until(|lines| lines.iter().any(|known| known == line))
            .await;
    }
}

/// A status store in memory that also logs every write, as
/// `c RUNNING` or `c-0 FAILED`.
pub(crate) struct LoggedStatuses {
    inner: MemoryStatusStore,
    pub(crate) log: Log,
}

impl LoggedStatuses {
    fn connector_line(&self, status: &ConnectorStatus) {
        self.log
            .add(format!("{} {}", status.connector, status.state.name()));
    }

    fn task_line(&self, status: &TaskStatus) {
        self.log
            .add(format!("{} {}", status.id, status.state.name()));
    }
}

#[async_trait]
impl StatusStore for LoggedStatuses {
    async fn start(&self) -> Result<()> {
        self.inner.start().await
    }

    async fn stop(&self) {
        self.inner.stop().await;
    }

    async fn flush(&self) {
        self.inner.flush().await;
    }

    fn put_connector(&self, status: ConnectorStatus) {
        self.inner.put_connector(status.clone());
        self.connector_line(&status);
    }

    fn put_connector_safe(&self, status: ConnectorStatus) {
        self.inner.put_connector_safe(status.clone());
        self.connector_line(&status);
    }

    fn put_task(&self, status: TaskStatus) {
        self.inner.put_task(status.clone());
        self.task_line(&status);
    }

    fn put_task_safe(&self, status: TaskStatus) {
        self.inner.put_task_safe(status.clone());
        self.task_line(&status);
    }

    fn connector(&self, connector: &str) -> Option<ConnectorStatus> {
        self.inner.connector(connector)
    }

    fn connectors(&self) -> Vec<String> {
        self.inner.connectors()
    }

    fn task(&self, id: &TaskId) -> Option<TaskStatus> {
        self.inner.task(id)
    }

    fn tasks(&self, connector: &str) -> Vec<TaskStatus> {
        self.inner.tasks(connector)
    }

    fn put_topic(&self, status: TopicStatus) {
        self.inner.put_topic(status.clone());
        self.log
            .add(format!("{} uses {}", status.connector, status.topic));
    }

    fn has_topic(&self, connector: &str, topic: &str) -> bool {
        self.inner.has_topic(connector, topic)
    }

    fn topics(&self, connector: &str) -> Vec<TopicStatus> {
        self.inner.topics(connector)
    }

    fn reset_topics(&self, connector: &str) {
        self.inner.reset_topics(connector);
    }
}

/// What becomes of one write of offsets.
pub(crate) enum OffsetFault {
    /// It fails.
    Fail,
    /// It never returns.
    Hang,
}

/// An offset store in memory that logs its writes as `key=value` and fails as
/// it is told.
#[derive(Default)]
pub(crate) struct FaultyOffsets {
    inner: MemoryOffsetStore,
    faults: Mutex<VecDeque<OffsetFault>>,
    pub(crate) log: Log,
}

impl FaultyOffsets {
    pub(crate) fn script(&self, faults: impl IntoIterator<Item = OffsetFault>) {
        self.faults.lock().unwrap().extend(faults);
    }

    /// The stored value of a connector's partition.
    pub(crate) async fn stored(&self, key: &str) -> Option<String> {
        let key = Bytes::copy_from_slice(key.as_bytes());
        let value = self.inner.get(&[key]).await.unwrap().remove(0)?;
        Some(String::from_utf8(value.to_vec()).unwrap())
    }
}

#[async_trait]
impl OffsetStore for FaultyOffsets {
    async fn start(&self) -> Result<()> {
        self.inner.start().await
    }

    async fn stop(&self) {
        self.inner.stop().await;
    }

    async fn get(&self, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>> {
        self.inner.get(keys).await
    }

    async fn connector_entries(&self, connector: &str) -> Result<Vec<(Bytes, Bytes)>> {
        self.inner.connector_entries(connector).await
    }

    async fn set(&self, entries: Vec<OffsetEntry>) -> Result<()> {
        let fault = self.faults.lock().unwrap().pop_front();
        match fault {
            None => {}
            Some(OffsetFault::Fail) => {
                self.log.add("failed");
                return Err(ConnectError::retriable("the store is away"));
            }
            Some(OffsetFault::Hang) => {
                self.log.add("hangs");
                std::future::pending::<()>().await;
            }
        }
        self.inner.set(entries.clone()).await?;
        for (key, value) in entries {
            let value = value
                .as_deref()
                .map_or("null".into(), String::from_utf8_lossy);
            self.log
                .add(format!("{}={value}", String::from_utf8_lossy(&key)));
        }
        Ok(())
    }
}

/// Converts text. With `unprepared` it wants to prepare itself first; with
/// `away` that fails so many times for now.
struct TextConverter {
    prepared: Mutex<bool>,
    away: Mutex<u32>,
}

impl TextConverter {
    fn is_prepared(&self) -> bool {
        *self.prepared.lock().unwrap()
    }

    fn prepare(&self) -> Result<()> {
        let mut away = self.away.lock().unwrap();
        if *away > 0 {
            *away -= 1;
            return Err(ConnectError::retriable("the registry is away"));
        }
        *self.prepared.lock().unwrap() = true;
        Ok(())
    }
}

#[async_trait]
impl Converter for TextConverter {
    fn from_connect(
        &self,
        _topic: &str,
        _schema: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<Encoded> {
        match value {
            _ if !self.is_prepared() => Ok(Encoded::Unprepared),
            Value::Null => Ok(Encoded::Null),
            Value::String(text) => {
                out.extend_from_slice(text.as_bytes());
                Ok(Encoded::Written)
            }
            _ => Err(ConnectError::data("not a text")),
        }
    }

    async fn prepare_from_connect(&self, _topic: &str, _schema: Option<&SchemaRef>) -> Result<()> {
        self.prepare()
    }

    fn to_connect(&self, _topic: &str, bytes: Option<&Bytes>) -> Result<Decoded> {
        if !self.is_prepared() {
            return Ok(Decoded::Unprepared);
        }
        let Some(bytes) = bytes else {
            return Ok(Decoded::Data(SchemaAndValue::NULL));
        };
        let text = Text::try_from(bytes.clone()).map_err(|_| ConnectError::data("not UTF-8"))?;
        let schema = Schema::primitive(Type::String, true);
        Ok(Decoded::Data(SchemaAndValue::new(schema, text.into())))
    }

    async fn prepare_to_connect(&self, _topic: &str, _bytes: &Bytes) -> Result<()> {
        self.prepare()
    }
}

/// Converts values of headers to text and back.
pub(crate) struct TextHeaders;

impl HeaderConverter for TextHeaders {
    fn from_connect_header(
        &self,
        _topic: &str,
        _name: &str,
        _schema: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<bool> {
        match value {
            Value::Null => Ok(false),
            other => {
                out.extend_from_slice(other.to_string().as_bytes());
                Ok(true)
            }
        }
    }

    fn to_connect_header(
        &self,
        _topic: &str,
        _name: &str,
        bytes: Option<&Bytes>,
    ) -> Result<SchemaAndValue> {
        let text = bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        Ok(SchemaAndValue::schemaless(text.into()))
    }
}

/// Drops records of one value, refuses those of another.
struct Filter {
    drop: Option<String>,
    refuse: Option<String>,
}

impl Transformation for Filter {
    fn apply(&mut self, record: ConnectRecord) -> Result<Option<ConnectRecord>> {
        let value = record.value.as_str().map(str::to_owned);
        if value.is_some() && value == self.refuse {
            return Err(ConnectError::data("refused"));
        }
        Ok((value.is_none() || value != self.drop).then_some(record))
    }
}

/// The converters `t.Text` and `t.Headers`, the transformation `t.Filter`, and
/// more.
pub(crate) fn plugins(more: Vec<PluginDescriptor>) -> Plugins {
    let mut all = more;
    all.extend([
        plugin(
            "t.Text",
            PluginFactory::Converter(|config, _| {
                Ok(Arc::new(TextConverter {
                    prepared: Mutex::new(
                        !config.contains_key("unprepared") && !config.contains_key("away"),
                    ),
                    away: Mutex::new(config.get("away").map_or(0, |times| times.parse().unwrap())),
                }))
            }),
        ),
        plugin(
            "t.Headers",
            PluginFactory::HeaderConverter(|_| Ok(Arc::new(TextHeaders))),
        ),
        plugin(
            "t.Filter",
            PluginFactory::Transformation(|config| {
                Ok(Box::new(Filter {
                    drop: config.get("drop").cloned(),
                    refuse: config.get("refuse").cloned(),
                }))
            }),
        ),
    ]);
    Plugins::new(all)
}

pub(crate) fn plugin(class: &'static str, factory: PluginFactory) -> PluginDescriptor {
    PluginDescriptor {
        class,
        aliases: &[],
        version: "1.2.3",
        config_def: || Arc::new(ConfigDef::new()),
        factory,
    }
}

/// The surroundings of a worker.
pub(crate) struct Surroundings {
    pub(crate) kafka: FakeKafka,
    pub(crate) offsets: Arc<FaultyOffsets>,
    pub(crate) statuses: Arc<LoggedStatuses>,
    pub(crate) requests: mpsc::UnboundedReceiver<WorkerRequest>,
    pub(crate) context: WorkerContext,
    pub(crate) metrics: WorkerMetrics,
}

/// A worker that commits every second and gives commits and stops five; standalone
/// without a `group.id`.
pub(crate) fn surroundings(
    more_plugins: Vec<PluginDescriptor>,
    properties: &[(&str, &str)],
) -> Surroundings {
    let mut all = map(&[
        ("bootstrap.servers", "fake:9092"),
        ("offset.storage.file.filename", "unused"),
        ("key.converter", "t.Text"),
        ("value.converter", "t.Text"),
        ("header.converter", "t.Headers"),
        ("offset.flush.interval.ms", "1000"),
    ]);
    all.extend(map(properties));
    let kafka = FakeKafka::new();
    let offsets = Arc::new(FaultyOffsets::default());
    let statuses = Arc::new(LoggedStatuses {
        inner: MemoryStatusStore::default(),
        log: Log::default(),
    });
    let (sender, requests) = mpsc::unbounded_channel();
    let context = WorkerContext {
        worker_id: "w:8083".to_owned(),
        variables: Arc::new(VariableResolver::new(&all).unwrap()),
        config: match all.contains_key("group.id") {
            true => WorkerConfig::distributed(all).unwrap(),
            false => WorkerConfig::standalone(all).unwrap(),
        },
        kafka_cluster_id: "cluster".to_owned(),
        plugins: Arc::new(plugins(more_plugins)),
        clients: Arc::new(kafka.clone()),
        offsets: offsets.clone(),
        statuses: statuses.clone(),
        generation: Arc::new(AtomicI32::new(7)),
        requests: sender,
    };
    Surroundings {
        kafka,
        offsets,
        statuses,
        requests,
        context,
        metrics: WorkerMetrics::register(&Metrics::default()),
    }
}

/// The properties of a worker with exactly-once sources.
pub(crate) const EXACTLY_ONCE: [(&str, &str); 6] = [
    ("group.id", "g"),
    ("config.storage.topic", "configs"),
    ("offset.storage.topic", "offsets"),
    ("offset.storage.partitions", "1"),
    ("status.storage.topic", "statuses"),
    ("exactly.once.source.support", "enabled"),
];

impl Surroundings {
    /// The trace of a task, once it is FAILED.
    pub(crate) async fn trace(&self, id: &TaskId) -> String {
        self.statuses.log.until_line(&format!("{id} FAILED")).await;
        let status = self.statuses.task(id).unwrap();
        assert_eq!(status.state, State::Failed);
        assert_eq!((&*status.worker_id, status.generation), ("w:8083", 7));
        status.trace.unwrap()
    }
}
