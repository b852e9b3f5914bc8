//! Snapshots of tables while their changes are streamed (specification, section
//! 15.2; the reference's package `io.debezium.pipeline.source.snapshot.incremental`).
//!
//! ```text
//! signal ─► tables that wait ─► mark ─► chunk of rows ─► mark ─┐
//!                 ▲                                            │ the stream comes to both marks
//!                 └── next chunk ◄── rows that are left: `r` ◄─┘ and drops rows that change between
//! ```
//!
//! A chunk is read on a connection of its own, in the order of the key, between
//! two marks: rows of the signal table, which come back in the stream, or with
//! `read.only` what transactions the server has seen. A row that changes between
//! the marks is dropped from the chunk, as its event is newer; the others become
//! events where the stream comes to the second mark. In memory is one chunk, of
//! `incremental.snapshot.chunk.size` rows.
//!
//! How far it has come is part of each offset, in the form of the reference: a
//! worker that is restarted goes on behind the last row whose event was stored,
//! and so does the reference.

mod chunks;
mod collection;
mod java;
mod key;
mod markers;
mod notice;
mod query;
mod snapshots;
mod state;
mod table;
mod tables;
mod told;
mod transactions;
mod window;

pub use collection::DataCollection;
pub use snapshots::{IncrementalSnapshots, Moment, Request};
pub use state::{Entries, State, StateError};
pub use window::Window;
