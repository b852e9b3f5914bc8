//! Signals and notifications, with Debezium's connector beside ours on one database: what they log, the
//! records of blocking snapshots, and what is told of snapshots have to be the same.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use tether_services::{ConnectWorker, Postgres, shared};
use tether_tests::eventually::{eventually, within};
use tether_tests::names::unique;
use tether_tests::topics::{Record, TopicReader, Topics};
use tether_tests::turns;
use tether_tests::worker::Worker;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

use super::{settings, workers};

/// How long the reference may take for a signal; it asks its channels now and then.
const PATIENCE: Duration = Duration::from_secs(60);

const TABLES: &str = "\
CREATE SCHEMA inv;
CREATE TABLE inv.a (id int PRIMARY KEY, name text);
CREATE TABLE inv.b (id int PRIMARY KEY, amount numeric(5,2));
CREATE TABLE inv.empty (id int PRIMARY KEY);
CREATE TABLE inv.signal (id varchar(42) PRIMARY KEY, type varchar(32) NOT NULL, data varchar(2048));
INSERT INTO inv.a SELECT n, 'row ' || n FROM generate_series(1, 5) AS n;
INSERT INTO inv.b VALUES (1, 1.50), (2, NULL);";

#[test]
fn signals_do_what_they_do_in_the_reference() -> Result<()> {
    let _turn = turns::take();
    let mut scene = Scene::start()?;
    scene.told(6 + 2)?;
    scene.compare("the initial snapshot")?;
    logged(&mut scene)?;
    blocking_snapshots(&mut scene)?;
    scene.restart()?;
    scene.told(1)?;
    // Signals of a topic that were executed do not come again: they would come before this one.
    scene.signal("kafka", "l4", "log", r#"{"message": "again at {}"}"#)?;
    scene.logged("again at ", "\n")?;
    scene.compare("the restart")
}

/// Logs by each channel, at the position of the stream; and what cannot be executed.
fn logged(scene: &mut Scene) -> Result<()> {
    for (channel, id) in [("source", "l1"), ("kafka", "l2"), ("file", "l3")] {
        let data = json!({"message": format!("{channel} is at {{}} {{}}")});
        scene.signal(channel, id, "log", &data.to_string())?;
        scene.logged(&format!("{channel} is at "), "}")?;
    }
    for (id, kind, data, begin) in [
        (
            "w1",
            "set-binlog-position",
            "{}",
            "Signal 'w1' has been received but",
        ),
        (
            "w2",
            "log",
            "[",
            "Signal 'w2' has been received but the data '['",
        ),
        (
            "w3",
            "execute-snapshot",
            r#"{"data-collections": ["inv.a"], "type": "x"}"#,
            "Action",
        ),
    ] {
        scene.signal("source", id, kind, data)?;
        scene.logged(begin, "\n").with_context(|| id.to_owned())?;
    }
    scene.compare("signals that do nothing to records")
}

/// Snapshots for which the stream waits, by each channel.
fn blocking_snapshots(scene: &mut Scene) -> Result<()> {
    let all = json!({"data-collections": ["inv.*"], "type": "BLOCKING"});
    scene.signal("source", "b1", "execute-snapshot", &all.to_string())?;
    scene.told(6 + 2)?;
    scene.change("UPDATE inv.a SET name = 'changed' WHERE id = 3")?;
    scene.compare("a blocking snapshot of all tables")?;

    let some = json!({
        "data-collections": ["inv.a", "inv.b"],
        "type": "blocking",
        "additional-conditions": [
            {"data-collection": "inv.a", "filter": "SELECT * FROM inv.a WHERE id > 2"},
        ],
    });
    scene.signal("kafka", "b2", "execute-snapshot", &some.to_string())?;
    scene.told(4 + 2)?;
    scene.change("DELETE FROM inv.b WHERE id = 1")?;
    scene.compare("a blocking snapshot of some rows")?;

    let wrong = json!({
        "data-collections": ["inv.a"],
        "type": "blocking",
        "additional-conditions": [{"data-collection": "inv.a", "filter": "SELECT nothing"}],
    });
    scene.signal("file", "b3", "execute-snapshot", &wrong.to_string())?;
    scene.told(4)?;
    scene.change("INSERT INTO inv.a VALUES (6, 'after it')")?;
    scene.compare("a blocking snapshot that fails")?;
    scene.compare_offsets()
}

/// A worker with its connector.
struct Side {
    name: String,
    worker: Box<dyn Worker + Send>,
    signals: PathBuf,
    topics: Vec<TopicReader>,
    /// How many notifications were seen.
    told: usize,
}

/// The topics; `*` stands for the prefix.
const TOPICS: [&str; 6] = [
    "*.inv.a",
    "*.inv.b",
    "*.inv.empty",
    "*.inv.signal",
    "*-told",
    "__debezium-heartbeat.*",
];
const TOLD: usize = 4;

impl Side {
    fn records(&mut self, topic: usize) -> Result<&[Record]> {
        self.topics[topic].read()
    }

    /// All records as texts, without what differs by its nature.
    fn plain(&mut self) -> Result<Vec<String>> {
        let mut plain = Vec::new();
        for (topic, reader) in TOPICS.iter().zip(&mut self.topics) {
            for record in reader.read()? {
                let key = normal(record.key.as_deref(), &self.name)?;
                let value = normal(record.value.as_deref(), &self.name)?;
                plain.push(format!("{topic} {key} {value}"));
            }
        }
        Ok(plain)
    }
}

/// One database and both connectors, the reference's first.
struct Scene {
    postgres: Postgres,
    topics: Topics,
    sides: [Side; 2],
    signals: u32,
    _directory: TempDir,
}

impl Scene {
    fn start() -> Result<Self> {
        let bootstrap = shared::bootstrap()?;
        let postgres = Postgres::start()?;
        postgres.sql(TABLES)?;
        let topics = Topics::new(&bootstrap);
        let directory = TempDir::new()?;
        let token = unique("signals").replace('-', "");
        let side = |role: &str, worker: Box<dyn Worker + Send>| -> Result<Side> {
            let name = format!("{role}{token}");
            let readers = TOPICS.iter().map(|topic| {
                let topic = topic.replace('*', &name);
                topics.create(&topic, 1)?;
                topics.reader(&topic)
            });
            let side = Side {
                topics: readers.collect::<Result<_>>()?,
                signals: directory.path().join(&name),
                name,
                worker,
                told: 0,
            };
            topics.create(&format!("{}-signal", side.name), 1)?;
            let config = config(&side, &postgres, &bootstrap);
            side.worker.rest().create(&side.name, &config)?;
            Ok(side)
        };
        let (reference, ours) = thread::scope(|scope| {
            let reference = scope.spawn(|| -> Result<ConnectWorker> {
                let options = WorkerOptions::new(&format!("{token}a"), &bootstrap)?;
                workers::start_java(&options)
            });
            let options = WorkerOptions::new(&format!("{token}b"), &bootstrap);
            let ours = options.and_then(|options| WorkerProcess::distributed(&options));
            (reference.join(), ours)
        });
        let reference = reference.map_err(|_| anyhow!("a panic"))??;
        let sides = [
            side("ref", Box::new(reference))?,
            side("our", Box::new(ours?))?,
        ];
        Ok(Self {
            postgres,
            topics,
            sides,
            signals: 0,
            _directory: directory,
        })
    }

    /// Sends a signal to both.
    fn signal(&mut self, channel: &str, id: &str, kind: &str, data: &str) -> Result<()> {
        let quoted = |text: &str| text.replace('\'', "''");
        if channel == "source" {
            self.signals += 1;
            return self.change(&format!(
                "INSERT INTO inv.signal VALUES ('{id}', '{kind}', '{}')",
                quoted(data)
            ));
        }
        let data: Value = serde_json::from_str(data)?;
        let signal = json!({"id": id, "type": kind, "data": data}).to_string();
        for side in &self.sides {
            if channel == "kafka" {
                let topic = format!("{}-signal", side.name);
                let record = (Some(side.name.as_bytes()), Some(signal.as_bytes()));
                self.topics.produce(&topic, &[record])?;
            } else {
                let mut file = fs::OpenOptions::new()
                    .append(true)
                    .create(true)
                    .open(&side.signals)?;
                writeln!(file, "{signal}")?;
            }
        }
        Ok(())
    }

    fn change(&self, sql: &str) -> Result<()> {
        self.postgres.sql(sql).map(drop)
    }

    /// Waits until both have told so much more.
    fn told(&mut self, more: usize) -> Result<()> {
        for side in &mut self.sides {
            side.told += more;
            let (told, name) = (side.told, side.name.clone());
            let what = format!("{name} has told {told} times");
            let waited = within(PATIENCE, &what, || {
                let records = side.records(TOLD)?;
                let values: Vec<_> = records.iter().map(told_text).collect();
                ensure!(records.len() >= told, "only {values:#?}");
                Ok(())
            });
            waited.with_context(|| side.worker.log())?;
        }
        Ok(())
    }

    /// Waits until both have logged a text that begins so, and compares it up to its end.
    fn logged(&mut self, begin: &str, end: &str) -> Result<()> {
        let find = |side: &Side| -> Result<String> {
            let found = within(PATIENCE, begin, || {
                let log = side.worker.log();
                let (_, rest) = log.split_once(begin).context("it is not there")?;
                let (found, _) = rest.split_once(end).context("no end")?;
                Ok(found.to_owned())
            });
            found.with_context(|| format!("{}\n{}", side.name, side.worker.log()))
        };
        let [reference, ours] = [find(&self.sides[0])?, find(&self.sides[1])?];
        if end != "\n" {
            ensure!(
                reference == ours,
                "{begin}\nreference {reference}\nours {ours}"
            );
        }
        Ok(())
    }

    /// Waits until both have the same records.
    fn compare(&mut self, after: &str) -> Result<()> {
        within(PATIENCE, &format!("the same records after {after}"), || {
            let [reference, ours] = &mut self.sides;
            let (reference, ours) = (reference.plain()?, ours.plain()?);
            let both = reference.iter().zip(&ours);
            if let Some((reference, ours)) = both.into_iter().find(|(one, other)| one != other) {
                return Err(anyhow!("reference {reference}\nours      {ours}"));
            }
            let (lengths, longer) = match reference.len() > ours.len() {
                true => ((reference.len(), ours.len()), reference.get(ours.len())),
                false => ((reference.len(), ours.len()), ours.get(reference.len())),
            };
            ensure!(lengths.0 == lengths.1, "{lengths:?}, one more {longer:?}");
            Ok(())
        })
    }

    /// Waits until both have stored the same offset.
    fn compare_offsets(&self) -> Result<()> {
        let offset = |side: &Side| -> Result<Value> {
            let mut offset = side.worker.rest().offset(&side.name)?;
            if let Some(offset) = offset.as_object_mut() {
                offset.sort_keys();
            }
            Ok(offset)
        };
        within(PATIENCE, "the same offset", || {
            let (reference, ours) = (offset(&self.sides[0])?, offset(&self.sides[1])?);
            ensure!(reference == ours, "reference {reference}\nours {ours}");
            Ok(())
        })
    }

    fn restart(&mut self) -> Result<()> {
        for side in &mut self.sides {
            side.worker.restart()?;
        }
        Ok(())
    }
}

fn config(side: &Side, postgres: &Postgres, bootstrap: &str) -> Value {
    let more = json!({
        "schema.include.list": "inv",
        "signal.data.collection": "inv.signal",
        "signal.enabled.channels": "source,kafka,file",
        "signal.poll.interval.ms": "200",
        "signal.kafka.bootstrap.servers": bootstrap,
        "signal.kafka.poll.timeout.ms": "100",
        "signal.kafka.groupId": format!("{}-signals", side.name),
        "signal.file": side.signals.display().to_string(),
        "notification.enabled.channels": "sink,log",
        "notification.sink.topic.name": format!("{}-told", side.name),
        // Heartbeats that follow snapshots only.
        "heartbeat.interval.ms": "3600000",
        "poll.interval.ms": "100",
    });
    settings::with(settings::with_own_slot(postgres, &side.name), &more)
}

/// What a notification says.
fn told_text(record: &Record) -> String {
    let value = record.value_text();
    let payload = value.split_once("\"payload\":");
    payload.map_or_else(String::new, |(_, payload)| payload.to_owned())
}

/// A key or value without what differs by its nature.
fn normal(bytes: Option<&[u8]>, name: &str) -> Result<String> {
    let Some(bytes) = bytes else {
        return Ok("null".to_owned());
    };
    let text = std::str::from_utf8(bytes)?.replace(name, "(prefix)");
    let mut value: Value = serde_json::from_str(&text)?;
    let of_notification = text.contains("connector.common.Notification");
    if let Some(payload) = value.get_mut("payload") {
        normalize(payload, of_notification);
    }
    Ok(value.to_string())
}

fn normalize(value: &mut Value, of_notification: bool) {
    let Value::Object(fields) = value else { return };
    for (name, value) in fields {
        let shown = match (name.as_str(), &mut *value) {
            ("ts_ms" | "ts_us" | "ts_ns", Value::Number(_)) => "(a time)",
            ("timestamp", Value::Number(_)) if of_notification => "(a time)",
            ("lsn" | "txId", Value::Number(_)) => "(a number)",
            ("sequence", Value::String(_)) => "(a sequence)",
            ("version", Value::String(_)) => "(a version)",
            ("id", Value::String(id)) if of_notification && is_uuid(id) => "(a UUID)",
            ("additional_data", Value::Object(data)) => {
                // Entries that share a bucket of the reference's map are in any order.
                data.sort_keys();
                continue;
            }
            (_, inner) => {
                normalize(inner, of_notification);
                continue;
            }
        };
        *value = shown.into();
    }
}

/// Whether this is a UUID of chance.
fn is_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.as_bytes()[14] == b'4'
}

/// A connector that only takes a snapshot takes more of them when it is asked to.
#[test]
fn a_connector_that_does_not_stream_is_sent_signals() -> Result<()> {
    let scene = super::scene::Scene::start(&shared::bootstrap()?)?;
    let directory = TempDir::new()?;
    let file = directory.path().join("signals");
    scene.sql("CREATE TABLE a (id int PRIMARY KEY)")?;
    scene.sql("INSERT INTO a VALUES (1), (2)")?;
    let rest = scene.worker.rest();
    let config = scene.config(&json!({
        "snapshot.mode": "initial_only",
        "signal.enabled.channels": "file",
        "signal.file": file.display().to_string(),
        "signal.poll.interval.ms": "100",
        "heartbeat.interval.ms": "3600000",
    }));
    rest.create(&scene.name, &config)?;
    scene.wait_records("public.a", 2)?;
    for signal in 1..=2 {
        scene.sql(&format!("INSERT INTO a VALUES ({signal} + 2)"))?;
        fs::write(
            &file,
            "{\"id\":\"s\",\"type\":\"execute-snapshot\",\"data\":\
             {\"type\":\"blocking\",\"data-collections\":[\"public.a\"]}}",
        )?;
        scene.wait_records("public.a", [0, 5, 9][signal])?;
    }
    let heartbeats = format!("__debezium-heartbeat.{}", scene.name);
    eventually("a heartbeat has followed each snapshot", || {
        let count = scene.records_of(&heartbeats)?.len();
        ensure!(count == 3, "{count} heartbeats");
        Ok(())
    })
}

/// A worker that is killed while a blocking snapshot is taken goes on with the stream without a gap.
#[test]
fn a_kill_within_a_blocking_snapshot_loses_no_change() -> Result<()> {
    const ROWS: u64 = 20_000;
    let mut scene = super::scene::Scene::start(&shared::bootstrap()?)?;
    scene.sql("CREATE TABLE a (id int PRIMARY KEY)")?;
    scene.sql("CREATE TABLE signal (id varchar(42), type varchar(32), data varchar(2048))")?;
    scene.sql(&format!("INSERT INTO a SELECT generate_series(1, {ROWS})"))?;
    scene.capture(&json!({
        "signal.data.collection": "public.signal",
        // So that the snapshot is not over when its first rows have come.
        "max.batch.size": "10",
        "max.queue.size": "20",
        "producer.override.batch.size": "1",
    }))?;
    scene.sql(
        "INSERT INTO signal VALUES ('1', 'execute-snapshot', \
         '{\"type\": \"blocking\", \"data-collections\": [\"public.a\"]}')",
    )?;
    scene.sql(&format!("INSERT INTO a VALUES ({ROWS} + 1)"))?;
    scene.wait_records("public.a", 100)?;
    scene.worker.kill();
    scene.sql(&format!("INSERT INTO a VALUES ({ROWS} + 2)"))?;
    scene.worker.restart()?;
    eventually("both changes have come", || {
        let mut created = BTreeSet::new();
        for record in scene.records("public.a")? {
            let value = super::scene::value(&record)?;
            if value["op"] == "c" {
                created.extend(value["after"]["id"].as_u64());
                let marker = &value["source"]["snapshot"];
                ensure!(*marker == "false", "{marker} in the stream");
            }
        }
        ensure!(created == [ROWS + 1, ROWS + 2].into(), "{created:?}");
        Ok(())
    })
}

/// A topic of signals that is not there yet is read once it is.
#[test]
fn a_topic_of_signals_may_come_later() -> Result<()> {
    let bootstrap = shared::bootstrap()?;
    let scene = super::scene::Scene::start(&bootstrap)?;
    let topic = format!("{}-later", scene.name);
    scene.sql("CREATE TABLE a (id int PRIMARY KEY)")?;
    scene.capture(&json!({
        "signal.enabled.channels": "kafka",
        "signal.kafka.topic": topic,
        "signal.kafka.bootstrap.servers": bootstrap,
        "signal.poll.interval.ms": "100",
    }))?;
    scene.sql("INSERT INTO a VALUES (1)")?;
    scene.wait_records("public.a", 1)?;
    let topics = Topics::new(&bootstrap);
    if !topics.exists(&topic)? {
        topics.create(&topic, 1)?;
    }
    let signal = br#"{"id": "1", "type": "log", "data": {"message": "it came"}}"#;
    topics.produce(&topic, &[(Some(scene.name.as_bytes()), Some(signal))])?;
    eventually("the signal is executed", || {
        let log = scene.worker.log();
        ensure!(log.contains("it came"), "{log}");
        Ok(())
    })
}
