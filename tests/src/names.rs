//! Names that nobody else uses, for what lives in a shared service.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A name that begins with `prefix`: letters, digits, `-`. Different in every process and at every
/// call, also from one run of the tests to the next.
pub fn unique(prefix: &str) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!(
        "{prefix}-{:x}-{}-{number}",
        now.as_millis(),
        std::process::id()
    )
}
