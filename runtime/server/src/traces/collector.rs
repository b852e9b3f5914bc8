//! Requests to the collector of traces, and what people are told of it.

use std::error::Error as _;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use opentelemetry_http::{HttpClient, HttpError, Request, Response};
use reqwest::{Client, StatusCode, redirect};
use tokio::runtime::Handle;

use super::settings::Settings;

/// The most that is read of an answer, which says which spans were refused.
const ANSWER_LIMIT: usize = 64 * 1024;

/// Sends spans. The thread of the SDK has no runtime, so the worker's does that.
#[derive(Debug)]
pub(super) struct Collector {
    client: Client,
    runtime: Handle,
    address: String,
    /// The last request has failed, and that has been told.
    is_failing: AtomicBool,
}

impl Collector {
    /// One at the endpoint of the settings.
    ///
    /// # Errors
    /// If the library cannot make a client.
    pub(super) fn new(settings: &Settings) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .timeout(settings.timeout)
            // Headers with a key are for this address only.
            .redirect(redirect::Policy::none())
            .build()?;
        Ok(Self {
            client,
            runtime: Handle::current(),
            address: settings.address(),
            is_failing: AtomicBool::new(false),
        })
    }

    /// Tells of the first of several failures, and of the end of them.
    fn tell(&self, problem: Option<(&str, &str)>) {
        let was_failing = self.is_failing.swap(problem.is_some(), Ordering::Relaxed);
        match problem {
            Some((problem, advice)) if !was_failing => tracing::warn!(
                endpoint = self.address,
                problem,
                "Traces cannot be sent and are dropped until they can be; the worker goes on. {advice}"
            ),
            None if was_failing => {
                tracing::info!(endpoint = self.address, "Traces are sent again");
            }
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let exchange = exchange(self.client.clone(), request);
        // It is cut off only when the process ends.
        let answer = self.runtime.spawn(exchange).await?;
        match &answer {
            Ok(answer) if answer.status().is_success() => self.tell(None),
            Ok(answer) => {
                let status = answer.status();
                self.tell(Some((&format!("the answer is {status}"), advice(status))));
            }
            Err(problem) => self.tell(Some((
                problem,
                "Is a collector listening there for OTLP over HTTP? That is usually port 4318; 4317 is for gRPC",
            ))),
        }
        Ok(answer?)
    }
}

/// What to look at after an answer with this status.
fn advice(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            "Check OTEL_EXPORTER_OTLP_HEADERS (name=value,name=value), which say who is sending"
        }
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
            "Check the path: OTEL_EXPORTER_OTLP_ENDPOINT gets /v1/traces at its end, \
             OTEL_EXPORTER_OTLP_TRACES_ENDPOINT stays as it is"
        }
        _ if status.is_redirection() => {
            "Set the endpoint to where it leads: no redirect is followed"
        }
        _ => "The log of the collector says why",
    }
}

/// A request and its answer; else what went wrong.
async fn exchange(client: Client, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
    let (parts, body) = request.into_parts();
    let mut headers = parts.headers;
    for value in headers.values_mut() {
        value.set_sensitive(true);
    }
    let request = client.request(parts.method, parts.uri.to_string());
    let sent = request.headers(headers).body(body).send().await;
    let mut answer = sent.map_err(told)?;
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = answer.status();
    std::mem::swap(response.headers_mut(), answer.headers_mut());
    let mut body = BytesMut::new();
    while let Some(chunk) = answer.chunk().await.map_err(told)? {
        if chunk.len() > ANSWER_LIMIT - body.len() {
            return Err(format!("the answer is longer than {ANSWER_LIMIT} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    *response.body_mut() = body.freeze();
    Ok(response)
}

/// An error and its causes, without the URL.
fn told(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
