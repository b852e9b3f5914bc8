//! Content negotiation: which requests a resource takes (415) and whether the
//! client takes JSON (406).

use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::error::RestError;

/// For resources that take JSON only, whether a request has a body or not.
pub(crate) async fn json_only(request: Request, next: Next) -> Response {
    check(request, next, true).await
}

/// For resources that take anything.
pub(crate) async fn any_body(request: Request, next: Next) -> Response {
    check(request, next, false).await
}

async fn check(request: Request, next: Next, json_only: bool) -> Response {
    if request.method() != Method::OPTIONS
        && let Err(error) = acceptable(request.headers(), json_only)
    {
        return error.into_response();
    }
    next.run(request).await
}

fn acceptable(headers: &HeaderMap, json_only: bool) -> Result<(), RestError> {
    let mut content_types = headers.get_all(header::CONTENT_TYPE).iter();
    if let Some(content_type) = content_types.next() {
        let content_type = content_type.to_str().ok().and_then(media_type);
        let Some((kind, subtype)) = content_type.filter(|_| content_types.next().is_none()) else {
            return Err(RestError::of_status(StatusCode::BAD_REQUEST));
        };
        let is_json =
            kind.eq_ignore_ascii_case("application") && subtype.eq_ignore_ascii_case("json");
        if json_only && !is_json {
            return Err(RestError::of_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
    }
    if takes_json(headers) {
        Ok(())
    } else {
        Err(RestError::of_status(StatusCode::NOT_ACCEPTABLE))
    }
}

/// Type and subtype of a media type or range, its parameters left out.
fn media_type(text: &str) -> Option<(&str, &str)> {
    let name = text.split(';').next().unwrap_or_default().trim();
    let (kind, subtype) = name.split_once('/')?;
    let is_token = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&byte))
    };
    (is_token(kind) && is_token(subtype)).then_some((kind, subtype))
}

/// Whether one of the ranges of `Accept` covers JSON. As the reference, we
/// don't weigh them.
fn takes_json(headers: &HeaderMap) -> bool {
    let mut ranges = headers
        .get_all(header::ACCEPT)
        .iter()
        .flat_map(|value| value.to_str().unwrap_or_default().split(','))
        .map(str::trim)
        .filter(|range| !range.is_empty())
        .peekable();
    ranges.peek().is_none()
        || ranges.any(|range| match media_type(range) {
            Some(("*", "*")) => true,
            Some((kind, subtype)) => {
                kind.eq_ignore_ascii_case("application")
                    && (subtype == "*" || subtype.eq_ignore_ascii_case("json"))
            }
            None => false,
        })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn status(name: header::HeaderName, values: &[&'static str]) -> Option<u16> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(&name, HeaderValue::from_static(value));
        }
        acceptable(&headers, true)
            .err()
            .map(|error| error.status().as_u16())
    }

    #[test]
    fn content_types() {
        let status = |values: &[&'static str]| status(header::CONTENT_TYPE, values);
        assert_eq!(status(&[]), None);
        assert_eq!(status(&["application/json"]), None);
        assert_eq!(status(&["APPLICATION/JSON"]), None);
        assert_eq!(status(&["application/json; charset=utf-8"]), None);
        assert_eq!(status(&["application/json;"]), None);
        assert_eq!(status(&["text/plain"]), Some(415));
        assert_eq!(status(&["application/vnd.x+json"]), Some(415));
        assert_eq!(status(&["*/*"]), Some(415));
        assert_eq!(status(&["garbage"]), Some(400));
        assert_eq!(status(&["application/json, text/plain"]), Some(400));
        assert_eq!(status(&["application/json", "text/plain"]), Some(400));
    }

    #[test]
    fn accepted_types() {
        let status = |values: &[&'static str]| status(header::ACCEPT, values);
        assert_eq!(status(&[]), None);
        assert_eq!(status(&[""]), None);
        assert_eq!(status(&["*/*"]), None);
        assert_eq!(status(&["text/html", "application/json"]), None);
        assert_eq!(status(&["text/html, application/*;q=0.1"]), None);
        assert_eq!(status(&["text/html"]), Some(406));
        assert_eq!(status(&["application/vnd.x+json"]), Some(406));
        assert_eq!(status(&["garbage"]), Some(406));
    }
}
