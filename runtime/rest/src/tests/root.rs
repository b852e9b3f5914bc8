use std::sync::Arc;

use axum::http::{HeaderValue, Method};
use serde_json::json;
use tether_worker::herder::Health;
use tokio::sync::Notify;

use super::app::{App, request};

#[tokio::test]
async fn the_worker_says_what_it_is() {
    let answer = App::new().get("/").await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.body,
        format!(
            r#"{{"version":"{}","commit":"{}","kafka_cluster_id":"cluster"}}"#,
            crate::VERSION,
            crate::commit()
        )
    );
}

#[tokio::test]
async fn health_has_three_states() {
    let app = App::new();
    let answer = app.get("/health").await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.body,
        r#"{"status":"healthy","message":"Worker has completed startup and is ready to handle requests."}"#
    );

    *app.herder.health.lock().unwrap() = Health::Starting;
    let answer = app.get("/health").await;
    assert_eq!(answer.status, 503);
    assert_eq!(
        answer.json(),
        json!({"status": "starting", "message": "Worker is still starting up."})
    );

    *app.herder.health.lock().unwrap() = Health::Unhealthy;
    *app.herder.stage.lock().unwrap() = Some("The worker is busy.".to_owned());
    let answer = app.get("/health").await;
    assert_eq!(answer.status, 500);
    assert_eq!(
        answer.json(),
        json!({
            "status": "unhealthy",
            "message": "Worker was unable to handle this request and may be unable to handle other \
                        requests. The worker is busy."
        })
    );
}

#[tokio::test]
async fn a_worker_without_its_group_is_unhealthy() {
    let app = App::new();
    *app.herder.health.lock().unwrap() = Health::Unreachable {
        reason: "The coordinator does not answer.".to_owned(),
    };
    let answer = app.get("/health").await;
    assert_eq!(answer.status, 500);
    assert_eq!(
        answer.body,
        r#"{"status":"unhealthy","message":"Worker cannot reach its group and runs nothing. The coordinator does not answer."}"#
    );
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_does_not_answer_is_unhealthy() {
    let app = App::new();
    *app.herder.gate.lock().unwrap() = Some(Arc::new(Notify::new()));
    assert_eq!(app.get("/health").await.status, 500);
    assert_eq!(app.get("/health/live").await.status, 500);
}

#[tokio::test]
async fn a_worker_lives_while_it_answers() {
    let app = App::new();
    let unreachable = Health::Unreachable {
        reason: "The coordinator does not answer.".to_owned(),
    };
    for health in [Health::Healthy, Health::Starting, unreachable] {
        *app.herder.health.lock().unwrap() = health;
        assert_eq!(app.get("/health/live").await.status, 200);
    }
}

#[tokio::test]
async fn each_request_has_an_id() {
    let app = App::new();
    let made = app.get("/").await;
    assert_eq!(made.header("x-request-id").len(), 32, "{made:?}");
    let mut request = request(Method::GET, "/", "");
    let id = HeaderValue::from_static("a-1");
    request.headers_mut().insert("x-request-id", id);
    let given = app.send(request).await;
    assert_eq!(given.header("x-request-id"), "a-1");
}

#[tokio::test(start_paused = true)]
async fn requests_that_take_too_long_tell_the_stage() {
    let app = App::new();
    *app.herder.gate.lock().unwrap() = Some(Arc::new(Notify::new()));
    let answer = app.get("/connectors/x").await;
    assert_eq!(answer.status, 500);
    assert_eq!(answer.message(), "Request timed out");

    *app.herder.stage.lock().unwrap() = Some("The worker is reading.".to_owned());
    let answer = app.get("/connectors/x").await;
    assert_eq!(
        answer.message(),
        "Request timed out. The worker is reading."
    );
}

#[tokio::test(start_paused = true)]
async fn work_goes_on_when_nobody_waits() {
    let app = App::new();
    let gate = Arc::new(Notify::new());
    *app.herder.gate.lock().unwrap() = Some(gate.clone());
    let body = r#"{"name":"x","config":{"connector.class":"Source"}}"#;
    assert_eq!(app.post("/connectors", body).await.status, 500);
    assert_eq!(app.get("/connectors").await.body, "[]");

    *app.herder.gate.lock().unwrap() = None;
    gate.notify_one();
    while app.get("/connectors").await.body == "[]" {
        tokio::task::yield_now().await;
    }
    assert_eq!(app.get("/connectors").await.body, r#"["x"]"#);
}
