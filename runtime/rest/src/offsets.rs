//! `/connectors/{connector}/offsets` (KIP-875).

use axum::extract::{Path, State};
use axum::http::Method;
use axum::response::Response;
use tether_worker::herder::OffsetChange;

use crate::api::Api;
use crate::body::{JsonBody, OffsetsRequest};
use crate::dto::{ConnectorOffsets, Message};
use crate::error::RestError;
use crate::forward::{Hop, Onward};
use crate::json::Json;
use crate::path;

/// `GET`: what the connector committed.
pub(crate) async fn get(
    State(api): State<Api>,
    Path(connector): Path<String>,
) -> Result<Json<ConnectorOffsets>, RestError> {
    let offsets = api
        .ask(|herder| async move { herder.connector_offsets(&connector).await })
        .await?;
    Ok(Json(offsets.into()))
}

/// `PATCH`: sets offsets of a stopped connector; null deletes one.
pub(crate) async fn alter(
    State(api): State<Api>,
    Path(connector): Path<String>,
    hop: Hop,
    JsonBody(request): JsonBody<OffsetsRequest>,
) -> Result<Response, RestError> {
    let body = ConnectorOffsets::from(request.0.clone());
    let onward = onward(Method::PATCH, &connector).json(&body)?;
    change(api, connector, hop, onward, OffsetChange::Alter(request.0)).await
}

/// `DELETE`: forgets all offsets of a stopped connector.
pub(crate) async fn reset(
    State(api): State<Api>,
    Path(connector): Path<String>,
    hop: Hop,
) -> Result<Response, RestError> {
    let onward = onward(Method::DELETE, &connector);
    change(api, connector, hop, onward, OffsetChange::Reset).await
}

fn onward(method: Method, connector: &str) -> Onward {
    let path = format!("/connectors/{}/offsets", path::encode(connector));
    Onward::new(method, path)
}

async fn change(
    api: Api,
    connector: String,
    hop: Hop,
    onward: Onward,
    change: OffsetChange,
) -> Result<Response, RestError> {
    let outcome = api
        .ask_or_forward(&hop, onward, (connector, change), |herder, (connector, change)| async move {
            herder.change_offsets(&connector, change).await
        })
        .await?;
    Ok(outcome.body(|message| Message { message }))
}
