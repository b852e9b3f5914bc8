//! Exactly-once sources that a worker of the other kind goes on with, and what the two write for each
//! other into the config topic.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tether_api::config::ConfigMap;
use tether_kafka::{
    Clients as _, DeliveryHandler, KafkaErrorKind, OutgoingRecord, RdKafkaClients, RecordMetadata,
};
use tether_services::{ConnectWorker, shared};
use tether_tests::eventually::eventually;
use tether_tests::names::unique;
use tether_tests::numbered_lines::{append, check_each_once};
use tether_tests::topics::{Record, Topics};
use tether_tests::turns;
use tether_tests::worker::Worker;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

use super::flow::source;

const PATIENCE: Duration = Duration::from_secs(60);

/// A source, its file and its topic, all of one name.
struct Scene {
    name: String,
    topics: Topics,
    options: WorkerOptions,
    folder: tempfile::TempDir,
    written: u64,
}

impl Scene {
    fn new() -> Result<Self> {
        let name = unique("once");
        let bootstrap = shared::bootstrap()?;
        let topics = Topics::new(&bootstrap);
        topics.create(&name, 1)?;
        Ok(Self {
            options: WorkerOptions::new(&name, &bootstrap)?
                .property("exactly.once.source.support", "enabled")
                .property("session.timeout.ms", "6000")
                .property("heartbeat.interval.ms", "1500"),
            name,
            topics,
            folder: tempfile::tempdir()?,
            written: 0,
        })
    }

    fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("input")
    }

    fn append_lines(&mut self) -> Result<()> {
        append(&self.file(), self.written + 1, self.written + 50)?;
        self.written += 50;
        Ok(())
    }

    /// Every line is there, once and in order.
    fn lines_arrive(&self) -> Result<()> {
        eventually("all lines are in the topic", || {
            let values: Vec<String> = self
                .topics
                .records(&self.name)?
                .iter()
                .map(Record::value_text)
                .collect();
            let last = check_each_once(values.iter().map(String::as_str))?;
            ensure!(last == self.written, "line {last} of {}", self.written);
            Ok(())
        })
    }

    /// The offsets of the last count of producers and of the last commit of tasks, and that count.
    fn fencing(&self) -> Result<(i64, i64, String)> {
        let records = self.topics.records(&format!("{}-configs", self.name))?;
        let last = |key: String| {
            let found = records.iter().rfind(|record| record.key_text() == key);
            found.with_context(|| format!("no {key}"))
        };
        let count = last(format!("tasks-fencing-{}", self.name))?;
        let commit = last(format!("commit-{}", self.name))?;
        Ok((count.offset, commit.offset, count.value_text()))
    }

    fn configs(&self) -> Result<usize> {
        let records = self.topics.records(&format!("{}-configs", self.name))?;
        Ok(records
            .iter()
            .filter(|record| record.key_text() != "session-key")
            .count())
    }
}

#[test]
fn workers_of_both_kinds_take_over_exactly_once_sources() -> Result<()> {
    let _turn = turns::take();
    let mut scene = Scene::new()?;
    let name = scene.name.clone();
    scene.append_lines()?;
    let mut java = ConnectWorker::distributed(scene.options.for_java())?;
    java.rest()
        .create(&name, &source(&scene.file(), &name, &[]))?;
    scene.lines_arrive()?;
    let (count, commit, tasks) = scene.fencing()?;
    ensure!(count > commit && tasks == r#"{"task-count":1}"#, "{tasks}");
    java.stop()?;
    let configs = scene.configs()?;

    // Ours goes on, and finds that nothing has to be fenced or written.
    scene.append_lines()?;
    let mut ours = WorkerProcess::distributed(&scene.options)?;
    scene.lines_arrive()?;
    ensure!(
        scene.configs()? == configs,
        "a record was written for nothing"
    );

    // New tasks have a count of their own.
    let interval = [
        ("transaction.boundary", "interval"),
        ("transaction.boundary.interval.ms", "300"),
    ];
    let changed = source(&scene.file(), &name, &interval);
    ours.rest().expect(
        200,
        "PUT",
        &format!("/connectors/{name}/config"),
        Some(&changed),
    )?;
    eventually("the new tasks are counted", || {
        let (count, commit, tasks) = scene.fencing()?;
        ensure!(
            count > commit && tasks == r#"{"task-count":1}"#,
            "{count} {commit} {tasks}"
        );
        ours.rest().wait_for(&name, "RUNNING[RUNNING]")
    })?;
    scene.append_lines()?;
    scene.lines_arrive()?;
    ours.kill();

    scene.append_lines()?;
    java.restart()?;
    scene.lines_arrive()?;
    java.kill();

    // Offsets that a user sets are written in a transaction, too.
    ours.restart()?;
    let rest = ours.rest();
    scene.append_lines()?;
    scene.lines_arrive()?;
    rest.put(&name, "stop")?;
    rest.wait_for(&name, "STOPPED[]")?;
    let path = format!("/connectors/{name}/offsets");
    let position = std::fs::metadata(scene.file())?.len();
    let offsets = json!({"offsets": [{
        "partition": {"filename": scene.file()}, "offset": {"position": position},
    }]});
    ensure!(rest.get(&path)? == offsets, "{}", rest.get(&path)?);
    rest.expect(200, "DELETE", &path, None)?;
    ensure!(rest.get(&path)? == json!({"offsets": []}));
    rest.expect(200, "PATCH", &path, Some(&offsets))?;
    ours.stop()?;

    java.restart()?;
    java.rest().put(&name, "resume")?;
    scene.append_lines()?;
    scene.lines_arrive()
}

/// Takes no notice.
struct Unheard;

impl DeliveryHandler for Unheard {
    fn delivered(&self, _token: usize, _outcome: tether_kafka::Result<RecordMetadata>) {}
}

/// A count of producers says how many of them have to be fenced before new tasks start, whoever wrote
/// it.
#[test]
fn as_many_producers_are_fenced_as_were_counted() -> Result<()> {
    let mut scene = Scene::new()?;
    let name = scene.name.clone();
    scene.append_lines()?;
    let bootstrap = shared::bootstrap()?;
    let worker = WorkerProcess::distributed(&scene.options)?;
    let rest = worker.rest();
    rest.create(&name, &source(&scene.file(), &name, &[]))?;
    scene.lines_arrive()?;
    rest.put(&name, "stop")?;
    rest.wait_for(&name, "STOPPED[]")?;

    // There were three tasks, and the last one is still alive.
    let key = format!("tasks-fencing-{name}");
    scene.topics.produce(
        &format!("{name}-configs"),
        &[(Some(key.as_bytes()), Some(br#"{"task-count":3}"#))],
    )?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let properties: ConfigMap = [
        ("bootstrap.servers", bootstrap.as_str()),
        ("transactional.id", &format!("{name}-{name}-2")),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into();
    let clients = RdKafkaClients::new();
    let zombie = runtime.block_on(async {
        let zombie = clients.transactional_producer(&properties, Arc::new(Unheard))?;
        zombie.init_transactions(PATIENCE).await?;
        zombie.begin_transaction()?;
        zombie.send(
            &OutgoingRecord {
                topic: &name,
                partition: None,
                key: None,
                value: Some(b"line 1"),
                timestamp: None,
                headers: &[],
            },
            0,
        )?;
        zombie.flush(PATIENCE).await?;
        tether_kafka::Result::Ok(zombie)
    })?;

    rest.put(&name, "resume")?;
    rest.wait_for(&name, "RUNNING[RUNNING]")?;
    let error = runtime
        .block_on(zombie.commit_transaction(PATIENCE))
        .unwrap_err();
    ensure!(error.kind == KafkaErrorKind::Fenced, "{error}");
    let (count, commit, tasks) = scene.fencing()?;
    ensure!(count > commit && tasks == r#"{"task-count":1}"#, "{tasks}");
    scene.append_lines()?;
    scene.lines_arrive()
}
