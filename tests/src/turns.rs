//! Turns for tests that would starve each other.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Waits until no other test holds a turn. A test that starts its own broker or a Java worker, or that
/// keeps both cores of a small machine busy, takes one for as long as it runs.
pub fn take() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}
