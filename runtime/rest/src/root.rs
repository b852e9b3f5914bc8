//! `/`, `/health` and `/health/live`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tether_worker::herder::Health;

use crate::api::Api;
use crate::dto::{ServerInfo, WorkerStatus};
use crate::json::Json;
use crate::timeout;
use crate::version;

/// `GET /`: this worker's version and its Kafka cluster.
pub(crate) async fn server_info(State(api): State<Api>) -> Response {
    Json(ServerInfo {
        version: version::VERSION,
        commit: version::commit(),
        kafka_cluster_id: api.herder().kafka_cluster_id(),
    })
    .into_response()
}

/// `GET /health`: whether the worker has started and answers (KIP-1017).
pub(crate) async fn health(State(api): State<Api>) -> Response {
    let health = timeout::health(api.herder(), api.timeouts().health).await;
    let status = match health {
        Health::Healthy => StatusCode::OK,
        Health::Starting => StatusCode::SERVICE_UNAVAILABLE,
        Health::Unhealthy | Health::Unreachable { .. } => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let body = WorkerStatus::new(health, api.herder().stage());
    (status, Json(body)).into_response()
}

/// `GET /health/live`: whether the worker answers at all. One that starts, or
/// cannot reach its group, does, and would be no better after a restart; one
/// whose herder stands still is.
pub(crate) async fn live(State(api): State<Api>) -> Response {
    let health = timeout::health(api.herder(), api.timeouts().health).await;
    let status = match health {
        Health::Healthy | Health::Starting | Health::Unreachable { .. } => StatusCode::OK,
        Health::Unhealthy => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let body = WorkerStatus::new(health, api.herder().stage());
    (status, Json(body)).into_response()
}
