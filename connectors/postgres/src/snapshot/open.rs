//! Gets ready to read.

use std::collections::HashMap;
use std::sync::Arc;

use tether_api::data::SchemaRef;
use tether_api::{ConnectError, Result};

use super::ledger::Ledger;
use super::{order, transaction};
use crate::catalog::{tables, types};
use crate::config::{RowCountOrder, Settings, SnapshotLocking};
use crate::event::ProcessingTime;
use crate::lsn::Lsn;
use crate::offset::{PostgresOffset, SnapshotKind, SnapshotProgress};
use crate::replication::{CreatedSlot, Purpose, Session};
use crate::signal::SnapshotRequest;
use crate::streaming::CapturedTable;
use crate::table::{Table, TableId};
use crate::types::Described;

/// A view of the database, with all that is needed to read the rows in it.
#[derive(Debug)]
pub struct Snapshot {
    pub(super) settings: Arc<Settings>,
    /// Connections with the same view; one at least.
    pub(super) sessions: Vec<Session>,
    /// What is read, in order.
    pub(super) tables: Arc<[SnapshotTable]>,
    /// The names of all captured tables, also that of signals, which is not
    /// read.
    pub(super) captured: Vec<String>,
    /// The position, with which the stream goes on.
    pub(super) offset: PostgresOffset,
    /// What has been sent, if that is stored.
    pub(super) ledger: Option<Ledger>,
    /// If an earlier task has sent rows: the names of tables of which it has
    /// sent all.
    pub(super) sent: Option<Vec<String>>,
}

/// What a snapshot reads.
struct Selection<'a> {
    /// Whether a table is read.
    wanted: &'a (dyn Fn(&TableId) -> bool + Sync),
    /// Statements in place of those that read all rows.
    selects: &'a HashMap<TableId, String>,
}

/// An open view.
struct View {
    /// One at least.
    sessions: Vec<Session>,
    tables: Vec<SnapshotTable>,
    captured: Vec<String>,
    position: Lsn,
    time: ProcessingTime,
}

/// A table that is read.
#[derive(Debug)]
pub(super) struct SnapshotTable {
    pub(super) captured: CapturedTable,
    /// What takes the place of reading all rows.
    pub(super) select: Option<String>,
    /// How many rows the server thinks there are.
    pub(super) estimate: Option<u64>,
}

impl SnapshotTable {
    pub(super) fn id(&self) -> &TableId {
        &self.captured.schema.table().id
    }
}

impl Snapshot {
    /// Opens a view of the database: that of the slot that was just created, if
    /// one was, which may be forgotten afterwards. `source` is the schema of
    /// source blocks.
    ///
    /// # Errors
    /// Retriable, if it may pass.
    pub async fn open(
        settings: &Arc<Settings>,
        slot: Option<&CreatedSlot>,
        source: &SchemaRef,
    ) -> Result<Self> {
        let (view, offset) = Self::initial(settings, slot, source).await?;
        Ok(Self::of(settings, view, offset))
    }

    async fn initial(
        settings: &Arc<Settings>,
        slot: Option<&CreatedSlot>,
        source: &SchemaRef,
    ) -> Result<(View, PostgresOffset)> {
        let selection = Selection {
            wanted: &|id| settings.filters.captures(id) && settings.filters.in_snapshot(id),
            selects: &settings.snapshot.select_overrides,
        };
        let view = View::open(settings, slot, &selection, source).await?;
        let tx_id = transaction::number(&view.sessions[0]).await?;
        tracing::info!(position = %view.position, tx_id, "The position of the snapshot");
        let offset = PostgresOffset {
            lsn: Some(view.position),
            tx_id,
            ts_usec: Some(view.time.micros()),
            snapshot: Some(SnapshotProgress::begun(SnapshotKind::Initial)),
            ..PostgresOffset::default()
        };
        Ok((view, offset))
    }

    /// It can go on after a crash, if the stream does.
    pub fn resumable(mut self) -> Self {
        self.ledger = self.settings.snapshot.resumes.then(Ledger::default);
        self
    }

    /// Opens a new view of the database to read the rows that are left of a
    /// snapshot which was interrupted, whose position is in `stored`. `None`, if
    /// that does not say what is left.
    ///
    /// # Errors
    /// Retriable, if it may pass.
    pub async fn resume(
        settings: &Arc<Settings>,
        stored: &PostgresOffset,
        source: &SchemaRef,
    ) -> Result<Option<Self>> {
        let Some(ledger) = stored.sent_rows.as_deref().and_then(Ledger::parse) else {
            return Ok(None);
        };
        let (mut view, offset) = Self::initial(settings, None, source).await?;
        let is_sent = |table: &SnapshotTable| ledger.is_done(table.captured.schema.table().oid);
        let sent = view.tables.extract_if(.., |table| is_sent(table));
        let sent: Vec<String> = sent.map(|table| table.id().to_string()).collect();
        tracing::info!(
            position = stored.lsn.map(tracing::field::display),
            "The snapshot goes on; {} tables have been read, and {} are left",
            sent.len(),
            view.tables.len()
        );
        let offset = PostgresOffset {
            // Changes since the first view come with the stream, once more if
            // these rows have them.
            lsn: stored.lsn,
            sent_rows: stored.sent_rows.clone(),
            ..offset
        };
        let snapshot = Self {
            ledger: Some(ledger),
            sent: Some(sent),
            ..Self::of(settings, view, offset)
        };
        Ok(Some(snapshot))
    }

    /// Opens a view of the database to read again what a signal asks for,
    /// while the stream waits at `offset`.
    ///
    /// # Errors
    /// Retriable, if it may pass. If what the signal names is of no use.
    pub async fn open_blocking(
        settings: &Arc<Settings>,
        request: &SnapshotRequest,
        offset: &PostgresOffset,
        source: &SchemaRef,
    ) -> Result<Self> {
        let names = request.tables().map_err(|error| {
            ConnectError::other("The data-collections of a signal are wrong").caused_by(error)
        })?;
        let mut selects = HashMap::new();
        for condition in &request.conditions {
            if let (Some(table), Some(select)) = (condition.table(), &condition.filter) {
                selects.insert(table, select.clone());
            }
        }
        let selection = Selection {
            wanted: &|id| {
                let (plain, quoted) = (id.to_string(), id.quoted());
                let named = names
                    .iter()
                    .any(|list| list.matches(&plain) || list.matches(&quoted));
                named && settings.filters.captures(id)
            },
            selects: &selects,
        };
        let view = View::open(settings, None, &selection, source).await?;
        let offset = PostgresOffset {
            ts_usec: Some(view.time.micros()),
            snapshot: Some(SnapshotProgress::begun(SnapshotKind::Blocking)),
            ..offset.clone()
        };
        Ok(Self::of(settings, view, offset))
    }

    fn of(settings: &Arc<Settings>, view: View, offset: PostgresOffset) -> Self {
        Self {
            settings: settings.clone(),
            sessions: view.sessions,
            tables: view.tables.into(),
            captured: view.captured,
            offset,
            ledger: None,
            sent: None,
        }
    }

    /// The position, before any row was read.
    pub fn offset(&self) -> &PostgresOffset {
        &self.offset
    }
}

impl View {
    async fn open(
        settings: &Arc<Settings>,
        slot: Option<&CreatedSlot>,
        selection: &Selection<'_>,
        source: &SchemaRef,
    ) -> Result<Self> {
        let snapshot = &settings.snapshot;
        let connect = || Session::connect(&settings.connection, Purpose::General);
        let session = connect().await?;
        let position = transaction::begin(&session, snapshot.isolation, slot).await?;
        let time = ProcessingTime::now();
        let wanted = selection.wanted;
        if snapshot.locking == SnapshotLocking::Shared {
            let mut names = tables::names(&session).await?;
            names.retain(|id| wanted(id));
            transaction::lock(&session, names.iter(), snapshot.lock_timeout).await?;
        }
        let (tables, captured) = Self::tables(settings, &session, selection, source).await?;
        let mut sessions = vec![session];
        let connections = match snapshot.parts() {
            Some(_) => snapshot.max_threads,
            None => snapshot.max_threads.min(tables.len()),
        };
        if connections > 1 {
            let view = transaction::export(&sessions[0]).await?;
            for _ in 1..connections {
                let session = connect().await?;
                transaction::join(&session, &view).await?;
                sessions.push(session);
            }
        }
        Ok(Self {
            sessions,
            tables,
            captured,
            position,
            time,
        })
    }

    /// What is read, in order, and the names of all captured tables.
    async fn tables(
        settings: &Settings,
        session: &Session,
        selection: &Selection<'_>,
        source: &SchemaRef,
    ) -> Result<(Vec<SnapshotTable>, Vec<String>)> {
        let mut found = tables::load(session, selection.wanted).await?;
        found.iter().try_for_each(Table::check_names)?;
        let estimates = tables::row_estimates(session).await?;
        let (filters, snapshot) = (&settings.filters, &settings.snapshot);
        order::sort(&mut found, filters, RowCountOrder::Disabled, &estimates);
        let captured = found.iter().map(|table| table.id.to_string()).collect();
        found.retain(|table| !filters.is_signal_table(&table.id));
        order::sort(&mut found, filters, snapshot.row_count_order, &estimates);
        let types = types::load(session.client()).await;
        let types = match types {
            Ok(types) => types,
            Err(error) => {
                let failure = session.failure(&error).await;
                return Err(ConnectError::from(failure.during("reading types")));
            }
        };
        let mut tables = Vec::with_capacity(found.len());
        for table in found {
            let estimate = estimates.get(&table.oid).copied();
            let captured =
                CapturedTable::of(table, Described::ByCatalog, &types, settings, source)?;
            let select = selection.selects.get(&captured.schema.table().id).cloned();
            tables.push(SnapshotTable {
                captured,
                select,
                estimate,
            });
        }
        Ok((tables, captured))
    }
}
