//! The worker: connectors, tasks and the herders that command them.

pub mod client_properties;
pub mod config;
pub mod config_provider;
mod connector;
mod conversion;
pub mod dead_letter_headers;
pub mod dead_letters;
pub mod herder;
pub mod loggers;
pub mod metrics;
mod plugin_call;
pub mod plugins;
pub mod preflight;
mod restart_policy;
pub mod session;
mod source_dead_letters;
mod source_offsets;
mod statuses;
mod task;
#[cfg(test)]
mod testing;
mod topic_creation;
pub mod traces;
pub mod validation;
pub mod worker;
