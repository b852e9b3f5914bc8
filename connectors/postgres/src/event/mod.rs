//! Records: envelopes, the source block, keys, tombstones, headers, and what
//! else a stream yields (specification, sections 4, 13 and 14).
//!
//! All schemas are made once per task, or once per version of a table, and
//! shared. Rows and keys come here as values; how a row becomes one is the
//! business of `values`.

mod change;
mod envelope;
mod headers;
mod heartbeat;
mod logical_message;
mod operation;
mod origin;
mod records;
mod source;
mod time;
mod transaction;

pub use change::{Change, TableEvents};
pub use envelope::envelope_schema;
pub use headers::ContextHeaders;
pub use operation::Operation;
pub use origin::Origin;
pub use records::{EventPosition, RECORD_BYTES, RecordSettings, Records};
pub use source::{SnapshotMarker, SourceBlock};
pub use time::ProcessingTime;

#[cfg(test)]
mod tests;
