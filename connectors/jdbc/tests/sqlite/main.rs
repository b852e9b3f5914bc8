//! The sink on SQLite, through the seam that the worker uses.

// Helpers of tests fail tests.
#![allow(clippy::unwrap_used, clippy::panic)]

mod beside;
mod change_events;
mod debezium_types;
mod errant;
mod evolution;
mod exactly_once;
mod flavours;
mod modes;
mod sequences;
mod support;
mod types;
