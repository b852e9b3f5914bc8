//! Debezium's JDBC sink in the Java worker and ours read the same topics, and have to leave equal tables on
//! PostgreSQL and MariaDB: columns, keys and rows. What differs on purpose is named by the scenario that shows it, and
//! told in docs/connectors/jdbc-sink.md.

mod events;
mod mariadb;
mod record;
mod scenario;
mod tables;
mod types;

use std::fmt::Write as _;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tether_services::jars::Jars;
use tether_services::{ConnectWorker, shared};
use tether_tests::eventually::within;
use tether_tests::names;
use tether_tests::rest_client::RestClient;
use tether_tests::topics::Topics;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

use scenario::{Scenario, Trial};
use tables::Tables;

const CLASS: &str = "io.debezium.connector.jdbc.JdbcSinkConnector";

/// How long a worker may take with all of its connectors.
const PATIENCE: Duration = Duration::from_secs(240);

/// What every connector is told unless its scenario says otherwise.
const DEFAULTS: [(&str, &str); 4] = [
    ("schema.evolution", "basic"),
    ("insert.mode", "upsert"),
    ("delete.enabled", "true"),
    ("primary.key.mode", "record_key"),
];

#[test]
fn tables_on_postgres_are_those_of_the_reference() {
    compare(&[types::scenarios(), events::scenarios()].concat());
}

/// Its connectors for different databases do not get along within one process: the types of the one that
/// started last are those of all.
#[test]
fn tables_on_mariadb_are_those_of_the_reference() {
    compare(&mariadb::scenarios());
}

fn compare(scenarios: &[Scenario]) {
    let run = names::unique("j").replace('-', "x");
    let bootstrap = shared::bootstrap().expect("a shared Kafka");
    let trials = Trial::of(scenarios);
    let topics = Topics::new(&bootstrap);
    for scenario in scenarios {
        produce(&topics, &run, scenario).expect("a topic with records");
    }
    let (reference, ours) = thread::scope(|scope| {
        let reference = scope.spawn(|| {
            let jars = Jars::fetch()?;
            let folders = [jars.plugin_path(), jars.debezium_jdbc_path()];
            let path = folders.map(|folder| folder.display().to_string()).join(",");
            let options = options(&bootstrap)?
                .for_java()
                .property("plugin.path", path);
            let worker = ConnectWorker::distributed(options)?;
            Outcome::of_all(worker.url(), &run, &trials)
        });
        let ours = options(&bootstrap).and_then(|options| {
            let worker = WorkerProcess::distributed(&options)?;
            Outcome::of_all(worker.url(), &run, &trials)
        });
        (reference.join().expect("the reference"), ours)
    });
    let (reference, ours) = (reference.expect("the reference"), ours.expect("our tables"));
    let mut problems = String::new();
    for (trial, (theirs, own)) in trials.iter().zip(reference.iter().zip(&ours)) {
        for problem in theirs.differences(own, trial) {
            let _ = writeln!(problems, "{}: {problem}", trial.names());
        }
    }
    assert!(problems.is_empty(), "{problems}");
}

fn options(bootstrap: &str) -> Result<WorkerOptions> {
    WorkerOptions::new(&names::unique("jdbc"), bootstrap)
}

fn produce(topics: &Topics, run: &str, scenario: &Scenario) -> Result<()> {
    let topic = scenario.topic(run);
    topics.create(&topic, 1)?;
    let records: Vec<_> = scenario
        .records
        .iter()
        .map(record::Record::in_topic)
        .collect();
    topics.produce_records(&topic, &records)
}

/// What a connector left behind.
#[derive(Debug)]
struct Outcome {
    /// The trace of a task that failed.
    failure: Option<String>,
    /// Lines about tables, without names of this run.
    lines: Vec<String>,
}

impl Outcome {
    /// Runs a connector for each trial on a worker, each with a database of its own.
    fn of_all(url: &str, run: &str, trials: &[Trial<'_>]) -> Result<Vec<Self>> {
        let rest = RestClient::new(url);
        let started = trials.iter().map(|trial| {
            let name = names::unique("tables").replace('-', "x");
            let database = Tables::create(trial.first().server, &name)?;
            for sql in trial.scenarios.iter().flat_map(|scenario| scenario.before) {
                database.run(sql)?;
            }
            rest.create(&name, &config(&database, run, trial))?;
            Ok((name, database))
        });
        let started = started.collect::<Result<Vec<_>>>()?;
        started
            .iter()
            .zip(trials)
            .map(|((name, database), trial)| {
                let failure = finish(&rest, name, trial).with_context(|| trial.names())?;
                let lines = database.lines(run)?;
                Ok(Self { failure, lines })
            })
            .collect()
    }

    /// What differs from the outcome of the other worker, apart from what the scenarios say.
    fn differences(&self, ours: &Self, trial: &Trial<'_>) -> Vec<String> {
        let mut found = Vec::new();
        if let Some(trace) = &ours.failure {
            found.push(format!("ours failed: {trace}"));
        }
        match (&self.failure, trial.first().fails) {
            (Some(trace), Some(reason)) if trace.contains(reason) => return found,
            (Some(trace), _) => found.push(format!("the reference failed: {trace}")),
            (None, Some(reason)) => found.push(format!("the reference did not fail: {reason}")),
            (None, None) => {}
        }
        let only = |side: &str, lines: &[String], others: &[String]| -> Vec<String> {
            let lines = lines.iter().filter(|line| !others.contains(line));
            lines.map(|line| format!("{side} {line}")).collect()
        };
        let lines = [
            only("-", &self.lines, &ours.lines),
            only("+", &ours.lines, &self.lines),
        ]
        .concat();
        let known: Vec<&str> = trial
            .scenarios
            .iter()
            .flat_map(|scenario| scenario.differs.iter().copied())
            .collect();
        let is_known = |line: &&String| known.contains(&line.as_str());
        found.extend(lines.iter().filter(|line| !is_known(line)).cloned());
        let unseen = known
            .iter()
            .filter(|known| !lines.iter().any(|line| line == *known));
        found.extend(unseen.map(|known| format!("does not differ: {known}")));
        found
    }
}

fn config(database: &Tables, run: &str, trial: &Trial<'_>) -> Value {
    let (url, user, password) = database.connection();
    let mut config = json!({
        "connector.class": CLASS,
        "topics": trial.topics(run),
        "connection.url": url,
        "connection.username": user,
        "connection.password": password,
        // All of them together must not want more than the server has.
        "connection.pool.min_size": "1",
    });
    for (key, value) in DEFAULTS.iter().chain(trial.first().settings) {
        config[key] = Value::from(*value);
    }
    config
}

/// Waits until a connector has read all records or failed; the trace if it has.
fn finish(rest: &RestClient, name: &str, trial: &Trial<'_>) -> Result<Option<String>> {
    let end = trial.records();
    within(PATIENCE, &format!("{name} is done"), || {
        let states = rest.states(name)?;
        if states.contains("FAILED") {
            return Ok(Some(rest.traces(name)?));
        }
        let offsets = rest.get(&format!("/connectors/{name}/offsets"))?;
        let offsets = offsets["offsets"].as_array().into_iter().flatten();
        let read = offsets.filter_map(|offset| offset["offset"]["kafka_offset"].as_u64());
        let read: u64 = read.sum();
        ensure!(read == end, "{states} at {read} of {end}");
        Ok(None)
    })
}
