//! What is to be told of incremental snapshots.

use crate::notification::{IncrementalSnapshot, TableScanStatus};
use tether_api::data::Text;

/// Something that is to be told, and the signal that asked for the snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Notice {
    pub(super) signal: Option<Text>,
    pub(super) happened: Happened,
}

/// What happened. Lists of tables have commas between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Happened {
    Started(String),
    Paused(String),
    Resumed(String),
    Aborted(String),
    InProgress {
        tables: String,
        table: String,
        maximum_key: Option<String>,
        last_processed_key: String,
    },
    TableScanCompleted {
        tables: String,
        table: String,
        rows: u64,
        status: TableScanStatus,
    },
    Completed,
}

impl Happened {
    /// The same for notifications.
    pub(super) fn event(&self) -> IncrementalSnapshot<'_> {
        match self {
            Self::Started(tables) => IncrementalSnapshot::Started { tables },
            Self::Paused(tables) => IncrementalSnapshot::Paused { tables },
            Self::Resumed(tables) => IncrementalSnapshot::Resumed { tables },
            Self::Aborted(tables) => IncrementalSnapshot::Aborted {
                tables: Some(tables),
            },
            Self::InProgress {
                tables,
                table,
                maximum_key,
                last_processed_key,
            } => IncrementalSnapshot::InProgress {
                tables,
                table,
                maximum_key: maximum_key.as_deref(),
                last_processed_key,
            },
            Self::TableScanCompleted {
                tables,
                table,
                rows,
                status,
            } => IncrementalSnapshot::TableScanCompleted {
                tables,
                table,
                rows: *rows,
                status: *status,
            },
            Self::Completed => IncrementalSnapshot::Completed,
        }
    }
}
