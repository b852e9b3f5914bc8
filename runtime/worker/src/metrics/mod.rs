//! What a worker counts while it runs.

mod task_errors;
mod task_restarts;

pub use task_errors::TaskErrorMetrics;
pub use task_restarts::TaskRestartMetrics;
