//! Signals that end a worker in order.

use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};
use tether_services::process::Signal;
use tether_services::shared;
use tether_tests::eventually::eventually;
use tether_tests::names::unique;
use tether_tests::numbered_lines::append;
use tether_tests::program::Running;
use tether_tests::topics::Topics;
use tether_tests::worker::Worker;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

#[test]
fn sigterm_and_sigint_drain_and_end_with_0() -> Result<()> {
    let name = unique("signals");
    let bootstrap = shared::bootstrap()?;
    let topics = Topics::new(&bootstrap);
    topics.create(&name, 1)?;
    let folder = tempfile::tempdir()?;
    let input = folder.path().join("input");
    // Offsets are committed when the worker leaves, and not before.
    let options =
        WorkerOptions::new(&name, &bootstrap)?.property("offset.flush.interval.ms", "3600000");
    let mut worker = WorkerProcess::distributed(&options)?;
    worker.rest().create(
        &name,
        &json!({"connector.class": "FileStreamSource", "file": input, "topic": name}),
    )?;
    let mut last = 0;
    for signal in [Signal::TERM, Signal::INT] {
        append(&input, last + 1, last + 1000)?;
        last += 1000;
        eventually("lines arrive", || {
            let found = topics.records(&name)?.len();
            anyhow::ensure!(found >= usize::try_from(last)? - 999, "{found}");
            Ok(())
        })?;
        assert_eq!(worker.end(signal)?, 0, "{signal:?}");
        for (key, value) in statuses(&topics, &name)? {
            assert_eq!(value["state"], "UNASSIGNED", "{key}");
        }
        worker.restart()?;
    }
    // No line came twice, and none was left out.
    append(&input, last + 1, last + 1)?;
    eventually("the last line arrives", || {
        let records = topics.records(&name)?;
        anyhow::ensure!(
            u64::try_from(records.len())? > last,
            "{} lines",
            records.len()
        );
        Ok(())
    })?;
    let numbers: Vec<String> = topics
        .records(&name)?
        .iter()
        .map(|record| {
            Ok(serde_json::from_slice::<Value>(
                record.value.as_deref().unwrap_or_default(),
            )?)
        })
        .map(|value: Result<Value>| Ok(value?["payload"].as_str().unwrap_or_default().to_owned()))
        .collect::<Result<_>>()?;
    let expected: Vec<String> = (1..=last + 1)
        .map(tether_tests::numbered_lines::line)
        .collect();
    assert_eq!(numbers, expected);
    Ok(())
}

#[test]
fn a_worker_that_waits_for_kafka_can_be_ended() -> Result<()> {
    let json = "org.apache.kafka.connect.json.JsonConverter";
    let variables = [
        ("CONNECT_BOOTSTRAP_SERVERS", "127.0.0.1:1"),
        ("CONNECT_GROUP_ID", "g"),
        ("CONNECT_CONFIG_STORAGE_TOPIC", "c"),
        ("CONNECT_OFFSET_STORAGE_TOPIC", "o"),
        ("CONNECT_STATUS_STORAGE_TOPIC", "s"),
        ("CONNECT_KEY_CONVERTER", json),
        ("CONNECT_VALUE_CONVERTER", json),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut worker = Running::start(&["connect-distributed"], &variables)?;
    eventually("it connects", || {
        let printed = worker.printed();
        anyhow::ensure!(printed.contains("Connecting to Kafka"), "{printed}");
        Ok(())
    })?;
    // Much less than it would wait for a broker.
    assert_eq!(worker.stop(Signal::TERM, Duration::from_secs(20))?, 0);
    Ok(())
}

/// The last status of the connector and of its task.
fn statuses(topics: &Topics, name: &str) -> Result<Vec<(String, Value)>> {
    let mut last = std::collections::BTreeMap::new();
    for record in topics.records(&format!("{name}-status"))? {
        if record.key_text().starts_with("status-connector-")
            || record.key_text().starts_with("status-task-")
        {
            last.insert(
                record.key_text(),
                serde_json::from_str(&record.value_text())?,
            );
        }
    }
    assert_eq!(last.len(), 2, "{last:?}");
    Ok(last.into_iter().collect())
}
