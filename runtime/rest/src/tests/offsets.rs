use serde_json::json;
use tether_worker::herder::OffsetChange;

use super::app::App;

#[tokio::test]
async fn offsets_are_shown_altered_and_reset() {
    let app = App::new();
    app.create("x").await;
    assert_eq!(
        app.get("/connectors/x/offsets").await.body,
        r#"{"offsets":[]}"#
    );

    let offsets = r#"{"offsets":[{"partition":{"b":"é","a":1},"offset":{"n":9007199254740993,"r":1.5,"f":true,"o":null,"l":[1,{"k":2}]}},{"partition":{},"offset":null}]}"#;
    let answer = app.patch("/connectors/x/offsets", offsets).await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (200, r#"{"message":"done"}"#)
    );
    assert_eq!(app.get("/connectors/x/offsets").await.body, offsets);

    let answer = app.delete("/connectors/x/offsets").await;
    assert_eq!(
        (answer.status, answer.json()),
        (200, json!({"message": "done"}))
    );
    let changes = app.herder.changes.lock().unwrap();
    assert_eq!(changes.last(), Some(&OffsetChange::Reset));
}

#[tokio::test]
async fn offsets_must_fit() {
    let app = App::new();
    app.create("x").await;
    for body in [
        "",
        "{}",
        "[]",
        r#"{"offsets":null}"#,
        r#"{"offsets":[]}"#,
        r#"{"offsets":[1]}"#,
        r#"{"offsets":[{"partition":1}]}"#,
        r#"{"offsets":[{"other":1}]}"#,
        r#"{"other":[]}"#,
    ] {
        let answer = app.patch("/connectors/x/offsets", body).await;
        assert_eq!(answer.status, 400, "{body}");
        answer.message();
    }
    let many: Vec<String> = (0..1001).map(|index| format!("\"{index}\":1")).collect();
    let body = format!(r#"{{"offsets":[{{"partition":{{{}}}}}]}}"#, many.join(","));
    assert_eq!(
        app.patch("/connectors/x/offsets", &body).await.message(),
        "Invalid value for \"partition\" in \"offsets\"[0]: it has more than 1000 fields"
    );
    let answer = app
        .patch("/connectors/y/offsets", r#"{"offsets":[{"partition":{}}]}"#)
        .await;
    assert_eq!(answer.status, 404);
    assert_eq!(app.get("/connectors/y/offsets").await.status, 404);
    assert_eq!(app.delete("/connectors/y/offsets").await.status, 404);
}
