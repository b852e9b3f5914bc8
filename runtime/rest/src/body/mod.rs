//! Bodies of requests: read with a bound, parsed strictly, and turned into what
//! a herder takes.
//!
//! The reference answers most mistakes here with 500 and the text of a Java
//! exception; we answer 400 and say what is wrong (docs/compatibility.md).

mod coerce;
mod create;
mod offsets;

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::value::RawValue;
use tether_worker::herder::RawConfig;

use crate::error::RestError;

pub(crate) use create::{CreateRequest, initial_state};
pub(crate) use offsets::OffsetsRequest;

/// The most bytes that a request's body may have. Configurations are a few
/// kilobytes; this leaves room for the offsets of very many partitions.
pub(crate) const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// How long a client may take to send a body.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// A type that a JSON body can be read as.
pub(crate) trait FromJson: Sized {
    /// Reads the body.
    ///
    /// # Errors
    /// 400, with what is wrong and where.
    fn from_json(json: &RawValue) -> Result<Self, RestError>;
}

/// The JSON body of a request.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: FromJson, S: Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = RestError;

    async fn from_request(request: Request, _: &S) -> Result<Self, RestError> {
        let typed = request.headers().contains_key(header::CONTENT_TYPE);
        let bytes = read(request.into_body()).await?;
        if !typed && !bytes.is_empty() {
            return Err(RestError::of_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        T::from_json(parse(&bytes)?).map(Self)
    }
}

/// Reads a body whole.
///
/// # Errors
/// 413 if it is too long, 408 if it comes too slowly, 400 if it breaks off.
pub(crate) async fn read(body: Body) -> Result<Bytes, RestError> {
    let collected = Limited::new(body, BODY_LIMIT).collect();
    match tokio::time::timeout(READ_TIMEOUT, collected).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(RestError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("The request body is longer than {BODY_LIMIT} bytes"),
        )),
        Ok(Err(error)) => Err(RestError::bad_request(format!(
            "The request body could not be read: {error}"
        ))),
        Err(_) => Err(RestError::of_status(StatusCode::REQUEST_TIMEOUT)),
    }
}

/// Parses a body; blank ones and a JSON null are missing.
///
/// # Errors
/// 400, if it is missing or not JSON.
pub(crate) fn parse(bytes: &[u8]) -> Result<&RawValue, RestError> {
    const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    if bytes.trim_ascii().is_empty() {
        return Err(missing());
    }
    match serde_json::from_slice::<&RawValue>(bytes) {
        Ok(json) if coerce::is_null(json) => Err(missing()),
        Ok(json) => Ok(json),
        Err(error) => Err(RestError::bad_request(format!(
            "The request body is not valid JSON: {error}"
        ))),
    }
}

fn missing() -> RestError {
    RestError::bad_request("The request needs a JSON body, but it is missing or null")
}

impl FromJson for RawConfig {
    fn from_json(json: &RawValue) -> Result<Self, RestError> {
        coerce::config(json, "the request body")
    }
}

/// The task configurations that one worker sends to another.
impl FromJson for Vec<RawConfig> {
    fn from_json(json: &RawValue) -> Result<Self, RestError> {
        coerce::array(json, "the request body")?
            .into_iter()
            .enumerate()
            .map(|(index, item)| coerce::config(item, &format!("element {index}")))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Method;
    use proptest::prelude::*;

    use super::*;

    fn config(body: &str) -> Result<RawConfig, String> {
        parse(body.as_bytes())
            .and_then(RawConfig::from_json)
            .map_err(|error| {
                assert_eq!(error.status(), StatusCode::BAD_REQUEST);
                error.message().to_owned()
            })
    }

    #[test]
    fn scalars_become_their_text() {
        let found = config(
            r#"{"a":1.50,"b":1e3,"c":1E+3,"d":12345678901234567890123,"e":true,"f":-0.0,"g":"x","h":null}"#,
        );
        let expected = [
            ("a", Some("1.50")),
            ("b", Some("1e3")),
            ("c", Some("1E+3")),
            ("d", Some("12345678901234567890123")),
            ("e", Some("true")),
            ("f", Some("-0.0")),
            ("g", Some("x")),
            ("h", None),
        ];
        let expected: RawConfig = expected
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.map(str::to_owned)))
            .collect();
        assert_eq!(found, Ok(expected));
    }

    #[test]
    fn the_last_of_equal_keys_counts() {
        let found = config(r#"{"d":"1","e":"3","d":"2"}"#).unwrap();
        assert_eq!(found["d"].as_deref(), Some("2"));
        assert_eq!(found.get_index(0).unwrap().0, "d");
    }

    #[test]
    fn mistakes_are_explained() {
        let message = |body: &str| config(body).unwrap_err();
        assert_eq!(
            message(r#"{"a":{"b":1}}"#),
            "Invalid value for \"a\" in the request body: expected a string, number or boolean, \
             but found an object"
        );
        assert_eq!(
            message("[]"),
            "Invalid value for the request body: expected an object, but found an array"
        );
        for empty in ["", " \n", "null", "\u{feff}"] {
            assert_eq!(
                message(empty),
                "The request needs a JSON body, but it is missing or null"
            );
        }
        assert_eq!(
            message("{bad"),
            "The request body is not valid JSON: key must be a string at line 1 column 2"
        );
        assert_eq!(
            message("{} trailing"),
            "The request body is not valid JSON: trailing characters at line 1 column 4"
        );
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        assert_eq!(
            message(&format!("{{\"a\":{deep}}}")),
            "Invalid value for \"a\" in the request body: expected a string, number or boolean, \
             but found an array"
        );
        assert_eq!(
            message(r#"{"a":"\ud800"}"#),
            "Invalid value for \"a\" in the request body: unexpected end of hex escape at line 1 column 8"
        );
    }

    #[tokio::test]
    async fn a_body_needs_a_content_type_and_a_bound() {
        let request = |body: Body| {
            Request::builder()
                .method(Method::PUT)
                .uri("/")
                .body(body)
                .unwrap()
        };
        let status = async |body| {
            JsonBody::<RawConfig>::from_request(request(body), &())
                .await
                .err()
                .map(|error| error.status().as_u16())
        };
        assert_eq!(status(Body::from("{}")).await, Some(415));
        assert_eq!(status(Body::empty()).await, Some(400));
        assert_eq!(
            status(Body::from(vec![b' '; BODY_LIMIT + 1])).await,
            Some(413)
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
            if let Ok(json) = parse(&bytes) {
                let _ = RawConfig::from_json(json);
                let _ = CreateRequest::from_json(json);
                let _ = OffsetsRequest::from_json(json);
            }
        }
    }
}
