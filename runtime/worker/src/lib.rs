//! The worker: connectors, tasks and the herders that command them.

pub mod herder;
pub mod plugins;
