//! The worker: connectors, tasks and the herders that command them.

pub mod client_properties;
pub mod config;
pub mod config_provider;
pub mod herder;
pub mod plugins;
pub mod worker;
