//! Notifications: what the connector tells of its snapshots (specification,
//! section 15.3; the reference's package `io.debezium.pipeline.notification`).
//!
//! What happens is an [`InitialSnapshot`] or an [`IncrementalSnapshot`], which
//! become a [`Notification`], which [`Notifications`] send to the channels that
//! are enabled. One of them is a topic: its records travel with all others and
//! carry the position at which they were made.

mod channels;
mod incremental;
mod initial;

use tether_api::data::{Text, java_copied_map, java_hash_order_in};
use uuid::Uuid;

use crate::event::ProcessingTime;

pub use channels::Notifications;
pub use incremental::{IncrementalSnapshot, TableScanStatus};
pub use initial::InitialSnapshot;

const CONNECTOR_NAME: &str = "connector_name";
const DATA_COLLECTIONS: &str = "data_collections";
const CURRENT_COLLECTION: &str = "current_collection_in_progress";
const SCANNED_COLLECTION: &str = "scanned_collection";
const TOTAL_ROWS_SCANNED: &str = "total_rows_scanned";
const STATUS: &str = "status";
const CHUNK_INDEX: &str = "chunk_index";
const TOTAL_CHUNKS: &str = "total_chunks";

/// Something that is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// That of the signal that caused it, or a random one.
    pub id: Text,
    /// What it is about.
    pub aggregate_type: &'static str,
    /// What happened to that.
    pub kind: &'static str,
    /// What else there is to say, in the order of the reference's map.
    pub additional_data: Vec<(&'static str, Text)>,
    /// When it was made, in milliseconds since 1970.
    pub timestamp: i64,
}

impl Notification {
    /// A notification of a connector with this `topic.prefix`.
    fn new(
        id: Option<Text>,
        aggregate_type: &'static str,
        kind: &'static str,
        mut additional_data: Vec<(&'static str, Text)>,
        connector: Text,
    ) -> Self {
        // The reference copies a map and then adds the name of the connector.
        let copied = java_copied_map(additional_data.len());
        additional_data.push((CONNECTOR_NAME, connector));
        Self {
            id: id.unwrap_or_else(|| Uuid::new_v4().to_string().into()),
            aggregate_type,
            kind,
            additional_data: java_hash_order_in(copied, additional_data, |(name, _)| name),
            timestamp: ProcessingTime::now().millis(),
        }
    }

    /// As the reference prints it.
    fn text(&self) -> String {
        let data = self.additional_data.iter();
        let data: Vec<String> = data
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        format!(
            "{{id='{}', aggregateType='{}', type='{}', additionalData={{{}}}, timestamp={}}}",
            self.id,
            self.aggregate_type,
            self.kind,
            data.join(", "),
            self.timestamp
        )
    }
}

#[cfg(test)]
mod tests;
