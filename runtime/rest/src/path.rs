//! Paths of requests, brought into one form before they are routed.
//!
//! The form: no slash at the end, no matrix parameters (`;x=1`), each segment
//! percent-encoded in one way. So a connector may be called `a/b`, and the
//! router sees `/connectors/a%2Fb`.

use axum::extract::Request;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::error::RestError;

/// What stays as it is in a segment: letters, digits and `-._~!$&'()*+,=:@`.
/// A semicolon would begin a matrix parameter.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

/// Text as one segment of a path.
pub(crate) fn encode(segment: &str) -> String {
    utf8_percent_encode(segment, ENCODED).to_string()
}

/// Brings the path of a request into the form that is routed.
pub(crate) async fn normalize(mut request: Request, next: Next) -> Response {
    match normalized(request.uri()) {
        Ok(uri) => {
            *request.uri_mut() = uri;
            next.run(request).await
        }
        Err(error) => error.into_response(),
    }
}

fn normalized(uri: &Uri) -> Result<Uri, RestError> {
    let mut path = canonical(uri.path())?;
    if let Some(query) = uri.query() {
        path.push('?');
        path.push_str(query);
    }
    let invalid = |_| RestError::bad_request("The path of the request is not valid");
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path.parse::<PathAndQuery>().map_err(invalid)?);
    Uri::from_parts(parts).map_err(|_| RestError::bad_request("The request target is not valid"))
}

fn canonical(path: &str) -> Result<String, RestError> {
    // `*`, which asks about the server as a whole, is no path.
    let path = path.strip_prefix('/').ok_or_else(RestError::no_resource)?;
    let mut segments = Vec::new();
    for segment in path.split('/') {
        let segment = decode(segment.split(';').next().unwrap_or_default())?;
        let segment = if is_name(&segments) {
            segment
        } else {
            // Some clients send `/connectors/x/pause%20`.
            segment.trim_end().to_owned()
        };
        segments.push(segment);
    }
    if segments.last().is_some_and(String::is_empty) {
        segments.pop();
    }
    if segments.iter().any(String::is_empty) {
        return Err(RestError::bad_request(
            "The path of the request has an empty segment",
        ));
    }
    let segments: Vec<String> = segments.iter().map(|segment| encode(segment)).collect();
    Ok(format!("/{}", segments.join("/")))
}

/// Whether the segment after these is a name, in which every character counts.
fn is_name(before: &[String]) -> bool {
    match before {
        [first] => first == "connectors" || first == "connector-plugins",
        [first, second] => first == "admin" && second == "loggers",
        [first, second, third] => first == "ui" && second == "data" && third == "connectors",
        _ => false,
    }
}

fn decode(segment: &str) -> Result<String, RestError> {
    let mut rest = segment.as_bytes();
    while let Some(index) = rest.iter().position(|byte| *byte == b'%') {
        match rest.get(index + 1..index + 3) {
            Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => rest = &rest[index + 3..],
            _ => {
                return Err(RestError::bad_request(
                    "The path of the request has a % without two hexadecimal digits after it",
                ));
            }
        }
    }
    percent_decode_str(segment)
        .decode_utf8()
        .map(|text| text.into_owned())
        .map_err(|_| RestError::bad_request("The path of the request is not valid UTF-8"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_have_one_form() {
        for (path, expected) in [
            ("/", "/"),
            ("/connectors", "/connectors"),
            ("/connectors/", "/connectors"),
            ("/connectors/;x=1", "/connectors"),
            ("/connectors/a;b=c", "/connectors/a"),
            ("/connectors/a%2Fb/", "/connectors/a%2Fb"),
            ("/connectors/a%25b", "/connectors/a%25b"),
            ("/connectors/a%2fb%3b/status", "/connectors/a%2Fb%3B/status"),
            ("/connectors/%2D%3E", "/connectors/-%3E"),
            ("/connectors/x%20/pause%20", "/connectors/x%20/pause"),
            ("/connectors%20", "/connectors"),
            ("/admin/loggers/a.b%20", "/admin/loggers/a.b%20"),
            ("/connectors/a%c3%a9", "/connectors/a%C3%A9"),
        ] {
            assert_eq!(canonical(path).as_deref(), Ok(expected), "{path}");
        }
    }

    #[test]
    fn broken_paths_are_refused() {
        for (path, status) in [
            ("//connectors", 400),
            ("/connectors//x", 400),
            ("/connectors//", 400),
            ("/connectors/%zz", 400),
            ("/connectors/a%", 400),
            ("/connectors/a%4", 400),
            ("/connectors/%ff", 400),
            ("*", 404),
        ] {
            let error = canonical(path).unwrap_err();
            assert_eq!(error.status().as_u16(), status, "{path}");
        }
    }

    proptest! {
        #[test]
        fn names_survive_the_path(name in "\\PC+") {
            let path = format!("/connectors/{}/status", encode(&name));
            prop_assert_eq!(canonical(&path), Ok(path));
        }

        #[test]
        fn the_form_is_final(path in "/[a-z%/; .0-9]{0,20}") {
            if let Ok(form) = canonical(&path) {
                prop_assert_eq!(canonical(&form), Ok(form));
            }
        }
    }
}
