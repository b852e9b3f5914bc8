//! The rows of a chunk until the stream has come to where they were read.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use tether_api::Result;
use tether_api::data::Value;
use tether_api::record::SourceRecord;

use super::key::Key;
use super::state;
use super::transactions::{Visible, Watermarks};
use crate::event::{Change, EventPosition, Origin, ProcessingTime, Records, SnapshotMarker};
use crate::offset::{PostgresOffset, SnapshotKind, SnapshotProgress};
use crate::pgoutput::TupleValue;
use crate::streaming::CapturedTable;
use crate::table::TableId;

/// How many transactions may have been committed and not be visible yet, at
/// most: each of them has a connection.
const LATEST: usize = 1024;

/// The texts of the columns of a record's key, by which rows of a chunk and of
/// the stream are recognized.
type Identity = Vec<Option<Bytes>>;

/// A row of a chunk.
#[derive(Debug)]
pub(super) struct ChunkRow {
    /// The key of its record; null for a table without one.
    pub(super) record_key: Value,
    pub(super) row: Value,
    /// The values that it is ordered by.
    pub(super) key: Key,
    /// About how much memory its record takes.
    pub(super) bytes: usize,
}

/// Rows that were read at once, as many as `incremental.snapshot.chunk.size`
/// says at most.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) table: Arc<CapturedTable>,
    rows: Vec<Option<ChunkRow>>,
    places: HashMap<Identity, usize>,
}

impl Chunk {
    pub(super) fn of(table: Arc<CapturedTable>) -> Self {
        Self {
            table,
            rows: Vec::new(),
            places: HashMap::new(),
        }
    }

    /// Adds a row. Of several ones with the same key the last one stays, in the
    /// place of the first.
    pub(super) fn push(&mut self, cells: &[TupleValue], row: ChunkRow) {
        let Some(identity) = identity(&self.table, cells, None) else {
            self.rows.push(Some(row));
            return;
        };
        let place = *self.places.entry(identity).or_insert(self.rows.len());
        match self.rows.get_mut(place) {
            Some(earlier) => *earlier = Some(row),
            None => self.rows.push(Some(row)),
        }
    }
}

/// What of a chunk is still to be sent. A row that the stream changes while the
/// window is open is dropped, since its event is newer. So it is at any time, if
/// the chunk was read without the change: a transaction is in the log, and so in
/// the stream, a moment before others see what it did, so that one that stands
/// before the mark need not be in the chunk.
#[derive(Debug, Default)]
pub struct Window {
    chunk: Option<Chunk>,
    is_open: bool,
    /// What the chunk was read with.
    visible: Option<Visible>,
    /// Whether the chunk was read without the transaction under way.
    is_behind: bool,
    /// The latest transactions of the stream, as many as may not be visible yet.
    latest: VecDeque<u32>,
    watermarks: Option<Watermarks>,
    /// The key of the latest row that was sent, until that is asked for.
    last_sent: Option<Key>,
    /// Whether the latest chunk was sent.
    is_sent: bool,
    /// Whether the table was altered since the chunk was read.
    is_outdated: bool,
}

impl Window {
    /// Whether rows that the stream changes have to be told.
    pub fn is_open(&self) -> bool {
        (self.is_open || self.is_behind) && self.chunk.is_some()
    }

    /// Whether rows of a chunk wait.
    pub fn waits(&self) -> bool {
        self.chunk.is_some()
    }

    /// A row of a table changes.
    pub fn change(
        &mut self,
        table: &CapturedTable,
        old: Option<&[TupleValue]>,
        new: Option<&[TupleValue]>,
    ) {
        let Some(chunk) = &mut self.chunk else {
            return;
        };
        if chunk.table.schema.table().id != table.schema.table().id {
            return;
        }
        let new = new.and_then(|new| identity(table, new, old));
        let old = old.and_then(|old| identity(table, old, None));
        for identity in new.into_iter().chain(old) {
            if let Some(place) = chunk.places.remove(&identity)
                && let Some(row) = chunk.rows.get_mut(place)
            {
                *row = None;
            }
        }
    }

    /// A table is emptied.
    pub fn truncate(&mut self, table: &TableId) {
        if let Some(chunk) = &mut self.chunk
            && chunk.table.schema.table().id == *table
        {
            chunk.rows.clear();
            chunk.places.clear();
        }
    }

    /// A transaction begins. Whether the window closes before it, and its rows
    /// have to be sent.
    pub fn begin(&mut self, xid: u32) -> bool {
        if self.latest.len() == LATEST {
            self.latest.pop_front();
        }
        self.latest.push_back(xid);
        self.is_behind = self
            .visible
            .as_ref()
            .is_some_and(|visible| !visible.sees(xid));
        let Some(watermarks) = &self.watermarks else {
            return false;
        };
        self.is_open |= watermarks.may_miss(xid);
        self.is_open && watermarks.is_behind(xid)
    }

    /// The stream describes a table, perhaps other than the rows that wait.
    pub fn describe(&mut self, table: &CapturedTable) {
        let Some(chunk) = &self.chunk else {
            return;
        };
        let columns = |table: &CapturedTable| -> Vec<_> {
            let columns = table.schema.table().columns.iter();
            let column = |column: &crate::table::Column| {
                (column.name.clone(), column.type_oid, column.modifier)
            };
            columns
                .filter(|column| !column.generated)
                .map(column)
                .collect()
        };
        self.is_outdated |= chunk.table.schema.table().id == table.schema.table().id
            && columns(&chunk.table) != columns(table);
    }

    /// The stream begins again, perhaps on another server.
    pub fn reconnected(&mut self) {
        self.latest.clear();
    }

    /// Takes a chunk that was read with this.
    pub(super) fn fill(&mut self, chunk: Chunk, visible: Visible) {
        self.discard();
        self.chunk = Some(chunk);
        self.visible = Some(visible);
    }

    /// Whether all of the stream so far can be seen.
    pub(super) fn is_seen(&self, visible: &Visible) -> bool {
        self.latest.iter().all(|xid| visible.sees(*xid))
    }

    pub(super) fn open(&mut self) {
        self.is_open = true;
    }

    pub(super) fn set_watermarks(&mut self, watermarks: Watermarks) {
        self.watermarks = Some(watermarks);
    }

    pub(super) fn watermarks(&self) -> Option<&Watermarks> {
        self.watermarks.as_ref()
    }

    /// Closes the window, and appends the events of the rows that are left.
    /// Returns about how much memory they hold.
    ///
    /// # Errors
    /// None that a configuration can cause.
    pub fn send(
        &mut self,
        records: &mut Records,
        offset: &mut PostgresOffset,
        origin: Option<&Origin>,
        out: &mut Vec<SourceRecord>,
    ) -> Result<usize> {
        self.is_open = false;
        self.is_outdated = false;
        self.visible = None;
        self.is_behind = false;
        self.watermarks = None;
        self.is_sent = true;
        let Some(chunk) = self.chunk.take() else {
            return Ok(0);
        };
        let mut bytes = 0;
        // The reference writes so if it has taken an initial snapshot before. If
        // it reads that none was completed, it takes the stream for one until the
        // next window closes, and stores nothing of this one.
        offset.snapshot = Some(SnapshotProgress {
            kind: SnapshotKind::Incremental,
            completed: true,
            last_record: true,
        });
        for row in chunk.rows.into_iter().flatten() {
            let ChunkRow {
                record_key,
                row,
                key,
                bytes: of_row,
            } = row;
            bytes += of_row;
            state::sent(&mut offset.incremental, &key);
            offset.ts_usec = Some(ProcessingTime::now().micros());
            let mut position = EventPosition {
                offset,
                origin,
                marker: SnapshotMarker::Incremental,
            };
            let change = Change::Read {
                key: record_key,
                row,
            };
            let sent = records.change(&chunk.table.events, change, &mut position, out);
            if sent.is_err() {
                offset.snapshot = None;
                sent?;
            }
            self.last_sent = Some(key);
        }
        offset.snapshot = None;
        Ok(bytes)
    }

    /// Forgets everything: it will be read anew.
    pub(super) fn discard(&mut self) {
        let last_sent = self.last_sent.take();
        let latest = std::mem::take(&mut self.latest);
        *self = Self {
            last_sent,
            latest,
            ..Self::default()
        };
    }

    pub(super) fn take_last_sent(&mut self) -> Option<Key> {
        self.last_sent.take()
    }

    pub(super) fn is_outdated(&self) -> bool {
        self.is_outdated
    }

    pub(super) fn is_sent(&self) -> bool {
        self.is_sent
    }
}

/// The texts of a row's key; `None` if one is not known, or there is no key.
fn identity(
    table: &CapturedTable,
    row: &[TupleValue],
    old: Option<&[TupleValue]>,
) -> Option<Identity> {
    table.schema.key_schema()?;
    let text = |column: usize| match row.get(column)? {
        TupleValue::Null => Some(None),
        TupleValue::Text(text) => Some(Some(text.clone())),
        TupleValue::Unchanged => match old?.get(column)? {
            TupleValue::Text(text) => Some(Some(text.clone())),
            TupleValue::Null | TupleValue::Unchanged => None,
        },
    };
    table.schema.key_columns().map(text).collect()
}
