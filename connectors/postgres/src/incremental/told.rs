//! How far incremental snapshots are: for metrics, and for the log.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::key::{Key, KeyValue};
use crate::snapshot::{IncrementalChunk, SnapshotMeter, TableMeter};
use crate::table::TableId;

/// How often it is logged how far a table is.
const PROGRESS: Duration = Duration::from_secs(10);

/// Tells how far the snapshots of a task are.
#[derive(Debug)]
pub(super) struct Told {
    meter: Arc<SnapshotMeter>,
    /// The table that is read, once it was described.
    table: Option<Arc<TableMeter>>,
    /// Where that table's rows begin and end.
    table_from: Option<String>,
    table_to: Option<String>,
    next_log: Instant,
}

/// A chunk that was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReadKeys<'a> {
    /// The chunk's own name.
    pub(super) id: Option<&'a str>,
    /// The key of its first row.
    pub(super) first: &'a Key,
    /// The key of its last row.
    pub(super) last: &'a Key,
    /// Whether the table begins with it.
    pub(super) is_initial: bool,
    /// The key that the table ends with.
    pub(super) maximum: Option<&'a Key>,
}

impl Told {
    pub(super) fn new(meter: Arc<SnapshotMeter>) -> Self {
        Self {
            meter,
            table: None,
            table_from: None,
            table_to: None,
            next_log: Instant::now() + PROGRESS,
        }
    }

    /// A snapshot begins, or is taken up by this task.
    pub(super) fn started(&self) {
        self.meter.started();
    }

    /// These tables wait.
    pub(super) fn determined<'a>(&self, tables: impl Iterator<Item = &'a TableId>) {
        self.meter.determined(tables.map(TableId::to_string));
    }

    pub(super) fn paused(&self) {
        self.meter.paused();
    }

    pub(super) fn resumed(&self) {
        self.meter.resumed();
    }

    /// All tables have been read.
    pub(super) fn completed(&self) {
        self.meter.completed();
    }

    /// No table is left of those that were to be read.
    pub(super) fn aborted(&self) {
        self.meter.aborted();
    }

    /// Whether the rows of the table that is read are counted already.
    pub(super) fn counts(&self) -> bool {
        self.table.is_some()
    }

    /// Begins to count the rows of a table, of which about so many are to come.
    pub(super) fn begun(&mut self, id: &TableId, estimate: Option<u64>) {
        self.determined([id].into_iter());
        self.table = Some(self.meter.table(&id.to_string(), estimate));
        self.next_log = Instant::now() + PROGRESS;
    }

    /// A chunk of the table has been read.
    pub(super) fn read(&mut self, rows: u64, keys: ReadKeys<'_>) {
        let first = shown(keys.first);
        if keys.is_initial {
            self.table_from = Some(first.clone());
        }
        if self.table_to.is_none() {
            self.table_to = keys.maximum.map(shown);
        }
        self.meter.set_chunk(IncrementalChunk {
            id: keys.id.map(str::to_owned),
            from: Some(first),
            to: Some(shown(keys.last)),
            table_from: self.table_from.clone(),
            table_to: self.table_to.clone(),
        });
        let Some(table) = &self.table else {
            return;
        };
        table.read(rows);
        if self.next_log <= Instant::now() {
            tracing::info!(table = table.name(), "Exporting: {}", table.progress());
            self.next_log = Instant::now() + PROGRESS;
        }
    }

    /// Nothing more is read of a table.
    pub(super) fn ended(&mut self, id: &TableId) {
        match self.table.take() {
            Some(table) => self.meter.table_completed(&table),
            None => self.left_out(id),
        }
        self.table_from = None;
        self.table_to = None;
        self.meter.set_chunk(IncrementalChunk::default());
    }

    /// A table that waited is not going to be read.
    pub(super) fn left_out(&self, id: &TableId) {
        self.meter.left_out(&id.to_string());
    }
}

/// A key as Java shows an array of objects.
fn shown(key: &Key) -> String {
    let value = |value: &KeyValue| match value {
        KeyValue::Null => "null".to_owned(),
        value => value.to_string(),
    };
    let values: Vec<String> = key.iter().map(value).collect();
    format!("[{}]", values.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: i32) -> Key {
        vec![KeyValue::Integer(number), KeyValue::Null]
    }

    #[test]
    fn a_table_is_followed_chunk_by_chunk() {
        let meter = Arc::<SnapshotMeter>::default();
        let mut told = Told::new(meter.clone());
        let (a, b) = (TableId::new("inv", "a"), TableId::new("inv", "b"));
        told.started();
        told.determined([&a, &b].into_iter());
        assert!(!told.counts());
        told.begun(&a, Some(8));
        let (first, second, third, last) = (key(1), key(4), key(5), key(9));
        let mut keys = ReadKeys {
            id: Some("x"),
            first: &first,
            last: &second,
            is_initial: true,
            maximum: Some(&last),
        };
        told.read(4, keys);
        let chunk = meter.chunk();
        assert_eq!(chunk.id.as_deref(), Some("x"));
        assert_eq!(chunk.from.as_deref(), Some("[1, null]"));
        assert_eq!(chunk.table_to.as_deref(), Some("[9, null]"));
        keys = ReadKeys {
            first: &third,
            last: &last,
            is_initial: false,
            ..keys
        };
        told.read(4, keys);
        let chunk = meter.chunk();
        assert_eq!(chunk.table_from.as_deref(), Some("[1, null]"));
        assert_eq!(chunk.from.as_deref(), Some("[5, null]"));
        assert_eq!(chunk.to.as_deref(), Some("[9, null]"));
        assert_eq!(meter.tables()[0].progress().percent(), Some(100.0));
        told.ended(&a);
        assert_eq!(meter.chunk(), IncrementalChunk::default());
        assert_eq!((meter.tables().len(), meter.remaining_tables()), (1, 1));
        // One that cannot be read is done with as well.
        told.ended(&b);
        told.completed();
        assert_eq!((meter.tables().len(), meter.remaining_tables()), (1, 0));
        assert_eq!(meter.captured_tables(), ["inv.a", "inv.b"]);
        assert!(meter.phase().completed);
    }
}
