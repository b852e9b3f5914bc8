//! What is told of snapshots for which the stream waits: the initial one and
//! those that signals ask for (the reference's
//! `InitialSnapshotNotificationService`).

use tether_api::data::{Text, java_copied_set, java_hash_order_in};

use super::{
    CURRENT_COLLECTION, DATA_COLLECTIONS, Notification, SCANNED_COLLECTION, STATUS,
    TOTAL_ROWS_SCANNED,
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
