//! What lives as long as a connection: the session and what is known of tables.
//! Records find their plans here, and the plans are made.

use std::collections::HashMap;
use std::sync::Arc;

use tether_api::data::SchemaRef;
use tether_api::record::SinkRecord;
use tether_api::{ConnectError, Result};

use crate::change_event::{self, Shape, Shapes};
use crate::config::{Guarantee, InsertMode, KeyMode, SinkConfig};
use crate::database::{Guard, Session, Target};
use crate::delivery::{Delivery, Mode};
use crate::errant::{self, Errant};
use crate::error::Failure;
use crate::fields::Fields;
use crate::header_key::HeaderSchemas;
use crate::isolation::{self, Ending};
use crate::plan::{Kind, Operation, Plan, Plans, Reduction};
use crate::record_rules::{self, Intent};
use crate::schemaless::column_kind::TypedColumn;
use crate::structure;
use crate::table::{TableDefinition, TableId};

/// What lives as long as a connection.
pub(crate) struct Connected<S: Session> {
    /// The connection.
    pub(crate) session: S,
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

impl<S: Session> Connected<S> {
    /// A connection of which nothing is known yet.
    pub(crate) fn new(session: S) -> Self {
        Self {
            session,
            topics: HashMap::new(),
            tables: Vec::new(),
            shapes: Shapes::default(),
            headers: HeaderSchemas::default(),
        }
    }

    /// The same connection with nothing known of tables, if it can be used.
    pub(crate) fn without_metadata(self) -> Option<Self> {
        self.session.is_usable().then(|| Self::new(self.session))
    }

    /// Writes records in one transaction: all or nothing.
    pub(crate) async fn write<'r>(
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

    /// Writes records but those that cannot be written, which it returns, as
    /// far as `ending` says.
    pub(crate) async fn isolate<'r>(
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
        if config.delivery.guarantee == Guarantee::ExactlyOnce
            && !session.is_transactional(&table.id).await?
        {
            return Err(Failure::Connect(ConnectError::other(format!(
                "Table {} takes no part in transactions, which delivery.guarantee=exactly_once \
                 needs; change its engine (ALTER TABLE … ENGINE = InnoDB)",
                table.id
            ))));
        }
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
