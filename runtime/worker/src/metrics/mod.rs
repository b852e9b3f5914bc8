//! What a worker counts while it runs.

mod task_errors;

pub use task_errors::TaskErrorMetrics;
