//! The sink on SQLite, through the seam that the worker uses.

// Helpers of tests fail tests.
#![allow(clippy::unwrap_used, clippy::panic)]

mod change_events;
mod evolution;
mod flavours;
mod modes;
mod sequences;
mod support;
mod types;
