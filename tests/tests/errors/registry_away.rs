//! A schema registry that is away for a while, and connectors that wait for it.

use std::fs;

use anyhow::{Result, ensure};
use serde_json::json;
use tether_services::{Registry, shared};
use tether_tests::eventually::eventually;
use tether_tests::names::unique;
use tether_tests::numbered_lines::append;
use tether_tests::registry_client::RegistryClient;
use tether_tests::topics::Topics;
use tether_tests::turns;
use tether_tests::worker::Worker;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

const AVRO: &str = "io.confluent.connect.avro.AvroConverter";

#[test]
fn tasks_wait_for_the_registry_and_go_on_when_it_is_back() -> Result<()> {
    let _turn = turns::take();
    let name = unique("away");
    let bootstrap = shared::bootstrap()?;
    let topics = Topics::new(&bootstrap);
    let (sunk, sourced) = (format!("{name}-sunk"), format!("{name}-sourced"));
    topics.create(&sunk, 1)?;
    topics.create(&sourced, 1)?;
    let mut registry = Registry::start()?;
    let schema = RegistryClient::new(registry.url())
        .register(&format!("{sunk}-value"), &json!({"type": "string"}))?;
    registry.stop()?;
    // "hello" after its length, which is written as twice five.
    let bytes = [&[0], &schema.to_be_bytes()[..], &[10], b"hello"].concat();
    topics.produce(&sunk, &[(None, Some(&bytes))])?;

    let folder = tempfile::tempdir()?;
    let (input, output) = (folder.path().join("in"), folder.path().join("out"));
    append(&input, 1, 3)?;
    let mut worker = WorkerProcess::distributed(&WorkerOptions::new(&name, &bootstrap)?)?;
    let rest = worker.rest();
    let common = json!({
        "value.converter": AVRO, "value.converter.schema.registry.url": registry.url(),
        "errors.retry.timeout": "-1", "errors.retry.delay.max.ms": "1000",
        "errors.tolerance": "all",
    });
    let with = |own: serde_json::Value| {
        let mut config = common.clone();
        if let (Some(config), Some(own)) = (config.as_object_mut(), own.as_object()) {
            config.extend(own.clone());
        }
        config
    };
    let sink = json!({"connector.class": "FileStreamSink", "topics": sunk, "file": output});
    rest.create(&sunk, &with(sink))?;
    let source = json!({"connector.class": "FileStreamSource", "topic": sourced, "file": input});
    rest.create(&sourced, &with(source))?;
    rest.wait_for(&sunk, "RUNNING[RUNNING]")?;
    rest.wait_for(&sourced, "RUNNING[RUNNING]")?;
    // A worker that stops does not wait for the registry, and does not pass over the records.
    worker.stop()?;
    worker.restart()?;
    rest.wait_for(&sunk, "RUNNING[RUNNING]")?;

    registry.restart()?;
    eventually("the line of the record", || {
        let text = fs::read_to_string(&output)?;
        ensure!(text == "hello\n", "{text:?}");
        Ok(())
    })?;
    eventually("the records of the lines", || {
        let records = topics.records(&sourced)?.len();
        ensure!(records == 3, "{records}");
        Ok(())
    })?;
    rest.wait_for(&sunk, "RUNNING[RUNNING]")?;
    rest.wait_for(&sourced, "RUNNING[RUNNING]")
}
