//! Waiting for a condition.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Error, Result, anyhow};

/// How long tests wait for what should happen within a second or two: enough for a busy machine with
/// two cores.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Looks until `look` succeeds and returns what it found. An error of `look` says what the state is.
///
/// # Errors
///
/// `look` still failed after [`PATIENCE`]; the message says `what` was awaited and the last state.
pub fn eventually<T>(what: &str, look: impl FnMut() -> Result<T>) -> Result<T> {
    within(PATIENCE, what, look)
}

/// Like [`eventually`], as long as the caller says.
///
/// # Errors
///
/// `look` still failed after `patience`; the message says `what` was awaited and the last state.
pub fn within<T>(patience: Duration, what: &str, mut look: impl FnMut() -> Result<T>) -> Result<T> {
    let deadline = Instant::now() + patience;
    loop {
        match look() {
            Ok(found) => return Ok(found),
            Err(state) if Instant::now() >= deadline => return Err(late(patience, what, &state)),
            Err(_) => thread::sleep(LOOK_EVERY),
        }
    }
}

/// Like [`within`], where looking is asynchronous.
///
/// # Errors
///
/// As there.
pub async fn within_async<T>(
    patience: Duration,
    what: &str,
    mut look: impl AsyncFnMut() -> Result<T>,
) -> Result<T> {
    let deadline = Instant::now() + patience;
    loop {
        match look().await {
            Ok(found) => return Ok(found),
            Err(state) if Instant::now() >= deadline => return Err(late(patience, what, &state)),
            Err(_) => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
}

fn late(patience: Duration, what: &str, state: &Error) -> Error {
    let seconds = patience.as_secs();
    anyhow!("not within {seconds} s: {what}; last: {state:#}")
}
