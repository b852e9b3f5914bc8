//! The files of the page.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use axum::extract::{OriginalUri, Path};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::error::RestError;

/// A file of the page: its name, its media type and what is in it.
struct Asset(&'static str, &'static str, &'static [u8]);

macro_rules! assets {
    ($($name:literal: $kind:ident),* $(,)?) => {
        &[$(Asset($name, $kind, include_bytes!(concat!("../../ui/", $name)))),*]
    };
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

const PAGE: &str = "index.html";

const ASSETS: &[Asset] = assets! {
    "actions.js": SCRIPT,
    "api.js": SCRIPT,
    "app.js": SCRIPT,
    "base.css": CSS,
    "chart.js": SCRIPT,
    "configuration.js": SCRIPT,
    "connector.js": SCRIPT,
    "dead_letters.js": SCRIPT,
    "dialog.js": SCRIPT,
    "dom.js": SCRIPT,
    "failures.js": SCRIPT,
    "field.js": SCRIPT,
    "form.js": SCRIPT,
    "format.js": SCRIPT,
    "icon.svg": SVG,
    "index.html": HTML,
    "json.js": SCRIPT,
    "links.js": SCRIPT,
    "list.js": SCRIPT,
    "model.js": SCRIPT,
    "notice.js": SCRIPT,
    "offsets.js": SCRIPT,
    "parts.css": CSS,
    "paste.js": SCRIPT,
    "secrets.js": SCRIPT,
    "state.js": SCRIPT,
    "theme.js": SCRIPT,
    "views.css": CSS,
    "workers.js": SCRIPT,
};

/// What every answer has: nothing but the worker's own files is loaded or asked,
/// nobody frames the page, and no browser guesses what a file is.
const GUARDS: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    // A file may be kept, and is asked for again: the next worker may have another.
    (header::CACHE_CONTROL, "no-cache"),
];

/// `GET /ui/`: the page. `GET /ui` leads there, by a path relative to its own, so
/// that it may be behind another one that a proxy adds.
pub(crate) async fn page(OriginalUri(uri): OriginalUri, headers: HeaderMap) -> Response {
    if uri.path().ends_with('/') {
        return answer(PAGE, &headers);
    }
    let location = (header::LOCATION, HeaderValue::from_static("ui/"));
    (StatusCode::PERMANENT_REDIRECT, [location]).into_response()
}

/// `GET /ui/{file}`
pub(crate) async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    answer(&name, &headers)
}

fn answer(name: &str, request: &HeaderMap) -> Response {
    let Some(Asset(_, kind, content)) = ASSETS.iter().find(|Asset(known, ..)| *known == name)
    else {
        return RestError::no_resource().into_response();
    };
    let tag = tag(content);
    let mut headers = HeaderMap::new();
    headers.extend(GUARDS.map(|(name, value)| (name, HeaderValue::from_static(value))));
    let known = request.get_all(header::IF_NONE_MATCH).iter();
    let is_known = known
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|value| value.trim().trim_start_matches("W/") == tag);
    headers.extend(HeaderValue::try_from(tag).map(|tag| (header::ETAG, tag)));
    if is_known {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    (headers, *content).into_response()
}

/// Tells versions of a file apart; the same in every process of one build.
fn tag(content: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}
