use super::app::{App, request};
use axum::http::Method;

#[tokio::test]
async fn loggers_are_shown() {
    let app = App::new();
    let debug = r#"{"level":"DEBUG","last_modified":5}"#;
    assert_eq!(
        app.get("/admin/loggers").await.body,
        format!(r#"{{"a.b":{debug},"root":{{"level":"INFO","last_modified":null}}}}"#)
    );
    assert_eq!(app.get("/admin/loggers/a.b").await.body, debug);
    let answer = app.get("/admin/loggers/x%2Fy").await;
    assert_eq!(
        (answer.status, answer.message().as_str()),
        (404, "Logger x/y not found.")
    );
}

#[tokio::test]
async fn levels_are_set_here_or_everywhere() {
    let app = App::new();
    for (query, body, expected) in [
        ("", r#"{"level":"debug"}"#, r#"["a.b","DEBUG"]"#),
        (
            "?scope=worker",
            r#"{"level":" OFF ","x":1}"#,
            r#"["a.b","OFF"]"#,
        ),
        (
            "?scope=galaxy",
            r#"{"level":"Fatal"}"#,
            r#"["a.b","FATAL"]"#,
        ),
        ("?scope=", r#"{"level":"all"}"#, r#"["a.b","ALL"]"#),
    ] {
        let answer = app.put(&format!("/admin/loggers/a.b{query}"), body).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, expected));
    }
    let answer = app
        .put("/admin/loggers/a.b?scope=CLUSTER", r#"{"level":"trace"}"#)
        .await;
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    assert_eq!(
        *app.herder.cluster_levels.lock().unwrap(),
        [("a.b".to_owned(), "TRACE".to_owned())]
    );
}

#[tokio::test]
async fn levels_must_be_known() {
    let app = App::new();
    let unspecified = "Desired 'level' parameter was not specified in request.";
    for (body, status, message) in [
        ("{}", 400, unspecified),
        (r#"{"level":null}"#, 400, unspecified),
        (r#"{"level":"LOUD"}"#, 404, "invalid log level 'LOUD'."),
        (r#"{"level":5}"#, 404, "invalid log level '5'."),
        (r#"{"level":""}"#, 404, "invalid log level ''."),
    ] {
        let answer = app.put("/admin/loggers/a.b", body).await;
        assert_eq!(
            (answer.status, answer.message().as_str()),
            (status, message)
        );
    }
}

#[tokio::test]
async fn admin_listeners_have_loggers_only() {
    let get = |path| request(Method::GET, path, "");
    let app = App::with(&[("admin.listeners", "http://127.0.0.1:0")]);
    assert_eq!(app.get("/admin/loggers").await.status, 404);
    assert_eq!(app.send_to_admin(get("/admin/loggers/")).await.status, 200);
    assert_eq!(app.send_to_admin(get("/connectors")).await.status, 404);

    let app = App::with(&[("admin.listeners", "")]);
    assert_eq!(app.get("/admin/loggers").await.status, 404);
}
