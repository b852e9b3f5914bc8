//! A line in the log for every request, in the extended NCSA format with the
//! duration in milliseconds at the end, as the reference writes it.

use std::net::SocketAddr;
use std::time::{Instant, SystemTime};

use axum::body::HttpBody;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::date;
use crate::in_flight::InFlight;

/// The name of the logger.
pub const LOGGER: &str = "org.apache.kafka.connect.runtime.rest.RestServer";

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// Notes the request as running, and logs it when it's answered.
pub(crate) async fn record(
    State(in_flight): State<InFlight>,
    request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let entry = in_flight.enter(format!("{} {}", request.method(), request.uri().path()));
    let line = Line {
        peer: request.extensions().get::<Peer>().copied(),
        time: SystemTime::now(),
        request: format!(
            "{} {} {:?}",
            request.method(),
            request.uri(),
            request.version()
        ),
        referer: text(request.headers(), header::REFERER),
        agent: text(request.headers(), header::USER_AGENT),
    };
    let response = next.run(request).await;
    let status = response.status().as_u16();
    let size = response.body().size_hint().exact();
    let line = line.finish(status, size, started.elapsed().as_millis());
    tracing::info!(target: LOGGER, "{line}");
    drop(entry);
    response
}

/// What is known of a request before it is answered.
struct Line {
    peer: Option<Peer>,
    time: SystemTime,
    request: String,
    referer: String,
    agent: String,
}

impl Line {
    fn finish(self, status: u16, size: Option<u64>, milliseconds: u128) -> String {
        let peer = self
            .peer
            .map_or_else(|| "-".to_owned(), |Peer(address)| address.ip().to_string());
        let size = size.map_or_else(|| "-".to_owned(), |size| size.to_string());
        format!(
            "{peer} - - [{}] \"{}\" {status} {size} \"{}\" \"{}\" {milliseconds}",
            date::log(self.time),
            self.request,
            self.referer,
            self.agent,
        )
    }
}

/// A header's value, quotes escaped so that a client can't forge fields.
fn text(headers: &HeaderMap, name: HeaderName) -> String {
    match headers.get(name).map(|value| value.to_str()) {
        Some(Ok(text)) => text.replace('\\', "\\\\").replace('"', "\\\""),
        _ => "-".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn lines_have_the_extended_ncsa_format() {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::USER_AGENT,
            HeaderValue::from_static("a\" 200 \\\"b"),
        );
        let line = Line {
            peer: Some(Peer(([127, 0, 0, 1], 5).into())),
            time: SystemTime::UNIX_EPOCH,
            request: "GET /connectors?x=1 HTTP/1.1".to_owned(),
            referer: text(&headers, header::REFERER),
            agent: text(&headers, header::USER_AGENT),
        };
        assert_eq!(
            line.finish(200, Some(2), 15),
            "127.0.0.1 - - [01/Jan/1970:00:00:00 +0000] \"GET /connectors?x=1 HTTP/1.1\" 200 2 \
             \"-\" \"a\\\" 200 \\\\\\\"b\" 15"
        );
    }
}
