//! Connectors in every state, and what they have moved.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use tether_services::shared;
use tether_tests::eventually::eventually;
use tether_tests::names::unique;
use tether_tests::numbered_lines::{append, check_all_arrived, line};
use tether_tests::rest_client::RestClient;
use tether_tests::topics::Topics;
use tether_tests::worker_process::WorkerOptions;

const STRING: &str = "org.apache.kafka.connect.storage.StringConverter";
const AVRO: &str = "io.confluent.connect.avro.AvroConverter";
/// How many lines come at once.
const GROUP: u64 = 50;

/// Six connectors and their files and topics. Names of connectors, topics and files have this scene's
/// name before them.
///
/// | connector | state | |
/// |---|---|---|
/// | `in`, `out` | running | lines in strings, from file to file |
/// | `avro-in` | running | lines in Avro |
/// | `avro-out` | created paused | what it holds back was written by both kinds of workers |
/// | `paused` | paused after it has run | a source |
/// | `stopped` | stopped after it has run | a source |
pub(super) struct Scene {
    /// How both workers are set up.
    pub(super) options: WorkerOptions,
    name: String,
    topics: Topics,
    folder: TempDir,
    /// How many lines each source file has.
    written: u64,
    /// How many records the topics of `paused` and `stopped` have while these are held back.
    held_back: [u64; 2],
    /// How many records `stopped` had written when it was set back to its first line.
    before_rewind: u64,
}

impl Scene {
    /// Topics and files, the files with their first lines.
    pub(super) fn new() -> Result<Self> {
        let name = unique("takeover");
        let bootstrap = shared::bootstrap()?;
        let topics = Topics::new(&bootstrap);
        for topic in ["in", "avro-in", "paused", "stopped"] {
            topics.create(&format!("{name}-{topic}"), 1)?;
        }
        let mut scene = Self {
            options: WorkerOptions::new(&name, &bootstrap)?
                .property("session.timeout.ms", "6000")
                .property("heartbeat.interval.ms", "1500"),
            name,
            topics,
            folder: tempfile::tempdir()?,
            written: 0,
            held_back: [0, 0],
            before_rewind: 0,
        };
        scene.append_lines()?;
        Ok(scene)
    }

    /// Creates the connectors, and brings them into their states.
    pub(super) fn create(&mut self, rest: &RestClient) -> Result<()> {
        let registry = shared::registry_url()?;
        let source = |connector: &str, converter: &str| {
            json!({
                "connector.class": "FileStreamSource", "tasks.max": "1",
                "file": self.file(connector), "topic": self.name_of(connector),
                "value.converter": converter,
                "value.converter.schema.registry.url": registry,
            })
        };
        let sink = |connector: &str, from: &str, converter: &str| {
            json!({
                "connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector",
                "tasks.max": "1", "file": self.file(connector), "topics": self.name_of(from),
                "value.converter": converter,
                "value.converter.schema.registry.url": registry,
            })
        };
        for (connector, config) in [
            ("in", source("in", STRING)),
            ("out", sink("out", "in", STRING)),
            ("avro-in", source("avro-in", AVRO)),
            ("paused", source("paused", STRING)),
            ("stopped", source("stopped", STRING)),
        ] {
            rest.create(&self.name_of(connector), &config)?;
        }
        let request = json!({
            "name": self.name_of("avro-out"), "config": sink("avro-out", "avro-in", AVRO),
            "initial_state": "PAUSED",
        });
        rest.expect(201, "POST", "/connectors", Some(&request))?;
        rest.wait_for(&self.name_of("avro-out"), "PAUSED[]")?;
        self.hold_back(rest)
    }

    /// More lines in the files of all sources.
    pub(super) fn append_lines(&mut self) -> Result<()> {
        let (first, last) = (self.written + 1, self.written + GROUP);
        for connector in ["in", "avro-in", "paused", "stopped"] {
            append(&self.file(connector), first, last)?;
        }
        self.written = last;
        Ok(())
    }

    /// Waits until the running connectors have moved all lines, in order and each once, and checks that
    /// the others have moved nothing.
    pub(super) fn lines_arrive(&self) -> Result<()> {
        self.wait_file("out")?;
        self.wait_topic("in", self.written)?;
        self.wait_topic("avro-in", self.written)?;
        let [paused, stopped] = self.held_back;
        self.wait_topic("paused", paused)?;
        self.wait_topic("stopped", stopped)
    }

    /// Waits until the running connectors have moved all lines, some of them perhaps twice.
    pub(super) fn nothing_is_missing(&self) -> Result<()> {
        eventually("no line is missing", || {
            let text = fs::read_to_string(self.file("out"))?;
            check_all_arrived(text.lines(), self.written)
        })
    }

    /// Lets go what is paused or stopped until it has moved everything, and holds it back again.
    pub(super) fn use_the_held_back(&mut self, rest: &RestClient) -> Result<()> {
        for connector in ["avro-out", "paused", "stopped"] {
            rest.put(&self.name_of(connector), "resume")?;
        }
        self.wait_file("avro-out")?;
        rest.put(&self.name_of("avro-out"), "pause")?;
        rest.wait_for(&self.name_of("avro-out"), "PAUSED[PAUSED]")?;
        self.hold_back(rest)
    }

    /// Sets `stopped` back to its first line.
    pub(super) fn rewind(&mut self, rest: &RestClient) -> Result<()> {
        let path = format!("/connectors/{}/offsets", self.name_of("stopped"));
        let mut offsets = rest.get(&path)?;
        let position = &mut offsets["offsets"][0]["offset"]["position"];
        ensure!(position.take().is_u64(), "{offsets}");
        offsets["offsets"][0]["offset"]["position"] = json!(0);
        let altered = rest.expect(200, "PATCH", &path, Some(&offsets))?;
        ensure!(rest.get(&path)? == offsets, "{altered}");
        [_, self.before_rewind] = self.held_back;
        Ok(())
    }

    fn hold_back(&mut self, rest: &RestClient) -> Result<()> {
        self.held_back = [self.written, self.before_rewind + self.written];
        let [paused, stopped] = self.held_back;
        for (connector, records, action, states) in [
            ("paused", paused, "pause", "PAUSED[PAUSED]"),
            ("stopped", stopped, "stop", "STOPPED[]"),
        ] {
            let name = self.name_of(connector);
            self.wait_topic(connector, records)?;
            rest.put(&name, action)?;
            rest.wait_for(&name, states)?;
        }
        Ok(())
    }

    /// What the REST API says of each connector, but for who runs it.
    pub(super) fn snapshot(&self, rest: &RestClient) -> Result<BTreeMap<String, Value>> {
        let mut snapshot = BTreeMap::new();
        for name in rest.connectors()? {
            let get = |part: &str| rest.get(&format!("/connectors/{name}{part}"));
            let seen = json!({
                "info": get("")?,
                "tasks": get("/tasks")?,
                "topics": get("/topics")?,
                "states": rest.states(&name)?,
            });
            snapshot.insert(name, seen);
        }
        ensure!(snapshot.len() == 6, "connectors: {:?}", snapshot.keys());
        Ok(snapshot)
    }

    /// Waits until a snapshot is this one.
    pub(super) fn wait_snapshot(
        &self,
        rest: &RestClient,
        expected: &BTreeMap<String, Value>,
    ) -> Result<()> {
        eventually("all connectors are as they were left", || {
            let snapshot = self.snapshot(rest)?;
            for (name, expected) in expected {
                let seen = snapshot.get(name).with_context(|| format!("no {name}"))?;
                ensure!(seen == expected, "{name} is {seen}\nand was {expected}");
            }
            Ok(())
        })
    }

    /// Keys and values of the topic for configurations, but for the key with which Java workers sign
    /// what they send each other.
    pub(super) fn config_records(&self) -> Result<Vec<(String, String)>> {
        let records = self.topics.records(&format!("{}-configs", self.name))?;
        Ok(records
            .iter()
            .map(|record| (record.key_text(), record.value_text()))
            .filter(|(key, _)| key != "session-key")
            .collect())
    }

    fn name_of(&self, connector: &str) -> String {
        format!("{}-{connector}", self.name)
    }

    fn file(&self, connector: &str) -> PathBuf {
        self.folder.path().join(connector)
    }

    fn wait_file(&self, connector: &str) -> Result<()> {
        let path = self.file(connector);
        let expected: String = (1..=self.written)
            .map(|number| line(number) + "\n")
            .collect();
        eventually(&format!("all lines through {connector}"), || {
            check_text(&path, &expected)
        })
    }

    /// Waits until the topic of a source holds this many records.
    fn wait_topic(&self, connector: &str, records: u64) -> Result<()> {
        let topic = self.name_of(connector);
        eventually(&format!("{records} records in {topic}"), || {
            let found = self.topics.records(&topic)?.len();
            ensure!(u64::try_from(found)? == records, "{found} records");
            Ok(())
        })
    }
}

fn check_text(path: &Path, expected: &str) -> Result<()> {
    let text = fs::read_to_string(path)?;
    let (lines, last) = (text.lines().count(), text.lines().last());
    ensure!(text == expected, "{lines} lines, the last one {last:?}");
    Ok(())
}
