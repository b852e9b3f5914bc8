//! Lines of the log in JSON.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tether_services::shared;
use tether_tests::eventually::eventually;
use tether_tests::names::unique;
use tether_tests::worker::Worker;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

#[test]
fn lines_are_objects_that_say_what_they_are_about() -> Result<()> {
    let options = WorkerOptions::new(&unique("format"), &shared::bootstrap()?)?
        .variable("TETHER_LOG_FORMAT", "json");
    let mut worker = WorkerProcess::distributed(&options)?;
    let rest = worker.rest();
    let connector = json!({
        "connector.class": "FileStreamSource", "file": "/missing/lines", "topic": "none",
    });
    rest.create("my-lines", &connector)?;
    rest.wait_for("my-lines", "RUNNING[RUNNING]")?;
    let lines = eventually("the task and the request are in the log", || {
        let log = worker.log();
        // The last one may be half there.
        let whole = log.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let lines: serde_json::Result<Vec<Value>> =
            whole.lines().map(serde_json::from_str).collect();
        let lines = lines?;
        find(&lines, |line| line["task"] == "my-lines-0").context("a line of the task")?;
        find(&lines, is_request).context("a line of the request")?;
        Ok(lines)
    })?;
    for line in &lines {
        for key in ["timestamp", "level", "logger", "message"] {
            ensure!(line[key].is_string(), "{line} has no {key}");
        }
    }
    let of_task = find(&lines, |line| line["task"] == "my-lines-0").unwrap_or(&Value::Null);
    assert_eq!(of_task["connector"], "my-lines", "{of_task}");
    let request = find(&lines, is_request).unwrap_or(&Value::Null);
    let id = request["request"].as_str().context("an id")?;
    assert_eq!(id.len(), 32, "{request}");
    worker.stop()
}

fn find(lines: &[Value], is: impl Fn(&Value) -> bool) -> Option<&Value> {
    lines.iter().find(|line| is(line))
}

fn is_request(line: &Value) -> bool {
    let message = line["message"].as_str().unwrap_or_default();
    message.contains("\"POST /connectors ")
}
