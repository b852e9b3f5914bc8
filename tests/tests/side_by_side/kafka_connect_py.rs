//! `kc`, the command line client of kafka-connect-py: it prints the same, whichever worker it talks to.

use std::process::Stdio;

use anyhow::Result;
use serde_json::{Value, json};
use tether_services::python;

use super::{Side, compare};

const CLIENT: &str = "kafka-connect-py==1.0.0";
const SOURCE: &str = "org.apache.kafka.connect.file.FileStreamSourceConnector";
const MAIN: &str = "from kafka_connect.cli import cli; cli()";

/// How a command of the client ended: its arguments, exit code, and what it printed.
type Ended = (String, Option<i32>, Value);

#[test]
fn its_commands_do_the_same() -> Result<()> {
    let ended = compare(&[], all_commands)?;
    // It prints a worker's refusal and ends as if nothing were wrong.
    let refused = ended.iter().filter(|(_, _, printed)| is_refusal(printed));
    let refused: Vec<&str> = refused.map(|(command, _, _)| command.as_str()).collect();
    assert_eq!(
        refused,
        ["get {name}-missing", "delete {name}-missing"],
        "{ended:#?}"
    );
    Ok(())
}

fn all_commands(side: &Side) -> Result<Vec<Ended>> {
    let topic = side.fill("{name}-lines");
    side.topics.create(&topic, 1)?;
    side.write("lines", "one\n")?;
    let config = json!({
        "connector.class": SOURCE,
        "tasks.max": "1", "file": "{files}/lines", "topic": topic,
    });
    let create = json!({"name": "{name}-lines", "config": config}).to_string();
    let mut update = config;
    update["batch.max.rows"] = "100".into();
    let update = update.to_string();
    let name = "{name}-lines";
    let running = "RUNNING[RUNNING]";
    // Each with the states that the connector has before the next. There is no `validate-config`, which sends
    // a text of JSON in place of JSON.
    let commands: &[(&[&str], &str)] = &[
        (&["create", "--config-data", &create], running),
        (&["list", "--pattern", "{name}-.*"], running),
        (&["list", "--expand", "status"], running),
        (&["list", "--expand", "info"], running),
        (&["get", name], running),
        (&["config", name], running),
        (&["status", name], running),
        (&["list-tasks", name], running),
        (&["task-status", name, "0"], running),
        (&["update", name, "--config-data", &update], running),
        (&["pause", name], "PAUSED[PAUSED]"),
        (&["status", name], "PAUSED[PAUSED]"),
        (&["resume", name], running),
        (&["restart", name], running),
        (
            &["restart", name, "--include-tasks", "--only-failed"],
            running,
        ),
        (&["restart-task", name, "0"], running),
        (&["reset-topics", name], running),
        (
            &["pause", "--all", "--pattern", "{name}-.*"],
            "PAUSED[PAUSED]",
        ),
        (&["get", "{name}-missing"], "PAUSED[PAUSED]"),
        (&["delete", "{name}-missing"], "PAUSED[PAUSED]"),
    ];
    let mut ended = Vec::new();
    for (arguments, states) in commands {
        ended.push(run(side, arguments)?);
        side.rest.wait_for(&side.fill(name), states)?;
    }
    ended.push(run(side, &["delete", name])?);
    ended.push(run(side, &["list", "--pattern", "{name}-.*"])?);
    Ok(ended)
}

fn is_refusal(printed: &Value) -> bool {
    printed.as_str().is_some_and(|text| text.contains("Error"))
}

fn run(side: &Side, arguments: &[&str]) -> Result<Ended> {
    let mut command = python::command(&[CLIENT], MAIN)?;
    command.env("KAFKA_CONNECT_URL", format!("http://{}", side.address));
    command.args(arguments.iter().map(|argument| side.fill(argument)));
    let output = command.stdin(Stdio::null()).output()?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let printed = side.plain(&printed).replace(&side.address, "{worker}");
    let printed = match arguments.first() {
        // The status while it restarts is now this, now that.
        Some(&("restart" | "restart-task")) => Value::Null,
        _ => serde_json::from_str(&printed).unwrap_or(Value::String(printed)),
    };
    let arguments = side.plain(&arguments.join(" "));
    Ok((arguments, output.status.code(), printed))
}
