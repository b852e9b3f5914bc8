use axum::http::Method;
use serde_json::json;
use tether_storage::TargetState;

use super::app::{App, request};

const STATE: &str = r#"{"state":"RUNNING","worker_id":"worker.example:8083","version":"1.0"}"#;

#[tokio::test]
async fn connectors_are_created_listed_and_deleted() {
    let app = App::new();
    assert_eq!(app.get("/connectors").await.body, "[]");
    let answer = app
        .post(
            "/connectors",
            r#"{"name":" x ","config":{"connector.class":"Source","n":1.50}}"#,
        )
        .await;
    assert_eq!(answer.status, 201);
    assert_eq!(
        answer.header("location"),
        "http://worker.example:8083/connectors/x"
    );
    let info = r#"{"name":"x","config":{"connector.class":"Source","n":"1.50","name":"x"},"tasks":[{"connector":"x","task":0}],"type":"source"}"#;
    assert_eq!(answer.body, info);
    assert_eq!(app.get("/connectors").await.body, r#"["x"]"#);
    assert_eq!(app.get("/connectors/x").await.body, info);
    assert_eq!(
        app.get("/connectors/x/config").await.body,
        r#"{"connector.class":"Source","n":"1.50","name":"x"}"#
    );
    assert_eq!(
        app.get("/connectors/x/tasks").await.body,
        r#"[{"id":{"connector":"x","task":0},"config":{"connector.class":"Source","n":"1.50","name":"x"}}]"#
    );

    let answer = app
        .post(
            "/connectors",
            r#"{"name":"x","config":{"connector.class":"Source"}}"#,
        )
        .await;
    assert_eq!(answer.status, 409);
    assert_eq!(answer.message(), "Connector x already exists");

    let answer = app.delete("/connectors/x").await;
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    for path in [
        "/connectors/x",
        "/connectors/x/config",
        "/connectors/x/tasks",
    ] {
        let answer = app.get(path).await;
        assert_eq!(answer.status, 404);
        assert_eq!(answer.message(), "Connector x not found");
    }
    assert_eq!(app.delete("/connectors/x").await.status, 404);
}

#[tokio::test]
async fn configurations_are_put_and_patched() {
    let app = App::new();
    let answer = app
        .put(
            "/connectors/a%2Fb%20%25/config",
            r#"{"connector.class":"Source"}"#,
        )
        .await;
    assert_eq!(answer.status, 201);
    assert_eq!(
        answer.header("location"),
        "http://worker.example:8083/connectors/a%2Fb%20%25"
    );
    assert_eq!(answer.json()["config"]["name"], "a/b %");

    let answer = app
        .put(
            "/connectors/a%2Fb%20%25/config",
            r#"{"connector.class":"Source","old":true,"name":null}"#,
        )
        .await;
    assert_eq!((answer.status, answer.header("location")), (200, ""));

    let answer = app
        .patch("/connectors/a%2Fb%20%25/config", r#"{"old":null,"new":2}"#)
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json()["config"],
        json!({"connector.class": "Source", "name": "a/b %", "new": "2"})
    );
    assert_eq!(app.patch("/connectors/y/config", "{}").await.status, 404);
}

#[tokio::test]
async fn names_must_agree() {
    let app = App::new();
    let message = "Connector name configuration (y) doesn't match connector name in the URL (x)";
    let config = r#"{"connector.class":"Source","name":"y"}"#;
    let answer = app.put("/connectors/x/config", config).await;
    assert_eq!((answer.status, answer.message().as_str()), (400, message));
    let answer = app
        .post(
            "/connectors",
            &format!(r#"{{"name":"x","config":{config}}}"#),
        )
        .await;
    assert_eq!((answer.status, answer.message().as_str()), (400, message));
}

#[tokio::test]
async fn nulls_reach_the_herder() {
    let app = App::new();
    app.put(
        "/connectors/x/config",
        r#"{"connector.class":"Source","a":null}"#,
    )
    .await;
    assert_eq!(app.herder.raw_config("x").get("a"), Some(&None));
}

#[tokio::test]
async fn connectors_are_commanded() {
    let app = App::new();
    app.create("x").await;
    for (verb, status, target) in [
        ("pause", 202, TargetState::Paused),
        ("resume", 202, TargetState::Started),
        ("stop", 204, TargetState::Stopped),
    ] {
        let answer = app
            .call(Method::PUT, &format!("/connectors/x/{verb}"))
            .await;
        assert_eq!((answer.status, answer.body.as_str()), (status, ""));
        assert_eq!(app.herder.target("x"), target);
        let answer = app
            .call(Method::PUT, &format!("/connectors/y/{verb}"))
            .await;
        assert_eq!(answer.status, 404);
    }
}

#[tokio::test]
async fn a_connector_can_begin_in_another_state() {
    let app = App::new();
    let answer = app
        .post(
            "/connectors",
            r#"{"name":"x","config":{"connector.class":"Source"},"initial_state":"stopped"}"#,
        )
        .await;
    assert_eq!(answer.status, 201);
    assert_eq!(app.herder.target("x"), TargetState::Stopped);
}

#[tokio::test]
async fn restarts_are_plain_or_selective() {
    let app = App::new();
    app.create("x").await;
    let post = async |query: &str| {
        app.call(Method::POST, &format!("/connectors/x/restart{query}"))
            .await
    };
    for query in ["", "?includeTasks=maybe", "?includeTasks=&onlyFailed=0"] {
        let answer = post(query).await;
        assert_eq!((answer.status, answer.body.as_str()), (204, ""), "{query}");
    }
    let answer = post("?includeTasks=TRUE").await;
    assert_eq!(answer.status, 202);
    assert_eq!(answer.json()["connector"]["state"], "RESTARTING");
    assert_eq!(post("?onlyFailed=true&includeTasks=true").await.status, 202);
    assert_eq!(
        app.call(Method::POST, "/connectors/x/tasks/3/restart")
            .await
            .status,
        204
    );
    assert_eq!(
        *app.herder.restarts.lock().unwrap(),
        [
            "x",
            "x",
            "x",
            "x failed=false tasks=true",
            "x failed=true tasks=true",
            "x-3"
        ]
    );
    let answer = app
        .call(Method::POST, "/connectors/x/tasks/-1/restart")
        .await;
    assert_eq!(
        (answer.status, answer.message().as_str()),
        (404, "Unknown task: x--1")
    );
}

#[tokio::test]
async fn statuses_are_shown() {
    let app = App::new();
    app.create("x").await;
    assert_eq!(
        app.get("/connectors/x/status").await.body,
        format!(
            r#"{{"name":"x","connector":{STATE},"tasks":[{{"id":0,{rest},{{"id":1,{rest}],"type":"source"}}"#,
            rest = &STATE[1..]
        )
    );
    assert_eq!(
        app.get("/connectors/x/tasks/+0/status").await.body,
        format!(r#"{{"id":0,{}"#, &STATE[1..])
    );
    *app.herder.trace.lock().unwrap() = Some("why\n".to_owned());
    assert!(
        app.get("/connectors/x/tasks/0/status")
            .await
            .body
            .ends_with(r#""version":"1.0","trace":"why\n"}"#)
    );
    for (path, message) in [
        ("/connectors/y/status", "No status found for connector y"),
        (
            "/connectors/x/tasks/7/status",
            "No status found for task x-7",
        ),
        (
            "/connectors/x/tasks/-1/status",
            "No status found for task x--1",
        ),
        ("/connectors/x/tasks/abc/status", "HTTP 404 Not Found"),
        (
            "/connectors/x/tasks/99999999999/status",
            "HTTP 404 Not Found",
        ),
    ] {
        let answer = app.get(path).await;
        assert_eq!((answer.status, answer.message().as_str()), (404, message));
    }
}

#[tokio::test]
async fn lists_expand() {
    let app = App::new();
    app.create("x").await;
    app.put(
        "/connectors/young/config",
        r#"{"connector.class":"Source","no.status":1}"#,
    )
    .await;
    assert_eq!(
        app.get("/connectors?expand=").await.json(),
        json!({"x": {}, "young": {}})
    );
    assert_eq!(
        app.get("/connectors?expand=other&expand=info").await.json()["young"],
        json!({"info": app.get("/connectors/young").await.json()})
    );
    assert_eq!(
        app.get("/connectors?expand=info&expand=status")
            .await
            .json(),
        json!({"x": {
            "status": app.get("/connectors/x/status").await.json(),
            "info": app.get("/connectors/x").await.json(),
        }})
    );
}

#[tokio::test]
async fn topics_never_miss_a_connector() {
    let app = App::new();
    app.create("x").await;
    assert_eq!(
        app.get("/connectors/x/topics").await.body,
        r#"{"x":{"topics":["t"]}}"#
    );
    assert_eq!(
        app.get("/connectors/y/topics").await.body,
        r#"{"y":{"topics":[]}}"#
    );
    let reset = async |name: &str| {
        app.call(Method::PUT, &format!("/connectors/{name}/topics/reset"))
            .await
    };
    assert_eq!(reset("y").await.status, 202);

    *app.herder.topic_tracking.lock().unwrap() = (true, false);
    assert_eq!(app.get("/connectors/x/topics").await.status, 200);
    let answer = reset("x").await;
    assert_eq!(
        (answer.status, answer.message().as_str()),
        (403, "Topic tracking reset is disabled.")
    );

    *app.herder.topic_tracking.lock().unwrap() = (false, true);
    for answer in [app.get("/connectors/x/topics").await, reset("x").await] {
        assert_eq!(
            (answer.status, answer.message().as_str()),
            (403, "Topic tracking is disabled.")
        );
    }
}

#[tokio::test]
async fn bodies_must_fit() {
    let app = App::new();
    for body in [
        "{bad",
        " ",
        "null",
        "[]",
        "\"x\"",
        "{}",
        r#"{"name":"x"}"#,
        r#"{"name":"x","config":[]}"#,
        r#"{"name":"x","config":{"a":{}}}"#,
        r#"{"name":{},"config":{}}"#,
        r#"{"name":"x","config":{},"zzz":1}"#,
        r#"{"name":"x","config":{"connector.class":"a"},"initial_state":"nope"}"#,
    ] {
        let answer = app.post("/connectors", body).await;
        assert_eq!(answer.status, 400, "{body}");
        answer.message();
    }
    let answer = app.call(Method::POST, "/connectors").await;
    assert_eq!(
        answer.message(),
        "The request needs a JSON body, but it is missing or null"
    );
}

#[tokio::test]
async fn internal_requests_need_a_signature() {
    let app = App::new();
    let signed = |method, path: &str, body| {
        let mut request = request(method, path, body);
        let headers = request.headers_mut();
        headers.insert("X-Connect-Authorization", "c2ln".parse().unwrap());
        headers.insert(
            "X-Connect-Request-Signature-Algorithm",
            "HmacSHA256".parse().unwrap(),
        );
        request
    };
    for (method, path, body) in [
        (Method::POST, "/connectors/x/tasks", "[]"),
        (Method::PUT, "/connectors/x/fence", ""),
    ] {
        let answer = app.send(request(method.clone(), path, body)).await;
        assert_eq!(
            (answer.status, answer.message().as_str()),
            (400, "Internal request missing required signature")
        );
        let answer = app.send(signed(method, path, body)).await;
        assert_eq!(answer.status, 500);
        assert!(answer.message().starts_with("This worker runs alone"));
    }
    let answer = app
        .send(signed(Method::POST, "/connectors/x/tasks", r#"[{"a":[]}]"#))
        .await;
    assert_eq!(
        answer.message(),
        "Invalid value for \"a\" in element 0: expected a string, number or boolean, but found an \
         array"
    );
}
