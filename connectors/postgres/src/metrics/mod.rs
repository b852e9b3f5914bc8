//! What a task tells of itself, under the names of the reference's MBeans
//! (`debezium.postgres:type=connector-metrics,context=…,server=…`).
//!
//! Events are counted in a [`Tally`], which belongs to whoever makes records and
//! is plain numbers, and added to the meters once per batch.

mod events;
mod groups;
mod lag;
mod last_event;
mod streaming;
mod tally;

use std::sync::Arc;

use tether_api::record::SourceRecord;

use crate::guardian::SlotGauges;
use crate::snapshot::SnapshotMeter;

pub use events::EventMeter;
pub use groups::{Groups, QueueGauge, register};
pub use streaming::StreamingMeter;
pub use tally::Tally;

/// What a task counts and measures. Clones share it.
#[derive(Debug, Clone)]
pub struct Meters {
    /// The stream.
    pub streaming: Arc<StreamingMeter>,
    /// The snapshots.
    pub snapshot: Arc<SnapshotMeter>,
    /// What the server keeps for the slot.
    pub slot: Arc<SlotGauges>,
}

impl Meters {
    /// `quantiles` is `statistics.metrics.enabled`, `skips_unchanged` is
    /// `skip.messages.without.change`.
    pub fn new(quantiles: bool, skips_unchanged: bool) -> Self {
        Self {
            streaming: Arc::new(StreamingMeter::new(quantiles, skips_unchanged)),
            snapshot: Arc::default(),
            slot: Arc::default(),
        }
    }

    /// Takes what was counted, and what the latest of these records tell.
    pub fn add(&self, tally: &mut Tally, records: &[SourceRecord]) {
        let rows = tally.take_reads();
        if rows > 0 {
            self.snapshot.events().rows(rows);
            self.snapshot.events().told_rows(records);
        }
        if tally.has_changes() {
            self.streaming.events().told_changes(records);
        }
        self.streaming.add(tally);
    }
}
