//! The REST source against a real HTTP server on loopback, from its plugin
//! descriptor on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod poll;
mod server;
mod task;
