//! Workers that demand a password: `alice` with `wonder:land`. They allow `http://ui.example` and add the
//! header `X-Frame-Options`. Connectors may override nothing of their clients.

use super::super::step::{Builder, Step, call, get};
use super::strict;

pub(super) fn steps() -> Vec<Step> {
    [strangers(), users(), internal(), preflights()].concat()
}

/// `alice:wonder:land`
const ALICE: &str = "YWxpY2U6d29uZGVyOmxhbmQ=";

fn with(builder: Builder, authorization: &str) -> Builder {
    builder.header("Authorization", authorization)
}

fn strangers() -> Vec<Step> {
    let refused = |builder: Builder| Step::from(builder.differs("unauthorized"));
    let first = |builder: Builder| Step::from(builder.differs("unauthorized-first"));
    vec![
        refused(get("/")),
        refused(get("/health")),
        refused(get("/connectors")),
        refused(get("/connectors/zz")),
        refused(get("/connectors/zz/tasks")),
        refused(get("/admin/loggers/root")),
        refused(call("POST", "/connectors/zz/tasks/0/restart")),
        refused(with(get("/"), "Basic")),
        refused(with(get("/"), "Bearer x")),
        // alice:wrong, bob:wonder:land and alice alone
        refused(with(get("/"), "Basic YWxpY2U6d3Jvbmc=")),
        refused(with(get("/"), "Basic Ym9iOndvbmRlcjpsYW5k")),
        refused(with(get("/"), "Basic YWxpY2U=")),
        with(get("/"), "Basic !!")
            .differs("broken-credentials")
            .into(),
        first(get("/nope")),
        first(call("PUT", "/connectors")),
        first(get("/connectors").header("Accept", "text/html")),
        first(get("/connectors").header("Content-Type", "text/plain")),
    ]
}

fn users() -> Vec<Step> {
    let alice = |builder| with(builder, &format!("Basic {ALICE}"));
    let mut steps: Vec<Step> = strict::overrides()
        .into_iter()
        .map(|overrides| alice(overrides).into())
        .collect();
    steps.extend([
        alice(get("/connectors")).into(),
        with(get("/connectors"), &format!("bAsIc {ALICE}")).into(),
        alice(get("/connectors/zz")).into(),
        alice(get("/admin/loggers/nope")).into(),
        alice(get("/nope")).unrouted().into(),
        alice(call("OPTIONS", "/connectors")).into(),
    ]);
    steps
}

/// Other workers have no password.
fn internal() -> Vec<Step> {
    vec![
        call("POST", "/connectors/zz/tasks").body("[]").into(),
        call("POST", "/connectors/zz/tasks/").body("[]").into(),
        call("PUT", "/connectors/zz/fence").into(),
    ]
}

fn preflights() -> Vec<Step> {
    let origin = "http://ui.example";
    vec![
        call("OPTIONS", "/connectors")
            .header("Origin", origin)
            .header("Access-Control-Request-Method", "POST")
            .differs("preflight")
            .into(),
        get("/connectors")
            .header("Origin", origin)
            .differs("unauthorized")
            .into(),
    ]
}
