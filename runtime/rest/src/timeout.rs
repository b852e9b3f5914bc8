//! How long a request may take.

use std::future::Future;
use std::time::Duration;

use tether_api::ConnectError;
use tether_worker::herder::{Health, Herder};
use tracing::Instrument as _;

use crate::error::RestError;

/// How long requests may take (`RestServer.DEFAULT_REST_REQUEST_TIMEOUT_MS`,
/// `DEFAULT_HEALTH_CHECK_TIMEOUT_MS`).
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// Any request to the herder.
    pub request: Duration,
    /// `GET /health`.
    pub health: Duration,
    /// How long a request is sent on again to whoever is to answer it then.
    pub forwarding: Duration,
}

impl Timeouts {
    /// How long to wait for the answer of another worker: it may have to wait
    /// for its herder, and then for a third worker.
    pub(crate) fn forward(&self) -> Duration {
        self.request * 2
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            request: Duration::from_secs(90),
            health: Duration::from_secs(10),
            forwarding: Duration::from_secs(90),
        }
    }
}

/// Waits for the herder's answer. Its work goes on when the client has gone or
/// no longer waits, so that it's never cut in half.
///
/// # Errors
/// 500 with what it is doing, if it takes too long.
pub(crate) async fn complete<T: Send + 'static>(
    herder: &dyn Herder,
    timeout: Duration,
    work: impl Future<Output = Result<T, ConnectError>> + Send + 'static,
) -> Result<Result<T, ConnectError>, RestError> {
    match tokio::time::timeout(timeout, tokio::spawn(work.in_current_span())).await {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(failure)) => {
            tracing::error!(error = %failure, "The herder failed at a REST request");
            Err(RestError::internal(
                "The worker failed at this request; its log says why",
            ))
        }
        Err(_) => Err(RestError::internal(match herder.stage() {
            Some(stage) => format!("Request timed out. {stage}"),
            None => "Request timed out".to_owned(),
        })),
    }
}

/// Asks how the worker is; one that doesn't answer in time is unhealthy.
pub(crate) async fn health(herder: &dyn Herder, timeout: Duration) -> Health {
    tokio::time::timeout(timeout, herder.health())
        .await
        .unwrap_or(Health::Unhealthy)
}
