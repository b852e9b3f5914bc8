//! Writes a delivery: one transaction for all of its records, whatever tables
//! they go to.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use tether_api::record::SinkRecord;
use tether_api::{ConnectError, Result};
use tokio_util::sync::CancellationToken;

use crate::buffer::{Batch, TableBuffer};
use crate::change_event::{self, Shape, Shapes};
use crate::config::{InsertMode, KeyMode, SinkConfig};
use crate::database::{Database, Session, Target};
use crate::error::{Failure, SqlError};
use crate::fields::Fields;
use crate::header_key::HeaderSchemas;
use crate::plan::{Kind, Operation, Plan, Plans};
use crate::record_rules::{self, Intent};
use crate::schemaless::column_kind::TypedColumn;
use crate::structure;
use crate::table::{TableDefinition, TableId};

/// Writes records, whatever the database.
#[async_trait]
pub(crate) trait RecordWriter: Send {
    /// Writes all of these records or none.
    async fn write(&mut self, records: &[SinkRecord]) -> Result<(), Failure>;

    /// Closes the connection.
    fn close(&mut self);
}

/// Writes records to one kind of database.
pub(crate) struct Writer<D: Database> {
    config: Arc<SinkConfig>,
    database: D,
    stopping: CancellationToken,
    connected: Option<Connected<D::Session>>,
}

/// What lives as long as a connection.
struct Connected<S: Session> {
    session: S,
    /// The index within `tables` of each topic's table.
    topics: HashMap<Arc<str>, usize>,
    tables: Vec<Table<S>>,
    shapes: Shapes,
    headers: HeaderSchemas,
}

/// What is known of a table.
struct Table<S: Session> {
    id: Arc<TableId>,
    /// The topic whose records were the first for it.
    topic: Arc<str>,
    definition: Option<TableDefinition<S::ColumnType>>,
    plans: Plans<S::Binder>,
}

/// How records are put together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// As many in a statement as possible.
    Batched,
    /// Each with a statement of its own, after an error that may be due to how
    /// they were put together.
    OneByOne,
}

#[async_trait]
impl<D: Database> RecordWriter for Writer<D> {
    async fn write(&mut self, records: &[SinkRecord]) -> Result<(), Failure> {
        let was_connected = self.connected.is_some();
        match self.attempt(records, Mode::Batched).await {
            // What was known before may be the reason: the server may have closed
            // an idle connection, or a person may have changed a table.
            Err(Failure::Sql(error))
                if was_connected && (error.is_stale_metadata || error.is_connection_lost) =>
            {
                tracing::info!(
                    error = %error.text(self.config.trim_sensitive_log),
                    "the connection or a table changed; trying again with nothing remembered"
                );
                self.attempt(records, Mode::Batched).await
            }
            Err(Failure::Sql(error)) if error.may_be_grouping => {
                tracing::info!(
                    error = %error.text(self.config.trim_sensitive_log),
                    "the records cannot be written together; writing them one by one"
                );
                self.attempt(records, Mode::OneByOne).await
            }
            outcome => outcome,
        }
    }

    fn close(&mut self) {
        self.connected = None;
    }
}

impl<D: Database> Writer<D> {
    pub(crate) fn new(config: Arc<SinkConfig>, database: D, stopping: CancellationToken) -> Self {
        Self {
            config,
            database,
            stopping,
            connected: None,
        }
    }

    async fn attempt(&mut self, records: &[SinkRecord], mode: Mode) -> Result<(), Failure> {
        let outcome = self.attempt_connected(records, mode).await;
        if outcome.is_err() {
            // Whatever was known of the tables may be the reason.
            self.connected = self.connected.take().and_then(Connected::without_metadata);
        }
        outcome
    }

    async fn attempt_connected(
        &mut self,
        records: &[SinkRecord],
        mode: Mode,
    ) -> Result<(), Failure> {
        let connected = match self.connected.take() {
            Some(connected) if connected.session.is_usable() => connected,
            _ => Connected::new(connect(&self.database, &self.config, &self.stopping).await?),
        };
        let connected = self.connected.insert(connected);
        connected.write(&self.config, records, mode).await
    }
}

/// Connects, with `connection.attempts` tries. A wait between two ends when the
/// task is to stop.
async fn connect<D: Database>(
    database: &D,
    config: &SinkConfig,
    stopping: &CancellationToken,
) -> Result<D::Session, SqlError> {
    let connection = &config.connection;
    let mut attempt = 1;
    loop {
        let error = match database.connect().await {
            Ok(session) => return Ok(session),
            Err(error) => error.during(|| format!("connecting to {}", connection.url)),
        };
        if !error.is_transient || attempt >= connection.attempts {
            return Err(error);
        }
        tracing::info!(
            attempt,
            attempts = connection.attempts,
            error = %error.text(config.trim_sensitive_log),
            "cannot connect to the database; trying again"
        );
        let stopped = tokio::time::timeout(connection.backoff, stopping.cancelled()).await;
        if stopped.is_ok() {
            return Err(error);
        }
        attempt += 1;
    }
}

impl<S: Session> Connected<S> {
    fn new(session: S) -> Self {
        Self {
            session,
            topics: HashMap::new(),
            tables: Vec::new(),
            shapes: Shapes::default(),
            headers: HeaderSchemas::default(),
        }
    }

    /// The same connection with nothing known of tables, if it can be used.
    fn without_metadata(self) -> Option<Self> {
        self.session.is_usable().then(|| Self::new(self.session))
    }

    async fn write(
        &mut self,
        config: &SinkConfig,
        records: &[SinkRecord],
        mode: Mode,
    ) -> Result<(), Failure> {
        let batches = self.batches(config, records, mode).await?;
        if batches.is_empty() {
            return Ok(());
        }
        self.session.write(&batches).await
    }

    /// Puts the records together, table by table in the order of their first
    /// records.
    async fn batches<'r>(
        &mut self,
        config: &SinkConfig,
        records: &'r [SinkRecord],
        mode: Mode,
    ) -> Result<Vec<Batch<'r, S::Binder>>, Failure> {
        let mut buffers: Vec<Option<TableBuffer<'r, S::Binder>>> = Vec::new();
        let mut order = Vec::new();
        let mut latest: Option<(&Arc<str>, usize)> = None;
        for record in records {
            let value_schema = record.record.value_schema.as_ref();
            let shape = self.shapes.of(&config.values, value_schema);
            let intent = record_rules::check(config, shape, record)?;
            if intent == Intent::Skip {
                tracing::debug!(%record, "leaving out a record that asks for nothing");
                continue;
            }
            let topic = &record.record.topic;
            let table = match latest {
                Some((known, table)) if Arc::ptr_eq(known, topic) => table,
                _ => match self.table(config, record)? {
                    Some(table) => table,
                    None => continue,
                },
            };
            latest = (!config.table_naming.depends_on_record()).then_some((topic, table));
            let key = match config.key_mode {
                _ if intent == Intent::Truncate => None,
                KeyMode::RecordKey => record.record.key_schema.as_ref(),
                KeyMode::RecordHeader => Some(self.headers.of(record)?),
                // The key is not looked at, so its schema makes no difference.
                KeyMode::None | KeyMode::Kafka | KeyMode::RecordValue => None,
            };
            let needs_value = match intent {
                Intent::Write => true,
                Intent::Delete => config.key_mode == KeyMode::RecordValue,
                Intent::Truncate | Intent::Skip => false,
            };
            let kind = Kind {
                intent,
                key,
                value: value_schema.filter(|_| needs_value),
            };
            let plan = match self.tables[table].plans.get(kind) {
                Some(plan) => plan.clone(),
                None => {
                    let table = &mut self.tables[table];
                    let session = &mut self.session;
                    match plan(config, session, table, shape, kind).await? {
                        Some(plan) => plan,
                        None => continue,
                    }
                }
            };
            buffers.resize_with(self.tables.len().max(buffers.len()), || None);
            let buffer = buffers[table].get_or_insert_with(|| {
                order.push(table);
                TableBuffer::new(config.batch_size, mode == Mode::OneByOne)
            });
            buffer.add(&plan, record)?;
        }
        Ok(order
            .into_iter()
            .filter_map(|table| buffers[table].take())
            .flat_map(TableBuffer::finish)
            .collect())
    }

    /// The index of a record's table; `None` if it has none.
    fn table(&mut self, config: &SinkConfig, record: &SinkRecord) -> Result<Option<usize>> {
        let topic = &record.record.topic;
        let depends_on_record = config.table_naming.depends_on_record();
        if !depends_on_record && let Some(table) = self.topics.get(topic) {
            return Ok(Some(*table));
        }
        let Some(name) = config.table_naming.table(record)? else {
            tracing::warn!(%record, "leaving out a record whose table cannot be named");
            return Ok(None);
        };
        let id = self.session.table_id(&name)?;
        // The same table may get other columns of another topic's records.
        let of_topic = config.fields.depends_on_topic().then_some(topic);
        let index = self
            .tables
            .iter()
            .position(|table| *table.id == id && of_topic.is_none_or(|own| *own == table.topic));
        let index = index.unwrap_or_else(|| {
            self.tables.push(Table {
                id: Arc::new(id),
                topic: topic.clone(),
                definition: None,
                plans: Plans::default(),
            });
            self.tables.len() - 1
        });
        if !depends_on_record {
            self.topics.insert(topic.clone(), index);
        }
        Ok(Some(index))
    }
}

/// A new plan for records of a kind. `None` if there is nothing to delete from
/// yet.
async fn plan<S: Session>(
    config: &SinkConfig,
    session: &mut S,
    table: &mut Table<S>,
    shape: Shape,
    kind: Kind<'_>,
) -> Result<Option<Arc<Plan<S::Binder>>>, Failure> {
    let (operation, path) = match kind.intent {
        Intent::Write => (Operation::Write(config.insert_mode), shape.written()),
        Intent::Delete => (Operation::Delete, shape.deleted()),
        Intent::Truncate => (Operation::Truncate, None),
        Intent::Skip => return Ok(None),
    };
    let row = kind.value.zip(path);
    let row = row.and_then(|(schema, path)| change_event::row(schema, path));
    let mut fields = match operation {
        Operation::Write(_) => Fields::of(config, &table.topic, &table.id, kind.key, row)?,
        Operation::Delete => {
            Fields::of(config, &table.topic, &table.id, kind.key, row)?.without_others()
        }
        Operation::Truncate => Fields::default(),
    };
    check_fields(&table.id, operation, &fields)?;
    let is_write = matches!(operation, Operation::Write(_));
    if !is_write && config.evolution.creates && table.definition.is_none() {
        table.definition = session.describe(&table.id).await?;
        if table.definition.is_none() {
            // A table of nothing but a key could not get the other columns
            // later. The first record with a row creates it.
            tracing::debug!(table = %table.id, "nothing to delete: the table does not exist yet");
            return Ok(None);
        }
    }
    let known = table.definition.take();
    let definition = structure::ensure(config, session, &table.id, &fields, known).await?;
    fields.infer(config, |name| {
        Ok(definition.column(&table.id, name)?.column_type.kind())
    })?;
    let columns = fields
        .all()
        .map(|field| Ok((field, definition.column(&table.id, &field.name)?)))
        .collect::<Result<_>>()?;
    let target = Target {
        table: &table.id,
        operation,
        columns,
        key_count: fields.keys.len(),
        with_deletes: config.delete_enabled,
    };
    let binder = session.bind(target).await?;
    let plan = Arc::new(Plan {
        table: table.id.clone(),
        operation,
        binder,
    });
    table.definition = Some(definition);
    table.plans.insert(kind, plan.clone());
    Ok(Some(plan))
}

/// Refuses statements that cannot be made of these fields.
fn check_fields(table: &TableId, operation: Operation, fields: &Fields) -> Result<()> {
    match operation {
        Operation::Write(InsertMode::Upsert) if fields.keys.is_empty() => {
            Err(ConnectError::other(format!(
                "Write to table '{table}' in UPSERT mode requires key field names to be known, \
                 check the primary key configuration"
            )))
        }
        Operation::Write(InsertMode::Update) if fields.keys.is_empty() => {
            Err(ConnectError::other(format!(
                "Write to table '{table}' in UPDATE mode requires key field names to be known, \
                 check the primary key configuration"
            )))
        }
        Operation::Write(InsertMode::Update) if fields.others.is_empty() => {
            Err(ConnectError::other(format!(
                "Write to table '{table}' in UPDATE mode requires fields that are not part of \
                 the key"
            )))
        }
        Operation::Delete if fields.keys.is_empty() => Err(ConnectError::other(
            "Require primary keys to support delete",
        )),
        _ => Ok(()),
    }
}
