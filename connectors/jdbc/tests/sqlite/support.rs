//! A sink task and a database file to look into.

use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::types::Value as SqliteValue;
use tether_api::Result;
use tether_api::config::ConfigMap;
use tether_api::connector::Task;
use tether_api::data::{Schema, SchemaBuilder, SchemaRef, Struct, Type, Value};
use tether_api::offset::TopicPartition;
use tether_api::plugin::PluginFactory;
use tether_api::record::{ConnectRecord, SinkRecord, TimestampType};
use tether_api::sink::{SinkTask, SinkTaskContext};
use tokio_util::sync::CancellationToken;

pub(crate) struct Sink {
    pub(crate) task: Box<dyn SinkTask>,
    pub(crate) context: SinkTaskContext,
    path: PathBuf,
    _folder: Arc<tempfile::TempDir>,
}

impl Sink {
    /// A task that writes to a new file with these settings.
    pub(crate) async fn start(settings: &[(&str, &str)]) -> Self {
        Self::start_in(Arc::new(tempfile::tempdir().unwrap()), settings).await
    }

    async fn start_in(folder: Arc<tempfile::TempDir>, settings: &[(&str, &str)]) -> Self {
        let path = folder.path().join("sink.db");
        let url = format!("jdbc:sqlite:{}", path.display());
        let config: ConfigMap = [("name", "sink"), ("connection.url", &url)]
            .iter()
            .chain(settings)
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let mut task = new_task(&config);
        let context = SinkTaskContext::new(CancellationToken::new(), None);
        task.start(context.clone(), config).await.unwrap();
        Self {
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

fn shown(value: SqliteValue) -> String {
    match value {
        SqliteValue::Null => "null".to_owned(),
        SqliteValue::Integer(number) => number.to_string(),
        SqliteValue::Real(number) => format!("{number:?}"),
        SqliteValue::Text(text) => text,
        SqliteValue::Blob(bytes) => format!("{bytes:?}"),
    }
}

/// A task of the connector that `connector.class` names; Confluent's unless it does.
fn new_task(config: &ConfigMap) -> Box<dyn SinkTask> {
    let class = config.get("connector.class");
    let mut plugins = tether_connector_jdbc::plugins().into_iter();
    let plugin = plugins
        .find(|plugin| class.is_none_or(|class| class == plugin.class))
        .unwrap();
    let PluginFactory::Sink(create) = plugin.factory else {
        panic!("not a sink");
    };
    match create().new_task() {
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
