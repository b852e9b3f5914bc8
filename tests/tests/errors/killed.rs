//! A worker that is killed while dead letters flow.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};
use serde_json::json;
use tether_services::shared;
use tether_tests::eventually::eventually;
use tether_tests::names::unique;
use tether_tests::topics::Topics;
use tether_tests::turns;
use tether_tests::worker::Worker;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

/// How many records come at once.
const GROUP: u32 = 3000;
/// How often the worker is killed.
const KILLS: u32 = 3;

/// Every third one is refused.
fn is_poison(number: u32) -> bool {
    number.is_multiple_of(3)
}

fn value(number: u32) -> String {
    match is_poison(number) {
        true => format!("poison {number}"),
        false => json!({"schema": {"type": "int32"}, "payload": number}).to_string(),
    }
}

#[test]
fn every_poison_has_a_letter_and_every_other_record_its_line() -> Result<()> {
    let _turn = turns::take();
    let name = unique("killed");
    let bootstrap = shared::bootstrap()?;
    let topics = Topics::new(&bootstrap);
    let dlq = format!("{name}-dlq");
    topics.create(&name, 2)?;
    topics.create(&dlq, 1)?;
    let folder = tempfile::tempdir()?;
    let output = folder.path().join("out");
    // Offsets are committed all the time, so that a kill often comes between one and a letter.
    let options = WorkerOptions::new(&name, &bootstrap)?.property("offset.flush.interval.ms", "20");
    let mut worker = WorkerProcess::distributed(&options)?;
    worker.rest().create(
        &name,
        &json!({
            "connector.class": "FileStreamSink", "topics": name, "file": output,
            "errors.tolerance": "all", "errors.deadletterqueue.topic.name": dlq,
            "errors.deadletterqueue.topic.replication.factor": "1",
        }),
    )?;
    let mut letters = topics.reader(&dlq)?;
    let mut produced = 0;
    for _ in 0..KILLS {
        // All letters of a group may be there before this test looks again.
        let before = letters.read()?.len();
        produce(&topics, &name, &mut produced)?;
        eventually("more dead letters", || {
            let now = letters.read()?.len();
            ensure!(now > before, "{now}");
            Ok(())
        })?;
        worker.kill();
        worker.restart()?;
    }
    produce(&topics, &name, &mut produced)?;
    eventually("all lines", || {
        let lines = numbers(fs::read_to_string(&output)?.lines().map(str::to_owned), "");
        complete(&lines, produced, |number| !is_poison(number))
    })?;
    eventually("all dead letters", || {
        let values = letters.read()?.iter().map(|letter| letter.value_text());
        complete(&numbers(values, "poison "), produced, is_poison)
    })?;
    ensure!(Path::exists(&output), "the sink has a file");
    Ok(())
}

fn produce(topics: &Topics, topic: &str, produced: &mut u32) -> Result<()> {
    let numbers = *produced + 1..=*produced + GROUP;
    let values: Vec<String> = numbers.map(value).collect();
    let records: Vec<_> = values
        .iter()
        .map(|value| (None, Some(value.as_bytes())))
        .collect();
    topics.produce(topic, &records)?;
    *produced += GROUP;
    Ok(())
}

fn numbers(texts: impl Iterator<Item = String>, prefix: &str) -> HashSet<u32> {
    texts
        .filter_map(|text| text.strip_prefix(prefix)?.parse().ok())
        .collect()
}

/// Checks that exactly those up to `last` are there that belong there.
fn complete(found: &HashSet<u32>, last: u32, belongs: impl Fn(u32) -> bool) -> Result<()> {
    let expected: HashSet<u32> = (1..=last).filter(|number| belongs(*number)).collect();
    ensure!(
        *found == expected,
        "{} of {} are there, and {} that do not belong there",
        found.intersection(&expected).count(),
        expected.len(),
        found.difference(&expected).count()
    );
    Ok(())
}
