//! Requests from web pages of other origins
//! (`access.control.allow.origin`, `access.control.allow.methods`), answered as
//! Jetty's cross-origin handler does.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use tether_api::{ConnectError, Result};
use tether_java_regex::Pattern;

/// How long a browser may remember the answer to a preflight, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("60");

/// Which origins may do what.
#[derive(Debug, Clone)]
pub struct Cors {
    origins: Vec<Origin>,
    methods: HeaderValue,
    /// Requests need credentials.
    authenticated: bool,
}

/// An entry of the list of origins.
#[derive(Debug, Clone)]
enum Origin {
    Any,
    /// This one, whatever its case.
    Exact(String),
    /// Every origin that the expression matches as a whole.
    Pattern(Pattern),
}

impl Cors {
    /// Reads the two properties; `None` if no origin is allowed. With
    /// `authenticated`, pages may send credentials in the `Authorization`
    /// header.
    ///
    /// # Errors
    /// Config, for an origin that is no valid expression or a method that HTTP
    /// doesn't permit.
    pub fn parse(origins: &str, methods: &str, authenticated: bool) -> Result<Option<Self>> {
        if origins.trim().is_empty() {
            return Ok(None);
        }
        let methods = if methods.trim().is_empty() {
            "GET,POST,HEAD".to_owned()
        } else {
            items(methods).collect::<Vec<_>>().join(",")
        };
        let methods = HeaderValue::from_str(&methods).map_err(|_| {
            ConnectError::config(format!(
                "Invalid value {methods} for configuration access.control.allow.methods: \
                 expected a list of HTTP methods"
            ))
        })?;
        Ok(Some(Self {
            origins: items(origins).map(Origin::parse).collect::<Result<_>>()?,
            methods,
            authenticated,
        }))
    }

    /// Whether one of the origins of the header is allowed.
    fn allows(&self, origin: &HeaderValue) -> bool {
        origin.to_str().is_ok_and(|origins| {
            origins
                .split_ascii_whitespace()
                .any(|origin| self.origins.iter().any(|allowed| allowed.matches(origin)))
        })
    }
}

fn items(list: &str) -> impl Iterator<Item = &str> {
    list.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
}

impl Origin {
    /// The reference takes every entry as a regular expression. We do so only
    /// where an entry can mean nothing else: a dot in `http://ui.example` is a
    /// dot, and `https://*.example` covers all below `example`.
    fn parse(text: &str) -> Result<Self> {
        let is_plain = |text: &str| {
            text.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/%@".contains(&byte))
        };
        if text == "*" {
            return Ok(Self::Any);
        }
        if is_plain(text) {
            return Ok(Self::Exact(text.to_owned()));
        }
        let expression = match text.split_once("://*.") {
            Some((scheme, domain)) if is_plain(scheme) && is_plain(domain) => {
                format!("{scheme}://.*\\.{}", domain.replace('.', "\\."))
            }
            _ => text.to_owned(),
        };
        Pattern::whole(&format!("(?i:{expression})"))
            .map(Self::Pattern)
            .map_err(|error| {
                ConnectError::config(format!(
                    "Invalid value {text} for configuration access.control.allow.origin: \
                     expected an origin or a regular expression: {error}"
                ))
            })
    }

    fn matches(&self, origin: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(allowed) => allowed.eq_ignore_ascii_case(origin),
            Self::Pattern(pattern) => pattern.matches(origin),
        }
    }
}

/// Marks a request with which a browser asks, without credentials, whether a
/// page of an origin that is allowed may do something.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AllowedPreflight;

/// Adds the headers for origins that are allowed.
pub(crate) async fn allow(
    State(cors): State<Arc<Cors>>,
    mut request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let origin = headers.get(header::ORIGIN).cloned();
    let origin = origin.filter(|origin| cors.allows(origin));
    let preflight = origin.is_some()
        && request.method() == Method::OPTIONS
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    if preflight {
        request.extensions_mut().insert(AllowedPreflight);
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if preflight {
            cors.preflight(headers);
        }
    }
    response
}

impl Cors {
    fn preflight(&self, headers: &mut HeaderMap) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, self.methods.clone());
        let allowed = if self.authenticated {
            "Content-Type,Authorization"
        } else {
            "Content-Type"
        };
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static(allowed),
        );
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(origins: &str, origin: &'static str) -> bool {
        Cors::parse(origins, "", false)
            .unwrap()
            .is_some_and(|cors| cors.allows(&HeaderValue::from_static(origin)))
    }

    #[test]
    fn origins_are_compared_as_meant() {
        let list = "http://ui.example, https://*.wild.example,https?://re[0-9]+\\.example";
        for (origin, allowed) in [
            ("http://ui.example", true),
            ("HTTP://UI.EXAMPLE", true),
            ("http://uiXexample", false),
            ("https://ui.example", false),
            ("https://a.wild.example", true),
            ("https://a.b.wild.example", true),
            ("https://wild.example", false),
            ("https://a.wildXexample", false),
            ("https://re12.example", true),
            ("https://re12.example.org", false),
            ("http://other http://ui.example", true),
            ("null", false),
            ("", false),
        ] {
            assert_eq!(allows(list, origin), allowed, "{origin}");
        }
        assert!(allows("*", "http://anything"));
        assert!(!allows(" ", "http://anything"));
    }

    #[test]
    fn a_broken_expression_is_refused() {
        let error = Cors::parse("http://(", "", false).unwrap_err().to_string();
        assert!(
            error.starts_with(
                "Invalid value http://( for configuration access.control.allow.origin: "
            ),
            "{error}"
        );
    }
}
