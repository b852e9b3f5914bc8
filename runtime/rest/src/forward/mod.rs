//! Requests that another worker has to answer are sent on to it
//! (`HerderRequestHandler`, spec section 1.8).
//!
//! A request may be sent on twice: by the worker that a client asked to the one
//! that this takes for the right one, and by that to the one that it knows
//! better. If that is wrong too, a rebalance is going on.
//!
//! A worker that is asked for something while another one is lost learns only
//! later that it is. So a request that nobody has begun to do is sent on again, to
//! whoever is to answer it then, until it is done or [`Timeouts::forwarding`] is
//! over. One whose answer is lost is not: it may have been done.
//!
//! [`Timeouts::forwarding`]: crate::timeout::Timeouts::forwarding

mod client;
mod hop;
mod peers;
mod retries;

use axum::http::Method;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;
use tether_api::{ConnectError, Result};
use tether_worker::herder::{Elsewhere, answered};

use crate::error::RestError;
use crate::json::{self, Json};

pub(crate) use client::{Call, RemoteAnswer, RestClient};
pub(crate) use hop::Hop;
pub(crate) use retries::Retries;

/// A request as it is sent on.
pub(crate) struct Onward {
    method: Method,
    path: String,
    flags: Vec<(&'static str, bool)>,
    body: Option<Bytes>,
}

impl Onward {
    /// A request without a body. The path is encoded.
    pub(crate) fn new(method: Method, path: String) -> Self {
        Self {
            method,
            path,
            flags: Vec::new(),
            body: None,
        }
    }

    /// Adds a query parameter.
    pub(crate) fn flag(mut self, name: &'static str, value: bool) -> Self {
        self.flags.push((name, value));
        self
    }

    /// Adds a body in JSON.
    ///
    /// # Errors
    /// 500, if it cannot be written.
    pub(crate) fn json(mut self, body: &impl Serialize) -> Result<Self, RestError> {
        let body = json::write(body).map_err(|error| RestError::internal(error.to_string()))?;
        self.body = Some(body.into());
        Ok(self)
    }

    /// Sends the request to the worker that has to answer.
    ///
    /// # Errors
    /// 409, if no worker is known or the request has come too far; that worker's
    /// own error; 500, if it cannot be reached. `Retriable`, if nobody has begun
    /// to do what is asked for.
    pub(crate) async fn send(
        &self,
        client: &RestClient,
        hop: &Hop,
        target: &Elsewhere,
    ) -> Result<RemoteAnswer> {
        if hop.is_last() {
            tracing::error!(
                "Request '{} {}' failed because it couldn't find the target Connect worker within \
                 two hops (between workers).",
                self.method,
                self.path
            );
            return Err(conflict(
                "Cannot complete request because of a conflicting operation (e.g. worker rebalance)",
            ));
        }
        let Some(url) = target.url() else {
            return Err(conflict(
                "Cannot complete request momentarily due to no known leader URL, likely because a \
                 rebalance was underway.",
            ));
        };
        let mut url = format!(
            "{}?forward={}",
            join(url, &self.path),
            hop.forward.is_none()
        );
        for (name, value) in &self.flags {
            url.push_str(&format!("&{name}={value}"));
        }
        tracing::debug!(url, method = %self.method, "Forwarding a request");
        let call = client::Call {
            method: self.method.clone(),
            url,
            body: self.body.clone(),
            authorization: hop.authorization.clone(),
            request_id: hop.request_id.clone(),
            signer: None,
        };
        client.send(call).await
    }
}

fn conflict(message: &str) -> ConnectError {
    answered(409, message)
}

/// The URL of a path on a worker whose own URL may end with a slash.
pub(crate) fn join(worker: &str, path: &str) -> String {
    format!("{}{path}", worker.trim_end_matches('/'))
}

/// The answer of this worker or of another one.
pub(crate) enum Outcome<T> {
    /// This worker's.
    Own(T),
    /// Another worker's.
    Remote(RemoteAnswer),
}

impl<T> Outcome<T> {
    /// The body of the answer; the other worker's is passed on as it is.
    pub(crate) fn body<B: Serialize>(self, own: impl FnOnce(T) -> B) -> Response {
        match self {
            Self::Own(answer) => Json(own(answer)).into_response(),
            Self::Remote(answer) => match answer.body {
                Some(body) => Json::<Box<RawValue>>(body).into_response(),
                None => ().into_response(),
            },
        }
    }
}
