//! The changes of the stream as records, and where to take it up again.

mod changes;
mod heartbeat;
mod position;
mod progress;
mod relations;
mod reselect;
mod resume;

pub use changes::{ChangeSettings, Changes, Demand, RowSignals};
pub use heartbeat::HeartbeatTimer;
pub use position::Position;
pub use progress::Progress;
pub use relations::{CapturedTable, described_table, table_id};
pub use reselect::Reselection;
pub use resume::Begin;
