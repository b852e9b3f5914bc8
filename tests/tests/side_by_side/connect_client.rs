//! The Java client library that AKHQ uses: its calls return the same, whichever worker they go to.

use anyhow::Result;
use serde_json::json;
use tether_services::java;

use super::java_client::JavaClient;
use super::{Side, compare};

const SOURCE: &str = "org.apache.kafka.connect.file.FileStreamSourceConnector";
const RUNNING: &str = "RUNNING[RUNNING]";
const PAUSED: &str = "PAUSED[PAUSED]";

#[test]
fn its_calls_return_the_same() -> Result<()> {
    let answers = compare(&[], all_calls)?;
    let refused = answers
        .iter()
        .filter(|(_, answer)| answer.contains("Exception"));
    let refused: Vec<&str> = refused.map(|(call, _)| call.as_str()).collect();
    assert_eq!(refused, ["status missing", "add lines"], "{answers:#?}");
    Ok(())
}

fn all_calls(side: &Side) -> Result<Vec<(String, String)>> {
    side.topics.create(&side.fill("{name}-lines"), 1)?;
    side.write("lines", "one\n")?;
    let config = json!({
        "connector.class": SOURCE, "tasks.max": "1", "file": "{files}/lines", "topic": "{name}-lines",
    });
    let config = config.to_string();
    // What AKHQ validates each plugin with, to learn its settings.
    let settings = json!({"connector.class": SOURCE, "topics": "getPlugins"}).to_string();
    // Each with the states that the connector has before the next.
    let calls = [
        ("version", "lines", "{}", ""),
        ("validate", SOURCE, &settings, ""),
        ("add", "lines", &config, RUNNING),
        ("connectors", "lines", "{}", RUNNING),
        ("expanded", "lines", "{}", RUNNING),
        ("connector", "lines", "{}", RUNNING),
        ("config", "lines", "{}", RUNNING),
        ("status", "lines", "{}", RUNNING),
        ("status", "missing", "{}", RUNNING),
        ("tasks", "lines", "{}", RUNNING),
        ("task-status", "lines", "{}", RUNNING),
        ("add", "lines", &config, RUNNING),
        ("update", "lines", &config, RUNNING),
        ("pause", "lines", "{}", PAUSED),
        ("resume", "lines", "{}", RUNNING),
        ("restart", "lines", "{}", RUNNING),
        ("restart-failed", "lines", "{}", RUNNING),
        ("restart-task", "lines", "{}", RUNNING),
        ("reset-topics", "lines", "{}", RUNNING),
        ("stop", "lines", "{}", "STOPPED[]"),
        ("delete", "lines", "{}", ""),
    ];
    let mut client = JavaClient::start(java::connect_client(&format!("http://{}", side.address))?)?;
    let mut answers = Vec::new();
    for (call, name, config, states) in calls {
        let answer = client.call(call, name, &side.fill(config))?;
        let answer = side.plain(&answer).replace(&side.address, "{worker}");
        answers.push((format!("{call} {name}"), answer));
        if !states.is_empty() {
            side.rest.wait_for("lines", states)?;
        }
    }
    Ok(answers)
}
