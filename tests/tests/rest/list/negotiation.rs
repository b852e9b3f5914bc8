//! Content types and `Accept`.

use super::super::step::{Builder, Step, call, get};

pub(super) fn steps() -> Vec<Step> {
    [typed(), untyped(), unread(), internal(), accepted()].concat()
}

/// A body of some type.
fn typed() -> Vec<Step> {
    let create = |content_type: &str| {
        call("POST", "/connectors")
            .header("Content-Type", content_type)
            .body(r#"{"name":"x","config":{}}"#)
    };
    vec![
        create("application/json; charset=utf-8")
            .differs("no-class")
            .into(),
        create("APPLICATION/JSON").differs("no-class").into(),
        create("application/json;").differs("no-class").into(),
        create("text/plain").unrouted().into(),
        create("application/xml").unrouted().into(),
        create("application/vnd.x+json").unrouted().into(),
        create("application/*").into(),
        create("*/*").into(),
        create("garbage").differs("json-errors").into(),
    ]
}

/// A body of no type, where one is read and where not.
fn untyped() -> Vec<Step> {
    [
        ("POST", "/connectors"),
        ("PUT", "/connectors/zz/config"),
        ("PUT", "/connectors/zz/pause"),
        ("GET", "/connectors"),
    ]
    .map(|(method, path)| call(method, path).body("{}").into())
    .to_vec()
}

/// A type where there is no body.
fn unread() -> Vec<Step> {
    let plain = |method: &str, path: &str| call(method, path).header("Content-Type", "text/plain");
    vec![
        plain("GET", "/").into(),
        plain("GET", "/health").into(),
        plain("PUT", "/connectors/zz/fence").into(),
        plain("GET", "/connectors").unrouted().into(),
        plain("DELETE", "/connectors/zz").unrouted().into(),
        plain("PUT", "/connectors/zz/pause").unrouted().into(),
        plain("POST", "/connectors/zz/restart").unrouted().into(),
        plain("GET", "/admin/loggers/root").unrouted().into(),
        plain("GET", "/nope").unrouted().into(),
    ]
}

/// What only other workers may send.
fn internal() -> Vec<Step> {
    let tasks = |body: &str| -> Builder {
        call("POST", "/connectors/zz/tasks")
            .header("Content-Type", "text/plain")
            .body(body)
    };
    vec![
        tasks("[]").into(),
        tasks("{").differs("unsigned-first").into(),
        tasks(r#"[{"a":{}}]"#).differs("unsigned-first").into(),
        tasks("").differs("unsigned-first").into(),
    ]
}

/// What the client takes.
fn accepted() -> Vec<Step> {
    let html = |method: &str, path: &str| call(method, path).header("Accept", "text/html");
    let list = |accept: &str| get("/connectors").header("Accept", accept);
    vec![
        list("*/*").into(),
        list("application/json").into(),
        list("text/html, application/*;q=0.1").into(),
        list("application/json;q=0").into(),
        list("text/html").unrouted().into(),
        list("application/vnd.x+json").unrouted().into(),
        list("garbage").unrouted().into(),
        html("GET", "/").unrouted().into(),
        html("GET", "/health").unrouted().into(),
        html("PUT", "/connectors/zz/pause").unrouted().into(),
        html("POST", "/connectors/zz/tasks").unrouted().into(),
        html("GET", "/nope").unrouted().into(),
        html("GET", "/connectors/zz/pause").wrong_method().into(),
    ]
}
