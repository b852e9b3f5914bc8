//! Requests of one worker to another (spec section 1.9). They are signed
//! (KIP-507); a request without a signature never reaches the herder. One that
//! should have gone to another worker is sent on without its signature, as by
//! the reference, so that the other one refuses it: who signs has to know the
//! leader.

use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use tether_worker::herder::{ALGORITHM_HEADER, InternalRequest, RawConfig, SIGNATURE_HEADER};

use crate::api::Api;
use crate::body::{self, FromJson};
use crate::error::RestError;
use crate::forward::{Hop, Onward};
use crate::path;

/// `POST /connectors/{connector}/tasks`
pub(crate) async fn put_task_configs(
    State(api): State<Api>,
    Path(connector): Path<String>,
    hop: Hop,
    request: Request,
) -> Result<StatusCode, RestError> {
    let (parts, content) = request.into_parts();
    let content = verified(&api, &parts, content).await?;
    let configs = Vec::<RawConfig>::from_json(body::parse(&content)?)?;
    let path = format!("/connectors/{}/tasks", path::encode(&connector));
    let onward = Onward::new(Method::POST, path).json(&configs)?;
    api.ask_or_forward(&hop, onward, (connector, configs), |herder, (connector, configs)| async move {
        herder.put_task_configs(&connector, configs).await
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `PUT /connectors/{connector}/fence`
pub(crate) async fn fence(
    State(api): State<Api>,
    Path(connector): Path<String>,
    hop: Hop,
    request: Request,
) -> Result<StatusCode, RestError> {
    let (parts, content) = request.into_parts();
    let content = verified(&api, &parts, content).await?;
    let path = format!("/connectors/{}/fence", path::encode(&connector));
    // The reference, too, sends the bytes of the body on as a text in base64.
    let onward = Onward::new(Method::PUT, path).json(&BASE64.encode(&content))?;
    api.ask_or_forward(&hop, onward, connector, |herder, connector| async move {
        herder.fence_zombies(&connector).await
    })
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
