//! Snapshots.

use std::collections::HashMap;
use std::time::Duration;

use crate::config::choice::{
    RowCountOrder, SnapshotIsolation, SnapshotLocking, SnapshotMode, Watermarking,
};
use crate::config::fields;
use crate::config::reader::Reader;
use crate::config::table_name;
use crate::table::TableId;

/// How many rows are read at once unless a number is given. The definition
/// shows no default, as in the reference.
const DEFAULT_FETCH_SIZE: usize = 10_240;

/// The snapshot of what is there already.
#[derive(Debug, Clone)]
pub struct SnapshotSettings {
    /// When there is one.
    pub mode: SnapshotMode,
    /// What [`SnapshotMode::ConfigurationBased`] does.
    pub configuration_based: ConfigurationBased,
    /// The isolation of its transaction, unless it shares the slot's view.
    pub isolation: SnapshotIsolation,
    /// What it locks.
    pub locking: SnapshotLocking,
    /// How long it waits for locks.
    pub lock_timeout: Duration,
    /// How long to wait before it.
    pub delay: Duration,
    /// How many rows it reads at once, at least one.
    pub fetch_size: usize,
    /// How many connections take part, at least one.
    pub max_threads: usize,
    /// How many parts per connection a table is split into, at least one.
    pub threads_multiplier: usize,
    /// Whether a table is always read by one connection.
    pub one_thread_per_table: bool,
    /// Whether another task goes on with an initial one that was interrupted.
    pub resumes: bool,
    /// Which tables it reads first.
    pub row_count_order: RowCountOrder,
    /// Statements that take the place of a table's own.
    pub select_overrides: HashMap<TableId, String>,
}

/// What `snapshot.mode=configuration_based` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConfigurationBased {
    /// Whether rows are read.
    pub data: bool,
    /// Whether structures are read.
    pub schema: bool,
    /// Whether changes are streamed.
    pub stream: bool,
    /// Whether structures are read when they are not known.
    pub on_schema_error: bool,
    /// Whether rows are read when the log misses what comes next.
    pub on_data_error: bool,
}

/// Snapshots while changes are streamed.
#[derive(Debug, Clone, Copy)]
pub struct IncrementalSettings {
    /// How many rows are read at once.
    pub chunk_size: usize,
    /// How the end of a window is marked.
    pub watermarking: Watermarking,
    /// Whether tables may change meanwhile.
    pub allow_schema_changes: bool,
}

impl SnapshotSettings {
    /// How many parts a table is read in; `None` if each is read whole.
    pub fn parts(&self) -> Option<usize> {
        let parts = self.max_threads.saturating_mul(self.threads_multiplier);
        (parts > 1 && !self.one_thread_per_table).then_some(parts)
    }

    pub(super) fn read(reader: Reader<'_>) -> Self {
        let fetch_size = match reader.count(&fields::SNAPSHOT_FETCH_SIZE) {
            0 => DEFAULT_FETCH_SIZE,
            size => size,
        };
        Self {
            mode: reader
                .choice(&fields::SNAPSHOT_MODE)
                .unwrap_or(SnapshotMode::Initial),
            configuration_based: ConfigurationBased::read(reader),
            isolation: reader
                .choice(&fields::SNAPSHOT_ISOLATION_MODE)
                .unwrap_or(SnapshotIsolation::Serializable),
            locking: reader
                .choice(&fields::SNAPSHOT_LOCKING_MODE)
                .unwrap_or(SnapshotLocking::None),
            lock_timeout: reader.millis(&fields::SNAPSHOT_LOCK_TIMEOUT_MS),
            delay: reader.millis(&fields::SNAPSHOT_DELAY_MS),
            fetch_size,
            max_threads: reader.count(&fields::SNAPSHOT_MAX_THREADS).max(1),
            threads_multiplier: reader
                .count(&fields::SNAPSHOT_MAX_THREADS_MULTIPLIER)
                .max(1),
            one_thread_per_table: reader.boolean(&fields::LEGACY_SNAPSHOT_MAX_THREADS),
            resumes: reader.boolean(&fields::TETHER_SNAPSHOT_RESUME),
            row_count_order: reader
                .choice(&fields::SNAPSHOT_TABLES_ORDER_BY_ROW_COUNT)
                .unwrap_or(RowCountOrder::Disabled),
            select_overrides: select_overrides(reader),
        }
    }
}

impl ConfigurationBased {
    fn read(reader: Reader<'_>) -> Self {
        Self {
            data: reader.boolean(&fields::SNAPSHOT_MODE_CONFIGURATION_BASED_SNAPSHOT_DATA),
            schema: reader.boolean(&fields::SNAPSHOT_MODE_CONFIGURATION_BASED_SNAPSHOT_SCHEMA),
            stream: reader.boolean(&fields::SNAPSHOT_MODE_CONFIGURATION_BASED_START_STREAM),
            on_schema_error: reader
                .boolean(&fields::SNAPSHOT_MODE_CONFIGURATION_BASED_SNAPSHOT_ON_SCHEMA_ERROR),
            on_data_error: reader
                .boolean(&fields::SNAPSHOT_MODE_CONFIGURATION_BASED_SNAPSHOT_ON_DATA_ERROR),
        }
    }
}

impl IncrementalSettings {
    pub(super) fn read(reader: Reader<'_>) -> Self {
        Self {
            chunk_size: reader.count(&fields::INCREMENTAL_SNAPSHOT_CHUNK_SIZE),
            watermarking: reader
                .choice(&fields::INCREMENTAL_SNAPSHOT_WATERMARKING_STRATEGY)
                .unwrap_or(Watermarking::InsertInsert),
            allow_schema_changes: reader
                .boolean(&fields::INCREMENTAL_SNAPSHOT_ALLOW_SCHEMA_CHANGES),
        }
    }
}

/// The statements of the tables that are listed; the list alone does nothing.
fn select_overrides(reader: Reader<'_>) -> HashMap<TableId, String> {
    let list = &fields::SNAPSHOT_SELECT_STATEMENT_OVERRIDES;
    let mut statements = HashMap::new();
    for table in reader.list(list) {
        let key = format!("{}.{table}", list.name);
        match (reader.0.get(&key), table_name::parse(table)) {
            (Some(statement), Some(id)) => {
                statements.insert(id, statement.clone());
            }
            (None, _) => tracing::warn!(
                "Detected {} for {key} but no statement property {table} defined",
                list.name
            ),
            (_, None) => tracing::warn!("'{table}' in {} names no table", list.name),
        }
    }
    statements
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_belong_to_listed_tables() {
        let list = "snapshot.select.statement.overrides";
        let config = [
            (list, "inv.a, inv.b"),
            ("snapshot.select.statement.overrides.inv.a", "SELECT 1"),
            ("snapshot.select.statement.overrides.inv.c", "SELECT 2"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into_iter()
        .collect();
        let settings = SnapshotSettings::read(Reader(&config));
        assert_eq!(settings.select_overrides.len(), 1);
        assert_eq!(
            settings.select_overrides[&TableId::new("inv", "a")],
            "SELECT 1"
        );
        assert_eq!(settings.fetch_size, DEFAULT_FETCH_SIZE);
    }
}
