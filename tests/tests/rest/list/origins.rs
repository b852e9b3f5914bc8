//! Requests from pages of other origins. Both workers allow `http://ui.example` and
//! `http://*.wild.example` the methods GET, POST, PUT and DELETE.

use super::super::step::{Step, call, get, patch};

pub(super) fn steps() -> Vec<Step> {
    let list = |origin: &str| get("/connectors").header("Origin", origin);
    let preflight = |origin: &str, path: &str, method: &str| {
        call("OPTIONS", path)
            .header("Origin", origin)
            .header("Access-Control-Request-Method", method)
    };
    let ui = "http://ui.example";
    vec![
        list(ui).into(),
        list("HTTP://UI.EXAMPLE").into(),
        list("https://ui.example").into(),
        list("http://other").into(),
        list("null").into(),
        list("http://other http://ui.example").into(),
        list("http://uiXexample").differs("exact-origin").into(),
        list("http://a.wild.example")
            .differs("wildcard-origin")
            .into(),
        list("http://wild.example")
            .differs("wildcard-origin")
            .into(),
        preflight(ui, "/connectors", "POST").into(),
        preflight(ui, "/connectors/x", "PATCH").into(),
        preflight(ui, "/connectors/x", "FOO")
            .header("Access-Control-Request-Headers", "authorization")
            .into(),
        preflight("http://other", "/connectors", "POST").into(),
        call("OPTIONS", "/connectors").header("Origin", ui).into(),
        preflight(ui, "/nope", "GET").unrouted().into(),
        get("/nope").header("Origin", ui).unrouted().into(),
        call("PUT", "/connectors/zz/pause")
            .header("Origin", ui)
            .into(),
        patch("/connectors/zz/config", "{}")
            .header("Origin", ui)
            .into(),
        get("/admin/loggers/nope").header("Origin", ui).into(),
    ]
}
