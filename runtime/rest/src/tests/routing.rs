use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use proptest::prelude::*;

use super::app::{App, request};

#[tokio::test]
async fn slashes_at_the_end_route() {
    let app = App::new();
    app.create("x").await;
    for path in [
        "/connectors/",
        "/connectors/x/",
        "/connectors/x/status/",
        "/connectors/x/status%20",
        "/connectors/;a=b",
        "/connectors/x;a=b/status",
        "/connector-plugins/",
        "/admin/loggers/",
        "/connectors/?expand=info",
        "/health/",
    ] {
        assert_eq!(app.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn names_are_decoded_once() {
    let app = App::new();
    for (path, name) in [
        ("a%2Fb", "a/b"),
        ("a%25b", "a%b"),
        ("a%2525b", "a%25b"),
        ("%2D%3E", "->"),
        ("a%20", "a "),
        ("a%3Bb", "a;b"),
        ("a%c3%a9", "aé"),
        ("a+b", "a+b"),
        ("%2e%2e", ".."),
        ("a%00b", "a\0b"),
    ] {
        let answer = app.get(&format!("/connectors/{path}")).await;
        assert_eq!(answer.message(), format!("Connector {name} not found"));
    }
}

#[tokio::test]
async fn unknown_paths_are_not_found() {
    let app = App::new();
    for path in [
        "/nope",
        "/CONNECTORS",
        "/connectors/x/nope",
        "/connectors/x/tasks-config",
        "/connectors/x/tasks/0",
        "/connectors/a/./b",
        "/connectors/../connectors",
        "/connector-plugins/x",
        "/admin",
        "/admin/loggers/a/b",
    ] {
        let answer = app.get(path).await;
        assert_eq!(
            (answer.status, answer.message().as_str()),
            (404, "HTTP 404 Not Found"),
            "{path}"
        );
    }
    for path in ["//connectors", "/connectors//x", "/connectors/%ff"] {
        assert_eq!(app.get(path).await.status, 400, "{path}");
    }
}

#[tokio::test]
async fn each_resource_knows_its_methods() {
    let app = App::new();
    app.create("x").await;
    for (path, allow) in [
        ("/", "HEAD,GET,OPTIONS"),
        ("/health", "HEAD,GET,OPTIONS"),
        ("/connectors", "HEAD,POST,GET,OPTIONS"),
        ("/connectors/x", "HEAD,DELETE,GET,OPTIONS"),
        ("/connectors/x/config", "HEAD,GET,OPTIONS,PUT,PATCH"),
        ("/connectors/x/offsets", "HEAD,DELETE,GET,OPTIONS,PATCH"),
        ("/connectors/x/tasks", "HEAD,POST,GET,OPTIONS"),
        ("/connectors/x/fence", "OPTIONS,PUT"),
        ("/connectors/x/status", "HEAD,GET,OPTIONS"),
        ("/connectors/x/topics", "HEAD,GET,OPTIONS"),
        ("/connectors/x/topics/reset", "OPTIONS,PUT"),
        ("/connectors/x/pause", "OPTIONS,PUT"),
        ("/connectors/x/resume", "OPTIONS,PUT"),
        ("/connectors/x/stop", "OPTIONS,PUT"),
        ("/connectors/x/restart", "POST,OPTIONS"),
        ("/connectors/x/tasks/0/status", "HEAD,GET,OPTIONS"),
        ("/connectors/x/tasks/0/restart", "POST,OPTIONS"),
        ("/connector-plugins", "HEAD,GET,OPTIONS"),
        ("/connector-plugins/Source/config", "HEAD,GET,OPTIONS"),
        ("/connector-plugins/Source/config/validate", "OPTIONS,PUT"),
        ("/admin/loggers", "HEAD,GET,OPTIONS"),
        ("/admin/loggers/a.b", "HEAD,GET,OPTIONS,PUT"),
    ] {
        let answer = app.call(Method::OPTIONS, path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("allow"), allow, "{path}");
        assert_eq!(answer.header("content-type"), "text/plain");
        assert_eq!(answer.body, allow.replace(',', ", "));
        for method in [
            "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "FOO",
        ] {
            let method: Method = method.parse().unwrap();
            let answer = app.call(method.clone(), path).await;
            let known = allow.split(',').any(|known| known == method.as_str());
            assert_eq!(answer.status != 405, known, "{method} {path}");
            if !known {
                assert_eq!(answer.header("allow"), allow, "{method} {path}");
                if method != Method::HEAD {
                    assert_eq!(answer.message(), "HTTP 405 Method Not Allowed");
                }
            }
        }
        app.create_again("x").await;
    }
}

impl App {
    /// The connector, whether it still exists or not.
    async fn create_again(&self, name: &str) {
        let path = format!("/connectors/{name}/config");
        self.put(&path, r#"{"connector.class":"Source"}"#).await;
    }
}

#[tokio::test]
async fn head_answers_without_a_body() {
    let answer = App::new().call(Method::HEAD, "/connectors").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("content-length"), "2");
}

#[tokio::test]
async fn types_are_negotiated() {
    let app = App::new();
    app.create("x").await;
    for (method, path, name, value, status) in [
        ("POST", "/connectors", "content-type", "text/plain", 415),
        ("POST", "/connectors", "content-type", "garbage", 400),
        (
            "PUT",
            "/connectors/x/pause",
            "content-type",
            "text/plain",
            415,
        ),
        ("GET", "/connectors", "content-type", "text/plain", 415),
        ("GET", "/", "content-type", "text/plain", 200),
        ("GET", "/", "content-type", "garbage", 400),
        (
            "POST",
            "/connectors/x/tasks",
            "content-type",
            "text/plain",
            400,
        ),
        (
            "GET",
            "/connectors/x/tasks",
            "content-type",
            "text/plain",
            415,
        ),
        ("GET", "/connectors", "accept", "text/html", 406),
        ("GET", "/", "accept", "text/html", 406),
        ("GET", "/health", "accept", "text/html", 406),
        ("PUT", "/connectors/x/pause", "accept", "text/html", 406),
        ("POST", "/connectors/x/tasks", "accept", "text/html", 406),
        ("GET", "/connectors/x/pause", "accept", "text/html", 405),
        ("GET", "/nope", "accept", "text/html", 404),
        ("OPTIONS", "/connectors", "accept", "text/html", 200),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(name, value)
            .body(Body::empty())
            .unwrap();
        let answer = app.send(request).await;
        assert_eq!(answer.status, status, "{method} {path} {name}: {value}");
        if status >= 400 {
            answer.message();
        }
    }
    let mut untyped = request(Method::POST, "/connectors", "{}");
    untyped.headers_mut().remove(header::CONTENT_TYPE);
    assert_eq!(app.send(untyped).await.status, 415);
    let mut unused = request(Method::PUT, "/connectors/x/pause", "xx");
    unused.headers_mut().remove(header::CONTENT_TYPE);
    assert_eq!(app.send(unused).await.status, 202);
}

fn methods() -> impl Strategy<Value = Method> {
    prop::sample::select(vec![
        Method::GET,
        Method::PUT,
        Method::POST,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ])
}

/// Paths of resources with anything in the place of names, and any other paths.
fn paths() -> impl Strategy<Value = String> {
    let piece = "[a-z0-9%/;.+?&= -]{0,8}";
    prop_oneof![
        piece.prop_map(|name| format!("/connectors/{name}/config")),
        piece.prop_map(|name| format!("/connectors/x/tasks/{name}/status")),
        piece.prop_map(|name| format!("/connector-plugins/{name}/config/validate")),
        piece.prop_map(|name| format!("/admin/loggers/{name}")),
        piece.prop_map(|query| format!("/connectors?{query}")),
        Just("/connectors".to_owned()),
        Just("/connectors/x/offsets".to_owned()),
        Just("/connectors/x/tasks".to_owned()),
        "/[ -~]{0,24}",
    ]
}

/// JSON of a kind that fits, other JSON, and other bytes.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let value = prop_oneof![
        Just("null".to_owned()),
        Just("{}".to_owned()),
        Just("[{}]".to_owned()),
        Just("1e400".to_owned()),
        Just("\"\\ud800\"".to_owned()),
        "[a-z\"{}:,\\[\\]\\\\u0-9]{0,12}",
    ];
    let field = prop::sample::select(vec![
        "name",
        "config",
        "offsets",
        "level",
        "connector.class",
    ]);
    prop_oneof![
        (field, value).prop_map(|(field, value)| format!("{{\"{field}\":{value}}}").into_bytes()),
        prop::collection::vec(any::<u8>(), 0..64),
    ]
}

proptest! {
    #[test]
    fn any_request_gets_an_answer_in_form(
        method in methods(),
        path in paths(),
        body in bodies(),
        signed: bool,
    ) {
        let Ok(mut request) = Request::builder()
            .method(method)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body))
        else {
            return Ok(());
        };
        if signed {
            let headers = request.headers_mut();
            headers.insert("X-Connect-Authorization", "x".parse().unwrap());
            headers.insert("X-Connect-Request-Signature-Algorithm", "x".parse().unwrap());
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let answer = runtime.block_on(async {
            let app = App::new();
            app.create("x").await;
            app.send(request).await
        });
        if answer.status >= StatusCode::BAD_REQUEST.as_u16() {
            answer.message();
        }
    }
}
