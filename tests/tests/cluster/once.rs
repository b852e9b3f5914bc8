//! Exactly-once sources on several workers of one group.

use std::cell::RefCell;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tempfile::TempDir;
use tether_services::{Kafka, KafkaOptions};
use tether_tests::eventually::{PATIENCE, eventually, within};
use tether_tests::numbered_lines::{self, LineWriter, check_each_once};
use tether_tests::rest_client::RestClient;
use tether_tests::topics::{Record, TopicReader, Topics};
use tether_tests::turns;

use super::group::{Group, Kind};
use crate::exactly_once::source;

const SOURCES: usize = 4;

/// Sources that each write the lines of a file of their own into a topic of their own.
struct Sources {
    lines: Vec<(LineWriter, RefCell<TopicReader>)>,
    _folder: TempDir,
}

impl Sources {
    fn start(kafka: &Kafka) -> Result<Self> {
        let topics = Topics::new(kafka.bootstrap());
        let folder = tempfile::tempdir()?;
        let lines = (0..SOURCES).map(|number| {
            let name = name(number);
            topics.create(&name, 1)?;
            let writer = LineWriter::start(&folder.path().join(&name))?;
            Ok((writer, RefCell::new(topics.reader(&name)?)))
        });
        Ok(Self {
            lines: lines.collect::<Result<_>>()?,
            _folder: folder,
        })
    }

    /// Creates or changes the connectors, so that their tasks are new ones. They commit after so many
    /// milliseconds.
    fn configure(&self, rest: &RestClient, interval: u64) -> Result<()> {
        for (number, (writer, _)) in self.lines.iter().enumerate() {
            let name = name(number);
            let interval = interval.to_string();
            let more = [
                ("transaction.boundary", "interval"),
                ("transaction.boundary.interval.ms", interval.as_str()),
            ];
            let config = source(writer.path(), &name, &more);
            let request = json!(config).to_string();
            let path = format!("/connectors/{name}/config");
            eventually("the connector is configured", || {
                let answer = rest.send("PUT", &path, &request)?;
                ensure!(matches!(answer.status, 200 | 201), "{}", answer.body);
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Waits until each source has written a line that was not there yet when this was called.
    fn wait_progress(&self) -> Result<()> {
        for (writer, reader) in &self.lines {
            let goal = writer.written() + 100;
            eventually(&format!("line {goal} arrives"), || {
                let mut reader = reader.borrow_mut();
                let last = reader.read()?.last().context("no line is in the topic")?;
                let last = numbered_lines::number(&last.value_text())?;
                ensure!(last >= goal, "line {last} is the last one");
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Stops writing, and checks that all lines have arrived once.
    fn finish(mut self) -> Result<()> {
        for (writer, reader) in &mut self.lines {
            let last = writer.stop()?;
            within(PATIENCE * 2, "all lines are in the topic", || {
                let values: Vec<String> = reader
                    .get_mut()
                    .read()?
                    .iter()
                    .map(Record::value_text)
                    .collect();
                let seen = check_each_once(values.iter().map(String::as_str))?;
                ensure!(seen == last, "line {seen} is the last one of {last}");
                Ok(())
            })?;
        }
        Ok(())
    }
}

fn name(number: usize) -> String {
    format!("once-{number}")
}

/// A worker of this kind first, which leads, and one of the other kind.
fn run(first: Kind, second: Kind) -> Result<()> {
    let _turn = turns::take();
    let kafka = Kafka::start(KafkaOptions::default())?;
    let sources = Sources::start(&kafka)?;
    let mut group = Group::new("once", &kafka.bootstrap());
    group.set("exactly.once.source.support", "enabled");
    group.add(first)?;
    group.add(second)?;
    let rests = group.rests();
    sources.configure(&rests[1], 300)?;
    group.wait_balanced(&[0, 1])?;
    sources.wait_progress()?;
    // New tasks on both workers, which have the leader fence the old ones.
    sources.configure(&rests[1], 400)?;
    sources.wait_progress()?;
    group.wait_balanced(&[0, 1])?;

    group.workers[1].pause()?;
    group.wait_balanced(&[0])?;
    sources.wait_progress()?;
    sources.configure(&rests[0], 500)?;
    sources.wait_progress()?;
    group.workers[1].resume()?;
    group.wait_balanced(&[0, 1])?;
    sources.wait_progress()?;

    group.workers[0].kill();
    group.wait_balanced(&[1])?;
    sources.configure(&rests[1], 300)?;
    sources.wait_progress()?;
    group.workers[0].restart()?;
    group.wait_balanced(&[0, 1])?;
    // The second one leads now.
    sources.configure(&rests[0], 400)?;
    sources.wait_progress()?;
    group.wait_balanced(&[0, 1])?;
    sources.finish()
}

#[test]
fn every_line_comes_once_through_two_workers() -> Result<()> {
    run(Kind::Ours, Kind::Ours)
}

/// Each fences for the other.
#[test]
fn every_line_comes_once_through_workers_of_both_kinds() -> Result<()> {
    run(Kind::Java, Kind::Ours)?;
    run(Kind::Ours, Kind::Java)
}
