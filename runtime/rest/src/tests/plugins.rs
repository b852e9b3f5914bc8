use serde_json::json;

use super::app::App;

#[tokio::test]
async fn plugins_are_listed() {
    let app = App::new();
    let connectors = r#"{"class":"a.SinkConnector","type":"sink","version":"1.0"},{"class":"a.SourceConnector","type":"source"}"#;
    for query in ["", "/", "?connectorsOnly=", "?connectorsOnly=TRUE"] {
        assert_eq!(
            app.get(&format!("/connector-plugins{query}")).await.body,
            format!("[{connectors}]")
        );
    }
    for query in ["false", "maybe"] {
        assert_eq!(
            app.get(&format!("/connector-plugins?connectorsOnly={query}"))
                .await
                .body,
            format!(
                r#"[{connectors},{{"class":"a.Predicate","type":"predicate","version":"1.0"}}]"#
            )
        );
    }
}

#[tokio::test]
async fn plugins_show_their_keys() {
    let app = App::new();
    let keys = concat!(
        r#"[{"name":"topic","type":"STRING","required":true,"default_value":null,"importance":"HIGH","documentation":"Where to","group":null,"order_in_group":-1,"width":"NONE","display_name":"topic","dependents":[],"order":-1},"#,
        r#"{"name":"kinds","type":"LIST","required":false,"default_value":"a,b","importance":"MEDIUM","documentation":"","group":"Group","order_in_group":2,"width":"LONG","display_name":"Kinds","dependents":["topic"],"order":2}]"#
    );
    for query in ["", "?version=latest", "?version=1.0"] {
        let path = format!("/connector-plugins/Source/config{query}");
        assert_eq!(app.get(&path).await.body, keys);
    }
    for version in ["2.0", ""] {
        let path = format!("/connector-plugins/Source/config?version={version}");
        assert_eq!(app.get(&path).await.status, 400);
    }
    let answer = app.get("/connector-plugins/Nope/config").await;
    assert_eq!(
        (answer.status, answer.message().as_str()),
        (404, "Unknown plugin Nope.")
    );
}

#[tokio::test]
async fn configurations_are_validated() {
    let app = App::new();
    let path = "/connector-plugins/Source/config/validate";
    let answer = app
        .put(path, r#"{"connector.class":"a.SourceConnector"}"#)
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.body,
        concat!(
            r#"{"name":"a.SourceConnector","error_count":1,"groups":["Group"],"configs":["#,
            r#"{"definition":{"name":"topic","type":"STRING","required":true,"default_value":null,"importance":"HIGH","documentation":"Where to","group":null,"order_in_group":-1,"width":"NONE","display_name":"topic","dependents":[],"order":-1},"#,
            r#""value":{"name":"topic","value":null,"recommended_values":[],"errors":["missing"],"visible":true}},"#,
            r#"{"definition":null,"value":{"name":"other","value":"x","recommended_values":[],"errors":[],"visible":true}}]}"#
        )
    );
    let answer = app
        .put(path, r#"{"connector.class":"SinkConnector"}"#)
        .await;
    assert_eq!(
        (answer.status, answer.message().as_str()),
        (
            400,
            "Included connector type SinkConnector does not match request type Source"
        )
    );
    let answer = app.put(path, "{}").await;
    assert_eq!(
        answer.json(),
        json!({"error_code": 400, "message": "contains no connector type"})
    );
}
