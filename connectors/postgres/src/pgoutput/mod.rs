//! The messages of the logical decoding plug-in `pgoutput`, protocol version 1,
//! values as text.

mod message;

pub use message::{Message, OldTuple, Relation, RelationColumn, Tuple, TupleValue};
