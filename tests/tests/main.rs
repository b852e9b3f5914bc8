//! The one binary of integration tests: a module per subject, so that they link once and share
//! services.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "all of it is tests; clippy knows only functions with #[test]"
)]

mod cluster;
mod command_line;
mod docker;
mod errors;
mod exactly_once;
mod faults;
mod group;
mod jdbc;
mod kafka;
mod metrics;
mod pipeline;
mod postgres;
mod rest;
mod side_by_side;
mod storage;
mod takeover;
mod traces;
mod ui;
