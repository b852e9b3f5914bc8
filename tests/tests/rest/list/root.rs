//! `/`, `/health` and what is nowhere.

use super::super::step::{Step, call, get, post};

pub(super) fn steps() -> Vec<Step> {
    vec![
        get("/").into(),
        get("/?x=1").into(),
        call("HEAD", "/").into(),
        call("OPTIONS", "/").into(),
        post("/", "{}").wrong_method().into(),
        call("DELETE", "/").wrong_method().into(),
        get("/health").into(),
        get("/health/").into(),
        call("OPTIONS", "/health").into(),
        call("PUT", "/health").wrong_method().into(),
        get("/nope").unrouted().into(),
        post("/nope", "{}").unrouted().into(),
        call("OPTIONS", "/nope").unrouted().into(),
        get("/CONNECTORS").unrouted().into(),
        get("/metrics").differs("metrics").into(),
    ]
}
