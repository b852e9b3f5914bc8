//! Tables as the stream and the catalog describe them together.

use std::sync::Arc;

use tether_api::Result;
use tether_api::data::SchemaRef;

use super::stream_loop::Tables;
use crate::catalog::{tables, types};
use crate::config::Settings;
use crate::pgoutput::Relation;
use crate::replication::{Purpose, Session, TextRow, slot_state};
use crate::streaming::{CapturedTable, described_table, table_id};
use crate::table::Table;
use crate::types::{Described, TypeRegistry};

/// Asks the database for what the stream does not tell of tables. Its connection
/// is used seldom; if it was lost meanwhile, there is another one.
pub(super) struct CatalogTables {
    settings: Arc<Settings>,
    session: Session,
    types: TypeRegistry,
    /// The latest transaction of which is known that its changes can be seen.
    visible: Option<u32>,
}

impl CatalogTables {
    /// Reads the types of the database.
    ///
    /// # Errors
    /// Retriable, if the database cannot be asked now.
    pub(super) async fn new(settings: Arc<Settings>, session: Session) -> Result<Self> {
        Ok(Self {
            types: load_types(&session).await?,
            settings,
            session,
            visible: None,
        })
    }

    /// The connection.
    ///
    /// # Errors
    /// Retriable, if it was lost and there is no other one now.
    pub(super) async fn session(&mut self) -> Result<&Session> {
        if self.session.is_closed() {
            self.session = Session::connect(&self.settings.connection, Purpose::General).await?;
        }
        Ok(&self.session)
    }

    /// The events of a table, with this schema of source blocks.
    ///
    /// # Errors
    /// If the table cannot be captured as configured.
    pub(super) async fn captured(
        &mut self,
        table: Table,
        described: Described,
        source: &SchemaRef,
    ) -> Result<CapturedTable> {
        let mut columns = table.columns.iter();
        if !columns.all(|column| self.types.knows(column.type_oid)) {
            let types = load_types(self.session().await?).await?;
            self.types = types;
        }
        CapturedTable::of(table, described, &self.types, &self.settings, source)
    }
}

impl Tables for CatalogTables {
    async fn describe(
        &mut self,
        relation: &Relation,
        xid: Option<u32>,
        source: &SchemaRef,
    ) -> Result<Option<CapturedTable>> {
        let id = table_id(relation);
        if !self.settings.filters.captures(&id) {
            tracing::debug!(table = %id, "The changes of a table are not captured");
            return Ok(None);
        }
        let session = self.session().await?;
        if let Some(xid) = xid {
            tables::wait_until_visible(session, xid).await?;
        }
        let catalog = tables::find(session, &id).await?;
        let table = described_table(relation, catalog.as_ref())?;
        tracing::info!(
            table = %id,
            replica_identity = ?table.replica_identity,
            "The stream describes a table"
        );
        self.captured(table, Described::ByRelation, source)
            .await
            .map(Some)
    }

    async fn reselect(&mut self, statement: &str, xid: Option<u32>) -> Result<Option<TextRow>> {
        // The stream may be ahead of what other connections see.
        if let Some(xid) = xid
            && self.visible != Some(xid)
        {
            tables::wait_until_visible(self.session().await?, xid).await?;
            self.visible = Some(xid);
        }
        let answer = self.session().await?.query(statement).await;
        let rows = match answer {
            // A connection that was lost meanwhile need not cost the values.
            Err(_) if self.session.is_closed() => self.session().await?.query(statement).await?,
            answer => answer?,
        };
        if rows.len() > 1 {
            tracing::warn!("Re-selection detected multiple rows for the same key, using first.");
        }
        Ok(rows.into_iter().next())
    }

    async fn xmin(&mut self) -> Result<Option<i64>> {
        let slot = self.settings.slot.name.clone();
        let state = slot_state(self.session().await?, &slot).await?;
        Ok(state.and_then(|state| state.catalog_xmin))
    }
}

async fn load_types(session: &Session) -> Result<TypeRegistry> {
    match types::load(session.client()).await {
        Ok(types) => Ok(types),
        Err(error) => Err(session.failure(&error).await.during("reading types").into()),
    }
}
