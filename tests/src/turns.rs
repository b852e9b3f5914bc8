//! Turns for tests that would starve each other.

use std::sync::{Condvar, Mutex, PoisonError};

/// How many tests have a turn at the same time: they wait for a start or the end of a session more than
/// they compute.
const AT_ONCE: usize = 2;

static FREE: Mutex<usize> = Mutex::new(AT_ONCE);
static GIVEN_BACK: Condvar = Condvar::new();

/// A turn, for as long as it lives.
#[must_use]
pub struct Turn(());

/// Waits until a turn is free. A test that starts its own broker or a Java worker, or that keeps both
/// cores of a small machine busy, takes one for as long as it runs.
pub fn take() -> Turn {
    let free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut free = GIVEN_BACK
        .wait_while(free, |free| *free == 0)
        .unwrap_or_else(PoisonError::into_inner);
    *free -= 1;
    Turn(())
}

impl Drop for Turn {
    fn drop(&mut self) {
        *FREE.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        GIVEN_BACK.notify_one();
    }
}
