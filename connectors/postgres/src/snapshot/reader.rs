//! Reads rows on one connection.

use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use futures::StreamExt;
use tether_api::data::Value;
use tether_api::{ConnectError, Result};
use tokio::sync::mpsc::Sender;

use super::ledger::Step;
use super::open::SnapshotTable;
use super::piece::{Piece, Row};
use super::range::{Bound, Range};
use super::work::{Job, Steps, TableFailure, Work};
use super::{split, statement};
use crate::config::ProcessingFailure;
use crate::pgoutput::TupleValue;
use crate::replication::Session;
use crate::table::TableId;
use crate::values::{Phase, TableSchema};

/// Reads one part of a table after the other, with others that do the same.
pub(super) struct Reader {
    pub(super) session: Session,
    pub(super) work: Arc<Work>,
    /// How many rows a piece has at most.
    pub(super) piece_rows: usize,
    pub(super) failure: ProcessingFailure,
    /// Takes pieces, and the table that failed.
    pub(super) out: Sender<Result<Piece, TableFailure>>,
}

/// Nobody takes pieces any more.
struct Closed;

impl Reader {
    pub(super) async fn run(self) {
        loop {
            let read = match self.work.next(&self.session).await {
                Ok(Some(job)) => self.job(&job).await,
                Ok(None) => return,
                Err(failure) => Ok(Err(failure)),
            };
            match read {
                Ok(Ok(())) => {}
                Ok(Err(failure)) => {
                    // Nobody waits for more.
                    let _ = self.out.send(Err(failure)).await;
                    return;
                }
                Err(Closed) => return,
            }
        }
    }

    async fn job(&self, job: &Job) -> std::result::Result<Result<(), TableFailure>, Closed> {
        let index = job.place.table;
        let Some(table) = self.work.tables.get(index) else {
            return Ok(Ok(()));
        };
        let last = match self.rows(job, table).await {
            Ok(Some(last)) => last,
            Ok(None) => return Err(Closed),
            Err(error) => {
                let context = format!("Snapshotting of table {} failed", table.id());
                return Ok(Err((index, error.context(context))));
            }
        };
        self.send(last).await.map(Ok)
    }

    async fn send(&self, piece: Piece) -> std::result::Result<(), Closed> {
        let place = piece.place;
        self.work.turn(place).await;
        self.out.send(Ok(piece)).await.map_err(|_| Closed)?;
        self.work.begun(place);
        Ok(())
    }

    /// Sends the rows of a job but for the last piece, which it returns. `None`
    /// if nobody takes them.
    async fn rows(&self, job: &Job, table: &SnapshotTable) -> Result<Option<Piece>> {
        let (id, place, begun) = (table.id(), job.place, Instant::now());
        let (part, parts) = (place.part + 1, place.parts);
        tracing::info!(table = %id, part, parts, estimate = table.estimate, "Exporting data");
        let mut piece = Piece::first_of(place);
        let (mut range, mut total) = (job.range.clone(), 0);
        loop {
            let end = self.step_end(job, table, &range).await?;
            let step_range = Range {
                after: range.after.clone(),
                up_to: end.clone().or_else(|| range.up_to.clone()),
            };
            let read = self.range(job, table, &step_range, piece).await?;
            let Some((read, rows)) = read else {
                return Ok(None);
            };
            piece = read;
            total += rows;
            piece.step = (job.steps != Steps::One).then(|| Step {
                table: table.captured.schema.table().oid,
                range_end: range.up_to.clone(),
                up_to: end.clone(),
                rows,
            });
            let Some(end) = end else {
                break;
            };
            range.after = Some(end);
            let read = std::mem::replace(&mut piece, Piece::of(place));
            if self.send(read).await.is_err() {
                return Ok(None);
            }
        }
        let took = begun.elapsed();
        tracing::info!(table = %id, part, parts, rows = total, ?took, "Finished exporting");
        (piece.is_last, piece.total) = (true, total);
        Ok(Some(piece))
    }

    /// Where the next step ends that begins with a range; `None` if that is where
    /// the range ends.
    async fn step_end(
        &self,
        job: &Job,
        table: &SnapshotTable,
        range: &Range,
    ) -> Result<Option<Bound>> {
        match job.steps {
            Steps::One | Steps::Stored => Ok(None),
            Steps::Rows(rows) => {
                let table = table.captured.schema.table();
                let end = split::step_end(&self.session, table, &job.order, range, rows);
                Ok(end.await?)
            }
            Steps::Blocks(blocks) => {
                let block = |bound: &Option<Bound>, otherwise| match bound {
                    Some(Bound::Block(block)) => *block,
                    _ => otherwise,
                };
                let end = block(&range.after, 0).saturating_add(split::STEP_BLOCKS);
                Ok((end < block(&range.up_to, blocks)).then_some(Bound::Block(end)))
            }
        }
    }

    /// Sends the rows of a range, with those of a piece first, but for the last
    /// piece, which it returns with the number of rows. `None` if nobody takes
    /// them.
    async fn range(
        &self,
        job: &Job,
        table: &SnapshotTable,
        range: &Range,
        mut piece: Piece,
    ) -> Result<Option<(Piece, u64)>> {
        let schema = &table.captured.schema;
        let statement = match &table.select {
            Some(select) => statement::of_override(&self.session, schema, select).await?,
            None => statement::of_range(schema, &job.order, range),
        };
        tracing::debug!(statement = statement.sql, "The statement of the table");
        let copied = self.session.client().copy_out(&*statement.sql).await;
        let copied = match copied {
            Ok(copied) => copied,
            Err(error) => return Err(self.session.failure(&error).await.into()),
        };
        let mut copied = pin!(copied);
        let mut cells = Vec::with_capacity(schema.table().columns.len());
        let mut rows = 0_u64;
        while let Some(text) = copied.next().await {
            let text = match text {
                Ok(text) => text,
                Err(error) => return Err(self.session.failure(&error).await.into()),
            };
            schema.read_copied(&text, &statement.columns, &mut cells)?;
            match read_row(schema, &cells) {
                Ok((key, row)) => piece.push(Row::new(key, row, text.len(), cells.len())),
                Err(error) => {
                    self.leave_out(table.id(), error)?;
                    piece.leave_out();
                }
            }
            rows += 1;
            if piece.is_full(self.piece_rows) {
                let full = std::mem::replace(&mut piece, Piece::of(job.place));
                if self.send(full).await.is_err() {
                    return Ok(None);
                }
            }
        }
        Ok(Some((piece, rows)))
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
