//! `offsets.storage.topic`: offsets of a connector in a topic of its own.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tether_services::shared;
use tether_tests::eventually::eventually;
use tether_tests::names::unique;
use tether_tests::numbered_lines::{append, check_all_arrived};
use tether_tests::topics::{Record, Topics};
use tether_tests::worker::Worker;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

const STRING: &str = "org.apache.kafka.connect.storage.StringConverter";

/// The last value of each offset topic's only key; `None` where it is deleted.
fn last_offset(topics: &Topics, topic: &str) -> Result<Option<String>> {
    let records = topics.records(topic)?;
    let last = records.last();
    Ok(last
        .filter(|record| record.value.is_some())
        .map(Record::value_text))
}

#[test]
fn a_connector_keeps_its_offsets_in_a_topic_of_its_own() -> Result<()> {
    let bootstrap = shared::bootstrap()?;
    let topics = Topics::new(&bootstrap);
    let name = unique("own-offsets");
    let (own, behind) = (format!("{name}-own"), format!("{name}-offsets"));
    topics.create(&name, 1)?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("input");
    append(&file, 1, 50)?;
    // With a leader that writes in transactions, as it does before sources do.
    let options =
        WorkerOptions::new(&name, &bootstrap)?.property("exactly.once.source.support", "preparing");
    let mut worker = WorkerProcess::distributed(&options)?;
    let rest = worker.rest();
    let config = json!({
        "connector.class": "FileStreamSource", "tasks.max": "1", "file": file, "topic": name,
        "value.converter": STRING, "offsets.storage.topic": own,
    });
    rest.create(&name, &config)?;
    let arrived = |last| {
        eventually("all lines are in the topic", || {
            let values: Vec<String> = topics
                .records(&name)?
                .iter()
                .map(Record::value_text)
                .collect();
            check_all_arrived(values.iter().map(String::as_str), last)
        })
    };
    let stored = || {
        let position = std::fs::metadata(&file)?.len();
        let expected = Some(format!("{{\"position\":{position}}}"));
        for topic in [&own, &behind] {
            eventually(&format!("{topic} has the offset"), || {
                let last = last_offset(&topics, topic)?;
                ensure!(last == expected, "{last:?} where {expected:?} is due");
                Ok(())
            })?;
        }
        Ok::<_, anyhow::Error>(())
    };
    arrived(50)?;
    stored()?;

    worker.kill();
    append(&file, 51, 100)?;
    worker.restart()?;
    arrived(100)?;
    stored()?;
    let records = topics.records(&name)?.len();
    ensure!(
        records == 100,
        "{records} records: a stored offset was not read"
    );

    // What users ask for concerns both topics.
    rest.put(&name, "stop")?;
    rest.wait_for(&name, "STOPPED[]")?;
    let path = format!("/connectors/{name}/offsets");
    let partition = json!({"filename": file});
    let offsets = |value: Value| json!({"offsets": [{"partition": partition, "offset": value}]});
    let position = std::fs::metadata(&file)?.len();
    assert_eq!(rest.get(&path)?, offsets(json!({"position": position})));
    let altered = offsets(json!({"position": 0}));
    rest.expect(200, "PATCH", &path, Some(&altered))?;
    assert_eq!(rest.get(&path)?, altered);
    rest.expect(200, "DELETE", &path, None)?;
    assert_eq!(rest.get(&path)?, json!({"offsets": []}));
    for topic in [&own, &behind] {
        assert_eq!(last_offset(&topics, topic)?, None, "{topic}");
    }
    Ok(())
}
