//! The page and its data.

use axum::http::{Method, header};
use serde_json::{Value, json};
use tether_worker::dead_letters::{DeadLetter, Excerpt};
use tether_worker::herder::Membership;

use super::app::{App, request};
use super::peer::{Worker, answer, answering, gone};

#[tokio::test]
async fn the_page_is_where_it_is_said_to_be() {
    let app = App::new();
    let redirect = app.get("/ui").await;
    assert_eq!((redirect.status, redirect.header("location")), (308, "ui/"));
    let page = app.get("/ui/").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let script = app.get("/ui/app.js").await;
    assert_eq!(
        script.header("content-type"),
        "text/javascript; charset=utf-8"
    );
    for answer in [&page, &script] {
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
    }
    assert_eq!(app.get("/ui/none.js").await.status, 404);
    assert_eq!(app.get("/ui/..%2Fsrc%2Flib.rs").await.status, 404);
    assert_eq!(app.call(Method::POST, "/ui/").await.status, 405);
    let head = app.call(Method::HEAD, "/ui/").await;
    assert_eq!((head.status, &*head.body), (200, ""));
}

#[tokio::test]
async fn everything_that_the_page_loads_is_there() {
    let app = App::new();
    let mut names = vec!["index.html".to_owned()];
    let mut seen = 0;
    while let Some(name) = names.get(seen).cloned() {
        seen += 1;
        let file = app.get(&format!("/ui/{name}")).await;
        assert_eq!(file.status, 200, "{name}");
        let quoted = file.body.split('"').skip(1).step_by(2);
        for found in quoted.map(|text| text.trim_start_matches("./")) {
            let is_file = [".js", ".css", ".svg"]
                .iter()
                .any(|end| found.ends_with(end));
            if is_file && !names.iter().any(|known| known == found) {
                names.push(found.to_owned());
            }
        }
    }
    assert!(seen > 20, "{names:?}");
}

#[tokio::test]
async fn a_file_is_sent_once() {
    let app = App::new();
    let first = app.get("/ui/app.js").await;
    assert_eq!(first.header("cache-control"), "no-cache");
    let tag = first.header("etag");
    for known in [tag.to_owned(), format!("\"other\", W/{tag}")] {
        let mut request = request(Method::GET, "/ui/app.js", "");
        let known = known.parse().unwrap();
        request.headers_mut().insert(header::IF_NONE_MATCH, known);
        let again = app.send(request).await;
        assert_eq!((again.status, &*again.body), (304, ""));
        assert_eq!(again.header("etag"), tag);
    }
}

#[tokio::test]
async fn it_can_be_switched_off() {
    let app = App::with(&[("ui.enabled", "false")]);
    for path in [
        "/ui",
        "/ui/",
        "/ui/app.js",
        "/ui/data/worker",
        "/ui/data/group",
    ] {
        assert_eq!(app.get(path).await.status, 404, "{path}");
    }
    let admin = App::new();
    let answer = admin.send_to_admin(request(Method::GET, "/ui/", "")).await;
    assert_eq!(answer.status, 404);
}

#[tokio::test]
async fn a_worker_tells_the_numbers_of_its_tasks() {
    let app = App::new();
    let metrics = &app.herder.metrics;
    let mut groups = Vec::new();
    let mut group = |kind, attribute, count| {
        let mut group = metrics.group("kafka.connect", kind);
        group.tag("connector", "a").tag("task", "0");
        group.counter(attribute, "A number.").add(count);
        groups.push(group.register());
    };
    group("sink-task-metrics", "sink-record-send-total", 7);
    group("task-error-metrics", "total-record-errors", 2);
    for partition in ["0", "1"] {
        let mut group = metrics.group("kafka.consumer", "consumer-fetch-manager-metrics");
        group.tag("client-id", "connector-consumer-a-0");
        group.tag("partition", partition);
        group.computed("records-lag", "Behind.", || 5.0);
        groups.push(group.register());
    }
    let figures = app.get("/ui/data/worker").await.json();
    assert_eq!(figures["worker"], "worker.example:8083");
    assert_eq!(
        figures["tasks"],
        json!([{"connector": "a", "task": "0", "records": 7, "lag": 10, "errors": 2, "retries": 0}])
    );
}

/// A worker that calls itself by its address.
async fn worker() -> (Worker, String) {
    let worker = Worker::start().await;
    let id = id_of(&worker.url);
    worker.herder.worker_id.lock().unwrap().clone_from(&id);
    (worker, id)
}

fn id_of(url: &str) -> String {
    url.trim_start_matches("http://")
        .trim_end_matches('/')
        .to_owned()
}

fn names(answer: &Value) -> Vec<(String, bool)> {
    let workers = answer["group"]["workers"].as_array().unwrap();
    workers
        .iter()
        .map(|worker| {
            let name = worker["worker"].as_str().unwrap().to_owned();
            (name, worker["figures"].is_object())
        })
        .collect()
}

#[tokio::test]
async fn any_worker_knows_the_numbers_of_all() {
    let ((leader, first), (other, second)) = (worker().await, worker().await);
    let lost = gone().await;
    let (old, asked) = answering(answer(
        "404 Not Found",
        r#"{"error_code":404,"message":"x"}"#,
    ))
    .await;
    let urls = [&leader.url, &other.url, &lost, &old].map(String::clone);
    *leader.herder.membership.lock().unwrap() = Membership::Leader(urls.to_vec());
    *other.herder.membership.lock().unwrap() = Membership::Follower(leader.url.clone());
    let headers = "Authorization: Basic dTpw\r\n";
    let found = other
        .ask_with("GET /ui/data/group", headers, "")
        .await
        .json();
    assert_eq!(found["asked"], second);
    assert_eq!(found["group"]["leader"], first);
    assert_eq!(found["group"]["incomplete"], Value::Null);
    let mut expected = vec![
        (first.clone(), true),
        (second.clone(), true),
        (id_of(&lost), false),
        (id_of(&old), false),
    ];
    expected[1..].sort();
    assert_eq!(names(&found), expected);
    // Who asks goes along.
    let asked = asked.await.unwrap();
    assert_eq!(asked.line, "GET /ui/data/worker HTTP/1.1");
    assert_eq!(asked.header("authorization"), "Basic dTpw");
}

#[tokio::test]
async fn a_worker_whose_leader_does_not_answer_tells_its_own() {
    let (alone, id) = worker().await;
    let lost = gone().await;
    *alone.herder.membership.lock().unwrap() = Membership::Follower(lost.clone());
    let found = alone.ask("GET /ui/data/group", "").await.json();
    assert_eq!(names(&found), [(id.clone(), true), (id_of(&lost), false)]);
    let reason = found["group"]["incomplete"].as_str().unwrap();
    assert!(reason.contains(&id_of(&lost)), "{reason}");

    // Two that take each other for the leader ask no further.
    let (second, _) = worker().await;
    *alone.herder.membership.lock().unwrap() = Membership::Follower(second.url.clone());
    *second.herder.membership.lock().unwrap() = Membership::Follower(alone.url.clone());
    let found = alone.ask("GET /ui/data/group", "").await.json();
    assert_eq!(found["asked"], id);

    *alone.herder.membership.lock().unwrap() = Membership::Unsettled;
    let found = alone.ask("GET /ui/data/group", "").await.json();
    assert_eq!(names(&found), [(id, true)]);
    assert!(found["group"]["incomplete"].is_string());
}

#[tokio::test]
async fn dead_letters_are_text_or_numbers() {
    let app = App::new();
    app.create("a/b").await;
    let excerpt = |bytes: &[u8], length| Excerpt {
        bytes: bytes.to_vec(),
        length,
    };
    app.herder.letters.lock().unwrap().push(DeadLetter {
        partition: 1,
        offset: 7,
        timestamp: Some(5),
        key: None,
        value: Some(excerpt(b"\0\xff", 2)),
        headers: vec![("h".to_owned(), Some(excerpt("é".as_bytes(), 9)))],
    });
    let path = "/ui/data/connectors/a%2Fb/dead-letters";
    let found = app.get(path).await.json();
    assert_eq!(
        found,
        json!({"topic": "dlq", "complete": true, "letters": [{
            "partition": 1, "offset": 7, "timestamp": 5, "key": null,
            "value": {"hex": "00ff", "length": 2, "cut": false},
            "headers": [{"name": "h", "value": {"text": "é", "length": 9, "cut": true}}],
        }]})
    );
    assert_eq!(
        app.get("/ui/data/connectors/none/dead-letters")
            .await
            .status,
        404
    );
    assert_eq!(app.call(Method::DELETE, path).await.status, 405);
}
