//! Calls of plugin code that must not take the worker down.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;
use tether_api::{ConnectError, Result};

/// Runs plugin code and turns a panic in it into an error with the panic's
/// message.
///
/// What the code was given may be in any state after a panic. Callers only stop
/// and drop it then.
pub(crate) async fn guarded<T>(call: impl Future<Output = Result<T>>) -> Result<T> {
    caught(call).await?
}

/// Like [`guarded`], but keeps the error of a panic apart.
///
/// # Errors
/// If the code panicked.
pub(crate) async fn caught<T>(call: impl Future<Output = T>) -> Result<T> {
    AssertUnwindSafe(call)
        .catch_unwind()
        .await
        .map_err(|panic| panicked(panic.as_ref()))
}

fn panicked(panic: &(dyn Any + Send)) -> ConnectError {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    ConnectError::other(format!(
        "A plugin panicked, which is a defect in it: {message}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_becomes_an_error_with_its_message() {
        let error = guarded::<()>(async { panic!("boom {}", 1) })
            .await
            .unwrap_err();
        assert!(error.message().ends_with("boom 1"), "{error}");
        assert_eq!(guarded(async { Ok(7) }).await.unwrap(), 7);
    }
}
