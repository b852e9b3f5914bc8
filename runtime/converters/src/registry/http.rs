//! Requests to a registry: several addresses, repetitions, errors.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Proxy, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tether_api::{ConnectError, Result};

use super::auth::{Credentials, without_credentials};
use super::config::Retries;
use super::oauth::Tokens;
use super::{RegistryConfig, RegistryError};

const CONTENT: HeaderValue = HeaderValue::from_static("application/vnd.schemaregistry.v1+json");
const ACCEPTED: HeaderValue = HeaderValue::from_static(
    "application/vnd.schemaregistry.v1+json, application/vnd.schemaregistry+json; qs=0.9, \
     application/json; qs=0.5",
);
/// The largest answer that is read: far above any schema.
const MAX_ANSWER: usize = 64 << 20;

/// Sends requests to one of several addresses of a registry.
pub(super) struct Http {
    client: Client,
    addresses: Vec<Address>,
    /// The address that answered last.
    current: AtomicUsize,
    retries: Retries,
}

/// An address with what authorises requests to it.
struct Address {
    url: Url,
    authorization: Authorization,
}

/// What authorises requests.
#[derive(Clone)]
enum Authorization {
    None,
    Header(HeaderValue),
    Tokens(Arc<Tokens>),
}

impl Http {
    pub(super) fn new(config: &RegistryConfig) -> Result<Self> {
        // Fails only if there is one already, which does as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .connect_timeout(config.connect_timeout)
            .read_timeout(config.read_timeout)
            .default_headers(headers(&config.headers)?);
        builder = match &config.proxy {
            Some(proxy) => {
                builder.proxy(Proxy::all(format!("http://{proxy}")).map_err(|error| {
                    ConnectError::config("proxy.host and proxy.port make no address")
                        .caused_by(error)
                })?)
            }
            None => builder.no_proxy(),
        };
        let unfit = |error: reqwest::Error| {
            ConnectError::config("the settings of the schema registry's client do not fit")
                .caused_by(error)
        };
        let client = config.tls.apply(builder)?.build().map_err(unfit)?;
        let tokens = match &config.credentials {
            Credentials::OAuth(credentials) => {
                let client = Client::builder()
                    .connect_timeout(config.connect_timeout)
                    .read_timeout(config.read_timeout)
                    .redirect(reqwest::redirect::Policy::none())
                    .no_proxy();
                let client = config.tls.apply(client)?.build().map_err(unfit)?;
                Some(Arc::new(Tokens::new(client, credentials.clone())))
            }
            _ => None,
        };
        let addresses = config.urls()?.into_iter().map(|url| {
            let header = config.credentials.header(url.username(), url.password())?;
            Ok(Address {
                url: without_credentials(&url),
                authorization: match (&tokens, header) {
                    (Some(tokens), _) => Authorization::Tokens(tokens.clone()),
                    (None, Some(header)) => Authorization::Header(header),
                    (None, None) => Authorization::None,
                },
            })
        });
        Ok(Self {
            client,
            addresses: addresses.collect::<Result<_>>()?,
            current: AtomicUsize::new(0),
            retries: config.retries,
        })
    }

    /// Sends a request to the address that answered last, and to the next one
    /// if it fails in a way that may pass. When all have failed, they are tried
    /// again after a while.
    pub(super) async fn request<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<T, RegistryError> {
        let body = body.map(Bytes::from);
        let mut attempt = 0;
        loop {
            let error = match self.request_any(&method, path, body.as_ref()).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if !error.is_retriable() || attempt == self.retries.limit {
                return Err(error);
            }
            tracing::warn!(error = %error, attempt, "the schema registry failed; asking again");
            tokio::time::sleep(self.retries.wait(attempt)).await;
            attempt += 1;
        }
    }

    async fn request_any<T: DeserializeOwned>(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Bytes>,
    ) -> Result<T, RegistryError> {
        let first = self.current.load(Ordering::Relaxed);
        let mut last_error = None;
        for index in (first..).take(self.addresses.len()) {
            let index = index % self.addresses.len();
            match self.send(&self.addresses[index], method, path, body).await {
                Err(error) if error.is_retriable() => last_error = Some(error),
                answer => {
                    self.current.store(index, Ordering::Relaxed);
                    return answer;
                }
            }
        }
        Err(last_error.unwrap_or_else(|| RegistryError::Unreachable {
            url: String::new(),
            reason: "there is no address".to_owned(),
        }))
    }

    async fn send<T: DeserializeOwned>(
        &self,
        address: &Address,
        method: &Method,
        path: &str,
        body: Option<&Bytes>,
    ) -> Result<T, RegistryError> {
        let shown = address.url.as_str();
        let unreachable = |error: reqwest::Error| RegistryError::Unreachable {
            url: shown.to_owned(),
            reason: innermost(&error.without_url()),
        };
        let url = format!("{}{path}", shown.trim_end_matches('/'));
        let mut request = self.client.request(method.clone(), url);
        request = request
            .header(CONTENT_TYPE, CONTENT)
            .header(ACCEPT, ACCEPTED);
        match &address.authorization {
            Authorization::None => {}
            Authorization::Header(header) => {
                request = request.header(AUTHORIZATION, header.clone());
            }
            Authorization::Tokens(tokens) => {
                request = request.header(AUTHORIZATION, tokens.header().await?);
            }
        }
        if let Some(body) = body {
            request = request.body(body.clone());
        }
        let mut response = request.send().await.map_err(unreachable)?;
        let status = response.status().as_u16();
        let mut text = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if text.len() + chunk.len() > MAX_ANSWER {
                return Err(malformed(shown, "it is too long"));
            }
            text.extend_from_slice(&chunk);
        }
        if status == 200 {
            return serde_json::from_slice(&text)
                .map_err(|error| malformed(shown, &error.to_string()));
        }
        if status == 401
            && let Authorization::Tokens(tokens) = &address.authorization
        {
            tokens.forget().await;
        }
        Err(refused(status, &text))
    }
}

impl Retries {
    /// The wait before a repetition: twice as long each time, up to a limit,
    /// and somewhere between half of it and the whole.
    fn wait(&self, attempt: u32) -> Duration {
        let longest = self
            .first_wait
            .saturating_mul(2u32.saturating_pow(attempt))
            .min(self.longest_wait);
        longest.mul_f64(rand::random_range(0.5..=1.0))
    }
}

fn headers(pairs: &[(String, String)]) -> Result<HeaderMap> {
    pairs
        .iter()
        .map(|(name, value)| {
            let name = HeaderName::try_from(name).ok();
            let value = HeaderValue::try_from(value).ok();
            name.zip(value)
        })
        .collect::<Option<_>>()
        .ok_or_else(|| ConnectError::config("request.header.* has no valid HTTP header"))
}

fn malformed(url: &str, reason: &str) -> RegistryError {
    RegistryError::Malformed {
        url: url.to_owned(),
        reason: reason.to_owned(),
    }
}

/// What a registry says when it refuses something.
#[derive(Deserialize)]
struct Refusal {
    error_code: i32,
    #[serde(default)]
    message: Option<String>,
}

fn refused(status: u16, text: &[u8]) -> RegistryError {
    let (code, message) = match serde_json::from_slice::<Refusal>(text) {
        Ok(refusal) => (refusal.error_code, refusal.message.unwrap_or_default()),
        Err(_) => (i32::from(status), format!("HTTP status {status}")),
    };
    RegistryError::Refused {
        status,
        code,
        message,
    }
}

/// The innermost cause says what happened.
pub(super) fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod security_tests;
#[cfg(test)]
mod tests;
