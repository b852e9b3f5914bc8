//! Levels of loggers.

use super::super::step::{Step, call, get, put};

pub(super) fn steps() -> Vec<Step> {
    let set = |query: &str, body: &str| put(&format!("/admin/loggers/a.b{query}"), body);
    vec![
        get("/admin/loggers/root").into(),
        get("/admin/loggers/nope.x").into(),
        set("", r#"{"level":"debug"}"#).into(),
        get("/admin/loggers/a.b").into(),
        set("", r#"{"level":"LOUD"}"#).into(),
        set("", "{}").into(),
        set("", r#"{"level":null}"#).into(),
        set("", r#"{"level":5}"#).into(),
        set("", r#"{"level":""}"#).differs("empty-level").into(),
        set("", r#"{"level":["x"]}"#).unfit().into(),
        set("", "").unfit().into(),
        set("", "{bad").unfit().into(),
        set("", r#"{"level":" INFO ","more":"1"}"#).into(),
        set("?scope=worker", r#"{"level":"off"}"#).into(),
        set("?scope=galaxy", r#"{"level":"Fatal"}"#).into(),
        set("?scope=", r#"{"level":"error"}"#).into(),
        set("?scope=CLUSTER", r#"{"level":"warn"}"#).into(),
        set("?scope=cluster", r#"{"level":"LOUD"}"#).into(),
        put("/admin/loggers/a", r#"{"level":"TRACE"}"#).into(),
        get("/admin/loggers/a.b").into(),
        put("/admin/loggers/", r#"{"level":"INFO"}"#)
            .wrong_method()
            .into(),
        put("/admin/loggers/a/b", r#"{"level":"INFO"}"#)
            .unrouted()
            .into(),
        get("/admin").unrouted().into(),
        call("OPTIONS", "/admin/loggers").into(),
        call("OPTIONS", "/admin/loggers/a").into(),
        call("DELETE", "/admin/loggers/a").wrong_method().into(),
    ]
}
