//! `/connectors/{connector}/offsets` (KIP-875).

use axum::extract::{Path, State};
use tether_worker::herder::OffsetChange;

use crate::api::Api;
use crate::body::{JsonBody, OffsetsRequest};
use crate::dto::{ConnectorOffsets, Message};
use crate::error::RestError;
use crate::json::Json;

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
    JsonBody(request): JsonBody<OffsetsRequest>,
) -> Result<Json<Message>, RestError> {
    change(api, connector, OffsetChange::Alter(request.0)).await
}

/// `DELETE`: forgets all offsets of a stopped connector.
pub(crate) async fn reset(
    State(api): State<Api>,
    Path(connector): Path<String>,
) -> Result<Json<Message>, RestError> {
    change(api, connector, OffsetChange::Reset).await
}

async fn change(
    api: Api,
    connector: String,
    change: OffsetChange,
) -> Result<Json<Message>, RestError> {
    let message = api
        .ask(|herder| async move { herder.change_offsets(&connector, change).await })
        .await?;
    Ok(Json(Message { message }))
}
