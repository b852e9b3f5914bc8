//! Writes a delivery: one transaction for all of its records, whatever tables
//! they go to.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use tether_api::data::SchemaRef;
use tether_api::offset::TopicPartition;
use tether_api::record::SinkRecord;
use tether_api::sink::Offsets;
use tether_api::{ConnectError, Result};
use tokio_util::sync::CancellationToken;

use crate::change_event::{self, Shape, Shapes};
use crate::config::{Guarantee, InsertMode, KeyMode, SinkConfig};
use crate::database::{Database, Guard, Session, Target};
use crate::delivery::{Delivery, Mode};
use crate::errant::{self, Errant};
use crate::error::{Failure, SqlError};
use crate::fields::Fields;
use crate::header_key::HeaderSchemas;
use crate::isolation::{self, Ending};
use crate::offsets::Ledger;
use crate::plan::{Kind, Operation, Plan, Plans, Reduction};
use crate::record_rules::{self, Intent};
use crate::schemaless::column_kind::TypedColumn;
use crate::structure;
use crate::table::{TableDefinition, TableId};

/// Writes records, whatever the database.
#[async_trait]
pub(crate) trait RecordWriter: Send {
    /// Writes all of these records or none.
    async fn write(&mut self, records: &[SinkRecord]) -> Result<(), Failure>;

    /// Writes all of these records but those that cannot be written, which it
    /// returns, as far as `ending` says.
    ///
    /// # Errors
    /// What would have met any record. Nothing is written then.
    async fn isolate<'r>(
        &mut self,
        records: &'r [SinkRecord],
        ending: Ending,
    ) -> Result<Vec<Errant<'r>>, Failure>;

    /// Takes over partitions. With exactly once it returns where to read on.
    ///
    /// # Errors
    /// What the database says. Nothing of these partitions can be written then.
    async fn open(&mut self, partitions: &[TopicPartition]) -> Result<Offsets, Failure>;

    /// Forgets partitions that are taken away.
    fn release(&mut self, partitions: &[TopicPartition]);

    /// Leaves a record out when it comes again.
    fn leave_out(&mut self, record: &SinkRecord);

    /// What may be committed of these offsets, up to which everything was put.
    async fn committable(&mut self, offsets: &Offsets) -> Offsets;

    /// Looks whether tables are there.
    ///
    /// # Errors
    /// If one is not.
    async fn check_tables(&mut self, names: &[String]) -> Result<(), Failure>;

    /// Closes the connection.
    fn close(&mut self);
}

/// Writes records to one kind of database.
pub(crate) struct Writer<D: Database> {
    config: Arc<SinkConfig>,
    database: D,
    stopping: CancellationToken,
    connected: Option<Connected<D::Session>>,
    /// Present with exactly once.
    ledger: Option<Ledger>,
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

/// Where a record goes.
enum Destination<'p, B> {
    /// Nowhere.
    None,
    /// To a table, by a plan.
    Known(usize, &'p Arc<Plan<B>>),
    /// To a table, by a plan that has to be made.
    Unplanned(Unplanned),
}

/// Records of a kind without a plan in a table.
#[derive(PartialEq)]
struct Unplanned {
    table: usize,
    shape: Shape,
    intent: Intent,
    key: Option<SchemaRef>,
    value: Option<SchemaRef>,
}

/// What becomes of records that cannot be part of a delivery.
enum Unfit<'a, 'r> {
    /// The first one is the failure of the delivery.
    Fail,
    /// They are left out.
    Collect(&'a mut Vec<Errant<'r>>),
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
            // A transaction that had an unknown outcome was committed after all,
            // or another task is the reason, which shows now.
            Err(Failure::Fenced) => self.attempt(records, Mode::Batched).await,
            Err(Failure::Sql(error)) if error.may_be_grouping && self.changes_order() => {
                tracing::info!(
                    error = %error.text(self.config.trim_sensitive_log),
                    "the records cannot be written together; writing them one by one"
                );
                self.attempt(records, Mode::OneByOne).await
            }
            outcome => outcome,
        }
    }

    async fn isolate<'r>(
        &mut self,
        records: &'r [SinkRecord],
        ending: Ending,
    ) -> Result<Vec<Errant<'r>>, Failure> {
        let outcome = self.isolate_connected(records, ending).await;
        self.forget_after(outcome)
    }

    async fn open(&mut self, partitions: &[TopicPartition]) -> Result<Offsets, Failure> {
        if self.ledger.is_none() {
            return Ok(Offsets::new());
        }
        let outcome = self.claim(partitions).await;
        self.forget_after(outcome)
    }

    fn release(&mut self, partitions: &[TopicPartition]) {
        if let Some(ledger) = &mut self.ledger {
            ledger.release(partitions);
        }
    }

    fn leave_out(&mut self, record: &SinkRecord) {
        if let Some(ledger) = &mut self.ledger {
            ledger.leave_out(record);
        }
    }

    async fn committable(&mut self, offsets: &Offsets) -> Offsets {
        let Some(ledger) = &mut self.ledger else {
            return offsets.clone();
        };
        if let Some(connected) = &mut self.connected
            && connected.session.is_usable()
        {
            let session = &mut connected.session;
            if let Err(failure) = ledger.catch_up(&self.config, session, offsets).await {
                // A delivery meets the same, and says so.
                tracing::debug!(?failure, "the offsets in the database stay as they are");
            }
        }
        ledger.committable(offsets)
    }

    async fn check_tables(&mut self, names: &[String]) -> Result<(), Failure> {
        self.connect().await?;
        match &mut self.connected {
            Some(connected) => structure::check_tables(&mut connected.session, names).await,
            None => Ok(()),
        }
    }

    fn close(&mut self) {
        self.connected = None;
    }
}

impl<D: Database> Writer<D> {
    pub(crate) fn new(config: Arc<SinkConfig>, database: D, stopping: CancellationToken) -> Self {
        let is_once = config.delivery.guarantee == Guarantee::ExactlyOnce;
        Self {
            config,
            database,
            stopping,
            connected: None,
            ledger: is_once.then(Ledger::default),
        }
    }

    /// Whether batches may have records in another order than the topic.
    fn changes_order(&self) -> bool {
        self.config.delete_enabled || self.config.insert_mode != InsertMode::Insert
    }

    async fn attempt(&mut self, records: &[SinkRecord], mode: Mode) -> Result<(), Failure> {
        let outcome = self.attempt_connected(records, mode).await;
        self.forget_after(outcome)
    }

    /// After an error, whatever was known of the tables may be the reason, and a
    /// transaction may have been committed or not.
    fn forget_after<T>(&mut self, outcome: Result<T, Failure>) -> Result<T, Failure> {
        if outcome.is_err() {
            self.connected = self.connected.take().and_then(Connected::without_metadata);
            if let Some(ledger) = &mut self.ledger {
                ledger.doubt();
            }
        }
        outcome
    }

    /// Makes sure that there is a connection.
    async fn connect(&mut self) -> Result<(), Failure> {
        let is_usable = |connected: &Connected<D::Session>| connected.session.is_usable();
        if !self.connected.as_ref().is_some_and(is_usable) {
            self.connected = None;
            let session = connect(&self.database, &self.config, &self.stopping).await?;
            self.connected = Some(Connected::new(session));
        }
        Ok(())
    }

    async fn attempt_connected(
        &mut self,
        records: &[SinkRecord],
        mode: Mode,
    ) -> Result<(), Failure> {
        self.connect().await?;
        let (config, Some(connected)) = (&self.config, &mut self.connected) else {
            return Ok(());
        };
        let Some(ledger) = &mut self.ledger else {
            return connected.write(config, records.iter(), mode, None).await;
        };
        ledger.settle(config, &mut connected.session).await?;
        let selection = ledger.select(config, records)?;
        if !selection.is_empty() {
            let guard = ledger.guard(config, &connected.session, &selection)?;
            let records = selection.records.iter().copied();
            connected.write(config, records, mode, Some(&guard)).await?;
        }
        ledger.written(&selection);
        Ok(())
    }

    async fn isolate_connected<'r>(
        &mut self,
        records: &'r [SinkRecord],
        ending: Ending,
    ) -> Result<Vec<Errant<'r>>, Failure> {
        self.connect().await?;
        let (config, Some(connected)) = (&self.config, &mut self.connected) else {
            return Ok(Vec::new());
        };
        let Some(ledger) = &mut self.ledger else {
            let records = records.iter();
            return connected.isolate(config, records, ending, None).await;
        };
        ledger.settle(config, &mut connected.session).await?;
        let selection = ledger.select(config, records)?;
        if selection.is_empty() {
            ledger.written(&selection);
            return Ok(Vec::new());
        }
        let guard = ledger.guard(config, &connected.session, &selection)?;
        let records = selection.records.iter().copied();
        let errants = connected
            .isolate(config, records, ending, Some(&guard))
            .await?;
        if errants.is_empty() {
            ledger.written(&selection);
        }
        Ok(errants)
    }

    async fn claim(&mut self, partitions: &[TopicPartition]) -> Result<Offsets, Failure> {
        self.connect().await?;
        match (&mut self.ledger, &mut self.connected) {
            (Some(ledger), Some(connected)) => {
                let session = &mut connected.session;
                ledger.claim(&self.config, session, partitions).await
            }
            _ => Ok(Offsets::new()),
        }
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

    async fn write<'r>(
        &mut self,
        config: &SinkConfig,
        records: impl Iterator<Item = &'r SinkRecord> + Send,
        mode: Mode,
        guard: Option<&Guard>,
    ) -> Result<(), Failure> {
        let delivery = self.plan_all(config, records, Unfit::Fail).await?;
        let batches = delivery
            .batches(0..delivery.len(), config.batch_size, mode)
            .map_err(Failure::Record)?;
        if batches.is_empty() && guard.is_none() {
            return Ok(());
        }
        self.session.write(&batches, guard).await
    }

    async fn isolate<'r>(
        &mut self,
        config: &SinkConfig,
        records: impl Iterator<Item = &'r SinkRecord> + Send,
        ending: Ending,
        guard: Option<&Guard>,
    ) -> Result<Vec<Errant<'r>>, Failure> {
        let mut errants = Vec::new();
        let unfit = Unfit::Collect(&mut errants);
        let delivery = self.plan_all(config, records, unfit).await?;
        if !errants.is_empty() && ending == Ending::FirstErrant {
            return Ok(errants);
        }
        isolation::isolate(
            config,
            &mut self.session,
            &delivery,
            guard,
            (ending, &mut errants),
        )
        .await?;
        Ok(errants)
    }

    /// Finds or makes the plan of each record.
    async fn plan_all<'r>(
        &mut self,
        config: &SinkConfig,
        records: impl Iterator<Item = &'r SinkRecord> + Send,
        mut unfit: Unfit<'_, 'r>,
    ) -> Result<Delivery<'r, S::Binder>, Failure> {
        let mut delivery = Delivery::with_capacity(records.size_hint().0);
        let mut latest = None;
        // Records of a kind that was refused are refused without another look
        // at the database.
        let mut refused: Option<(Unplanned, ConnectError)> = None;
        for record in records {
            let error = match self.destination(config, record, &mut latest) {
                Ok(Destination::None) => continue,
                Ok(Destination::Known(table, plan)) => {
                    delivery.add(record, table, plan);
                    continue;
                }
                Ok(Destination::Unplanned(unplanned)) => match &refused {
                    Some((kind, error)) if *kind == unplanned => errant::at(record, error),
                    _ => match self.plan(config, &unplanned).await {
                        Ok(plan) => {
                            if let Some(plan) = plan {
                                delivery.add(record, unplanned.table, &plan);
                            }
                            continue;
                        }
                        Err(Failure::Record(error)) => {
                            let located = errant::at(record, &error);
                            refused = Some((unplanned, error));
                            located
                        }
                        Err(failure) => return Err(failure),
                    },
                },
                Err(error) => error,
            };
            match &mut unfit {
                Unfit::Collect(errants) => errants.push(Errant::unfit(record, error)),
                Unfit::Fail => return Err(Failure::Record(error)),
            }
        }
        Ok(delivery)
    }

    /// Where a record goes, as far as that is known without a look at the
    /// database. `latest` is the table of the record before.
    ///
    /// # Errors
    /// If the record has not the shape that the configuration needs.
    fn destination<'r>(
        &mut self,
        config: &SinkConfig,
        record: &'r SinkRecord,
        latest: &mut Option<(&'r Arc<str>, usize)>,
    ) -> Result<Destination<'_, S::Binder>> {
        let value_schema = record.record.value_schema.as_ref();
        let shape = self.shapes.of(&config.values, value_schema);
        let intent = record_rules::check(config, shape, record)?;
        if intent == Intent::Skip {
            tracing::debug!(%record, "leaving out a record that asks for nothing");
            return Ok(Destination::None);
        }
        let topic = &record.record.topic;
        let table = match latest {
            Some((known, table)) if Arc::ptr_eq(known, topic) => *table,
            _ => match self
                .table(config, record)
                .map_err(|error| errant::at(record, &error))?
            {
                Some(table) => table,
                None => return Ok(Destination::None),
            },
        };
        *latest = (!config.table_naming.depends_on_record()).then_some((topic, table));
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
        let value = value_schema.filter(|_| needs_value);
        let kind = Kind { intent, key, value };
        Ok(match self.tables[table].plans.get(kind) {
            Some(plan) => Destination::Known(table, plan),
            None => Destination::Unplanned(Unplanned {
                table,
                shape,
                intent,
                key: key.cloned(),
                value: value.cloned(),
            }),
        })
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

    /// A new plan for records of a kind. `None` if there is nothing to delete
    /// from yet.
    async fn plan(
        &mut self,
        config: &SinkConfig,
        unplanned: &Unplanned,
    ) -> Result<Option<Arc<Plan<S::Binder>>>, Failure> {
        let (table, session) = (&mut self.tables[unplanned.table], &mut self.session);
        let kind = Kind {
            intent: unplanned.intent,
            key: unplanned.key.as_ref(),
            value: unplanned.value.as_ref(),
        };
        let shape = unplanned.shape;
        let (operation, path) = match kind.intent {
            Intent::Write => (Operation::Write(config.insert_mode), shape.written()),
            Intent::Delete => (Operation::Delete, shape.deleted()),
            Intent::Truncate => (Operation::Truncate, None),
            Intent::Skip => return Ok(None),
        };
        let row = kind.value.zip(path);
        let row = row.and_then(|(schema, path)| change_event::row(schema, path));
        let fields = Fields::of(config, &table.topic, &table.id, kind.key, row);
        let mut fields = match operation {
            Operation::Write(_) => fields.map_err(Failure::Record)?,
            Operation::Delete => fields.map_err(Failure::Record)?.without_others(),
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
        let kind_of = |name: &str| Ok(definition.column(&table.id, name)?.column_type.kind());
        fields.infer(config, kind_of).map_err(Failure::Record)?;
        let columns = fields
            .all()
            .map(|field| Ok((field, definition.column(&table.id, &field.name)?)))
            .collect::<Result<_>>()
            .map_err(Failure::Record)?;
        let target = Target {
            table: &table.id,
            operation,
            columns,
            key_count: fields.keys.len(),
            with_deletes: config.delete_enabled,
        };
        let binder = session.bind(target).await.map_err(Failure::of_record)?;
        let plan = Arc::new(Plan {
            table: table.id.clone(),
            operation,
            reduction: reduction(config, operation, fields.keys.len()),
            fields: fields.into_all(),
            binder,
        });
        table.definition = Some(definition);
        table.plans.insert(kind, plan.clone());
        Ok(Some(plan))
    }
}

/// Which of several records with one key in a batch are written. Where others
/// may delete rows, their order counts as far as the database takes keys for
/// equal.
fn reduction(config: &SinkConfig, operation: Operation, key_count: usize) -> Reduction {
    match operation {
        Operation::Write(InsertMode::Insert | InsertMode::Ignore)
            if config.reduces_inserts && key_count > 0 =>
        {
            match config.delete_enabled {
                true => Reduction::Last,
                false => Reduction::LastOf(key_count),
            }
        }
        _ => Reduction::ByOperation,
    }
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
