use axum::body::Body;
use axum::http::{Method, Request};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::app::{Answer, App};
use crate::config::RestConfig;

fn with(method: &str, path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).unwrap()
}

fn cors(answer: &Answer) -> [&str; 4] {
    [
        "access-control-allow-origin",
        "access-control-allow-methods",
        "access-control-allow-headers",
        "access-control-max-age",
    ]
    .map(|name| answer.header(name))
}

#[tokio::test]
async fn other_origins_are_allowed() {
    let app = App::with(&[
        ("access.control.allow.origin", "http://ui.example"),
        ("access.control.allow.methods", "GET, PUT"),
    ]);
    let origin = ("origin", "http://ui.example");
    let answer = app.send(with("GET", "/connectors", &[origin])).await;
    assert_eq!(cors(&answer), ["http://ui.example", "", "", ""]);
    assert_eq!(answer.header("vary"), "Origin");

    let wish = ("access-control-request-method", "PUT");
    let answer = app
        .send(with("OPTIONS", "/connectors/x", &[origin, wish]))
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        cors(&answer),
        ["http://ui.example", "GET,PUT", "Content-Type", "60"]
    );
    assert_eq!(answer.header("allow"), "HEAD,DELETE,GET,OPTIONS");

    let answer = app.send(with("GET", "/nope", &[origin])).await;
    assert_eq!(answer.status, 404);
    assert_eq!(cors(&answer), ["http://ui.example", "", "", ""]);

    let other = ("origin", "http://other");
    let answer = app.send(with("OPTIONS", "/", &[other, wish])).await;
    assert_eq!(answer.status, 200);
    assert_eq!(cors(&answer), [""; 4]);

    let answer = App::new().send(with("GET", "/", &[origin])).await;
    assert_eq!(cors(&answer), [""; 4]);
    assert_eq!(answer.header("vary"), "");
}

#[tokio::test]
async fn answers_carry_the_wanted_headers() {
    let app = App::with(&[(
        "response.http.headers.config",
        "set X-Frame-Options: DENY, set Content-Type: text/html",
    )]);
    for path in ["/connectors", "/nope"] {
        let answer = app.get(path).await;
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert_eq!(answer.header("content-type"), "application/json");
    }
}

/// An application that lets `alice` in.
fn guarded(more: &[(&str, &str)]) -> App {
    let folder = tempfile::tempdir().unwrap();
    let users = folder.path().join("users.properties");
    std::fs::write(&users, "alice=secret\n").unwrap();
    let jaas = folder.path().join("jaas.conf");
    std::fs::write(
        &jaas,
        format!(
            "KafkaConnect {{ org.apache.kafka.connect.rest.basic.auth.extension.\
             PropertyFileLoginModule required file=\"{}\"; }};",
            users.display()
        ),
    )
    .unwrap();
    let extension =
        "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension";
    let properties = [("rest.extension.classes", extension)]
        .iter()
        .chain(more)
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    let option = format!("-Djava.security.auth.login.config={}", jaas.display());
    App::configured(RestConfig::new(&properties, Some(&option)).unwrap())
}

#[tokio::test]
async fn users_must_say_who_they_are() {
    let app = guarded(&[]);
    let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
    let answer = app.call(Method::PATCH, "/connectors").await;
    assert_eq!((answer.status, answer.header("allow")), (401, ""));
    for path in ["/", "/connectors", "/admin/loggers", "/nope"] {
        let answer = app.get(path).await;
        assert_eq!(
            (answer.status, answer.message().as_str()),
            (401, "User cannot access the resource.")
        );
        assert_eq!(
            answer.header("www-authenticate"),
            "Basic realm=\"Kafka Connect\""
        );
        let wrong = basic("alice:wrong");
        let answer = app
            .send(with("GET", path, &[("authorization", &wrong)]))
            .await;
        assert_eq!(answer.status, 401);
    }
    let right = basic("alice:secret");
    let answer = app
        .send(with("GET", "/connectors", &[("authorization", &right)]))
        .await;
    assert_eq!(answer.status, 200);

    for (method, path) in [
        (Method::POST, "/connectors/x/tasks/"),
        (Method::PUT, "/connectors/x/fence"),
    ] {
        assert_eq!(app.call(method, path).await.status, 400, "{path}");
    }
    for (method, path) in [
        (Method::GET, "/connectors/x/tasks"),
        (Method::POST, "/connectors/x%2Ftasks"),
        (Method::POST, "/connectors/x/tasks/0/restart"),
        (Method::POST, "/admin/connectors/x/tasks"),
    ] {
        assert_eq!(app.call(method, path).await.status, 401, "{path}");
    }
}

#[tokio::test]
async fn preflights_need_no_password() {
    let app = guarded(&[("access.control.allow.origin", "http://ui.example")]);
    let wish = ("access-control-request-method", "PUT");
    let origin = ("origin", "http://ui.example");
    let answer = app
        .send(with("OPTIONS", "/connectors", &[origin, wish]))
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("allow"), "HEAD,POST,GET,OPTIONS");
    assert_eq!(
        cors(&answer),
        [
            "http://ui.example",
            "GET,POST,HEAD",
            "Content-Type,Authorization",
            "60"
        ]
    );
    let other = ("origin", "http://other");
    for headers in [&[origin][..], &[other, wish], &[wish]] {
        let answer = app.send(with("OPTIONS", "/connectors", headers)).await;
        assert_eq!(answer.status, 401);
    }
}
