//! `/metrics`, which the reference does not have.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tether_metrics::prometheus;

use crate::api::Api;
use crate::error::RestError;

/// `GET /metrics`: everything that the worker counts and measures, as text for
/// Prometheus. Whatever the client says that it takes: there is no other form.
pub(crate) async fn read(State(api): State<Api>) -> Response {
    let metrics = api.herder().metrics().clone();
    // It reads files, and asks code of connectors.
    let text = tokio::task::spawn_blocking(move || prometheus::render(&metrics));
    let Ok(text) = text.await else {
        return RestError::of_status(StatusCode::INTERNAL_SERVER_ERROR).into_response();
    };
    let content_type = HeaderValue::from_static(prometheus::CONTENT_TYPE);
    ([(header::CONTENT_TYPE, content_type)], text).into_response()
}
