//! The table that is read.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use tether_api::Result;
use tether_api::data::{SchemaRef, Value};
use tokio::time::{Instant, sleep};

use super::collection::DataCollection;
use super::key::{Key, KeyKind};
use super::query::{ChunkQuery, KeyColumn};
use super::transactions::Visible;
use super::window::{Chunk, ChunkRow};
use crate::catalog::{tables, types};
use crate::config::{ProcessingFailure, Settings};
use crate::event::RECORD_BYTES;
use crate::replication::{Failure, Session};
use crate::streaming::CapturedTable;
use crate::table::{Table, TableId};
use crate::types::{Described, TypeRegistry};
use crate::values::{Phase, copy};

/// Begins to read with what is visible now, and says what that is.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
                     SELECT pg_catalog.txid_current_snapshot()";

/// How long, and how often, is waited for the stream to become visible.
const VISIBLE_PATIENCE: Duration = Duration::from_secs(10);
const VISIBLE_PAUSE: Duration = Duration::from_millis(5);

/// A table as it is read.
#[derive(Debug)]
pub(super) struct ChunkTable {
    pub(super) captured: Arc<CapturedTable>,
    /// As the catalog had it.
    found: Table,
    query: ChunkQuery,
    /// The columns that are read: indices into the table's, in its order. There
    /// are those of the key too that are not captured.
    columns: Vec<usize>,
    /// The columns of the order: their indices in the table, and of what class
    /// their values are.
    key: Vec<(usize, KeyKind)>,
}

/// Why a table cannot be read.
#[derive(Debug)]
pub(super) enum Unreadable {
    /// The database does not have it.
    Unknown,
    /// Its changes are not captured.
    NotCaptured,
    /// It has nothing to order its rows by.
    NoKey,
    /// The reason.
    Other(String),
    /// The database could not be asked.
    Failure(Failure),
}

impl From<Failure> for Unreadable {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl ChunkTable {
    /// Describes a table as the catalog has it now, without columns that are
    /// computed, which are not streamed either. `source` is the schema of
    /// source blocks.
    pub(super) async fn describe(
        session: &Session,
        settings: &Settings,
        collection: &DataCollection,
        source: &SchemaRef,
    ) -> Result<Self, Unreadable> {
        let id = &collection.id;
        let found = tables::find(session, id)
            .await?
            .ok_or(Unreadable::Unknown)?;
        if !settings.filters.captures(id) {
            return Err(Unreadable::NotCaptured);
        }
        let mut table = found.clone();
        leave_out_generated(&mut table);
        let types = types::load(session.client()).await;
        let types = match types {
            Ok(types) => types,
            Err(error) => {
                let failure = session.failure(&error).await.during("reading types");
                return Err(failure.into());
            }
        };
        let captured = CapturedTable::of(table, Described::ByCatalog, &types, settings, source)
            .map_err(|error| Unreadable::Other(error.to_string()))?;
        Self::of(captured, found, collection, &types)
    }

    fn of(
        captured: CapturedTable,
        found: Table,
        collection: &DataCollection,
        types: &TypeRegistry,
    ) -> Result<Self, Unreadable> {
        let schema = &captured.schema;
        let table = schema.table();
        let order: Vec<usize> = match &collection.surrogate_key {
            None => schema.key_columns().collect(),
            Some(name) => {
                let place = table
                    .columns
                    .iter()
                    .position(|column| *column.name == **name);
                let missing = || {
                    let message = format!(
                        "Surrogate key \"{name}\" doesn't exist in table \"{}\"",
                        table.id
                    );
                    Unreadable::Other(message)
                };
                vec![place.ok_or_else(missing)?]
            }
        };
        if order.is_empty() {
            return Err(Unreadable::NoKey);
        }
        let mut columns = schema.captured_columns().to_vec();
        columns.extend(order.iter().copied().chain(schema.key_columns()));
        columns.sort_unstable();
        columns.dedup();
        let key = order.iter().map(|index| {
            let kind = types.root(table.columns[*index].type_oid)?;
            Some((*index, KeyKind::of(kind)))
        });
        let unknown = || Unreadable::Other("the type of its key is not known".to_owned());
        let key: Vec<_> = key.collect::<Option<_>>().ok_or_else(unknown)?;
        let name = |index: &usize| table.columns[*index].name.to_string();
        let query = ChunkQuery {
            table: table.id.clone(),
            columns: columns.iter().map(name).collect(),
            key: order
                .iter()
                .map(|index| KeyColumn {
                    name: name(index),
                    nullable: table.columns[*index].nullable,
                })
                .collect(),
            condition: collection.condition.clone(),
        };
        Ok(Self {
            captured: Arc::new(captured),
            found,
            query,
            columns,
            key,
        })
    }

    pub(super) fn id(&self) -> &TableId {
        &self.captured.schema.table().id
    }

    /// The key of the last row; `None` if there are no rows.
    pub(super) async fn maximum(&self, session: &Session) -> Result<Option<Key>, Failure> {
        let statement = self.query.maximum();
        tracing::debug!(statement, "The statement for the maximum key");
        let rows = copied(session, &statement).await?;
        Ok(rows.first().map(|row| {
            let mut cells = Vec::new();
            copy::split(row, &mut cells);
            let kinds = self.key.iter().map(|(_, kind)| kind);
            kinds
                .zip(&cells)
                .map(|(kind, cell)| kind.value(cell))
                .collect()
        }))
    }

    /// Reads the next rows, as many as a chunk has at most, once `is_seen` says
    /// that enough is visible. `None` if the table is no longer what it was when
    /// it was described: the stream tells of that only with the next change of a
    /// row.
    ///
    /// # Errors
    /// Inside, if the database cannot be asked, outside if a row cannot be made
    /// an event and the configuration does not say to leave it out.
    pub(super) async fn chunk(
        &self,
        session: &Session,
        (after, maximum): (Option<&Key>, Option<&Key>),
        settings: &Settings,
        is_seen: impl Fn(&Visible) -> bool,
    ) -> Result<Result<Option<ReadChunk>, Failure>> {
        let rows = settings.incremental.chunk_size;
        let Some(statement) = self.query.chunk(after, maximum, rows) else {
            let message = "the columns of its key are others than when its snapshot began";
            return Ok(Err(Failure::permanent(message)));
        };
        tracing::debug!(statement, "The statement of the chunk");
        let (visible, copied, found) = match self.view(session, &statement, is_seen).await {
            Ok(read) => read,
            Err(failure) => return Ok(Err(failure)),
        };
        if found.as_ref() != Some(&self.found) {
            return Ok(Ok(None));
        }
        let mut read = ReadChunk {
            chunk: Chunk::of(self.captured.clone()),
            visible,
            first_and_last: None,
            rows: copied.len() as u64,
        };
        let schema = &self.captured.schema;
        for text in copied {
            let mut cells = Vec::with_capacity(schema.table().columns.len());
            schema.read_copied(&text, &self.columns, &mut cells)?;
            let key = self.key.iter();
            let key: Key = key
                .map(|(column, kind)| kind.value(&cells[*column]))
                .collect();
            let first = match read.first_and_last.take() {
                Some((first, _)) => first,
                None => key.clone(),
            };
            read.first_and_last = Some((first, key.clone()));
            let bytes = text.len() + cells.len() * size_of::<Value>() + RECORD_BYTES;
            let made = schema
                .key(&cells, None, Phase::Snapshot)
                .and_then(|key| Ok((key, schema.value(&cells, None, Phase::Snapshot)?)));
            match made {
                Ok((record_key, row)) => read.chunk.push(
                    &cells,
                    ChunkRow {
                        record_key,
                        row,
                        key,
                        bytes,
                    },
                ),
                Err(error) => match settings.errors.processing {
                    ProcessingFailure::Fail => {
                        let id = self.id();
                        let context = format!("Snapshotting of table {id} failed");
                        return Err(error.context(context));
                    }
                    ProcessingFailure::Warn => {
                        tracing::warn!(%error, table = %self.id(), "A row is left out");
                    }
                    ProcessingFailure::Skip | ProcessingFailure::Ignore => {
                        tracing::debug!(%error, table = %self.id(), "A row is left out");
                    }
                },
            }
        }
        Ok(Ok(Some(read)))
    }

    /// Copies rows with what is visible at one moment, and finds what the table
    /// is at that moment.
    async fn view(
        &self,
        session: &Session,
        statement: &str,
        is_seen: impl Fn(&Visible) -> bool,
    ) -> Result<(Visible, Vec<Bytes>, Option<Table>), Failure> {
        let deadline = Instant::now() + VISIBLE_PATIENCE;
        loop {
            let visible = session.query_value(BEGIN).await?;
            let visible = visible.as_deref().and_then(Visible::parse);
            let visible = visible
                .ok_or_else(|| Failure::permanent("the server does not tell what is visible"))?;
            if is_seen(&visible) {
                let read = async {
                    let copied = copied(session, statement).await?;
                    Ok((visible, copied, tables::find(session, self.id()).await?))
                };
                let read = read.await;
                session.execute("ROLLBACK").await?;
                return read;
            }
            session.execute("ROLLBACK").await?;
            if Instant::now() > deadline {
                return Err(Failure::temporary(format!(
                    "a transaction of the stream has not become visible within \
                     {VISIBLE_PATIENCE:?}"
                )));
            }
            sleep(VISIBLE_PAUSE).await;
        }
    }
}

/// Rows of a table.
#[derive(Debug)]
pub(super) struct ReadChunk {
    pub(super) chunk: Chunk,
    /// What they were read with.
    pub(super) visible: Visible,
    /// The keys of the first and the last row.
    pub(super) first_and_last: Option<(Key, Key)>,
    /// How many rows there were.
    pub(super) rows: u64,
}

/// The stream does not have them.
fn leave_out_generated(table: &mut Table) {
    let places: Vec<Option<usize>> = table
        .columns
        .iter()
        .scan(0, |next, column| {
            let place = (!column.generated).then_some(*next);
            *next += usize::from(!column.generated);
            Some(place)
        })
        .collect();
    table.columns.retain(|column| !column.generated);
    table.key = table
        .key
        .iter()
        .filter_map(|index| *places.get(*index)?)
        .collect();
}

async fn copied(session: &Session, statement: &str) -> Result<Vec<Bytes>, Failure> {
    session
        .run(async {
            let rows = session.client().copy_out(statement).await?;
            let mut rows = pin!(rows);
            let mut read = Vec::new();
            while let Some(row) = rows.next().await {
                read.push(row?);
            }
            Ok(read)
        })
        .await
}
