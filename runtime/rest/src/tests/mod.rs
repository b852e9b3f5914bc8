//! Every endpoint against a herder in memory.

mod app;
mod connectors;
mod fake;
mod filters;
mod forwarding;
mod https;
mod internal;
mod loggers;
mod metrics;
mod offsets;
mod peer;
mod plugins;
mod root;
mod routing;
mod sockets;
mod ui;
