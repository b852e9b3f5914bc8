//! The one place that turns a failure into a status and Connect's body
//! `{"error_code","message"}` (`ConnectExceptionMapper`).

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tether_api::{ConnectError, ErrorKind};
use tether_worker::herder;

use crate::json::Json;

/// The body of every failed request.
#[derive(Serialize)]
struct ErrorMessage<'a> {
    error_code: i32,
    message: &'a str,
}

/// A request that failed: the status and the message of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RestError {
    status: StatusCode,
    error_code: i32,
    message: String,
    header: Option<(HeaderName, HeaderValue)>,
}

impl RestError {
    /// A failure with this status and message.
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            error_code: i32::from(status.as_u16()),
            message: message.into(),
            header: None,
        }
    }

    /// Gives another `error_code` than the status.
    pub(crate) fn with_code(mut self, error_code: i32) -> Self {
        self.error_code = error_code;
        self
    }

    /// A failure whose message is the status itself, `HTTP 404 Not Found`.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        let reason = status.canonical_reason().unwrap_or_default();
        Self::new(status, format!("HTTP {} {reason}", status.as_u16()))
    }

    /// The client sent something wrong; the message says what.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// No resource has this path.
    pub(crate) fn no_resource() -> Self {
        Self::of_status(StatusCode::NOT_FOUND)
    }

    /// The resource has not this method, but those of `allow`.
    pub(crate) fn method_not_allowed(allow: &'static str) -> Self {
        Self::of_status(StatusCode::METHOD_NOT_ALLOWED)
            .with_header(header::ALLOW, HeaderValue::from_static(allow))
    }

    /// The worker could not do what it was asked to.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, message)
    }

    /// Adds a header that belongs to the status.
    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some((name, value));
        self
    }

    /// The status of the answer.
    #[cfg(test)]
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// The message of the answer.
    #[cfg(test)]
    pub(crate) fn message(&self) -> &str {
        &self.message
    }
}

/// The status for each kind of error that a herder returns.
fn status_of(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::AlreadyExists | ErrorKind::IllegalState => StatusCode::CONFLICT,
        ErrorKind::Config => StatusCode::BAD_REQUEST,
        ErrorKind::Retriable | ErrorKind::Data | ErrorKind::Other => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

impl From<ConnectError> for RestError {
    /// Answers to mistakes carry the message alone, which is the reference's;
    /// failures of the worker also name their causes, and are logged.
    fn from(error: ConnectError) -> Self {
        if let Some(answered) = herder::status_of(&error)
            && let Ok(status) = StatusCode::from_u16(answered.status)
        {
            return Self::new(status, error.message()).with_code(answered.error_code);
        }
        let status = status_of(error.kind());
        if status.is_server_error() {
            tracing::error!(error = %error, "A REST request failed");
            return Self::new(status, error.to_string());
        }
        Self::new(status, error.message())
    }
}

impl IntoResponse for RestError {
    fn into_response(self) -> Response {
        let mut headers = HeaderMap::new();
        if let Some((name, value)) = self.header {
            headers.insert(name, value);
        }
        let body = ErrorMessage {
            error_code: self.error_code,
            message: &self.message,
        };
        (self.status, headers, Json(body)).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_a_status() {
        let status = |error: ConnectError| RestError::from(error).status().as_u16();
        assert_eq!(status(ConnectError::not_found("x")), 404);
        assert_eq!(status(ConnectError::already_exists("x")), 409);
        assert_eq!(status(ConnectError::illegal_state("x")), 409);
        assert_eq!(status(ConnectError::config("x")), 400);
        assert_eq!(status(ConnectError::retriable("x")), 500);
        assert_eq!(status(ConnectError::data("x")), 500);
        assert_eq!(status(ConnectError::other("x")), 500);
    }

    #[test]
    fn a_failure_may_have_a_status_of_its_own() {
        let error = RestError::from(herder::answered(403, "no"));
        assert_eq!((error.status().as_u16(), error.message()), (403, "no"));
        let error = RestError::from(herder::answered_with_code(409, 40901, "busy"));
        assert_eq!((error.status().as_u16(), error.error_code), (409, 40901));
    }

    #[test]
    fn only_failures_of_the_worker_name_causes() {
        let error = ConnectError::config("wrong").caused_by("inner");
        assert_eq!(RestError::from(error).message(), "wrong");
        let error = ConnectError::other("broken").caused_by("inner");
        assert_eq!(RestError::from(error).message(), "broken: inner");
    }
}
