//! How long the answers of a server are awaited.

use std::future::Future;
use std::time::Duration;

use crate::error::SqlError;

/// Awaits the server no longer than `socketTimeout`.
pub(super) async fn within_timeout<T, E: From<SqlError>>(
    timeout: Option<Duration>,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    match timeout {
        Some(timeout) => tokio::time::timeout(timeout, work)
            .await
            .unwrap_or_else(|_| {
                Err(SqlError::connection(format!(
                    "the server did not answer within {timeout:?} (socketTimeout)"
                ))
                .into())
            }),
        None => work.await,
    }
}
