//! `/admin/loggers`: the levels of loggers (KIP-495, KIP-976).

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tether_worker::herder::RawConfig;

use crate::api::Api;
use crate::body::JsonBody;
use crate::dto::{LoggerLevel, Loggers};
use crate::error::RestError;
use crate::json::Json;
use crate::query::Query;

/// The levels of log4j2, from silence to everything.
const LEVELS: &[&str] = &[
    "OFF", "FATAL", "ERROR", "WARN", "INFO", "DEBUG", "TRACE", "ALL",
];

/// `GET /admin/loggers`
pub(crate) async fn list(State(api): State<Api>) -> Response {
    let loggers: Loggers = api
        .herder()
        .loggers()
        .into_iter()
        .map(|(name, level)| (name, level.into()))
        .collect();
    Json(loggers).into_response()
}

/// `GET /admin/loggers/{logger}`
pub(crate) async fn get(
    State(api): State<Api>,
    Path(logger): Path<String>,
) -> Result<Json<LoggerLevel>, RestError> {
    match api.herder().logger(&logger) {
        Some(level) => Ok(Json(level.into())),
        None => Err(not_found(format!("Logger {logger} not found."))),
    }
}

/// `PUT /admin/loggers/{logger}`: sets the level of a logger and all below it,
/// on this worker or with `scope=cluster` on all.
pub(crate) async fn set(
    State(api): State<Api>,
    Path(logger): Path<String>,
    query: Query,
    JsonBody(body): JsonBody<RawConfig>,
) -> Result<Response, RestError> {
    let Some(Some(level)) = body.get("level") else {
        return Err(RestError::bad_request(
            "Desired 'level' parameter was not specified in request.",
        ));
    };
    let Some(level) = LEVELS
        .iter()
        .find(|known| known.eq_ignore_ascii_case(level.trim()))
    else {
        return Err(not_found(format!("invalid log level '{level}'.")));
    };
    if is_for_cluster(query.first("scope")) {
        api.ask(|herder| async move { herder.set_cluster_logger_level(&logger, level).await })
            .await?;
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok(Json(api.herder().set_logger_level(&logger, level)).into_response())
}

fn is_for_cluster(scope: Option<&str>) -> bool {
    match scope {
        Some(scope) if scope.eq_ignore_ascii_case("cluster") => true,
        Some(scope) if !scope.eq_ignore_ascii_case("worker") => {
            tracing::warn!(
                scope,
                "Received invalid scope in request to adjust logging level; will default to worker"
            );
            false
        }
        _ => false,
    }
}

fn not_found(message: String) -> RestError {
    RestError::new(StatusCode::NOT_FOUND, message)
}
