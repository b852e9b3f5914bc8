//! Takes incremental snapshots (the reference's
//! `AbstractIncrementalSnapshotChangeEventSource`).

use std::sync::Arc;

use tether_api::data::Text;
use tether_api::record::SourceRecord;
use tether_api::{ConnectError, Result};

use super::collection::DataCollection;
use super::notice::{Happened, Notice};
use super::state::State;
use super::table::ChunkTable;
use super::told::Told;
use crate::config::{Settings, table_name};
use crate::notification::{Notifications, TableScanStatus};
use crate::offset::PostgresOffset;
use crate::replication::{Failure, Purpose, Session};
use crate::signal::{SnapshotRequest, StopRequest};
use crate::snapshot::SnapshotMeter;
use crate::streaming::Changes;
use crate::table::TableId;

/// What a signal asks for.
#[derive(Debug, Clone)]
pub enum Request {
    /// To read tables.
    Execute {
        /// The signal.
        id: String,
        /// Which ones.
        request: SnapshotRequest,
    },
    /// To leave out tables that were asked for.
    Stop(StopRequest),
    /// To read no further chunk until [`Request::Resume`].
    Pause,
    /// To go on.
    Resume,
    /// The stream has come to where a chunk began to be read.
    OpenWindow(String),
    /// The stream has come to where a chunk had been read.
    CloseWindow(String),
}

/// What the stream has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The end of a transaction.
    Committed,
    /// Nothing more has come yet.
    Idle,
    /// Anything else.
    Other,
}

/// Reads tables in chunks, on a connection of its own, while their changes are
/// streamed. While a chunk is read, the stream waits.
#[derive(Debug)]
pub struct IncrementalSnapshots {
    pub(super) settings: Arc<Settings>,
    pub(super) marking: Marking,
    pub(super) state: State,
    /// Whether the stored state has been taken over.
    pub(super) is_loaded: bool,
    is_paused: bool,
    /// Expressions of tables to leave out before the next chunk.
    pub(super) to_stop: Vec<String>,
    /// The chunk whose window has not yet been closed.
    pub(super) chunk: Option<String>,
    /// The first table that waits, once it was described.
    pub(super) table: Option<Arc<ChunkTable>>,
    /// Rows of it that were read.
    pub(super) rows_scanned: u64,
    pub(super) session: Option<Arc<Session>>,
    pub(super) notices: Vec<Notice>,
    pub(super) told: Told,
}

/// How the stream shows where chunks were read.
#[derive(Debug, Clone)]
pub(super) enum Marking {
    /// By rows of this table.
    Table(TableId),
    /// By the numbers of transactions.
    Transactions,
}

impl IncrementalSnapshots {
    /// Those of a configuration, which tell `meter` how far they are; `None`, if
    /// it has no signal table and may write one, which they need.
    pub fn new(settings: Arc<Settings>, meter: Arc<SnapshotMeter>) -> Option<Self> {
        let marking = match settings.connection.read_only {
            true => Marking::Transactions,
            false => Marking::Table(settings.filters.signal_table()?.clone()),
        };
        Some(Self {
            settings,
            marking,
            state: State::default(),
            is_loaded: false,
            is_paused: false,
            to_stop: Vec::new(),
            chunk: None,
            table: None,
            rows_scanned: 0,
            session: None,
            notices: Vec::new(),
            told: Told::new(meter),
        })
    }

    /// A stream begins, perhaps anew: a snapshot that is under way goes on behind
    /// the last row that was sent.
    ///
    /// # Errors
    /// Retriable, if it may pass; not, if the stored state cannot be read.
    pub async fn begin(&mut self, changes: &mut Changes) -> Result<()> {
        if !self.is_loaded {
            let state = State::load(&changes.offset().incremental);
            self.state = state.map_err(|error| ConnectError::other(error.to_string()))?;
            self.is_loaded = true;
            if self.state.is_running() {
                self.told.started();
                self.told.determined(self.state.tables());
            }
        }
        self.keep_last_sent(changes);
        self.state.revert();
        self.chunk = None;
        self.table = None;
        // It may be in the middle of a transaction.
        self.session = None;
        if !self.state.is_running() {
            changes.window_mut().discard();
            return Ok(());
        }
        tracing::info!(
            tables = self.state.names(),
            "Incremental snapshot in progress, need to read new chunk on start"
        );
        self.read_chunk(changes).await
    }

    /// Does what a signal asks for.
    ///
    /// # Errors
    /// Retriable, if it may pass; not, if a row cannot be made an event.
    pub async fn perform(
        &mut self,
        request: Request,
        changes: &mut Changes,
        out: &mut Vec<SourceRecord>,
    ) -> Result<()> {
        match request {
            Request::Execute { id, request } => self.execute(id, &request, changes).await,
            Request::Stop(request) => {
                if self.state.is_running() {
                    let all = || vec![".*".to_owned()];
                    let names = request.data_collections.unwrap_or_else(all);
                    self.to_stop.extend(names);
                }
                Ok(())
            }
            Request::Pause => {
                if self.state.is_running() && !self.is_paused {
                    tracing::info!("Pausing incremental snapshot");
                    self.is_paused = true;
                    self.told.paused();
                    self.notify(Happened::Paused(self.state.names()));
                }
                Ok(())
            }
            Request::Resume => {
                if !self.state.is_running() || !self.is_paused {
                    return Ok(());
                }
                tracing::info!("Resuming incremental snapshot");
                self.is_paused = false;
                self.told.resumed();
                self.notify(Happened::Resumed(self.state.names()));
                // The window of the latest chunk may not have been closed yet; it
                // goes on from there.
                match self.chunk {
                    Some(_) => Ok(()),
                    None => self.read_chunk(changes).await,
                }
            }
            Request::OpenWindow(id) => {
                if self.expects(&id) {
                    changes.window_mut().open();
                }
                Ok(())
            }
            Request::CloseWindow(id) => match self.expects(&id) {
                true => self.send_and_go_on(changes, out).await,
                false => Ok(()),
            },
        }
    }

    /// Whether there is something to do at a moment of the stream. Asked after
    /// each message.
    pub fn is_due(&self, moment: Moment, changes: &Changes) -> bool {
        if self.chunk.is_none() {
            return false;
        }
        let window = changes.window();
        if window.is_sent() || window.is_outdated() {
            return true;
        }
        let Some(watermarks) = window.watermarks() else {
            return false;
        };
        match (moment, changes.offset().tx_id) {
            (Moment::Other, _) => false,
            (Moment::Idle, None) => true,
            (_, xid) => xid.is_some_and(|xid| watermarks.is_sent_after(xid)),
        }
    }

    /// Does what is due at a moment of the stream.
    ///
    /// # Errors
    /// As [`Self::perform`].
    pub async fn go_on(
        &mut self,
        changes: &mut Changes,
        out: &mut Vec<SourceRecord>,
    ) -> Result<()> {
        if changes.window().is_outdated() {
            tracing::info!("The table has changed, so the chunk is read anew");
            changes.window_mut().discard();
            self.state.revert();
            self.table = None;
            return self.read_chunk(changes).await;
        }
        if changes.window().is_sent() {
            self.keep_last_sent(changes);
            return self.read_chunk(changes).await;
        }
        self.send_and_go_on(changes, out).await
    }

    /// Tells what has happened since the last call.
    ///
    /// # Errors
    /// None that a configuration can cause.
    pub fn tell(
        &mut self,
        notifications: &Notifications,
        offset: &PostgresOffset,
        out: &mut Vec<SourceRecord>,
    ) -> Result<()> {
        for Notice { signal, happened } in std::mem::take(&mut self.notices) {
            notifications.incremental(signal, happened.event(), offset, out)?;
        }
        Ok(())
    }

    async fn execute(
        &mut self,
        id: String,
        request: &SnapshotRequest,
        changes: &mut Changes,
    ) -> Result<()> {
        let starts = !self.state.is_running();
        let names = self.expand(&request.data_collections).await?;
        for name in names {
            let Some(table) = table_name(&name) else {
                tracing::warn!("Unable to parse table identifier from {name}. Skipping it.");
                continue;
            };
            let condition = request
                .conditions
                .iter()
                .find(|condition| condition.pattern.matches(&name))
                .and_then(|condition| condition.filter.clone())
                .filter(|filter| !filter.is_empty());
            self.state.collections.push_back(DataCollection {
                id: table,
                condition,
                surrogate_key: request.surrogate_key.clone(),
            });
        }
        self.state.correlation_id = Some(id);
        if starts {
            self.told.started();
        }
        self.told.determined(self.state.tables());
        if starts {
            self.notify(Happened::Started(self.state.names()));
            return self.read_chunk(changes).await;
        }
        self.store(changes);
        Ok(())
    }

    /// Whether a mark is that of the chunk that was read last. Others come after
    /// a restart, from chunks of the time before.
    fn expects(&self, id: &str) -> bool {
        let expected = self.chunk.as_deref();
        let is_expected = expected.is_some_and(|chunk| id.starts_with(chunk));
        if !is_expected {
            tracing::info!(id, expected, "The mark of another chunk is ignored");
        }
        is_expected
    }

    async fn send_and_go_on(
        &mut self,
        changes: &mut Changes,
        out: &mut Vec<SourceRecord>,
    ) -> Result<()> {
        changes.send_window(out)?;
        self.keep_last_sent(changes);
        self.read_chunk(changes).await
    }

    fn keep_last_sent(&mut self, changes: &mut Changes) {
        if let Some(key) = changes.window_mut().take_last_sent() {
            self.state.last_sent = Some(key);
        }
    }

    /// Reads the next chunk, of the next table that has one.
    async fn read_chunk(&mut self, changes: &mut Changes) -> Result<()> {
        self.chunk = None;
        changes.window_mut().discard();
        self.process_stop().await?;
        if self.state.is_running() && self.is_paused {
            tracing::info!("Incremental snapshot was paused.");
        } else if self.state.is_running() {
            self.chunk_in_window(changes).await?;
        }
        self.store(changes);
        Ok(())
    }

    /// What is under way is stored with the records from now on.
    fn store(&self, changes: &mut Changes) {
        changes.set_incremental(self.state.entries());
    }

    /// The connection, which is another one if it was lost.
    pub(super) async fn session(&mut self) -> std::result::Result<Arc<Session>, Failure> {
        if let Some(session) = &self.session
            && !session.is_closed()
        {
            return Ok(session.clone());
        }
        let session = Session::connect(&self.settings.connection, Purpose::General).await?;
        let session = Arc::new(session);
        self.session = Some(session.clone());
        Ok(session)
    }

    /// The first table that waits is done with.
    pub(super) fn next_table(&mut self, status: TableScanStatus) {
        let scanned = self.state.current().map(|current| current.id.to_string());
        self.notify(Happened::TableScanCompleted {
            tables: self.state.names(),
            table: scanned.unwrap_or_default(),
            rows: self.rows_scanned,
            status,
        });
        self.go_to_next_table();
    }

    pub(super) fn go_to_next_table(&mut self) {
        self.rows_scanned = 0;
        self.table = None;
        if let Some(current) = self.state.current() {
            self.told.ended(&current.id);
        }
        self.state.next_collection();
        if !self.state.is_running() {
            tracing::info!("The incremental snapshot is complete");
            self.told.completed();
            self.notify(Happened::Completed);
            self.state.correlation_id = None;
        }
    }

    pub(super) fn notify(&mut self, happened: Happened) {
        let signal = self.state.correlation_id.as_deref().map(Text::from);
        self.notices.push(Notice { signal, happened });
    }
}
