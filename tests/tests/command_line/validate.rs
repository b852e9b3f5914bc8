//! `tether validate`: what a worker would answer, without a worker.

use std::fs;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tether_services::{java, shared};
use tether_tests::names::unique;
use tether_tests::program::run;
use tether_tests::worker::Worker;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

#[test]
fn it_gives_the_answer_of_a_worker() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let options = WorkerOptions::new(&unique("validate"), &shared::bootstrap()?)?
        .property("connector.client.config.override.policy", "None");
    let file = folder.path().join("worker.properties");
    java::write_properties(&file, options.properties())?;
    let mut worker = WorkerProcess::distributed(&options)?;
    let configs = [
        json!({"name": "a", "connector.class": "FileStreamSource", "topic": "t"}),
        json!({
            "name": "a",
            "connector.class": "FileStreamSink",
            "tasks.max": "0",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            "value.converter.schemas.cache.size": "x",
            "transforms": "f,g",
            "transforms.f.type": "org.apache.kafka.connect.transforms.Flatten$Value",
            "transforms.g.type": "no.such.Class",
            "consumer.override.max.poll.records": "5",
        }),
    ];
    for config in configs {
        let connector = folder.path().join("connector.json");
        fs::write(&connector, config.to_string())?;
        let class = config["connector.class"].as_str().context("a class")?;
        let path = format!("/connector-plugins/{class}/config/validate");
        let expected = worker.rest().expect(200, "PUT", &path, Some(&config))?;
        let outcome = run(
            &[
                "validate",
                "--json",
                "--worker",
                &file.display().to_string(),
                &connector.display().to_string(),
            ],
            &[],
        )?;
        let answer: Value =
            serde_json::from_str(&outcome.stdout).with_context(|| format!("{outcome:?}"))?;
        assert_eq!(answer, expected);
        let sound = expected["error_count"] == 0;
        assert_eq!(outcome.code, Some(if sound { 0 } else { 1 }), "{outcome:?}");
    }
    worker.stop()
}

#[test]
fn it_reports_for_people() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("connector.properties");
    fs::write(
        &file,
        "name=lines\nconnector.class=FileStreamSource\ntasks.max=none\ntopik=t\nfile=${env:SECRET}\n",
    )?;
    let variables = [
        ("CONNECT_CONFIG_PROVIDERS", "env"),
        (
            "CONNECT_CONFIG_PROVIDERS_ENV_CLASS",
            "org.apache.kafka.common.config.provider.EnvVarConfigProvider",
        ),
        ("SECRET", "swordfish"),
    ];
    let outcome = run(&["validate", &file.display().to_string()], &variables)?;
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    for text in [
        "Connector 'lines' of class FileStreamSource: 3 error(s)",
        "tasks.max\n    Invalid value none for configuration tasks.max: Not a number of type INT",
        "topic (not set)\n    Missing required configuration \"topic\"",
        "probably without effect:\n  topik",
    ] {
        assert!(outcome.stdout.contains(text), "{text}: {outcome:?}");
    }
    assert!(!format!("{outcome:?}").contains("swordfish"), "{outcome:?}");

    let missing = run(&["validate", "/no/such/file.json"], &[])?;
    assert_eq!(missing.code, Some(1), "{missing:?}");
    assert!(missing.stderr.contains("/no/such/file.json"), "{missing:?}");
    Ok(())
}
