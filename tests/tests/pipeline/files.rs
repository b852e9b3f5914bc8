//! Lines of a file through a topic into another file, with a standalone worker.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};
use tether_services::{java, shared};
use tether_tests::eventually::eventually;
use tether_tests::names::unique;
use tether_tests::numbered_lines::{append, check_all_arrived, line};
use tether_tests::topics::Topics;
use tether_tests::worker::Worker;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

#[test]
fn lines_go_through_a_topic_and_no_line_comes_twice() -> Result<()> {
    let name = unique("files");
    let bootstrap = shared::bootstrap()?;
    let topics = Topics::new(&bootstrap);
    topics.create(&name, 1)?;
    let folder = tempfile::tempdir()?;
    let input = folder.path().join("input");
    let output = folder.path().join("output");
    append(&input, 1, 50)?;

    let write = |file: &str, name: String, rest: [(&str, &str); 3]| -> Result<_> {
        let mut properties = vec![("name".to_owned(), name)];
        properties.extend(rest.map(|(key, value)| (key.to_owned(), value.to_owned())));
        let path = folder.path().join(file);
        java::write_properties(&path, &properties)?;
        Ok(path)
    };
    let source = write(
        "source.properties",
        format!("{name}-in"),
        [
            ("connector.class", "FileStreamSource"),
            ("file", &input.to_string_lossy()),
            ("topic", &name),
        ],
    )?;
    let sink = write(
        "sink.properties",
        format!("{name}-out"),
        [
            (
                "connector.class",
                "org.apache.kafka.connect.file.FileStreamSinkConnector",
            ),
            ("file", &output.to_string_lossy()),
            ("topics", &name),
        ],
    )?;
    let options = WorkerOptions::new(&name, &bootstrap)?;
    let mut worker = WorkerProcess::standalone(&options, &[source, sink])?;
    wait_lines(&output, 50)?;

    // What the reference writes: no key, the line as JSON with its schema.
    let first = &topics.records(&name)?[0];
    assert_eq!(first.key, None);
    assert_eq!(
        first.value_text(),
        r#"{"schema":{"type":"string","optional":false},"payload":"line 1"}"#
    );

    append(&input, 51, 60)?;
    wait_lines(&output, 60)?;
    worker.stop()?;
    append(&input, 61, 100)?;
    worker.restart()?;
    wait_lines(&output, 100)?;
    assert_eq!(topics.records(&name)?.len(), 100);

    // After kill -9 some lines may come twice, but none is missing.
    append(&input, 101, 150)?;
    wait_lines(&output, 150)?;
    append(&input, 151, 200)?;
    worker.kill();
    worker.restart()?;
    eventually("all lines in spite of kill -9", || {
        let text = fs::read_to_string(&output)?;
        check_all_arrived(text.lines(), 200)
    })
}

/// Waits until a file holds these lines, in order and each once.
fn wait_lines(path: &Path, last: u64) -> Result<()> {
    let expected: String = (1..=last).map(|number| line(number) + "\n").collect();
    eventually(&format!("{last} lines in the sink's file"), || {
        let text = fs::read_to_string(path)?;
        ensure!(
            text == expected,
            "{} lines, ending {:?}",
            text.lines().count(),
            text.lines().last()
        );
        Ok(())
    })
}
