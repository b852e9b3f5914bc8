//! Gets ready to read.

use std::sync::Arc;

use tether_api::data::SchemaRef;
use tether_api::{ConnectError, Result};

use super::{order, statement, transaction};
use crate::catalog::{tables, types};
use crate::config::{Settings, SnapshotLocking};
use crate::event::ProcessingTime;
use crate::offset::{PostgresOffset, SnapshotKind, SnapshotProgress};
use crate::replication::{CreatedSlot, Purpose, Session};
use crate::streaming::CapturedTable;
use crate::types::Described;

/// A view of the database, with all that is needed to read the rows in it.
#[derive(Debug)]
pub struct Snapshot {
    pub(super) settings: Arc<Settings>,
    /// Connections with the same view; one at least.
    pub(super) sessions: Vec<Session>,
    /// What is read, in order.
    pub(super) tables: Arc<[SnapshotTable]>,
    /// The position, with which the stream goes on.
    pub(super) offset: PostgresOffset,
}

/// A table that is read.
#[derive(Debug)]
pub(super) struct SnapshotTable {
    pub(super) captured: CapturedTable,
    pub(super) statement: String,
    /// How many rows the server thinks there are.
    pub(super) estimate: Option<u64>,
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
        let snapshot = &settings.snapshot;
        let connect = || Session::connect(&settings.connection, Purpose::General);
        let session = connect().await?;
        let position = transaction::begin(&session, snapshot.isolation, slot).await?;
        let now = ProcessingTime::now();
        let tx_id = transaction::number(&session).await?;
        tracing::info!(%position, tx_id, "The position of the snapshot");
        let wanted = |id: &_| settings.filters.captures(id) && settings.filters.in_snapshot(id);
        if snapshot.locking == SnapshotLocking::Shared {
            let mut names = tables::names(&session).await?;
            names.retain(|id| wanted(id));
            transaction::lock(&session, names.iter(), snapshot.lock_timeout).await?;
        }
        let tables = Self::tables(settings, &session, wanted, source).await?;
        let mut sessions = vec![session];
        let connections = snapshot.max_threads.min(tables.len());
        if connections > 1 {
            let view = transaction::export(&sessions[0]).await?;
            for _ in 1..connections {
                let session = connect().await?;
                transaction::join(&session, &view).await?;
                sessions.push(session);
            }
        }
        Ok(Self {
            settings: settings.clone(),
            sessions,
            tables: tables.into(),
            offset: PostgresOffset {
                lsn: Some(position),
                tx_id,
                ts_usec: Some(now.micros()),
                snapshot: Some(SnapshotProgress::begun(SnapshotKind::Initial)),
                ..PostgresOffset::default()
            },
        })
    }

    /// The position, before any row was read.
    pub fn offset(&self) -> &PostgresOffset {
        &self.offset
    }

    async fn tables(
        settings: &Settings,
        session: &Session,
        wanted: impl Fn(&crate::table::TableId) -> bool,
        source: &SchemaRef,
    ) -> Result<Vec<SnapshotTable>> {
        let mut found = tables::load(session, wanted).await?;
        let estimates = tables::row_estimates(session).await?;
        let snapshot = &settings.snapshot;
        order::sort(
            &mut found,
            &settings.filters,
            snapshot.row_count_order,
            &estimates,
        );
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
            let schema = &captured.schema;
            let statement = match snapshot.select_overrides.get(&schema.table().id) {
                Some(select) => statement::of_override(session, schema, select).await?,
                None => statement::of_table(schema),
            };
            tables.push(SnapshotTable {
                captured,
                statement,
                estimate,
            });
        }
        Ok(tables)
    }
}
