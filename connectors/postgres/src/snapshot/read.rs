//! Reads the rows and makes records of them.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::StreamExt;
use tether_api::data::Value;
use tether_api::record::SourceRecord;
use tether_api::{ConnectError, Result};
use tokio::sync::mpsc::{self, Sender};
use tokio::task::JoinSet;

use super::open::{Snapshot, SnapshotTable};
use super::piece::{Piece, Row};
use super::sequence::{Marked, Sequence};
use super::statement;
use crate::config::ProcessingFailure;
use crate::event::{EventPosition, Records};
use crate::notification::{InitialSnapshot, Notifications};
use crate::offset::{PostgresOffset, SnapshotKind, SnapshotProgress};
use crate::pgoutput::TupleValue;
use crate::replication::Session;
use crate::table::TableId;
use crate::values::{Phase, TableSchema};

/// How many pieces of each connection wait at most.
const WAITING: usize = 2;

/// How often a table that takes long is logged.
const PROGRESS: Duration = Duration::from_secs(10);

/// Takes the records of a snapshot.
pub trait RecordSink: Send {
    /// Takes records that hold about so many bytes, once there is space.
    fn put(&mut self, records: Vec<SourceRecord>, bytes: usize) -> impl Future<Output = ()> + Send;
}

impl Snapshot {
    /// Reads all rows, and tells how far it is. Returns the offset after which
    /// the stream goes on.
    ///
    /// # Errors
    /// Retriable, if another snapshot may succeed. The message names the table.
    pub async fn read(
        self,
        records: &mut Records,
        notifications: &Notifications,
        sink: &mut impl RecordSink,
    ) -> Result<PostgresOffset> {
        let begun = Instant::now();
        let connections = self.sessions.len();
        tracing::info!(
            tables = self.tables.len(),
            connections,
            "The snapshot begins"
        );
        let (sender, mut pieces) = mpsc::channel(connections * WAITING);
        let next = Arc::new(AtomicUsize::new(0));
        // They end with this set, also if this future is dropped.
        let mut readers = JoinSet::new();
        for session in self.sessions {
            let reader = TableReader {
                session,
                tables: self.tables.clone(),
                piece_rows: self.settings.queue.max_batch,
                failure: self.settings.errors.processing,
                next: next.clone(),
                out: sender.clone(),
            };
            readers.spawn(reader.run());
        }
        drop(sender);
        let mut told = Told::new(notifications, &self.tables, &self.captured);
        let mut output = Output {
            records,
            tables: &self.tables,
            offset: self.offset,
            out: Vec::new(),
            bytes: 0,
        };
        let mut sequence = Sequence::new(self.tables.len(), connections == 1);
        while let Some(piece) = pieces.recv().await {
            let Piece {
                table,
                rows,
                is_last,
                ..
            } = match piece {
                Ok(piece) => piece,
                Err((table, error)) => {
                    told.failed(table, &mut output)?;
                    output.hand_over(sink).await;
                    return Err(error);
                }
            };
            told.read(table, rows.len(), &mut output)?;
            for row in rows {
                let Some(row) = row else {
                    sequence.left_out(table);
                    continue;
                };
                for marked in sequence.row(table, (table, row)).into_iter().flatten() {
                    output.add(marked)?;
                }
            }
            if is_last {
                if let Some(marked) = sequence.end(table) {
                    output.add(marked)?;
                }
                told.completed(table, &mut output)?;
            }
            output.hand_over(sink).await;
        }
        let kind = output.offset.snapshot.map(|progress| progress.kind);
        output.offset.snapshot = Some(SnapshotProgress {
            kind: kind.unwrap_or(SnapshotKind::Initial),
            completed: true,
            last_record: true,
        });
        if let Some(marked) = sequence.finish() {
            output.add(marked)?;
            output.hand_over(sink).await;
        }
        tracing::info!(took = ?begun.elapsed(), "The snapshot is complete");
        Ok(output.offset)
    }
}

/// Makes records of rows that have their part.
struct Output<'a> {
    records: &'a mut Records,
    tables: &'a [SnapshotTable],
    offset: PostgresOffset,
    out: Vec<SourceRecord>,
    bytes: usize,
}

impl Output<'_> {
    fn add(&mut self, ((table, row), marker): Marked<(usize, Row)>) -> Result<()> {
        self.bytes += row.bytes;
        let mut position = EventPosition {
            offset: &mut self.offset,
            origin: None,
            marker,
        };
        let events = &self.tables[table].captured.events;
        self.records
            .change(events, row.change, &mut position, &mut self.out)
    }

    async fn hand_over(&mut self, sink: &mut impl RecordSink) {
        if !self.out.is_empty() {
            let records = std::mem::take(&mut self.out);
            sink.put(records, std::mem::take(&mut self.bytes)).await;
        }
    }
}

/// Tells how far tables are.
struct Told<'a> {
    notifications: &'a Notifications,
    names: Vec<String>,
    captured: &'a [String],
    /// How many rows of each table have been read, once it is begun.
    rows: Vec<Option<u64>>,
}

impl<'a> Told<'a> {
    fn new(
        notifications: &'a Notifications,
        tables: &[SnapshotTable],
        captured: &'a [String],
    ) -> Self {
        let names = tables
            .iter()
            .map(|table| table.captured.schema.table().id.to_string());
        Self {
            notifications,
            names: names.collect(),
            captured,
            rows: vec![None; tables.len()],
        }
    }

    /// So many rows of a table were read.
    fn read(&mut self, table: usize, rows: usize, output: &mut Output<'_>) -> Result<()> {
        let read = self.rows[table];
        self.rows[table] = Some(read.unwrap_or(0) + rows as u64);
        match read {
            Some(_) => Ok(()),
            None => self.tell(
                InitialSnapshot::InProgress {
                    table: &self.names[table],
                    tables: &self.names,
                },
                output,
            ),
        }
    }

    fn completed(&self, table: usize, output: &mut Output<'_>) -> Result<()> {
        let event = InitialSnapshot::TableScanCompleted {
            table: &self.names[table],
            tables: self.captured,
            rows: self.rows[table].unwrap_or(0),
        };
        self.tell(event, output)
    }

    fn failed(&mut self, table: usize, output: &mut Output<'_>) -> Result<()> {
        self.read(table, 0, output)?;
        let table = &self.names[table];
        self.tell(InitialSnapshot::TableScanFailed { table }, output)
    }

    fn tell(&self, event: InitialSnapshot<'_>, output: &mut Output<'_>) -> Result<()> {
        let offset = Some(&output.offset);
        self.notifications.initial(event, offset, &mut output.out)
    }
}

/// Reads one table after the other on one connection, with others that do the
/// same.
struct TableReader {
    session: Session,
    tables: Arc<[SnapshotTable]>,
    piece_rows: usize,
    failure: ProcessingFailure,
    /// The next table that nobody reads yet.
    next: Arc<AtomicUsize>,
    /// Takes pieces, and the table that failed.
    out: Sender<Result<Piece, (usize, ConnectError)>>,
}

impl TableReader {
    async fn run(self) {
        loop {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(table) = self.tables.get(index) else {
                return;
            };
            let sent = match self.table(index, table).await {
                Ok(last) => self.out.send(Ok(last)).await,
                Err(error) => {
                    let id = &table.captured.schema.table().id;
                    let error = error.context(format!("Snapshotting of table {id} failed"));
                    // Nobody waits for more.
                    let _ = self.out.send(Err((index, error))).await;
                    return;
                }
            };
            if sent.is_err() {
                return;
            }
        }
    }

    /// Sends the rows of a table but for the last piece, which it returns.
    async fn table(&self, index: usize, table: &SnapshotTable) -> Result<Piece> {
        let schema = &table.captured.schema;
        let id = &schema.table().id;
        let (begun, estimate) = (Instant::now(), table.estimate);
        tracing::info!(table = %id, estimate, "Exporting data from a table");
        let statement = match &table.select {
            Some(select) => statement::of_override(&self.session, schema, select).await?,
            None => statement::of_table(schema),
        };
        tracing::debug!(statement = statement.sql, "The statement of the table");
        let copied = self.session.client().copy_out(&*statement.sql).await;
        let copied = match copied {
            Ok(copied) => copied,
            Err(error) => return Err(self.session.failure(&error).await.into()),
        };
        let mut copied = pin!(copied);
        let mut piece = Piece::of(index);
        let mut cells = Vec::with_capacity(schema.table().columns.len());
        let (mut rows, mut logged) = (0_u64, begun);
        while let Some(text) = copied.next().await {
            let text = match text {
                Ok(text) => text,
                Err(error) => return Err(self.session.failure(&error).await.into()),
            };
            schema.read_copied(&text, &statement.columns, &mut cells)?;
            match read_row(schema, &cells) {
                Ok((key, row)) => piece.push(Row::new(key, row, text.len(), cells.len())),
                Err(error) => {
                    self.leave_out(id, error)?;
                    piece.leave_out();
                }
            }
            rows += 1;
            if piece.is_full(self.piece_rows) {
                let full = std::mem::replace(&mut piece, Piece::of(index));
                if self.out.send(Ok(full)).await.is_err() {
                    return Ok(piece);
                }
                if logged.elapsed() >= PROGRESS {
                    logged = Instant::now();
                    tracing::info!(table = %id, rows, estimate, after = ?begun.elapsed(), "Exporting");
                }
            }
        }
        tracing::info!(table = %id, rows, took = ?begun.elapsed(), "Finished exporting a table");
        piece.is_last = true;
        Ok(piece)
    }

    /// What becomes of a row that cannot be read.
    #[cold]
    fn leave_out(&self, table: &TableId, error: ConnectError) -> Result<()> {
        const WHAT: &str = "Error while processing a row of a snapshot, which is left out";
        match self.failure {
            ProcessingFailure::Fail => return Err(error),
            ProcessingFailure::Warn => tracing::warn!(%table, %error, "{WHAT}"),
            ProcessingFailure::Skip | ProcessingFailure::Ignore => {
                tracing::debug!(%table, %error, "{WHAT}");
            }
        }
        Ok(())
    }
}

/// The key and the value of a row.
fn read_row(schema: &TableSchema, cells: &[TupleValue]) -> Result<(Value, Value)> {
    let key = schema.key(cells, None, Phase::Snapshot)?;
    let row = schema.value(cells, None, Phase::Snapshot)?;
    Ok((key, row))
}
