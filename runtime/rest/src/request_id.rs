//! An id for each request, by which its lines are found in the logs of all
//! workers that it passes.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;
use uuid::Uuid;

/// The header that carries it, in requests and answers.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Longer ones of clients are not taken over.
const LONGEST: usize = 128;

/// Takes the id that the client has given, or makes one, and tells it in the
/// answer. What is logged meanwhile is in a span with it.
pub(crate) async fn assign(mut request: Request, next: Next) -> Response {
    let given = request.headers().get(&HEADER);
    let id = given.and_then(usable).unwrap_or_else(new);
    let header = HeaderValue::from_str(&id).ok();
    if let Some(header) = &header {
        request.headers_mut().insert(HEADER, header.clone());
    }
    let span = tracing::info_span!("request", request = id);
    let mut response = next.run(request).instrument(span).await;
    if let Some(header) = header {
        response.headers_mut().insert(HEADER, header);
    }
    response
}

/// The id of a client, if it is one that can stand in a line of a log.
fn usable(given: &HeaderValue) -> Option<String> {
    let id = given.to_str().ok()?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(&byte);
    let usable = (1..=LONGEST).contains(&id.len()) && id.bytes().all(is_plain);
    usable.then(|| id.to_owned())
}

fn new() -> String {
    Uuid::new_v4().simple().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_clients_are_short_and_plain() {
        let taken = |id: &str| usable(&HeaderValue::from_str(id).unwrap());
        assert_eq!(taken("4bf92f35-77b3:1"), Some("4bf92f35-77b3:1".to_owned()));
        for id in ["", "a b", "a\"b", "ä", &"a".repeat(129)] {
            assert_eq!(taken(id), None, "{id}");
        }
    }

    #[test]
    fn new_ids_are_usable_and_differ() {
        let (first, second) = (new(), new());
        assert_ne!(first, second);
        assert!(usable(&HeaderValue::from_str(&first).unwrap()).is_some());
    }
}
