//! Requests of one worker to another (spec section 1.9). They are signed
//! (KIP-507); a request without a signature never reaches the herder.

use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use tether_worker::herder::{ALGORITHM_HEADER, InternalRequest, RawConfig, SIGNATURE_HEADER};

use crate::api::Api;
use crate::body::{self, FromJson};
use crate::error::RestError;

/// `POST /connectors/{connector}/tasks`
pub(crate) async fn put_task_configs(
    State(api): State<Api>,
    Path(connector): Path<String>,
    request: Request,
) -> Result<StatusCode, RestError> {
    let (parts, content) = request.into_parts();
    let content = verified(&api, &parts, content).await?;
    let configs = Vec::<RawConfig>::from_json(body::parse(&content)?)?;
    api.ask(|herder| async move { herder.put_task_configs(&connector, configs).await })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `PUT /connectors/{connector}/fence`
pub(crate) async fn fence(
    State(api): State<Api>,
    Path(connector): Path<String>,
    request: Request,
) -> Result<StatusCode, RestError> {
    let (parts, content) = request.into_parts();
    verified(&api, &parts, content).await?;
    api.ask(|herder| async move { herder.fence_zombies(&connector).await })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The body of a request that comes from a worker of the group.
async fn verified(api: &Api, parts: &Parts, content: axum::body::Body) -> Result<Bytes, RestError> {
    let request = InternalRequest {
        signature: text(&parts.headers, SIGNATURE_HEADER),
        algorithm: text(&parts.headers, ALGORITHM_HEADER),
        body: body::read(content).await?,
    };
    api.herder().verify_internal_request(&request)?;
    Ok(request.body)
}

/// A header's value; a value that is no text counts as missing.
fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}
