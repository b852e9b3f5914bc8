//! Requests to other workers (`RestClient`).

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderValue, Method, StatusCode, header};
use bytes::{Bytes, BytesMut};
use reqwest::{Client, Url, redirect};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;
use serde_json::value::RawValue;
use tether_api::{ConnectError, ErrorKind, Result};
use tether_worker::herder::{
    ALGORITHM_HEADER, Answered, SIGNATURE_HEADER, answered, answered_with_code,
};
use tether_worker::session::Signer;
use tether_worker::traces;
use tokio::sync::OnceCell;

use crate::body::BODY_LIMIT;
use crate::request_id;
use crate::tls::TlsConfig;
use crate::trace;

/// How long a connection may take, as for Jetty's client.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// Sends requests to other workers. A copy shares everything with the original.
#[derive(Clone)]
pub(crate) struct RestClient(Arc<Shared>);

struct Shared {
    plain: Client,
    /// Made when the first request goes to an https URL: the stores need not be
    /// there before (KAFKA-14816).
    secure: OnceCell<Client>,
    tls: TlsConfig,
    timeout: Duration,
}

/// A request to another worker.
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) url: String,
    /// JSON.
    pub(crate) body: Option<Bytes>,
    /// Who asks, in the words of the client.
    pub(crate) authorization: Option<HeaderValue>,
    /// The id of the request that this one is for.
    pub(crate) request_id: Option<HeaderValue>,
    /// Proves that this worker is one of the group.
    pub(crate) signer: Option<&'a Signer>,
}

/// The answer of another worker to a request that succeeded.
#[derive(Debug)]
pub(crate) struct RemoteAnswer {
    pub(crate) status: StatusCode,
    /// `None`, if the answer has no content (204).
    pub(crate) body: Option<Box<RawValue>>,
}

/// The body of a failed request.
#[derive(Deserialize)]
struct ErrorMessage {
    error_code: i32,
    #[serde(default)]
    message: Option<String>,
}

impl RestClient {
    /// A client that waits so long for answers.
    ///
    /// # Errors
    /// Other, if the library cannot make one.
    pub(crate) fn new(tls: TlsConfig, timeout: Duration) -> Result<Self> {
        let without_trust = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        Ok(Self(Arc::new(Shared {
            plain: build(without_trust)?,
            secure: OnceCell::new(),
            tls,
            timeout,
        })))
    }

    /// Sends a request.
    ///
    /// # Errors
    /// The error of the answer, with its status and message; else other, in the
    /// words of the reference as far as it has any. `Retriable`, whatever the
    /// status, if the other worker has not begun to do what it was asked for.
    pub(crate) async fn send(&self, call: Call<'_>) -> Result<RemoteAnswer> {
        let url = call.url.clone();
        let answer = self.answer(call).await;
        match &answer {
            Err(error) if error.is_retriable() => {
                tracing::warn!(url, %error, "Another worker does not take a request now");
            }
            Err(error) => tracing::error!(url, %error, "A request to another worker failed"),
            Ok(_) => {}
        }
        answer
    }

    /// The same, for requests that may fail and are repeated: nothing is logged.
    ///
    /// # Errors
    /// As for [`RestClient::send`].
    pub(crate) async fn answer(&self, call: Call<'_>) -> Result<RemoteAnswer> {
        let span = trace::call(&call.method, &call.url);
        traces::within(span, self.answer_in_time(call)).await
    }

    async fn answer_in_time(&self, call: Call<'_>) -> Result<RemoteAnswer> {
        let exchange = self.exchange(call);
        let exchanged = tokio::time::timeout(self.0.timeout, exchange);
        let (status, body) = exchanged.await.map_err(|_| {
            broken(&format!(
                "no answer within {} ms",
                self.0.timeout.as_millis()
            ))
        })??;
        match status {
            StatusCode::NO_CONTENT => Ok(RemoteAnswer { status, body: None }),
            _ if status.is_client_error() || status.is_server_error() => {
                Err(remote_error(status, &body))
            }
            _ if status.is_success() => match serde_json::from_slice(&body) {
                Ok(body) => Ok(RemoteAnswer {
                    status,
                    body: Some(body),
                }),
                Err(error) => Err(broken(&format!("the answer is not JSON: {error}"))),
            },
            _ => Err(answered(
                StatusCode::INTERNAL_SERVER_ERROR.as_u16(),
                format!(
                    "Unexpected status code when handling forwarded request: {}",
                    status.as_u16()
                ),
            )),
        }
    }

    async fn exchange(&self, call: Call<'_>) -> Result<(StatusCode, Bytes)> {
        let url = Url::parse(&call.url)
            .map_err(|error| broken(&format!("{} is no URL: {error}", call.url)))?;
        let client = match url.scheme() {
            "http" => &self.0.plain,
            "https" => self.secure().await?,
            other => return Err(broken(&format!("{other} is no protocol of workers"))),
        };
        let mut request = client
            .request(call.method, url)
            .header(header::ACCEPT, "application/json")
            .header(header::USER_AGENT, "kafka-connect")
            .headers(trace::headers());
        if let Some(mut authorization) = call.authorization {
            authorization.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, authorization);
        }
        if let Some(id) = call.request_id {
            request = request.header(request_id::HEADER, id);
        }
        if let Some(signer) = call.signer {
            let signature = signer.sign(call.body.as_deref().unwrap_or_default())?;
            request = request
                .header(SIGNATURE_HEADER, signature)
                .header(ALGORITHM_HEADER, signer.algorithm());
        }
        if let Some(body) = call.body {
            request = request
                .header(header::CONTENT_TYPE, "application/json")
                .body(body);
        }
        let mut response = request.send().await.map_err(failed)?;
        let status = response.status();
        trace::answered(&traces::current(), status.as_u16());
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if chunk.len() > BODY_LIMIT - body.len() {
                return Err(broken(&format!(
                    "the answer is longer than {BODY_LIMIT} bytes"
                )));
            }
            body.extend_from_slice(&chunk);
        }
        Ok((status, body.freeze()))
    }

    /// The client for https, whose stores are read once.
    async fn secure(&self) -> Result<&Client> {
        let made = self.0.secure.get_or_try_init(async || {
            let tls = self.0.tls.clone();
            let config = tokio::task::spawn_blocking(move || tls.client());
            build(config.await.map_err(unusable)??)
        });
        made.await.map_err(|error| {
            answered(
                StatusCode::INTERNAL_SERVER_ERROR.as_u16(),
                format!("Failed to start RestClient: {error}"),
            )
        })
    }
}

fn build(tls: ClientConfig) -> Result<Client> {
    Client::builder()
        .tls_backend_preconfigured(tls)
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(redirect::Policy::none())
        // A connection that the other end is about to close would fail requests
        // that must not be sent twice.
        .pool_max_idle_per_host(0)
        .no_proxy()
        .build()
        .map_err(unusable)
}

fn unusable(error: impl std::error::Error + Send + Sync + 'static) -> ConnectError {
    ConnectError::other("No client for requests to other workers can be made").caused_by(error)
}

/// The error that another worker answered with.
fn remote_error(status: StatusCode, body: &[u8]) -> ConnectError {
    match serde_json::from_slice::<ErrorMessage>(body) {
        Ok(ErrorMessage {
            error_code,
            message,
        }) => {
            let (status, message) = (status.as_u16(), message.unwrap_or_default());
            if is_untouched(status, &message) {
                return ConnectError::new(ErrorKind::Retriable, message)
                    .caused_by(Answered { status, error_code });
            }
            answered_with_code(status, error_code, message)
        }
        Err(_) => broken(&format!(
            "the answer has the status {} and no error message",
            status.as_u16()
        )),
    }
}

/// Whether a worker says with this answer that it does nothing about a request
/// now: it starts or stops, or a rebalance is under way. All of that passes.
fn is_untouched(status: u16, message: &str) -> bool {
    match status {
        409 => message.starts_with("Cannot complete request"),
        500 => message == "Worker is shutting down",
        503 => true,
        _ => false,
    }
}

fn failed(error: reqwest::Error) -> ConnectError {
    let is_connected = !error.is_connect();
    let mut is_distrusted = false;
    // The URL is in the log.
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        // A certificate that is not right does not become so.
        let failure = error.downcast_ref::<io::Error>();
        is_distrusted |= failure.is_some_and(|error| error.kind() == io::ErrorKind::InvalidData);
        cause = error.source();
    }
    if is_connected || is_distrusted {
        return broken(&text);
    }
    ConnectError::retriable(not_forwarded(&text))
}

/// No answer came, or none that makes sense.
fn broken(reason: &str) -> ConnectError {
    ConnectError::other(not_forwarded(reason))
}

fn not_forwarded(reason: &str) -> String {
    format!("IO Error trying to forward REST request: {reason}")
}
