//! What every implementation of the store traits does: one test suite, run
//! against memory, file and Kafka.
//!
//! `open` opens a store on the same data each time; a store that lasts finds
//! what an earlier one wrote. Failures panic, as tests do.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "this is a test suite"
)]

mod configs;
mod offsets;
mod statuses;

pub use configs::config_store;
pub use offsets::offset_store;
pub use statuses::status_store;

/// Whether what was written is there when a store is opened anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasting {
    /// It is.
    Yes,
    /// It lasts as long as the process.
    No,
}
