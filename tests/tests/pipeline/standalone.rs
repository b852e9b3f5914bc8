//! The two configs, given to a standalone worker as files.

use std::fs;

use anyhow::Result;
use serde_json::Value;
use tether_services::java;
use tether_tests::turns;
use tether_tests::worker::Worker;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

use super::setting::{COLUMNS, Setting, edition};

#[test]
fn files_start_the_pipeline() -> Result<()> {
    let _turn = turns::take();
    let setting = Setting::start()?;
    let folder = tempfile::tempdir()?;

    // One as it is published, the other as a properties file.
    let source = folder.path().join("source.json");
    fs::write(
        &source,
        setting.config("rest-source-config.json")?.to_string(),
    )?;
    let sink = folder.path().join("sink.properties");
    java::write_properties(&sink, &flat(&setting.config("jdbc-sink-config.json")?))?;

    let options = WorkerOptions::new("standalone", &setting.kafka.bootstrap())?;
    let mut worker = WorkerProcess::standalone(&options, &[source, sink])?;
    // The REST API answers before the files' connectors are all created.
    for name in ["jdbc-postgres-sink", "rest-source-connector"] {
        worker.rest().wait_for(name, "RUNNING[RUNNING]")?;
    }
    setting.wait_rows(10, 1)?;
    assert_eq!(setting.database.columns("users")?, COLUMNS);
    assert_eq!(setting.counts()?, [1; 10]);

    setting.users.set(edition(10, 2));
    worker.restart()?;
    setting.wait_rows(10, 2)?;
    assert_eq!(setting.counts()?, [2; 10]);
    Ok(())
}

/// A create request as the properties of a connector file.
fn flat(request: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let config = request["config"].as_object().into_iter().flatten();
    let properties = config.map(|(key, value)| (key.clone(), text(value)));
    std::iter::once(("name".to_owned(), text(&request["name"])))
        .chain(properties)
        .collect()
}
