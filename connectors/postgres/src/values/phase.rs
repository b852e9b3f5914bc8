//! Whether a row was read or streamed.

/// Where a value comes from. The reference takes two ways, and for a few types
/// they end in different values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// A query read it, in any kind of snapshot.
    Snapshot,
    /// The stream carried it.
    Streaming,
}
