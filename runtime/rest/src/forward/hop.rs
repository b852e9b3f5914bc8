//! How far a request has come.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};

use crate::query::Query;
use crate::request_id;

/// What of a request goes on with it.
pub(crate) struct Hop {
    /// `None` at the first worker; then whether the request may be sent on.
    pub(super) forward: Option<bool>,
    /// Who asks.
    pub(super) authorization: Option<HeaderValue>,
    pub(super) request_id: Option<HeaderValue>,
}

impl Hop {
    /// Who asks, in the words of the client.
    pub(crate) fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }

    /// The request's id.
    pub(crate) fn request_id(&self) -> Option<&HeaderValue> {
        self.request_id.as_ref()
    }

    /// Whether the request must not be sent on.
    pub(crate) fn is_last(&self) -> bool {
        self.forward == Some(false)
    }
}

impl<S: Sync> FromRequestParts<S> for Hop {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let query = Query::from_request_parts(parts, state).await?;
        Ok(Self {
            forward: query
                .first("forward")
                .map(|value| value.eq_ignore_ascii_case("true")),
            authorization: parts.headers.get(header::AUTHORIZATION).cloned(),
            request_id: parts.headers.get(request_id::HEADER).cloned(),
        })
    }
}
