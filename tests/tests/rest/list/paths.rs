//! Odd paths and methods.

use super::super::step::{Step, call, get};

pub(super) fn steps() -> Vec<Step> {
    let mut steps: Vec<Step> = ROUTED.iter().map(|path| get(path).into()).collect();
    for path in NAMES {
        steps.push(get(path).differs("any-name").into());
    }
    for path in BROKEN {
        steps.push(get(path).differs("json-errors").into());
    }
    for path in UNROUTED {
        steps.push(get(path).unrouted().into());
    }
    steps.push(
        get("/connectors/zz/status%20")
            .differs("trailing-space")
            .into(),
    );
    for (method, path) in WRONG_METHODS {
        steps.push(call(method, path).wrong_method().into());
    }
    for (method, path) in METHODS {
        steps.push(call(method, path).into());
    }
    steps
}

const ROUTED: &[&str] = &[
    "/connectors/",
    "/connectors/?expand=info",
    "/connector-plugins/Nope/config/",
    "/connectors/zz/status/",
    "/connectors/;x=1",
    "/connectors/zz;x=1",
    "/connectors?x=%zz",
    "/connectors/a%20b",
    "/connectors/a%c3%a9",
    "/connectors/a%3Bb",
];

const NAMES: &[&str] = &[
    "/connectors/a%2Fb",
    "/connectors/a%25b",
    "/connectors/a%5Cb",
    "/connectors/%00",
    "/connectors/%2e%2e",
];

const BROKEN: &[&str] = &[
    "//connectors",
    "/connectors//zz",
    "/connectors/a%zz",
    "/connectors/%ff",
];

const UNROUTED: &[&str] = &[
    "/connectors/a/./b",
    "/connectors/../connectors",
    "/connectors/zz/nope",
    "/connectors/zz/tasks/0",
];

const WRONG_METHODS: &[(&str, &str)] = &[
    ("PUT", "/connectors"),
    ("DELETE", "/connectors"),
    ("PATCH", "/connectors/zz"),
    ("PUT", "/connectors/zz"),
    ("POST", "/connectors/zz/config"),
    ("GET", "/connectors/zz/pause"),
    ("POST", "/connectors/zz/stop"),
    ("POST", "/connectors/zz/fence"),
    ("TRACE", "/connectors"),
    ("FOO", "/connectors"),
    ("HEAD", "/connectors/zz/restart"),
];

const METHODS: &[(&str, &str)] = &[
    ("HEAD", "/connectors"),
    ("HEAD", "/connectors/zz"),
    ("OPTIONS", "/connectors"),
    ("OPTIONS", "/connectors/zz"),
    ("OPTIONS", "/connectors/zz/config"),
    ("OPTIONS", "/connectors/zz/offsets"),
    ("OPTIONS", "/connectors/zz/tasks"),
    ("OPTIONS", "/connectors/zz/restart"),
    ("OPTIONS", "/connectors/zz/pause"),
    ("OPTIONS", "/connectors/zz/fence"),
    ("OPTIONS", "/connectors/zz/topics"),
    ("OPTIONS", "/connectors/zz/topics/reset"),
    ("PUT", "/connectors/zz/fence"),
];
