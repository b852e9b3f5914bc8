//! The HTTP client with its limits.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::LOCATION;
use reqwest::{Client, ClientBuilder, redirect};
use tether_api::{ConnectError, Result};

use super::{HttpError, Request};

const USER_AGENT: &str = concat!("tether/", env!("CARGO_PKG_VERSION"));

/// What a server may take of us.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Time to connect.
    pub(crate) connect_timeout: Duration,
    /// Time from the request to the end of the body, for each redirect anew.
    pub(crate) request_timeout: Duration,
    /// Bytes of a body after decompression.
    pub(crate) max_body: usize,
    /// Redirects that are followed.
    pub(crate) max_redirects: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(60),
            max_body: 64 * 1024 * 1024,
            max_redirects: 5,
        }
    }
}

/// Sends requests and reads bodies within [`Limits`]. Connections are kept for
/// the next request.
#[derive(Debug)]
pub(crate) struct HttpClient {
    client: Client,
    limits: Limits,
}

impl HttpClient {
    /// A client with these limits.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub(crate) fn new(limits: Limits) -> Result<Self> {
        // The first to install a provider wins, and all of this program install
        // the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = builder(limits).build().or_else(|error| {
            // Without CA certificates on this machine http still works, and
            // https fails by its own message.
            tracing::warn!(
                %error,
                "No CA certificates found, so https URLs will be refused; install ca-certificates"
            );
            builder(limits).tls_certs_only([]).build()
        });
        let client = client.map_err(|error| {
            ConnectError::other("Cannot set up the HTTP client").caused_by(error)
        })?;
        Ok(Self { client, limits })
    }

    /// Sends a request, follows redirects and reads the body of a 2xx answer.
    /// Safe to cancel.
    ///
    /// # Errors
    /// See [`HttpError`].
    pub(crate) async fn get(&self, mut request: Request) -> Result<Bytes, HttpError> {
        for _ in 0..=self.limits.max_redirects {
            let response = request.build(&self.client).send().await?;
            let status = response.status();
            if status.is_success() {
                return self.body(response).await;
            }
            if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Err(HttpError::Status(status));
            }
            request = request.redirected(response.headers().get(LOCATION))?;
            tracing::debug!(url = %crate::endpoint::shown(request.url()), "Following a redirect");
        }
        Err(HttpError::Redirect("once more than allowed"))
    }

    async fn body(&self, mut response: reqwest::Response) -> Result<Bytes, HttpError> {
        let limit = self.limits.max_body;
        if response
            .content_length()
            .is_some_and(|announced| announced > limit as u64)
        {
            return Err(HttpError::TooLarge(limit));
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await? {
            if chunk.len() > limit - body.len() {
                return Err(HttpError::TooLarge(limit));
            }
            if body.is_empty() {
                body = chunk.into();
            } else {
                body.extend_from_slice(&chunk);
            }
        }
        Ok(body.freeze())
    }
}

fn builder(limits: Limits) -> ClientBuilder {
    Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(limits.connect_timeout)
        .timeout(limits.request_timeout)
        // Followed in `get`, which knows which headers are credentials.
        .redirect(redirect::Policy::none())
        .no_proxy()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use axum::Router;
    use axum::body::Body;
    use axum::http::{HeaderMap, HeaderValue, header};
    use axum::routing::get;
    use tokio::net::TcpListener;

    use super::*;
    use crate::config::RestSourceConfig;
    use tether_api::config::ConfigMap;

    const LIMIT: usize = 1000;

    /// Gets `/` of a server with these routes, of which `/` has one.
    async fn fetch(routes: Router, timeout: Duration) -> Result<Bytes, HttpError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move { axum::serve(listener, routes).await });
        let config = ConfigMap::from([("rest.endpoint".to_owned(), url)]);
        let request = Request::new(&RestSourceConfig::parse(&config).unwrap());
        let limits = Limits {
            request_timeout: timeout,
            max_body: LIMIT,
            ..Limits::default()
        };
        let result = HttpClient::new(limits).unwrap().get(request).await;
        serving.abort();
        result
    }

    async fn fetch_body(make: impl Fn() -> Body + Clone + Send + Sync + 'static) -> Option<usize> {
        let routes = Router::new().route("/", get(async move || make()));
        match fetch(routes, Duration::from_secs(30)).await {
            Ok(body) => Some(body.len()),
            Err(HttpError::TooLarge(LIMIT)) => None,
            Err(error) => panic!("{error}"),
        }
    }

    #[tokio::test]
    async fn bodies_up_to_the_limit_arrive() {
        for (size, arrives) in [(0, true), (1, true), (LIMIT, true), (LIMIT + 1, false)] {
            let expected = arrives.then_some(size);
            assert_eq!(fetch_body(move || vec![b'x'; size].into()).await, expected);
            // In pieces, without an announced length.
            let in_pieces = move || {
                let pieces = (0..size).map(|_| Ok::<_, std::io::Error>("x"));
                Body::from_stream(futures::stream::iter(pieces))
            };
            assert_eq!(fetch_body(in_pieces).await, expected);
        }
    }

    #[tokio::test]
    async fn the_limit_counts_decompressed_bytes() {
        for (size, arrives) in [(LIMIT, true), (10_000_000, false)] {
            let zip = move || {
                let mut encoder =
                    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
                encoder.write_all(&vec![b' '; size]).unwrap();
                encoder.finish().unwrap()
            };
            let answer = async move || {
                let gzip = HeaderValue::from_static("gzip");
                (
                    HeaderMap::from_iter([(header::CONTENT_ENCODING, gzip)]),
                    zip(),
                )
            };
            let result = fetch(
                Router::new().route("/", get(answer)),
                Duration::from_secs(30),
            )
            .await;
            assert_eq!(result.is_ok(), arrives);
        }
    }

    #[tokio::test]
    async fn a_server_that_stays_silent_is_given_up() {
        let silence = get(async || std::future::pending::<()>().await);
        let result = fetch(Router::new().route("/", silence), Duration::from_millis(50)).await;
        let error = result.unwrap_err();
        assert!(error.is_transient());
        assert!(error.to_string().contains("timed out"), "{error}");
        assert!(!error.to_string().contains("127.0.0.1"), "{error}");
    }
}
