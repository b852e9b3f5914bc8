//! The dead letter queue of a source.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tether_services::shared;
use tether_tests::eventually::eventually;
use tether_tests::names::unique;
use tether_tests::numbered_lines::append;
use tether_tests::topics::{Record, Topics};
use tether_tests::worker::Worker;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

#[test]
fn letters_take_the_place_of_records_and_move_the_offset() -> Result<()> {
    let name = unique("letters");
    let bootstrap = shared::bootstrap()?;
    let topics = Topics::new(&bootstrap);
    topics.create(&name, 1)?;
    let folder = tempfile::tempdir()?;
    let input = folder.path().join("in");
    append(&input, 1, 20)?;
    let mut worker = WorkerProcess::distributed(&WorkerOptions::new(&name, &bootstrap)?)?;
    let rest = worker.rest();
    // Lines are no numbers.
    let refusing = "org.apache.kafka.connect.converters.LongConverter";
    let dlq = format!("{name}-dlq");
    rest.create(
        &name,
        &json!({
            "connector.class": "FileStreamSource", "topic": name, "file": input,
            "value.converter": refusing, "errors.tolerance": "all",
            "errors.source.deadletterqueue.topic.name": dlq,
        }),
    )?;
    let letters = wait_letters(&topics, &dlq, 20)?;
    assert_eq!(letters[0].value_text(), "\"line 1\"");
    assert_eq!(header(&letters[0], "topic"), name);
    assert_eq!(header(&letters[0], "stage"), "VALUE_CONVERTER");
    assert_eq!(header(&letters[0], "class.name"), refusing);
    let partition: Value = serde_json::from_str(&header(&letters[0], "source.partition"))?;
    assert_eq!(partition, json!({"filename": input}));
    let offset: Value = serde_json::from_str(&header(&letters[0], "source.offset"))?;
    assert_eq!(offset, json!({"position": 7}));

    // Every line was dealt with: none comes again.
    worker.stop()?;
    append(&input, 21, 30)?;
    worker.restart()?;
    let letters = wait_letters(&topics, &dlq, 30)?;
    let values: Vec<String> = letters.iter().map(Record::value_text).collect();
    let expected: Vec<String> = (1..=30)
        .map(|number| format!("\"line {number}\""))
        .collect();
    assert_eq!(values, expected);
    ensure!(topics.records(&name)?.is_empty(), "the topic has records");
    rest.wait_for(&name, "RUNNING[RUNNING]")
}

fn wait_letters(topics: &Topics, dlq: &str, count: usize) -> Result<Vec<Record>> {
    eventually(&format!("{count} dead letters"), || {
        let letters = topics.records(dlq)?;
        ensure!(letters.len() == count, "{}", letters.len());
        Ok(letters)
    })
}

fn header(letter: &Record, name: &str) -> String {
    let name = format!("__connect.errors.{name}");
    let found = letter.headers.iter().find(|(known, _)| *known == name);
    let value = found.and_then(|(_, value)| value.clone());
    String::from_utf8_lossy(&value.unwrap_or_default()).into_owned()
}
