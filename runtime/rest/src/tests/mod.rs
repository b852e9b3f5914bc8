//! Every endpoint against a herder in memory.

mod app;
mod connectors;
mod fake;
mod filters;
mod loggers;
mod metrics;
mod offsets;
mod plugins;
mod root;
mod routing;
mod sockets;
