//! Reads the rows and makes records of them.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tether_api::Result;
use tether_api::record::SourceRecord;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::interval_at;

use super::ledger::{Ledger, Step};
use super::open::{Snapshot, SnapshotTable};
use super::piece::{Piece, Row};
use super::progress::{Progress, SnapshotMeter, TableMeter};
use super::reader::Reader;
use super::sequence::{Marked, Place, Sequence};
use super::work::Work;
use crate::event::{EventPosition, Records};
use crate::notification::{InitialSnapshot, Notifications};
use crate::offset::{PostgresOffset, SnapshotKind, SnapshotProgress};

/// How many pieces of each connection wait at most.
const WAITING: usize = 2;

/// How often it is logged how far tables are.
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
    /// `reached` then has what has been sent, if the snapshot can go on with the
    /// rest.
    pub async fn read(
        self,
        records: &mut Records,
        notifications: &Notifications,
        meter: &SnapshotMeter,
        sink: &mut impl RecordSink,
        reached: &mut Option<PostgresOffset>,
    ) -> Result<PostgresOffset> {
        let begun = Instant::now();
        meter.determined(self.captured.iter().cloned());
        let connections = self.sessions.len();
        tracing::info!(
            tables = self.tables.len(),
            connections,
            "The snapshot begins"
        );
        let (sender, mut pieces) = mpsc::channel(connections * WAITING);
        let parts = self.settings.snapshot.parts();
        let resumed = self.ledger.clone().zip(self.sent);
        let work = Arc::new(Work::new(self.tables.clone(), parts, self.ledger));
        // They end with this set, also if this future is dropped.
        let mut readers = JoinSet::new();
        for session in self.sessions {
            let reader = Reader {
                session,
                work: work.clone(),
                piece_rows: self.settings.queue.max_batch,
                failure: self.settings.errors.processing,
                out: sender.clone(),
            };
            readers.spawn(reader.run());
        }
        drop(sender);
        let mut told = Told::new(notifications, meter, &self.tables, &self.captured);
        let mut output = Output {
            records,
            meter,
            tables: &self.tables,
            work: &work,
            offset: self.offset,
            out: Vec::new(),
            bytes: 0,
            since_stored: 0,
        };
        let is_ordered = connections == 1 || parts.is_some();
        let mut sequence = Sequence::new(self.tables.len(), is_ordered);
        if let Some((ledger, sent)) = resumed {
            sequence.goes_on();
            for name in &sent {
                meter.table_completed(&meter.table(name, None));
            }
            for (index, table) in self.tables.iter().enumerate() {
                let open = ledger.open(table.captured.schema.table().oid);
                if let Some(open) = open.filter(|open| open.rows > 0) {
                    sequence.table_goes_on(index);
                    told.tables[index].read_before(open.rows);
                }
            }
        }
        let mut known = Vec::new();
        let mut log = interval_at((begun + PROGRESS).into(), PROGRESS);
        loop {
            let piece = tokio::select! {
                biased;
                _ = log.tick() => {
                    told.log();
                    continue;
                }
                piece = pieces.recv() => piece,
            };
            let piece = match piece {
                Some(Ok(piece)) => piece,
                Some(Err((table, error))) => {
                    told.failed(table, &mut output)?;
                    output.hand_over(sink).await;
                    *reached = output.reached();
                    return Err(error);
                }
                None => break,
            };
            let Piece {
                place,
                rows,
                is_first,
                is_last,
                step,
                total,
                ..
            } = piece;
            if is_first {
                told.begun(place, work.splits(), &mut output)?;
            }
            told.read(place, rows.len());
            for row in rows {
                match row {
                    Some(row) => sequence.row(place, (place.table, row), &mut known),
                    None => sequence.left_out(place),
                }
                output.add_all(&mut known)?;
            }
            if let Some(step) = step {
                match sequence.latest(place) {
                    Some((_, row)) => row.steps.push(step),
                    None => output.sent([step]),
                }
            }
            if is_last {
                let is_over = sequence.end(place, &mut known);
                output.add_all(&mut known)?;
                told.ended(place, (total, work.splits()), &mut output)?;
                if is_over {
                    told.completed(place.table, &mut output)?;
                }
            }
            output.hand_over(sink).await;
        }
        let kind = output.offset.snapshot.map(|progress| progress.kind);
        sequence.finish(&mut known);
        let last = known.pop();
        output.add_all(&mut known)?;
        output.offset.sent_rows = None;
        output.offset.snapshot = Some(SnapshotProgress {
            kind: kind.unwrap_or(SnapshotKind::Initial),
            completed: true,
            last_record: true,
        });
        output.add_all(&mut last.into_iter().collect())?;
        output.hand_over(sink).await;
        tracing::info!(took = ?begun.elapsed(), "The snapshot is complete");
        Ok(output.offset)
    }
}

/// Makes records of rows that have their part.
struct Output<'a> {
    records: &'a mut Records,
    meter: &'a SnapshotMeter,
    tables: &'a [SnapshotTable],
    work: &'a Work,
    offset: PostgresOffset,
    out: Vec<SourceRecord>,
    bytes: usize,
    /// How many records there were since it was last stored what has been sent.
    since_stored: usize,
}

/// As many bytes of what is stored may come upon each record.
const STORED_BYTES: usize = 32;

impl Output<'_> {
    fn add_all(&mut self, known: &mut Vec<Marked<(usize, Row)>>) -> Result<()> {
        known.drain(..).try_for_each(|marked| self.add(marked))
    }

    fn add(&mut self, ((table, row), marker): Marked<(usize, Row)>) -> Result<()> {
        self.bytes += row.bytes;
        self.since_stored += 1;
        if !row.steps.is_empty() {
            self.sent(row.steps);
        }
        let mut position = EventPosition {
            offset: &mut self.offset,
            origin: None,
            marker,
        };
        let events = &self.tables[table].captured.events;
        self.records
            .change(events, row.change, &mut position, &mut self.out)
    }

    /// These have been sent, with the next record at the latest. It is stored,
    /// unless that would be a long text for few records.
    fn sent(&mut self, steps: impl IntoIterator<Item = Step>) {
        let stored = self.offset.sent_rows.as_ref().map_or(0, |text| text.len());
        let is_due = self.since_stored * STORED_BYTES >= stored;
        let text = self.work.with_ledger(|ledger| {
            steps.into_iter().for_each(|step| ledger.advance(step));
            is_due.then(|| ledger.text())
        });
        if let Some(Some(text)) = text {
            self.since_stored = 0;
            self.bytes += text.as_ref().map_or(0, |text| text.len());
            self.offset.sent_rows = text;
        }
    }

    /// The offset that says what has been sent; `None` if nothing has been, or it
    /// is not kept.
    fn reached(&self) -> Option<PostgresOffset> {
        let sent = |ledger: &mut Ledger| ledger.has_sent().then(|| ledger.text())?;
        let text = self.work.with_ledger(sent)??;
        Some(PostgresOffset {
            sent_rows: Some(text),
            ..self.offset.clone()
        })
    }

    async fn hand_over(&mut self, sink: &mut impl RecordSink) {
        self.meter.events().rows(self.records.tally().take_reads());
        if !self.out.is_empty() {
            self.meter.events().told_rows(&self.out);
            let records = std::mem::take(&mut self.out);
            sink.put(records, std::mem::take(&mut self.bytes)).await;
        }
    }
}

/// Tells how far tables are.
struct Told<'a> {
    notifications: &'a Notifications,
    meter: &'a SnapshotMeter,
    begun: Instant,
    names: Vec<String>,
    captured: &'a [String],
    tables: Vec<Arc<TableMeter>>,
    /// Whether each table is begun.
    is_begun: Vec<bool>,
    /// How many rows the completed parts of each table have.
    completed_rows: Vec<u64>,
}

impl<'a> Told<'a> {
    fn new(
        notifications: &'a Notifications,
        meter: &'a SnapshotMeter,
        tables: &[SnapshotTable],
        captured: &'a [String],
    ) -> Self {
        let name = |table: &SnapshotTable| table.captured.schema.table().id.to_string();
        let names: Vec<String> = tables.iter().map(name).collect();
        let estimates = tables.iter().map(|table| table.estimate);
        let meters = names.iter().zip(estimates);
        Self {
            notifications,
            meter,
            begun: Instant::now(),
            tables: meters
                .map(|(name, estimate)| meter.table(name, estimate))
                .collect(),
            is_begun: vec![false; names.len()],
            completed_rows: vec![0; names.len()],
            names,
            captured,
        }
    }

    /// A part of a table begins to be read.
    fn begun(&mut self, place: Place, is_split: bool, output: &mut Output<'_>) -> Result<()> {
        if is_split {
            self.tables[place.table].split(place.parts as u64);
        }
        self.begin_table(place.table, output)?;
        match is_split {
            true => {
                let event = InitialSnapshot::ChunkInProgress {
                    table: &self.names[place.table],
                    chunk: place.part,
                    chunks: place.parts,
                    rows: self.completed_rows[place.table],
                };
                self.tell(event, output)
            }
            false => Ok(()),
        }
    }

    fn begin_table(&mut self, table: usize, output: &mut Output<'_>) -> Result<()> {
        match std::mem::replace(&mut self.is_begun[table], true) {
            true => Ok(()),
            false => self.tell(
                InitialSnapshot::InProgress {
                    table: &self.names[table],
                    tables: &self.names,
                },
                output,
            ),
        }
    }

    /// So many rows of a part were read.
    fn read(&mut self, place: Place, rows: usize) {
        self.tables[place.table].read(rows as u64);
    }

    /// All rows of a part have been read; there were so many.
    fn ended(
        &mut self,
        place: Place,
        (rows, is_split): (u64, bool),
        output: &mut Output<'_>,
    ) -> Result<()> {
        self.completed_rows[place.table] += rows;
        if !is_split {
            return Ok(());
        }
        let table = &self.tables[place.table];
        table.part_completed();
        let event = InitialSnapshot::ChunkCompleted {
            table: &self.names[place.table],
            tables: self.captured,
            chunk: place.part,
            chunks: place.parts,
        };
        self.tell(event, output)
    }

    fn completed(&self, table: usize, output: &mut Output<'_>) -> Result<()> {
        self.meter.table_completed(&self.tables[table]);
        let event = InitialSnapshot::TableScanCompleted {
            table: &self.names[table],
            tables: self.captured,
            rows: self.tables[table].rows(),
        };
        self.tell(event, output)
    }

    fn failed(&mut self, table: usize, output: &mut Output<'_>) -> Result<()> {
        self.begin_table(table, output)?;
        let table = &self.names[table];
        self.tell(InitialSnapshot::TableScanFailed { table }, output)
    }

    /// Logs how far the tables are that are being read, and all together.
    fn log(&self) {
        let begun = self.tables.iter().zip(&self.is_begun);
        for (table, _) in begun.filter(|(table, begun)| **begun && !table.is_completed()) {
            tracing::info!(table = table.name(), "Exporting: {}", table.progress());
        }
        let completed = self.tables.iter().filter(|table| table.is_completed());
        tracing::info!(
            "The snapshot has read {} of {} tables: {}",
            completed.count(),
            self.tables.len(),
            Progress::total(&self.tables, self.begun.elapsed())
        );
    }

    fn tell(&self, event: InitialSnapshot<'_>, output: &mut Output<'_>) -> Result<()> {
        let offset = Some(&output.offset);
        self.notifications.initial(event, offset, &mut output.out)
    }
}
