//! What is told of snapshots for which the stream waits: the initial one and
//! those that signals ask for (the reference's
//! `InitialSnapshotNotificationService`).

use tether_api::data::{Text, java_copied_set, java_hash_order_in};

use super::{
    CHUNK_INDEX, CURRENT_COLLECTION, DATA_COLLECTIONS, Notification, SCANNED_COLLECTION, STATUS,
    TOTAL_CHUNKS, TOTAL_ROWS_SCANNED,
};

const AGGREGATE: &str = "Initial Snapshot";

/// Something that happened to such a snapshot. Tables are `schema.table`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InitialSnapshot<'a> {
    /// It begins.
    Started,
    /// There is nothing to do.
    Skipped,
    /// A table begins to be read.
    InProgress {
        /// The table.
        table: &'a str,
        /// All tables that are read, in order.
        tables: &'a [String],
    },
    /// A part of a table begins to be read.
    ChunkInProgress {
        /// The table.
        table: &'a str,
        /// The place of the part in the table.
        chunk: usize,
        /// How many parts the table has.
        chunks: usize,
        /// How many rows the parts have that have been read.
        rows: u64,
    },
    /// All rows of a part have been read.
    ChunkCompleted {
        /// The table.
        table: &'a str,
        /// As below.
        tables: &'a [String],
        /// The place of the part in the table.
        chunk: usize,
        /// How many parts the table has.
        chunks: usize,
    },
    /// All rows of a table have been read.
    TableScanCompleted {
        /// The table.
        table: &'a str,
        /// All tables that are captured, also that of signals, which is not
        /// read.
        tables: &'a [String],
        /// How many rows there were.
        rows: u64,
    },
    /// A table cannot be read.
    TableScanFailed {
        /// The table.
        table: &'a str,
    },
    /// All tables have been read.
    Completed,
    /// It ended before that.
    Aborted,
}

impl InitialSnapshot<'_> {
    /// The notification of a connector with this `topic.prefix`.
    pub fn notification(self, connector: Text) -> Notification {
        let (kind, data) = match self {
            Self::Started => ("STARTED", Vec::new()),
            Self::Skipped => ("SKIPPED", Vec::new()),
            Self::InProgress { table, tables } => (
                "IN_PROGRESS",
                vec![
                    (CURRENT_COLLECTION, table.into()),
                    (DATA_COLLECTIONS, unordered(tables).into()),
                ],
            ),
            Self::ChunkInProgress {
                table,
                chunk,
                chunks,
                rows,
            } => (
                "TABLE_CHUNK_IN_PROGRESS",
                vec![
                    (CURRENT_COLLECTION, table.into()),
                    (CHUNK_INDEX, chunk.to_string().into()),
                    (TOTAL_CHUNKS, chunks.to_string().into()),
                    (TOTAL_ROWS_SCANNED, rows.to_string().into()),
                ],
            ),
            Self::ChunkCompleted {
                table,
                tables,
                chunk,
                chunks,
            } => (
                "TABLE_CHUNK_COMPLETED",
                vec![
                    (SCANNED_COLLECTION, table.into()),
                    (DATA_COLLECTIONS, tables.join(",").into()),
                    (CHUNK_INDEX, chunk.to_string().into()),
                    (TOTAL_CHUNKS, chunks.to_string().into()),
                    (STATUS, "SUCCEEDED".into()),
                ],
            ),
            Self::TableScanCompleted {
                table,
                tables,
                rows,
            } => (
                "TABLE_SCAN_COMPLETED",
                vec![
                    (SCANNED_COLLECTION, table.into()),
                    (DATA_COLLECTIONS, tables.join(",").into()),
                    (TOTAL_ROWS_SCANNED, rows.to_string().into()),
                    (STATUS, "SUCCEEDED".into()),
                ],
            ),
            Self::TableScanFailed { table } => (
                "TABLE_SCAN_COMPLETED",
                vec![
                    (SCANNED_COLLECTION, table.into()),
                    (STATUS, "SQL_EXCEPTION".into()),
                ],
            ),
            Self::Completed => ("COMPLETED", Vec::new()),
            Self::Aborted => ("ABORTED", Vec::new()),
        };
        Notification::new(None, AGGREGATE, kind, data, connector)
    }
}

/// The tables in the order of the reference's `HashSet` of them.
fn unordered(tables: &[String]) -> String {
    let names: Vec<&str> = tables.iter().map(String::as_str).collect();
    java_hash_order_in(java_copied_set(names.len()), names, |name| name).join(",")
}
