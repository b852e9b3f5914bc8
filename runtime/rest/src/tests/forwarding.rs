//! Requests that another worker has to answer.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use tether_api::config::ConfigMap;
use tokio::net::TcpListener;

use super::peer::{Message, Worker, answer, answering, gone};
use crate::forward::{Call, RestClient};
use crate::tls::TlsConfig;

const CREATE: &str = r#"{"name":"x","config":{"connector.class":"Source","n":1.50,"z":null}}"#;
const CONFIG: &str = r#"{"connector.class":"Source","n":1.50}"#;
const OFFSETS: &str =
    r#"{"offsets":[{"partition":{"p":"a"},"offset":{"o":5,"f":1.5}},{"partition":null}]}"#;

/// A worker that defers to another one.
async fn two() -> (Worker, Worker) {
    let (asked, leader) = (Worker::start().await, Worker::start().await);
    asked.defer_to(&leader.url);
    (asked, leader)
}

#[tokio::test]
async fn the_right_worker_does_what_another_one_was_asked_for() {
    let (asked, leader) = two().await;
    let created = asked.ask("POST /connectors", CREATE).await;
    assert_eq!(created.status(), 201);
    assert_eq!(
        created.body,
        r#"{"name":"x","config":{"connector.class":"Source","n":"1.50","name":"x"},"tasks":[{"connector":"x","task":0}],"type":"source"}"#
    );
    // That of the worker that was asked, as the client knows it.
    let location = "http://client.example/connectors/x";
    assert_eq!(created.header("location"), location);
    assert_eq!(leader.herder.raw_config("x")["z"], None);

    let again = asked.ask("PUT /connectors/x/config", CONFIG).await;
    assert_eq!((again.status(), again.header("location")), (200, ""));
    let new = asked.ask("PUT /connectors/a%2Fb%20c/config", CONFIG).await;
    assert_eq!(new.status(), 201);
    let location = "http://client.example/connectors/a%2Fb%20c";
    assert_eq!(new.header("location"), location);
    assert_eq!(new.json()["name"], "a/b c");
    let patched = asked
        .ask("PATCH /connectors/x/config", r#"{"n":null}"#)
        .await;
    assert_eq!(patched.status(), 200);
    assert_eq!(patched.json()["config"].get("n"), None);

    let restarted = asked.ask("POST /connectors/x/restart", "").await;
    assert_eq!((restarted.status(), &*restarted.body), (204, ""));
    let restarted = asked
        .ask("POST /connectors/x/restart?onlyFailed=TRUE", "")
        .await;
    assert_eq!(restarted.status(), 202);
    assert_eq!(restarted.json()["connector"]["state"], "RESTARTING");
    let restarted = asked.ask("POST /connectors/x/tasks/0/restart", "").await;
    assert_eq!(restarted.status(), 204);
    assert_eq!(
        *leader.herder.restarts.lock().unwrap(),
        ["x", "x failed=true tasks=false", "x-0"]
    );

    let changed = asked.ask("PATCH /connectors/x/offsets", OFFSETS).await;
    assert_eq!(
        (changed.status(), &*changed.body),
        (200, r#"{"message":"done"}"#)
    );
    let offsets = leader.ask("GET /connectors/x/offsets", "").await;
    assert_eq!(
        offsets.body,
        r#"{"offsets":[{"partition":{"p":"a"},"offset":{"o":5,"f":1.5}},{"partition":null,"offset":null}]}"#
    );
    let changed = asked.ask("DELETE /connectors/x/offsets", "").await;
    assert_eq!(
        (changed.status(), &*changed.body),
        (200, r#"{"message":"done"}"#)
    );

    let stopped = asked.ask("PUT /connectors/x/stop", "").await;
    assert_eq!((stopped.status(), &*stopped.body), (204, ""));
    let deleted = asked.ask("DELETE /connectors/x", "").await;
    assert_eq!((deleted.status(), &*deleted.body), (204, ""));
    let deleted = asked.ask("DELETE /connectors/x", "").await;
    assert_eq!(deleted.error(), (404, "Connector x not found".to_owned()));
    let body = r#"{"name":"a/b c","config":{"connector.class":"Source"}}"#;
    let conflict = asked.ask("POST /connectors", body).await;
    let message = "Connector a/b c already exists".to_owned();
    assert_eq!(conflict.error(), (409, message));
}

#[tokio::test]
async fn a_request_goes_two_workers_far() {
    let (asked, second) = (Worker::impatient().await, Worker::impatient().await);
    asked.defer_to(&second.url);
    let third = Worker::start().await;
    second.defer_to(&third.url);
    let created = asked.ask("POST /connectors", CREATE).await;
    assert_eq!(created.status(), 201);
    assert_eq!(third.herder.raw_config("x")["name"].as_deref(), Some("x"));

    let conflict = (
        409,
        "Cannot complete request because of a conflicting operation (e.g. worker rebalance)"
            .to_owned(),
    );
    let fourth = Worker::start().await;
    third.defer_to(&fourth.url);
    let stopped = asked.ask("PUT /connectors/x/stop", "").await;
    assert_eq!(stopped.error(), conflict);

    // Two workers that each take the other for the leader.
    second.defer_to(&asked.url);
    let stopped = asked.ask("PUT /connectors/x/stop", "").await;
    assert_eq!(stopped.error(), conflict);
    // One that takes itself for somebody else.
    asked.defer_to(&asked.url);
    let stopped = asked.ask("PUT /connectors/x/stop", "").await;
    assert_eq!(stopped.error(), conflict);
    let stopped = asked.ask("PUT /connectors/x/stop?forward=false", "").await;
    assert_eq!(stopped.error(), conflict);
}

#[tokio::test]
async fn nobody_may_be_known_to_answer() {
    let asked = Worker::start().await;
    *asked.herder.elsewhere.lock().unwrap() = Some(None);
    let unknown = "Cannot complete request momentarily due to no known leader URL, likely because \
                   a rebalance was underway."
        .to_owned();
    for path in ["/connectors/x/stop", "/connectors/x/stop?forward=true"] {
        let stopped = asked.ask(&format!("PUT {path}"), "").await;
        assert_eq!(stopped.error(), (409, unknown.clone()));
    }
    let stopped = asked.ask("PUT /connectors/x/stop?forward=false", "").await;
    assert!(
        stopped
            .error()
            .1
            .starts_with("Cannot complete request because")
    );
}

/// What a worker sends on of a request.
async fn sent_on(line: &str, headers: &str, body: &str) -> Message {
    let asked = Worker::start().await;
    let (url, request) = answering("204 No Content\r\n\r\n").await;
    asked.defer_to(&url);
    let answer = asked.ask_with(line, headers, body).await;
    assert!(answer.status() < 300, "{answer:?}");
    request.await.unwrap()
}

#[tokio::test]
async fn requests_are_sent_on_as_the_reference_does() {
    let restart = "POST /connectors/x/restart";
    for (line, body, sent_line, sent_body) in [
        (
            "POST /connectors?other=1",
            CREATE,
            "POST /connectors?forward=true",
            r#"{"name":"x","config":{"connector.class":"Source","n":"1.50","z":null,"name":"x"}}"#,
        ),
        (
            "POST /connectors",
            r#"{"initial_state":"paused","config":{"connector.class":"Source","name":"x"},"name":" x "}"#,
            "POST /connectors?forward=true",
            r#"{"name":"x","config":{"connector.class":"Source","name":"x"},"initial_state":"PAUSED"}"#,
        ),
        (
            "PUT /connectors/a%2Fb/config?forward=True",
            CONFIG,
            "PUT /connectors/a%2Fb/config?forward=false",
            r#"{"connector.class":"Source","n":"1.50","name":"a/b"}"#,
        ),
        (
            "PATCH /connectors/x/config",
            r#"{"a":true,"b":null}"#,
            "PATCH /connectors/x/config?forward=true",
            r#"{"a":"true","b":null}"#,
        ),
        (
            "DELETE /connectors/%C3%A9",
            "",
            "DELETE /connectors/%C3%A9?forward=true",
            "",
        ),
        (restart, "", "POST /connectors/x/restart?forward=true", ""),
        (
            "POST /connectors/x/restart?forward=true&includeTasks=true&onlyFailed=x",
            "",
            "POST /connectors/x/restart?forward=false&includeTasks=true&onlyFailed=false",
            "",
        ),
        (
            "POST /connectors/x/tasks/007/restart",
            "",
            "POST /connectors/x/tasks/7/restart?forward=true",
            "",
        ),
        (
            "PUT /connectors/x/stop/",
            "",
            "PUT /connectors/x/stop?forward=true",
            "",
        ),
        (
            "PATCH /connectors/x/offsets",
            OFFSETS,
            "PATCH /connectors/x/offsets?forward=true",
            r#"{"offsets":[{"partition":{"p":"a"},"offset":{"o":5,"f":1.5}},{"partition":null,"offset":null}]}"#,
        ),
        (
            "DELETE /connectors/x/offsets",
            "",
            "DELETE /connectors/x/offsets?forward=true",
            "",
        ),
    ] {
        let sent = sent_on(line, "", body).await;
        assert_eq!(sent.line, format!("{sent_line} HTTP/1.1"));
        assert_eq!(sent.body, sent_body, "{line}");
        let content_type = if sent_body.is_empty() {
            ""
        } else {
            "application/json"
        };
        assert_eq!(sent.header("content-type"), content_type, "{line}");
    }
}

#[tokio::test]
async fn who_asks_and_the_id_are_sent_on_and_nothing_else() {
    let headers = "Authorization: Basic dTpw\r\nCookie: a=b\r\nAccept: */*\r\nUser-Agent: curl\r\n\
                   X-Connect-Authorization: c2ln\r\nX-Forwarded-For: 1.2.3.4\r\n\
                   X-Request-Id: a-1\r\n";
    let sent = sent_on("PUT /connectors/x/stop", headers, "").await;
    let host = sent.header("host").to_owned();
    let mut sent: Vec<_> = sent
        .headers
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    sent.sort_unstable();
    assert_eq!(
        sent,
        [
            ("accept", "application/json"),
            ("accept-encoding", "gzip"),
            ("authorization", "Basic dTpw"),
            ("host", &*host),
            ("user-agent", "kafka-connect"),
            ("x-request-id", "a-1"),
        ]
    );
}

/// What a client gets when the right worker gives this answer.
async fn relayed(request: (&str, &str), given: impl Into<String>) -> Message {
    let asked = Worker::start().await;
    let (url, _request) = answering(given).await;
    asked.defer_to(&url);
    asked.ask(request.0, request.1).await
}

#[tokio::test]
async fn the_answer_is_passed_on() {
    let delete = ("DELETE /connectors/x", "");
    let create = ("POST /connectors", CREATE);
    let put = ("PUT /connectors/x/config", CONFIG);
    let error = r#"{"error_code":40901,"message":"busy"}"#;
    let failed = relayed(delete, answer("409 Conflict", error)).await;
    assert_eq!((failed.status(), &*failed.body), (409, error));
    let error = r#"{"error_code":418,"message":null,"more":1}"#;
    let failed = relayed(put, answer("418 I'm a teapot", error)).await;
    assert_eq!(failed.error(), (418, String::new()));

    // Of a later version, with more fields than we know.
    let info = r#"{"name":"x", "new":[1.50]}"#;
    let made = relayed(create, answer("201 Created", info)).await;
    assert_eq!((made.status(), &*made.body), (201, info));
    let made = relayed(create, answer("200 OK", info)).await;
    assert_eq!(made.status(), 201);
    let put_answer = relayed(put, answer("201 Created", info)).await;
    assert_eq!((put_answer.status(), &*put_answer.body), (201, info));
    assert_eq!(
        put_answer.header("location"),
        "http://client.example/connectors/x"
    );
    let put_answer = relayed(put, answer("200 OK", info)).await;
    assert_eq!((put_answer.status(), &*put_answer.body), (200, info));
    let done = relayed(delete, answer("200 OK", "null")).await;
    assert_eq!((done.status(), &*done.body), (204, ""));
}

#[tokio::test]
async fn answers_that_make_no_sense_are_errors() {
    let message = async |given: &str| {
        let (status, message) = relayed(("DELETE /connectors/x", ""), given).await.error();
        assert_eq!(status, 500, "{message}");
        message
    };
    // Redirects lead nowhere.
    for status in [300, 302, 307] {
        let given = format!("{status} X\r\nLocation: /\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(
            message(&given).await,
            format!("Unexpected status code when handling forwarded request: {status}")
        );
    }
    let forwarding = "IO Error trying to forward REST request: ";
    for (given, reason) in [
        (answer("200 OK", "{"), "the answer is not JSON"),
        (answer("200 OK", ""), "the answer is not JSON"),
        (
            answer("502 Bad Gateway", "<html>"),
            "the answer has the status 502 and no error message",
        ),
        ("200 OK\r\nContent-Length: 9\r\n\r\n{".to_owned(), ""),
        ("garbage".to_owned(), ""),
        (
            format!("200 OK\r\n\r\n\"{}\"", "x".repeat(16 * 1024 * 1024)),
            "the answer is longer than 16777216 bytes",
        ),
    ] {
        let message = message(&given).await;
        assert!(message.starts_with(forwarding), "{message}");
        assert!(message.contains(reason), "{message}");
    }
}

#[tokio::test]
async fn a_worker_that_is_gone_is_reported() {
    let asked = Worker::impatient().await;
    for (url, reason) in [
        (&*gone().await, "Connection refused"),
        ("http://127.0.0.1:99999/", "is no URL"),
        ("leader", "is no URL"),
        ("ftp://127.0.0.1/", "ftp is no protocol of workers"),
    ] {
        asked.defer_to(url);
        let (status, message) = asked.ask("PUT /connectors/x/stop", "").await.error();
        assert_eq!(status, 500);
        let forwarding = "IO Error trying to forward REST request: ";
        assert!(message.starts_with(forwarding), "{message}");
        assert!(message.contains(reason), "{message}");
    }
}

/// The worker that is to answer is gone, stops or waits for a rebalance; then it
/// is another one.
#[tokio::test]
async fn what_nobody_has_begun_is_sent_on_again() {
    let error = |status: &str, code: u16, message: &str| {
        let body = json!({"error_code": code, "message": message});
        answer(status, &body.to_string())
    };
    let conflict =
        "Cannot complete request because of a conflicting operation (e.g. worker rebalance)";
    let stale = "Cannot complete request momentarily due to stale configuration (typically caused by a \
                 concurrent config change)";
    let internal = "500 Internal Server Error";
    for refusal in [
        None,
        Some(error("409 Conflict", 409, conflict)),
        Some(error("409 Conflict", 409, stale)),
        Some(error(internal, 500, "Worker is shutting down")),
        Some(error("503 Service Unavailable", 503, "starting")),
    ] {
        let (asked, leader) = (Worker::start().await, Worker::start().await);
        let made = leader.ask("PUT /connectors/x/config", CONFIG).await;
        assert_eq!(made.status(), 201);
        asked.defer_to(&match refusal {
            Some(refusal) => answering(refusal).await.0,
            None => gone().await,
        });
        let mut deferred = asked.herder.deferred.subscribe();
        let delete = asked.ask("DELETE /connectors/x", "");
        let rebalance = async {
            // It was told where the request belongs, and asked again.
            deferred.wait_for(|deferred| *deferred == 2).await.unwrap();
            asked.defer_to(&leader.url);
        };
        let (deleted, ()) = tokio::join!(delete, rebalance);
        assert_eq!(deleted.status(), 204, "{}", deleted.body);
        let gone = leader.ask("GET /connectors/x", "").await;
        assert_eq!(gone.status(), 404);
    }
}

/// This worker is the one that is to answer at last.
#[tokio::test]
async fn what_nobody_has_begun_is_done_by_who_may() {
    let asked = Worker::start().await;
    asked.defer_to(&gone().await);
    let mut deferred = asked.herder.deferred.subscribe();
    let create = asked.ask("POST /connectors", CREATE);
    let rebalance = async {
        deferred.wait_for(|deferred| *deferred == 2).await.unwrap();
        *asked.herder.elsewhere.lock().unwrap() = None;
    };
    let (created, ()) = tokio::join!(create, rebalance);
    assert_eq!(created.status(), 201);
    assert_eq!(asked.herder.raw_config("x")["n"].as_deref(), Some("1.50"));
}

#[tokio::test]
async fn a_worker_that_does_not_answer_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let tls = TlsConfig::new(&ConfigMap::new(), "").unwrap();
    let client = RestClient::new(tls, Duration::from_millis(20)).unwrap();
    let error = client
        .send(Call {
            method: Method::GET,
            url: format!("http://{}/", listener.local_addr().unwrap()),
            body: None,
            authorization: None,
            request_id: None,
            signer: None,
        })
        .await
        .unwrap_err();
    assert_eq!(
        error.message(),
        "IO Error trying to forward REST request: no answer within 20 ms"
    );
}

#[tokio::test]
async fn what_every_worker_may_answer_goes_nowhere() {
    let (asked, leader) = two().await;
    let body: Value = json!({"name": "x", "config": {"connector.class": "Source"}});
    *asked.herder.elsewhere.lock().unwrap() = None;
    for worker in [&asked, &leader] {
        let made = worker.ask("POST /connectors", &body.to_string()).await;
        assert_eq!(made.status(), 201);
    }
    asked.defer_to("http://127.0.0.1:9/");
    for (line, status) in [
        ("GET /connectors/x", 200),
        ("GET /connectors/x/status", 200),
        ("PUT /connectors/x/pause", 202),
        ("PUT /connectors/x/resume", 202),
        ("GET /connectors/x/offsets", 200),
    ] {
        assert_eq!(asked.ask(line, "").await.status(), status, "{line}");
    }
}
