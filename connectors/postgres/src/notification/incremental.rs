//! What is told of incremental snapshots (the reference's
//! `IncrementalSnapshotNotificationService`).

use tether_api::data::Text;

use super::{
    CURRENT_COLLECTION, DATA_COLLECTIONS, Notification, SCANNED_COLLECTION, STATUS,
    TOTAL_ROWS_SCANNED,
};

const AGGREGATE: &str = "Incremental Snapshot";
const MAXIMUM_KEY: &str = "maximum_key";
const LAST_PROCESSED_KEY: &str = "last_processed_key";

/// Something that happened to an incremental snapshot. Tables are
/// `schema.table`, lists of them have commas between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IncrementalSnapshot<'a> {
    /// It begins with these tables.
    Started {
        /// All tables.
        tables: &'a str,
    },
    /// It waits.
    Paused {
        /// The tables that are left.
        tables: &'a str,
    },
    /// It goes on.
    Resumed {
        /// The tables that are left.
        tables: &'a str,
    },
    /// It was stopped, wholly or for some tables.
    Aborted {
        /// The tables that are not read any more, unless it is all of them.
        tables: Option<&'a str>,
    },
    /// A chunk is read.
    InProgress {
        /// The tables that are left.
        tables: &'a str,
        /// The one that is being read.
        table: &'a str,
        /// The key that it ends with; its columns have commas between them.
        maximum_key: Option<&'a str>,
        /// The key that the chunk ends with.
        last_processed_key: &'a str,
    },
    /// A table is read, or will not be.
    TableScanCompleted {
        /// The tables that are left.
        tables: &'a str,
        /// The table.
        table: &'a str,
        /// How many rows were read.
        rows: u64,
        /// How it went.
        status: TableScanStatus,
    },
    /// All tables have been read.
    Completed,
}

/// How the reading of a table ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableScanStatus {
    /// There are no rows.
    Empty,
    /// There is no key to read it by.
    NoPrimaryKey,
    /// It was left out.
    Skipped,
    /// The database refused to read it.
    SqlException,
    /// All rows were read.
    Succeeded,
    /// There is no such table.
    UnknownSchema,
}

impl TableScanStatus {
    fn name(self) -> &'static str {
        match self {
            Self::Empty => "EMPTY",
            Self::NoPrimaryKey => "NO_PRIMARY_KEY",
            Self::Skipped => "SKIPPED",
            Self::SqlException => "SQL_EXCEPTION",
            Self::Succeeded => "SUCCEEDED",
            Self::UnknownSchema => "UNKNOWN_SCHEMA",
        }
    }
}

impl IncrementalSnapshot<'_> {
    /// The notification of a connector with this `topic.prefix`. `signal` is
    /// the signal that began the snapshot, if it is known.
    pub fn notification(self, signal: Option<Text>, connector: Text) -> Notification {
        let all = |tables: &str| (DATA_COLLECTIONS, Text::from(tables));
        let (kind, data) = match self {
            Self::Started { tables } => ("STARTED", vec![all(tables)]),
            Self::Paused { tables } => ("PAUSED", vec![all(tables)]),
            Self::Resumed { tables } => ("RESUMED", vec![all(tables)]),
            Self::Aborted { tables } => ("ABORTED", tables.into_iter().map(all).collect()),
            Self::InProgress {
                tables,
                table,
                maximum_key,
                last_processed_key,
            } => (
                "IN_PROGRESS",
                vec![
                    all(tables),
                    (CURRENT_COLLECTION, table.into()),
                    (MAXIMUM_KEY, maximum_key.unwrap_or("\"<null>\"").into()),
                    (LAST_PROCESSED_KEY, last_processed_key.into()),
                ],
            ),
            Self::TableScanCompleted {
                tables,
                table,
                rows,
                status,
            } => (
                "TABLE_SCAN_COMPLETED",
                vec![
                    all(tables),
                    (SCANNED_COLLECTION, table.into()),
                    (TOTAL_ROWS_SCANNED, rows.to_string().into()),
                    (STATUS, Text::from_static(status.name())),
                ],
            ),
            Self::Completed => ("COMPLETED", Vec::new()),
        };
        Notification::new(signal, AGGREGATE, kind, data, connector)
    }
}
