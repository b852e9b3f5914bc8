//! The life of connectors.

use super::super::step::{Step, await_states, await_text, call, delete, get, patch, post, put};

pub(super) fn steps() -> Vec<Step> {
    [
        names(),
        source(),
        states(),
        restarts(),
        failures(),
        missing(),
    ]
    .concat()
}

const SOURCE: &str =
    r#""connector.class":"FileStreamSource","topic":"{run}t","file":"{files}/none""#;

/// Names of all kinds, from creation to deletion.
fn names() -> Vec<Step> {
    let create = |name: &str| {
        post(
            "/connectors",
            &format!("{{\"name\":{name},\"config\":{{{SOURCE}}}}}"),
        )
    };
    vec![
        create("\" {run}trim\\u0001 \"").into(),
        create("1.50").into(),
        create("true").into(),
        create("\"{run} b$(:@é😀\"").into(),
        // The reference takes no path with an encoded slash or percent sign, so this one stays.
        post(
            "/connectors",
            &format!(
                "{{\"name\":\"{{run}}/c%41;d\",\"config\":{{{SOURCE}}},\"initial_state\":\"STOPPED\"}}"
            ),
        )
        .differs("location")
        .into(),
        await_text("/connectors?expand=status", "STOPPED"),
        create("\"{run}{x}\"").differs("braces").into(),
        put("/connectors/{run}%20e%20/config", &format!("{{{SOURCE}}}")).into(),
        put("/connectors/%2D%3E{run}/config", &format!("{{{SOURCE}}}")).into(),
        get("/connectors").into(),
        await_states("{run}trim", "RUNNING[RUNNING]"),
        await_states("{run}%20e%20", "RUNNING[RUNNING]"),
        await_states("%2D%3E{run}", "RUNNING[RUNNING]"),
        get("/connectors/{run}%20e%20").into(),
        get("/connectors/{run}%20e").into(),
        get("/connectors/%2D%3E{run}/status").into(),
        delete("/connectors/{run}trim").into(),
        delete("/connectors/1.50").into(),
        delete("/connectors/true").into(),
        delete("/connectors/{run}%20b$(:@%C3%A9%F0%9F%98%80").into(),
        delete("/connectors/{run}%20e%20").into(),
        delete("/connectors/-%3E{run}").into(),
        delete("/connectors/{run}%7Bx%7D").into(),
        get("/connectors/{run}%2Fc%2541%3Bd")
            .differs("any-name")
            .into(),
    ]
}

/// One source, its configuration changed in all ways.
fn source() -> Vec<Step> {
    let config = r#"{"connector.class":"FileStreamSource","tasks.max":1,"topic":"{run}t","file":"{files}/in.txt","d":1.50,"e":1e3,"f":1E+3,"n":12345678901234567890123,"b":true,"neg":-0.0,"d":"last","u":"é😀\u0001\u007f/"}"#;
    vec![
        post("/connectors", &format!("{{\"name\":\"{{run}}s\",\"config\":{config}}}")).into(),
        post("/connectors", &format!("{{\"name\":\"{{run}}s\",\"config\":{config}}}")).into(),
        await_states("{run}s", "RUNNING[RUNNING]"),
        get("/connectors/{run}s").into(),
        call("HEAD", "/connectors/{run}s").into(),
        get("/connectors/{run}s/config").into(),
        get("/connectors/{run}s/tasks").into(),
        get("/connectors/{run}s/tasks-config").unrouted().into(),
        get("/connectors/{run}s/status").into(),
        get("/connectors/{run}s/tasks/0/status").into(),
        get("/connectors/{run}s/tasks/1/status").into(),
        get("/connectors/{run}s/tasks/-1/status").into(),
        get("/connectors/{run}s/tasks/+0/status").into(),
        get("/connectors/{run}s/tasks/abc/status").into(),
        get("/connectors/{run}s/tasks/99999999999/status").into(),
        get("/connectors/{run}s/tasks/%200/status").into(),
        get("/connectors?expand=status").into(),
        get("/connectors?expand=info&expand=status&expand=foo").into(),
        get("/connectors?expand=").into(),
        get("/connectors?expand=Status").into(),
        get("/connectors/{run}s?expand=status").into(),
        await_text("/connectors/{run}s/topics", "{run}t"),
        get("/connectors/{run}s/topics").into(),
        call("PUT", "/connectors/{run}s/topics/reset").into(),
        await_text("/connectors/{run}s/topics", "[]"),
        put("/connectors/{run}s/config", r#"{"connector.class":"org.apache.kafka.connect.file.FileStreamSourceConnector","topic":"{run}t","file":"{files}/none","name":"{run}s"}"#).into(),
        put("/connectors/{run}s/config", r#"{"connector.class":"FileStreamSource","topic":"{run}t","name":"other"}"#).into(),
        put("/connectors/{run}s/config", r#"{"topic":"{run}t"}"#).differs("no-class").into(),
        put("/connectors/{run}s/config", "{}").differs("no-class").into(),
        put("/connectors/{run}s/config", "").unfit().into(),
        put("/connectors/{run}s/config", "{\"a\":{}}").unfit().into(),
        put("/connectors/{run}s/config", "nonsense").unfit().into(),
        patch("/connectors/{run}s/config", r#"{"extra":5,"file":"{files}/none2"}"#).into(),
        patch("/connectors/{run}s/config", r#"{"extra":null,"absent":null}"#).into(),
        patch("/connectors/{run}s/config", "{}").into(),
        patch("/connectors/{run}s/config", r#"{"topic":null}"#).into(),
        patch("/connectors/{run}s/config", r#"{"tasks.max":"x"}"#).into(),
        patch("/connectors/{run}s/config", "[]").unfit().into(),
        patch("/connectors/{run}s/config", "").unfit().into(),
        await_states("{run}s", "RUNNING[RUNNING]"),
        get("/connectors/{run}s/config").into(),
    ]
}

/// Pausing, resuming and stopping.
fn states() -> Vec<Step> {
    vec![
        call("PUT", "/connectors/{run}s/pause").into(),
        await_states("{run}s", "PAUSED[PAUSED]"),
        get("/connectors/{run}s/status").into(),
        call("PUT", "/connectors/{run}s/pause").into(),
        call("PUT", "/connectors/{run}s/resume").into(),
        await_states("{run}s", "RUNNING[RUNNING]"),
        call("PUT", "/connectors/{run}s/stop").into(),
        await_states("{run}s", "STOPPED[]"),
        get("/connectors/{run}s/status").into(),
        get("/connectors/{run}s/tasks").into(),
        get("/connectors/{run}s/tasks/0/status").into(),
        call("PUT", "/connectors/{run}s/stop").into(),
        call("PUT", "/connectors/{run}s/pause").into(),
        call("PUT", "/connectors/{run}s/resume").into(),
        await_states("{run}s", "RUNNING[RUNNING]"),
        post("/connectors", r#"{"name":"{run}p","config":{"connector.class":"FileStreamSource","topic":"{run}t","file":"{files}/none"},"initial_state":"Paused"}"#).into(),
        await_states("{run}p", "PAUSED[]"),
        get("/connectors/{run}p/status").into(),
        post("/connectors", r#"{"name":"{run}h","config":{"connector.class":"FileStreamSource","topic":"{run}t","file":"{files}/none"},"initial_state":"STOPPED"}"#).into(),
        await_states("{run}h", "STOPPED[]"),
        get("/connectors/{run}h").into(),
        get("/connectors/{run}h/status").into(),
        post("/connectors", r#"{"name":"{run}r","config":{"connector.class":"FileStreamSource","topic":"{run}t","file":"{files}/none"},"initial_state":null}"#).into(),
        await_states("{run}r", "RUNNING[RUNNING]"),
        delete("/connectors/{run}p").into(),
        delete("/connectors/{run}h").into(),
        delete("/connectors/{run}r").into(),
        delete("/connectors/{run}r").into(),
    ]
}

/// Restarts with all flags.
fn restarts() -> Vec<Step> {
    let restart = |query: &str| call("POST", &format!("/connectors/{{run}}s/restart{query}"));
    vec![
        restart("").into(),
        await_states("{run}s", "RUNNING[RUNNING]"),
        restart("?includeTasks=false&onlyFailed=false").into(),
        restart("?includeTasks=maybe").into(),
        restart("?includeTasks=").into(),
        await_states("{run}s", "RUNNING[RUNNING]"),
        restart("?onlyFailed=true").into(),
        restart("?onlyFailed=TRUE&includeTasks=true").into(),
        restart("?includeTasks=true").into(),
        await_states("{run}s", "RUNNING[RUNNING]"),
        call("POST", "/connectors/{run}s/tasks/0/restart").into(),
        await_states("{run}s", "RUNNING[RUNNING]"),
        call("POST", "/connectors/{run}s/tasks/7/restart").into(),
        call("POST", "/connectors/{run}s/tasks/-1/restart").into(),
        call("POST", "/connectors/{run}s/tasks/abc/restart").into(),
        get("/connectors/{run}s/restart").wrong_method().into(),
        call("PUT", "/connectors/{run}s/restart")
            .wrong_method()
            .into(),
    ]
}

/// A task that fails.
fn failures() -> Vec<Step> {
    vec![
        put("/connectors/{run}bad/config", r#"{"connector.class":"FileStreamSink","topics":"{run}b","file":"{files}/no/folder/out"}"#).into(),
        await_states("{run}bad", "RUNNING[FAILED]"),
        get("/connectors/{run}bad/status").into(),
        get("/connectors/{run}bad/tasks/0/status").into(),
        call("POST", "/connectors/{run}bad/restart?onlyFailed=true&includeTasks=true").into(),
        await_states("{run}bad", "RUNNING[FAILED]"),
        delete("/connectors/{run}bad").into(),
        await_text("/connectors/{run}bad/status", "No status found"),
        get("/connectors/{run}bad/status").into(),
        get("/connectors/{run}bad/topics").into(),
        delete("/connectors/{run}s").into(),
        get("/connectors").into(),
    ]
}

/// Connectors that do not exist.
fn missing() -> Vec<Step> {
    let mut steps: Vec<Step> = [
        "/connectors/zz",
        "/connectors/zz/config",
        "/connectors/zz/status",
        "/connectors/zz/tasks",
        "/connectors/zz/tasks/0/status",
        "/connectors/zz/topics",
        "/connectors/zz/offsets",
    ]
    .map(|path| get(path).into())
    .to_vec();
    for verb in ["pause", "resume", "stop", "topics/reset"] {
        steps.push(call("PUT", &format!("/connectors/zz/{verb}")).into());
    }
    for verb in ["restart", "restart?includeTasks=true", "tasks/0/restart"] {
        steps.push(call("POST", &format!("/connectors/zz/{verb}")).into());
    }
    steps.push(delete("/connectors/zz").into());
    steps.push(delete("/connectors/zz/offsets").into());
    steps.push(patch("/connectors/zz/config", r#"{"a":"b"}"#).into());
    steps.push(
        patch(
            "/connectors/zz/offsets",
            r#"{"offsets":[{"partition":{},"offset":{}}]}"#,
        )
        .into(),
    );
    steps
}
