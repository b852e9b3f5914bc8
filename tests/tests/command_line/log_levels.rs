//! Levels of loggers that are changed while the worker runs.

use std::fs;

use anyhow::{Result, ensure};
use serde_json::json;
use tempfile::TempDir;
use tether_services::shared;
use tether_tests::eventually::eventually;
use tether_tests::names::unique;
use tether_tests::topics::Topics;
use tether_tests::worker::Worker;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

/// Told at DEBUG by source tasks, once per commit of offsets.
const COMMIT: &str = "Committing offsets";

#[test]
fn lines_appear_and_disappear_with_the_level() -> Result<()> {
    let name = unique("levels");
    let bootstrap = shared::bootstrap()?;
    Topics::new(&bootstrap).create(&name, 1)?;
    let options =
        WorkerOptions::new(&name, &bootstrap)?.property("offset.flush.interval.ms", "100");
    let mut worker = WorkerProcess::distributed(&options)?;
    let folder = TempDir::new()?;
    let file = folder.path().join("in.txt");
    fs::write(&file, "one\n")?;
    let rest = worker.rest();
    let connector = json!({
        "connector.class": "FileStreamSource",
        "file": file.display().to_string(),
        "topic": name,
    });
    rest.create("lines", &connector)?;
    rest.wait_for("lines", "RUNNING[RUNNING]")?;
    // Offsets come after commits, which are silent as yet.
    eventually("the offset is there", || {
        let offsets = rest.get("/connectors/lines/offsets")?;
        ensure!(offsets["offsets"][0].is_object(), "{offsets}");
        Ok(())
    })?;
    assert!(!worker.log().contains(COMMIT));

    let set = |logger: &str, level: &str, scope: &str| {
        let status = if scope == "cluster" { 204 } else { 200 };
        let path = format!("/admin/loggers/{logger}?scope={scope}");
        rest.expect(status, "PUT", &path, Some(&json!({"level": level})))
    };
    for (logger, scope) in [
        (
            "org.apache.kafka.connect.runtime.WorkerSourceTask",
            "worker",
        ),
        ("tether_worker::task", "worker"),
        ("tether_worker::task::source", "cluster"),
        ("org.apache.kafka", "cluster"),
        ("root", "worker"),
    ] {
        set(logger, "DEBUG", scope)?;
        let heard = commits(&worker);
        eventually(&format!("{logger} speaks"), || {
            ensure!(commits(&worker) > heard);
            Ok(())
        })?;
        set("root", "INFO", "worker")?;
        // What was on its way when the level changed may still come; after a
        // line at INFO nothing does.
        let level = rest.get(&format!("/admin/loggers/{logger}"))?;
        assert_eq!(level["level"], "INFO");
        let heard = after_restart(&worker)?;
        after_restart(&worker)?;
        assert_eq!(commits(&worker), heard, "{logger} is silent");
    }

    set("org.apache.kafka.connect", "OFF", "worker")?;
    let heard = worker.log().len();
    rest.restart("lines")?;
    rest.wait_for("lines", "RUNNING[RUNNING]")?;
    assert_eq!(worker.log().len(), heard, "{}", &worker.log()[heard..]);
    worker.stop()
}

fn commits(worker: &WorkerProcess) -> usize {
    worker.log().matches(COMMIT).count()
}

/// Restarts the connector, waits for what its task says then at INFO, and
/// counts the commits that were told until now. At least one has taken place:
/// that of the task that ended.
fn after_restart(worker: &WorkerProcess) -> Result<usize> {
    let told = |worker: &WorkerProcess| worker.log().matches("finished initialization").count();
    let before = told(worker);
    worker.rest().restart("lines")?;
    eventually("the task has started again", || {
        ensure!(told(worker) > before);
        Ok(())
    })?;
    Ok(commits(worker))
}
