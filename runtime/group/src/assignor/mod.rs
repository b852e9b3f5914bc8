//! Who runs what: how the leader of a group deals connectors and tasks out to its
//! members. Members are told apart by their ids, in whose order ties are broken.

mod eager;
mod incremental;
mod loads;

pub use eager::assign as assign_eagerly;
pub use incremental::{IncrementalAssignor, Outcome, Round};
