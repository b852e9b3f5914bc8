//! Bodies of `POST /connectors` that do not fit.

use super::super::step::{Step, call, get, post};

pub(super) fn steps() -> Vec<Step> {
    let create = |body: &str| post("/connectors", body);
    let mut steps: Vec<Step> = vec![call("POST", "/connectors").unfit().into()];
    steps.extend(UNFIT.iter().map(|body| Step::from(create(body).unfit())));
    steps.extend([
        create(r#"{"name":"x","config":{"a":"\ud800"}}"#)
            .differs("lone-surrogate")
            .into(),
        create(r#"{"name":"x","config":{}}"#)
            .differs("no-class")
            .into(),
    ]);
    steps.extend(REFUSED.iter().map(|body| Step::from(create(body))));
    steps.push(get("/connectors").into());
    steps
}

const UNFIT: &[&str] = &[
    "{bad",
    "",
    " \n",
    "null",
    "[]",
    "\"x\"",
    "5",
    "{}",
    r#"{"name":"x"}"#,
    r#"{"name":"x","config":null}"#,
    r#"{"name":"x","config":[]}"#,
    r#"{"name":"x","config":"s"}"#,
    r#"{"name":"x","config":{"a":{"b":1}}}"#,
    r#"{"name":"x","config":{"a":[1]}}"#,
    r#"{"name":{},"config":{}}"#,
    r#"{"name":"x","config":{},"zzz":1}"#,
    r#"{"name":"x","config":{},"initial_state":"nope"}"#,
    r#"{"name":"x","config":{},"initial_state":5}"#,
    r#"{"name":"x","config":{}} trailing"#,
];

const REFUSED: &[&str] = &[
    r#"{"config":{"connector.class":"FileStreamSource"}}"#,
    r#"{"name":"  ","config":{"connector.class":"FileStreamSource","topic":"t"}}"#,
    r#"{"name":"a\u0001b","config":{"connector.class":"FileStreamSource","topic":"t"}}"#,
    r#"{"name":"x","config":{"connector.class":"FileStreamSource","topic":"t","name":"y"}}"#,
    r#"{"name":"x","config":{"connector.class":"FileStreamSource","topic":"t","a":null}}"#,
];
