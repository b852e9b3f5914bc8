//! The worker: connectors, tasks and the herders that command them.

pub mod client_properties;
pub mod config;
pub mod config_provider;
mod connector;
mod conversion;
pub mod herder;
mod plugin_call;
pub mod plugins;
mod statuses;
mod task;
#[cfg(test)]
mod testing;
pub mod worker;
