//! Spans of requests, for OpenTelemetry. A trace that a client has begun goes on with its request, here and on
//! the workers that the request is sent on to (W3C Trace Context).

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::Response;
use opentelemetry::global;
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use tether_worker::traces::{self, TARGET};
use tracing::field::Empty;
use tracing::{Instrument as _, Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::request_id;

/// What probes and Prometheus ask for every few seconds, which would hide everything else.
const UNTRACED: [&str; 3] = ["/health", "/health/live", "/metrics"];

/// Answers a request in a span of its own, which belongs to the trace of the client if there is one.
pub(crate) async fn serve(request: Request, next: Next) -> Response {
    if UNTRACED.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    let method = known(request.method());
    let id = request.headers().get(&request_id::HEADER);
    let span = info_span!(
        target: TARGET, "request",
        otel.name = method, otel.kind = "server", otel.status_code = Empty,
        http.request.method = method, http.route = Empty, http.response.status_code = Empty,
        url.path = request.uri().path(),
        request = id.and_then(|id| id.to_str().ok()),
    );
    if span.is_disabled() {
        return next.run(request).await;
    }
    let headers = HeaderExtractor(request.headers());
    let parent = global::get_text_map_propagator(|propagator| propagator.extract(&headers));
    // It has not begun yet, so it takes one.
    let _ = span.set_parent(parent);
    let response = next.run(request).instrument(span.clone()).await;
    answered(&span, response.status().as_u16());
    if response.status().is_server_error() {
        traces::failed(&span);
    }
    response
}

/// Names the span of a request after its route, as there are few of them.
pub(crate) async fn name(route: MatchedPath, request: Request, next: Next) -> Response {
    let span = traces::current();
    if !span.is_disabled() {
        let name = format!("{} {}", known(request.method()), route.as_str());
        span.record("otel.name", name);
        span.record("http.route", route.as_str());
    }
    next.run(request).await
}

/// The span of a request to another worker.
pub(crate) fn call(method: &Method, url: &str) -> Span {
    let method = known(method);
    info_span!(
        target: TARGET, "call",
        otel.name = method, otel.kind = "client", otel.status_code = Empty,
        http.request.method = method, http.response.status_code = Empty,
        url.full = url,
    )
}

/// Notes the status of an answer.
pub(crate) fn answered(span: &Span, status: u16) {
    span.record("http.response.status_code", status);
}

/// The headers that tell another worker which trace its answer is a part of.
pub(crate) fn headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    let span = traces::current();
    if !span.is_disabled() {
        global::get_text_map_propagator(|propagator| {
            propagator.inject_context(&span.context(), &mut HeaderInjector(&mut headers));
        });
    }
    headers
}

/// A method as spans have it: clients can make up as many as they like.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "_OTHER",
    }
}
