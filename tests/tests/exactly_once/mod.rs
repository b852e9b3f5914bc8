//! Sources whose offsets are in topics of their own, and sources that write every record once.

mod each_once;
mod flow;
mod offsets_topic;
mod takeover;

#[cfg(feature = "soak")]
pub(crate) use flow::source;
