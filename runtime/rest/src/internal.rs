//! Requests of one worker to another (spec section 1.9). They are signed
//! (KIP-507); a request without a signature never reaches the herder.

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use tether_worker::herder::RawConfig;

use crate::api::Api;
use crate::body::{self, FromJson};
use crate::error::RestError;

/// The header with the signature of a request.
const SIGNATURE: &str = "X-Connect-Authorization";

/// `POST /connectors/{connector}/tasks`
pub(crate) async fn put_task_configs(
    State(api): State<Api>,
    Path(connector): Path<String>,
    request: Request,
) -> Result<StatusCode, RestError> {
    let (parts, content) = request.into_parts();
    let content = body::read(content).await?;
    check_signature(&parts.headers)?;
    let configs = Vec::<RawConfig>::from_json(body::parse(&content)?)?;
    api.ask(|herder| async move { herder.put_task_configs(&connector, configs).await })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `PUT /connectors/{connector}/fence`
pub(crate) async fn fence(
    State(api): State<Api>,
    Path(connector): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, RestError> {
    check_signature(&headers)?;
    api.ask(|herder| async move { herder.fence_zombies(&connector).await })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn check_signature(headers: &HeaderMap) -> Result<(), RestError> {
    if headers.contains_key(SIGNATURE) {
        Ok(())
    } else {
        Err(RestError::bad_request(
            "Internal request missing required signature",
        ))
    }
}
