//! A sink task and a database file to look into.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use rusqlite::types::Value as SqliteValue;
use tether_api::config::ConfigMap;
use tether_api::connector::{Connector, Task};
use tether_api::data::{Schema, SchemaBuilder, SchemaRef, Struct, Type, Value};
use tether_api::offset::TopicPartition;
use tether_api::plugin::PluginFactory;
use tether_api::record::{ConnectRecord, SinkRecord, TimestampType};
use tether_api::sink::{ErrantRecordReporter, SinkTask, SinkTaskContext};
use tether_api::{ConnectError, Result};
use tokio_util::sync::CancellationToken;

pub(crate) struct Sink {
    pub(crate) task: Box<dyn SinkTask>,
    pub(crate) context: SinkTaskContext,
    pub(crate) config: ConfigMap,
    path: PathBuf,
    _folder: Arc<tempfile::TempDir>,
}

impl Sink {
    /// A task that writes to a new file with these settings.
    pub(crate) async fn start(settings: &[(&str, &str)]) -> Self {
        Self::start_in(Arc::new(tempfile::tempdir().unwrap()), settings).await
    }

    /// The same with reports of records that cannot be written.
    pub(crate) async fn reporting(settings: &[(&str, &str)]) -> (Self, Arc<Reports>) {
        let is_tolerant = settings.contains(&("errors.tolerance", "all"));
        let reports = Arc::new(Reports {
            is_tolerant,
            taken: Mutex::default(),
        });
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let sink = Self::start_with(folder, settings, Some(reports.clone())).await;
        (sink, reports)
    }

    async fn start_in(folder: Arc<tempfile::TempDir>, settings: &[(&str, &str)]) -> Self {
        Self::start_with(folder, settings, None).await
    }

    async fn start_with(
        folder: Arc<tempfile::TempDir>,
        settings: &[(&str, &str)],
        reports: Option<Arc<Reports>>,
    ) -> Self {
        let path = folder.path().join("sink.db");
        let url = format!("jdbc:sqlite:{}", path.display());
        let config: ConfigMap = [("name", "sink"), ("connection.url", &url)]
            .iter()
            .chain(settings)
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let mut task = new_task(&config);
        let reporter = reports.map(|reports| reports as Arc<dyn ErrantRecordReporter>);
        let context = SinkTaskContext::new(CancellationToken::new(), reporter);
        task.start(context.clone(), config.clone()).await.unwrap();
        Self {
            config,
            task,
            context,
            path,
            _folder: folder,
        }
    }

    /// Another task with other settings on the same file.
    pub(crate) async fn another(&self, settings: &[(&str, &str)]) -> Self {
        Self::start_in(self._folder.clone(), settings).await
    }

    pub(crate) async fn put(&mut self, records: &[SinkRecord]) -> Result<()> {
        self.task.put(records).await
    }

    /// The connector of the task.
    pub(crate) fn connector(&self) -> Box<dyn Connector> {
        new_connector(&self.config)
    }

    /// Gives the task the first partition of topic `t`, and says where it wants
    /// to read on.
    pub(crate) async fn open(&mut self) -> Option<i64> {
        let partition = TopicPartition::new("t", 0);
        self.task
            .open(std::slice::from_ref(&partition))
            .await
            .unwrap();
        self.context.take_requests().rewind.remove(&partition)
    }

    /// Runs statements in a connection of the test's own.
    pub(crate) fn execute(&self, sql: &str) {
        self.connection().execute_batch(sql).unwrap();
    }

    pub(crate) fn connection(&self) -> Connection {
        Connection::open(&self.path).unwrap()
    }

    /// All rows of a query, with `|` between the columns.
    pub(crate) fn rows(&self, sql: &str) -> Vec<String> {
        let connection = self.connection();
        let mut statement = connection.prepare(sql).unwrap();
        let count = statement.column_count();
        let rows = statement.query_map([], |row| {
            let columns: Vec<_> = (0..count)
                .map(|index| shown(row.get_unwrap(index)))
                .collect();
            Ok(columns.join("|"))
        });
        rows.unwrap().collect::<rusqlite::Result<_>>().unwrap()
    }

    /// The statement that made a table.
    pub(crate) fn definition(&self, table: &str) -> String {
        let sql = format!("SELECT sql FROM sqlite_schema WHERE name = '{table}'");
        self.rows(&sql).remove(0)
    }
}

/// Records that were reported, as the worker takes them.
pub(crate) struct Reports {
    is_tolerant: bool,
    taken: Mutex<Vec<(i64, String)>>,
}

impl Reports {
    /// Offsets and errors of the reports since the last call.
    pub(crate) fn take(&self) -> Vec<(i64, String)> {
        std::mem::take(&mut self.taken.lock().unwrap())
    }

    /// The same without the errors.
    pub(crate) fn offsets(&self) -> Vec<i64> {
        self.take().into_iter().map(|(offset, _)| offset).collect()
    }
}

impl ErrantRecordReporter for Reports {
    fn report(&self, record: &SinkRecord, error: &ConnectError) -> Result<()> {
        let report = (record.offset(), error.to_string());
        self.taken.lock().unwrap().push(report);
        match self.is_tolerant {
            true => Ok(()),
            false => Err(ConnectError::other("Tolerance exceeded in error handler")),
        }
    }
}

fn shown(value: SqliteValue) -> String {
    match value {
        SqliteValue::Null => "null".to_owned(),
        SqliteValue::Integer(number) => number.to_string(),
        SqliteValue::Real(number) => format!("{number:?}"),
        SqliteValue::Text(text) => text,
        SqliteValue::Blob(bytes) => format!("{bytes:?}"),
    }
}

/// The connector that `connector.class` names; Confluent's unless it does.
fn new_connector(config: &ConfigMap) -> Box<dyn Connector> {
    let class = config.get("connector.class");
    let mut plugins = tether_connector_jdbc::plugins().into_iter();
    let plugin = plugins
        .find(|plugin| class.is_none_or(|class| class == plugin.class))
        .unwrap();
    let PluginFactory::Sink(create) = plugin.factory else {
        panic!("not a sink");
    };
    create()
}

fn new_task(config: &ConfigMap) -> Box<dyn SinkTask> {
    match new_connector(config).new_task() {
        Task::Sink(task) => task,
        Task::Source(_) => panic!("not a sink task"),
    }
}

pub(crate) fn int() -> SchemaRef {
    Schema::primitive(Type::Int32, false)
}

pub(crate) fn optional(kind: Type) -> SchemaRef {
    Schema::primitive(kind, true)
}

pub(crate) fn structure(fields: &[(&str, SchemaRef)]) -> SchemaRef {
    fields
        .iter()
        .fold(SchemaBuilder::structure(), |builder, (name, schema)| {
            builder.field(*name, schema.clone())
        })
        .build()
}

/// Makes records of one topic, with offsets that count up.
pub(crate) struct Topic {
    name: Arc<str>,
    next: i64,
}

impl Topic {
    pub(crate) fn named(name: &str) -> Self {
        Self {
            name: name.into(),
            next: 0,
        }
    }

    /// A record with a primitive key.
    pub(crate) fn record(
        &mut self,
        key: impl Into<Value>,
        schema: &SchemaRef,
        values: Vec<Value>,
    ) -> SinkRecord {
        let value = Struct::from_values(schema.clone(), values).unwrap();
        self.raw(Some(int()), key.into(), Some(schema.clone()), value.into())
    }

    /// A record that deletes a primitive key.
    pub(crate) fn tombstone(&mut self, key: impl Into<Value>) -> SinkRecord {
        self.raw(Some(int()), key.into(), None, Value::Null)
    }

    pub(crate) fn raw(
        &mut self,
        key_schema: Option<SchemaRef>,
        key: Value,
        value_schema: Option<SchemaRef>,
        value: Value,
    ) -> SinkRecord {
        self.next += 1;
        SinkRecord::new(
            ConnectRecord::new(self.name.clone())
                .key(key_schema, key)
                .value(value_schema, value),
            TimestampType::NoTimestampType,
            TopicPartition::new(self.name.clone(), 0),
            self.next - 1,
        )
    }
}
