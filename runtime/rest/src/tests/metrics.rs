use axum::http::{Method, header};

use super::app::{App, request};

#[tokio::test]
async fn metrics_are_text_for_prometheus() {
    let app = App::new();
    let mut group = app
        .herder
        .metrics
        .group("kafka.connect", "connector-metrics");
    group.tag("connector", "a \"b\"");
    group.text("status", "The state.", "running");
    let _group = group.register();
    let answer = app.get("/metrics").await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("content-type"),
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let line = r#"kafka_connect_connector_status{connector="a \"b\"",status="running"} 1"#;
    assert!(
        answer.body.lines().any(|known| known == line),
        "{}",
        answer.body
    );
}

#[tokio::test]
async fn whoever_asks_gets_the_same_text() {
    let app = App::new();
    for accept in [
        "application/openmetrics-text;version=1.0.0",
        "text/plain",
        "application/json",
    ] {
        let mut request = request(Method::GET, "/metrics", "");
        request
            .headers_mut()
            .insert(header::ACCEPT, accept.parse().unwrap());
        let answer = app.send(request).await;
        assert_eq!(answer.status, 200, "{accept}");
        assert!(answer.header("content-type").starts_with("text/plain"));
    }
    assert_eq!(app.call(Method::POST, "/metrics").await.status, 405);
    assert_eq!(
        app.send_to_admin(request(Method::GET, "/metrics", ""))
            .await
            .status,
        404
    );
}
