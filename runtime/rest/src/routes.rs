//! Which handler answers which path and method.

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post, put};

use crate::api::Api;
use crate::error::RestError;
use crate::{connectors, internal, loggers, metrics, negotiate, offsets, plugins, root};

/// The resources of regular listeners.
pub(crate) fn regular() -> Router<Api> {
    Router::new()
        .merge(root())
        .nest("/connectors", connectors())
        .nest("/connector-plugins", plugins())
}

/// The resources of admin listeners; of regular ones too, unless the worker has
/// listeners for them or wants none.
pub(crate) fn admin() -> Router<Api> {
    Router::new()
        .route("/admin/loggers", reads(get(loggers::list)))
        .route(
            "/admin/loggers/{logger}",
            resource(
                "HEAD,GET,OPTIONS,PUT",
                json(get(loggers::get).put(loggers::set)),
            ),
        )
}

fn root() -> Router<Api> {
    let read = |methods| resource("HEAD,GET,OPTIONS", any(methods));
    Router::new()
        .route("/", read(get(root::server_info)))
        .route("/health", read(get(root::health)))
        .route("/health/live", read(get(root::live)))
        .route("/metrics", resource("HEAD,GET,OPTIONS", get(metrics::read)))
}

fn connectors() -> Router<Api> {
    Router::new()
        .route(
            "/",
            resource(
                "HEAD,POST,GET,OPTIONS",
                json(get(connectors::list).post(connectors::create)),
            ),
        )
        .route(
            "/{connector}",
            resource(
                "HEAD,DELETE,GET,OPTIONS",
                json(get(connectors::get).delete(connectors::delete)),
            ),
        )
        .route(
            "/{connector}/config",
            resource(
                "HEAD,GET,OPTIONS,PUT,PATCH",
                json(
                    get(connectors::get_config)
                        .put(connectors::put_config)
                        .patch(connectors::patch_config),
                ),
            ),
        )
        .route(
            "/{connector}/offsets",
            resource(
                "HEAD,DELETE,GET,OPTIONS,PATCH",
                json(
                    get(offsets::get)
                        .patch(offsets::alter)
                        .delete(offsets::reset),
                ),
            ),
        )
        .route(
            "/{connector}/tasks",
            resource(
                "HEAD,POST,GET,OPTIONS",
                json(get(connectors::tasks)).merge(any(post(internal::put_task_configs))),
            ),
        )
        .route("/{connector}/fence", {
            resource("OPTIONS,PUT", any(put(internal::fence)))
        })
        .route("/{connector}/status", reads(get(connectors::status)))
        .route("/{connector}/topics", reads(get(connectors::topics)))
        .route(
            "/{connector}/topics/reset",
            puts(put(connectors::reset_topics)),
        )
        .route("/{connector}/pause", puts(put(connectors::pause)))
        .route("/{connector}/resume", puts(put(connectors::resume)))
        .route("/{connector}/stop", puts(put(connectors::stop)))
        .route("/{connector}/restart", posts(post(connectors::restart)))
        .route(
            "/{connector}/tasks/{task}/status",
            reads(get(connectors::task_status)),
        )
        .route(
            "/{connector}/tasks/{task}/restart",
            posts(post(connectors::restart_task)),
        )
}

fn plugins() -> Router<Api> {
    Router::new()
        .route("/", reads(get(plugins::list)))
        .route("/{plugin}/config", reads(get(plugins::config)))
        .route("/{plugin}/config/validate", puts(put(plugins::validate)))
}

/// A JSON resource that is only read.
pub(crate) fn reads(methods: MethodRouter<Api>) -> MethodRouter<Api> {
    resource("HEAD,GET,OPTIONS", json(methods))
}

fn puts(methods: MethodRouter<Api>) -> MethodRouter<Api> {
    resource("OPTIONS,PUT", json(methods))
}

fn posts(methods: MethodRouter<Api>) -> MethodRouter<Api> {
    resource("POST,OPTIONS", json(methods))
}

/// Methods that take JSON only.
fn json(methods: MethodRouter<Api>) -> MethodRouter<Api> {
    methods.route_layer(from_fn(negotiate::json_only))
}

/// Methods that take any body.
fn any(methods: MethodRouter<Api>) -> MethodRouter<Api> {
    methods.route_layer(from_fn(negotiate::any_body))
}

/// A resource with these methods, which `allow` lists in the reference's order:
/// it answers `OPTIONS` and refuses other methods.
pub(crate) fn resource(allow: &'static str, methods: MethodRouter<Api>) -> MethodRouter<Api> {
    methods
        .options(move || async move { options(allow) })
        .fallback(move || async move { RestError::method_not_allowed(allow) })
}

fn options(allow: &'static str) -> Response {
    (
        [
            (header::CONTENT_TYPE, HeaderValue::from_static("text/plain")),
            (header::ALLOW, HeaderValue::from_static(allow)),
        ],
        allow.replace(',', ", "),
    )
        .into_response()
}
