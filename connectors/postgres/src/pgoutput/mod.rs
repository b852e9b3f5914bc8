//! The messages of the logical decoding plug-in `pgoutput`, protocol version 1,
//! values as text (PostgreSQL's documentation, "Logical Replication Message
//! Formats").

mod decoder;
mod message;
mod reader;

pub use decoder::{DecodeError, decode};
pub use message::{Message, OldTuple, Relation, RelationColumn, Tuple, TupleValue};
