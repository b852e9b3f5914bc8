//! The rows that were there before the stream (specification, section 10).
//!
//! All rows are read as of one instant, that of a slot which was just created
//! if there is one: the slot's stream has exactly what the rows do not show. A
//! slot that was there already has no instant of its own any more. Then the
//! position is taken before the view of the rows, so that changes in between
//! come twice rather than not at all.
//!
//! ```text
//! COPY ─► rows ─► values ─► pieces ─┐
//! COPY ─► rows ─► values ─► pieces ─┴─► in sequence, marked ─► records ─► sink
//! ```
//!
//! Each connection (`snapshot.max.threads`) reads one table after the other. In
//! memory are a few pieces per connection and one row per table, which is held
//! back, as only the next one tells whether it is the last.
//!
//! A blocking snapshot reads tables again that a signal names, at a position
//! where the stream waits.
//!
//! A snapshot that did not end is taken anew, unless `tether.snapshot.resume` lets
//! another task go on with what is left (see `ledger` for what holds then).

mod latch;
mod ledger;
mod open;
mod order;
mod piece;
mod progress;
mod range;
mod read;
mod reader;
mod sequence;
mod split;
mod statement;
mod transaction;
mod work;

pub use open::Snapshot;
pub use progress::{IncrementalChunk, Progress, SnapshotMeter, SnapshotPhase, TableMeter};
pub use read::RecordSink;
