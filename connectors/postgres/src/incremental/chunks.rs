//! Reads chunks.

use std::sync::Arc;

use tether_api::Result;
use uuid::Uuid;

use super::key::Key;
use super::markers::Marks;
use super::notice::Happened;
use super::snapshots::{IncrementalSnapshots, Marking};
use super::table::{ChunkTable, Unreadable};
use super::told::ReadKeys;
use super::transactions::{Visible, Watermarks};
use crate::catalog::tables;
use crate::event::ProcessingTime;
use crate::notification::TableScanStatus;
use crate::replication::{Failure, Session};
use crate::streaming::Changes;

/// What shows the stream where the chunk begins.
enum Opened {
    Marked(Marks),
    At(Visible),
}

/// What comes of reading a table.
enum Outcome {
    /// A chunk waits in its window.
    Chunk,
    /// The table is done with.
    Done(TableScanStatus),
    /// The table cannot be read as it was described before.
    Altered,
}

/// Of what is asked of the database.
type Asked<T> = std::result::Result<T, Failure>;

impl IncrementalSnapshots {
    /// Reads the next chunk, of the next table that has one, between two marks.
    ///
    /// # Errors
    /// Retriable, if it may pass. Other failures of the database leave the table
    /// out, as in the reference.
    pub(super) async fn chunk_in_window(&mut self, changes: &mut Changes) -> Result<()> {
        let opened = loop {
            match self.open().await {
                Ok(opened) => break opened,
                Err(failure) => self.leave_out(failure)?,
            }
            if !self.state.is_running() {
                return Ok(());
            }
        };
        while self.state.is_running() {
            match self.read_table(changes).await? {
                Ok(Outcome::Chunk) => break,
                Ok(Outcome::Altered) => {}
                Ok(Outcome::Done(status)) => self.next_table(status),
                Err(failure) => self.leave_out(failure)?,
            }
        }
        match self.close(&opened).await {
            Ok(Some(watermarks)) if self.state.is_running() => {
                changes.window_mut().set_watermarks(watermarks);
            }
            // Nothing is to be sent.
            Ok(Some(_)) => self.chunk = None,
            Ok(None) => {}
            Err(failure) => {
                // Nothing would ever close it.
                changes.window_mut().discard();
                self.state.revert();
                while self.state.is_running() {
                    self.leave_out(failure.clone())?;
                }
            }
        }
        Ok(())
    }

    /// A failure that will not pass leaves out the first table that waits.
    fn leave_out(&mut self, failure: Failure) -> Result<()> {
        let id = self.state.current().map(|current| current.id.to_string());
        let id = id.unwrap_or_default();
        if failure.is_temporary() {
            let context = format!("reading a chunk of the table '{id}'");
            return Err(failure.during(context).into());
        }
        tracing::warn!(
            %failure,
            "SQL error while executing incremental snapshot for table '{id}', skipping and \
             continuing streaming"
        );
        self.next_table(TableScanStatus::SqlException);
        Ok(())
    }

    async fn open(&mut self) -> Asked<Opened> {
        let chunk = Uuid::new_v4().to_string();
        let session = self.session().await?;
        let opened = match &self.marking {
            Marking::Table(table) => {
                let marks = Marks::new(table, &chunk, ProcessingTime::now());
                session.execute(&marks.open()).await?;
                Opened::Marked(marks)
            }
            Marking::Transactions => Opened::At(visible(&session).await?),
        };
        self.chunk = Some(chunk);
        Ok(opened)
    }

    async fn close(&mut self, opened: &Opened) -> Asked<Option<Watermarks>> {
        let how = self.settings.incremental.watermarking;
        let session = self.session().await?;
        match opened {
            Opened::Marked(marks) => {
                let close = marks.close(how, ProcessingTime::now());
                session.execute(&close).await?;
                Ok(None)
            }
            Opened::At(low) => Ok(Some(Watermarks {
                low: low.clone(),
                high: visible(&session).await?,
            })),
        }
    }

    /// Reads the next chunk of the first table that waits.
    async fn read_table(&mut self, changes: &mut Changes) -> Result<Asked<Outcome>> {
        let session = match self.session().await {
            Ok(session) => session,
            Err(failure) => return Ok(Err(failure)),
        };
        let is_known = self.table.is_some();
        let table = match self.described(&session, changes).await {
            Ok(table) => table,
            Err(reason) => return Ok(self.unreadable(reason)),
        };
        if self.state.maximum.is_none() {
            match table.maximum(&session).await {
                Err(failure) => return Ok(Err(failure)),
                Ok(None) => {
                    tracing::info!(
                        "No maximum key returned by the query, incremental snapshotting of table \
                         '{}' finished as it is empty",
                        table.id()
                    );
                    return Ok(Ok(Outcome::Done(TableScanStatus::Empty)));
                }
                Ok(Some(maximum)) => {
                    tracing::info!("Incremental snapshot for table '{}' begins", table.id());
                    self.state.maximum = Some(maximum);
                }
            }
        }
        if !self.told.counts() {
            match self.estimate(&session, &table).await {
                Ok(estimate) => self.told.begun(table.id(), estimate),
                Err(failure) => return Ok(Err(failure)),
            }
        }
        let bounds = (self.state.chunk_end.as_ref(), self.state.maximum.as_ref());
        let is_seen = |visible: &Visible| changes.window().is_seen(visible);
        let read = table.chunk(&session, bounds, &self.settings, is_seen);
        let read = match read.await? {
            Ok(Some(read)) => read,
            Ok(None) => {
                tracing::info!(
                    "The table '{}' was altered, so it is described anew",
                    table.id()
                );
                self.table = None;
                return Ok(Ok(Outcome::Altered));
            }
            Err(failure) if is_known && !failure.is_temporary() => {
                // The stream describes it only once a row of it changes.
                tracing::info!(
                    %failure,
                    "The table '{}' may have been altered, so it is described anew",
                    table.id()
                );
                self.table = None;
                return Ok(Ok(Outcome::Altered));
            }
            Err(failure) => return Ok(Err(failure)),
        };
        let Some((first, last)) = read.first_and_last else {
            tracing::info!(
                "No data returned by the query, incremental snapshotting of table '{}' finished",
                table.id()
            );
            return Ok(Ok(Outcome::Done(TableScanStatus::Succeeded)));
        };
        self.rows_scanned += read.rows;
        let keys = ReadKeys {
            id: self.chunk.as_deref(),
            first: &first,
            last: &last,
            is_initial: self.state.chunk_end.is_none(),
            maximum: self.state.maximum.as_ref(),
        };
        self.told.read(read.rows, keys);
        let in_progress = Happened::InProgress {
            tables: self.state.names(),
            table: table.id().to_string(),
            maximum_key: self.state.maximum.as_ref().map(shown),
            last_processed_key: shown(&last),
        };
        self.state.chunk_end = Some(last);
        changes.window_mut().fill(read.chunk, read.visible);
        self.notify(in_progress);
        Ok(Ok(Outcome::Chunk))
    }

    /// About how many rows of a table are to come; not known of a part of it.
    async fn estimate(&self, session: &Session, table: &ChunkTable) -> Asked<Option<u64>> {
        let is_whole = self.state.chunk_end.is_none()
            && self
                .state
                .current()
                .is_some_and(|current| current.condition.is_none());
        if !is_whole {
            return Ok(None);
        }
        let oid = table.captured.schema.table().oid;
        Ok(tables::row_estimates(session).await?.remove(&oid))
    }

    /// The first table that waits. It is described when its snapshot begins, when
    /// the stream has shown that it was altered, and for each chunk with
    /// `incremental.snapshot.allow.schema.changes`.
    async fn described(
        &mut self,
        session: &Session,
        changes: &Changes,
    ) -> std::result::Result<Arc<ChunkTable>, Unreadable> {
        let Some(current) = self.state.current() else {
            return Err(Unreadable::Unknown);
        };
        if let Some(table) = &self.table
            && *table.id() == current.id
            && !self.settings.incremental.allow_schema_changes
        {
            return Ok(table.clone());
        }
        let source = changes.records().source_schema();
        let table = ChunkTable::describe(session, &self.settings, current, source).await?;
        let table = Arc::new(table);
        self.table = Some(table.clone());
        Ok(table)
    }

    fn unreadable(&self, reason: Unreadable) -> Asked<Outcome> {
        let id = self.state.current().map(|current| current.id.to_string());
        let id = id.unwrap_or_default();
        let status = match reason {
            Unreadable::Failure(failure) => return Err(failure),
            Unreadable::Unknown => {
                tracing::warn!("Incremental snapshot for table '{id}' skipped: there is none");
                TableScanStatus::UnknownSchema
            }
            Unreadable::NotCaptured => {
                tracing::warn!(
                    "Incremental snapshot for table '{id}' skipped: its changes are not captured"
                );
                TableScanStatus::UnknownSchema
            }
            Unreadable::NoKey => {
                tracing::warn!(
                    "Incremental snapshot for table '{id}' skipped because the table has no \
                     primary keys"
                );
                TableScanStatus::NoPrimaryKey
            }
            Unreadable::Other(reason) => {
                tracing::warn!("Incremental snapshot for table '{id}' skipped: {reason}");
                TableScanStatus::SqlException
            }
        };
        Ok(Outcome::Done(status))
    }
}

/// A key as notifications show it.
fn shown(key: &Key) -> String {
    let values: Vec<String> = key.iter().map(ToString::to_string).collect();
    values.join(",")
}

async fn visible(session: &Session) -> Asked<Visible> {
    let text = session
        .query_value("SELECT pg_catalog.txid_current_snapshot()")
        .await?;
    text.as_deref()
        .and_then(Visible::parse)
        .ok_or_else(|| Failure::permanent("the server does not tell its current snapshot"))
}
