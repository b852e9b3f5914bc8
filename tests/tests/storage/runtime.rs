//! A runtime for stores, in tests that are plain blocking code elsewhere.

use anyhow::Result;
use tokio::runtime::{Builder, Runtime};

/// A runtime for the stores of one test.
pub(super) fn runtime() -> Result<Runtime> {
    Ok(Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?)
}
