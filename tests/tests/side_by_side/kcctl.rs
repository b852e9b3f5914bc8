//! What kcctl does: its calls through its client library, into records as strict as its own, return the same,
//! whichever worker they go to.

use anyhow::{Result, ensure};
use serde_json::json;
use tether_services::java;
use tether_tests::eventually::eventually;
use tether_tests::rest_client::is_rebalancing;

use super::java_client::JavaClient;
use super::{Side, compare};

const SOURCE: &str = "org.apache.kafka.connect.file.FileStreamSourceConnector";
const RUNNING: &str = "RUNNING[RUNNING]";
const STOPPED: &str = "STOPPED[]";

#[test]
fn its_calls_return_the_same() -> Result<()> {
    let answers = compare(&[], all_calls)?;
    let refused = answers
        .iter()
        .filter(|(_, answer)| answer.starts_with("Refused"));
    let refused: Vec<&str> = refused.map(|(call, _)| call.as_str()).collect();
    let expected = [
        "status missing",
        "create lines",
        "change-offsets lines",
        "delete-offsets lines",
        "restart-task missing",
    ];
    assert_eq!(refused, expected, "{answers:#?}");
    for (call, answer) in &answers {
        ensure!(!answer.contains("Exception"), "{call}: {answer}");
    }
    Ok(())
}

fn all_calls(side: &Side) -> Result<Vec<(String, String)>> {
    side.topics.create(&side.fill("{name}-lines"), 1)?;
    side.write("lines", "one\n")?;
    let config = json!({
        "connector.class": SOURCE, "tasks.max": "1", "file": "{files}/lines", "topic": "{name}-lines",
    });
    let create = json!({"name": "lines", "config": config}).to_string();
    let config = config.to_string();
    let incomplete = json!({"connector.class": SOURCE, "tasks.max": "many"}).to_string();
    let offsets = json!({"offsets": [
        {"partition": {"filename": "{files}/lines"}, "offset": {"position": 0}},
    ]});
    let offsets = offsets.to_string();
    // Each with the states that the connector has before the next.
    let calls = [
        ("info", "", "", ""),
        ("plugins", "org.apache.kafka.connect.file", "", ""),
        ("plugin-config", "FileStreamSource", "", ""),
        ("validate", "FileStreamSource", &config, ""),
        ("validate", "FileStreamSource", &incomplete, ""),
        ("connectors", "", "", ""),
        ("status", "missing", "", ""),
        ("create", "lines", &create, RUNNING),
        ("create", "lines", &create, RUNNING),
        ("connectors", "", "", RUNNING),
        ("expanded", "", "", RUNNING),
        ("connector", "lines", "", RUNNING),
        ("config", "lines", "", RUNNING),
        ("status", "lines", "", RUNNING),
        ("tasks", "lines", "", RUNNING),
        ("configure", "lines", &config, RUNNING),
        ("change-offsets", "lines", &offsets, RUNNING),
        ("delete-offsets", "lines", "", RUNNING),
        ("pause", "lines", "", "PAUSED[PAUSED]"),
        ("status", "lines", "", "PAUSED[PAUSED]"),
        ("resume", "lines", "", RUNNING),
        ("restart", "lines", "", RUNNING),
        ("restart-all", "lines", "", RUNNING),
        ("restart-task", "lines", "", RUNNING),
        ("restart-task", "missing", "", RUNNING),
        ("stop", "lines", "", STOPPED),
        ("topics", "lines", "", STOPPED),
        ("offsets", "lines", "", STOPPED),
        ("change-offsets", "lines", &offsets, STOPPED),
        ("offsets", "lines", "", STOPPED),
        // Whether the Java worker shows the partition after that is a matter of luck.
        ("delete-offsets", "lines", "", STOPPED),
        ("delete", "lines", "", ""),
        ("set-level", "", r#"{"level": "DEBUG"}"#, ""),
        ("level", "", "", ""),
        ("levels", "", "", ""),
        ("set-levels", "", r#"{"level": "WARN"}"#, ""),
    ];
    let url = format!("http://{}", side.address);
    let mut client = JavaClient::start(java::microprofile_client(&url)?)?;
    let mut answers = Vec::new();
    for (call, name, body, states) in calls {
        let body = side.fill(body);
        // It repeats what a rebalance refuses.
        let answer = eventually("the end of a rebalance", || {
            let answer = client.call(call, name, &body)?;
            ensure!(!is_rebalancing(&answer), "{answer}");
            Ok(answer)
        })?;
        let answer = side.plain(&answer).replace(&side.address, "{worker}");
        answers.push((format!("{call} {name}"), answer));
        if !states.is_empty() {
            side.rest.wait_for("lines", states)?;
        }
    }
    Ok(answers)
}
