//! `/metrics`, which the reference does not have.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use tether_metrics::prometheus;

use crate::api::Api;

/// `GET /metrics`: everything that the worker counts and measures, as text for
/// Prometheus. Whatever the client says that it takes: there is no other form.
pub(crate) async fn read(State(api): State<Api>) -> Response {
    let text = prometheus::render(api.herder().metrics());
    let content_type = HeaderValue::from_static(prometheus::CONTENT_TYPE);
    ([(header::CONTENT_TYPE, content_type)], text).into_response()
}
