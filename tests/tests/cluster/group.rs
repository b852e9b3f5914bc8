//! Workers of one group, and what each of them runs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tether_services::ConnectWorker;
use tether_services::jars::Jars;
use tether_tests::eventually::eventually;
use tether_tests::rest_client::RestClient;
use tether_tests::worker::Worker;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

/// Which program a worker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Ours,
    Java,
}

/// Workers of one group, which gives the work of a lost worker to others at once.
pub(super) struct Group {
    name: String,
    bootstrap: String,
    properties: Vec<(&'static str, String)>,
    java_plugins: Vec<PathBuf>,
    pub(super) workers: Vec<Box<dyn Worker>>,
}

impl Group {
    /// Of no workers yet. The group and its topics have this name.
    pub(super) fn new(name: &str, bootstrap: &str) -> Self {
        let properties = [
            ("scheduled.rebalance.max.delay.ms", "0"),
            ("session.timeout.ms", "6000"),
            ("heartbeat.interval.ms", "1000"),
        ];
        Self {
            name: name.to_owned(),
            bootstrap: bootstrap.to_owned(),
            properties: properties
                .map(|(key, value)| (key, value.to_owned()))
                .to_vec(),
            java_plugins: Vec::new(),
            workers: Vec::new(),
        }
    }

    /// Sets a property of workers that are added later.
    pub(super) fn set(&mut self, key: &'static str, value: &str) {
        self.properties.push((key, value.to_owned()));
    }

    /// Gives Java workers that are added later this `plugin.path` besides their own.
    pub(super) fn add_java_plugins(&mut self, path: PathBuf) {
        self.java_plugins.push(path);
    }

    /// Starts one more worker.
    pub(super) fn add(&mut self, kind: Kind) -> Result<RestClient> {
        let mut options = WorkerOptions::new(&self.name, &self.bootstrap)?;
        for (key, value) in &self.properties {
            options = options.property(key, value);
        }
        let worker: Box<dyn Worker> = match kind {
            Kind::Ours => Box::new(WorkerProcess::distributed(&options)?),
            Kind::Java => {
                let jars = Jars::fetch()?;
                let mut folders = vec![jars.plugin_path(), jars.debezium_jdbc_path()];
                folders.extend(self.java_plugins.iter().cloned());
                let folders = folders.iter().map(|folder| folder.display().to_string());
                let path = folders.collect::<Vec<_>>().join(",");
                let options = options.for_java().property("plugin.path", path);
                Box::new(ConnectWorker::distributed(options)?)
            }
        };
        let rest = worker.rest();
        self.workers.push(worker);
        Ok(rest)
    }

    /// A client of each worker.
    pub(super) fn rests(&self) -> Vec<RestClient> {
        self.workers.iter().map(|worker| worker.rest()).collect()
    }

    /// The addresses of these workers.
    pub(super) fn addresses(&self, indices: &[usize]) -> BTreeSet<String> {
        let workers = indices.iter().map(|index| &self.workers[*index]);
        workers.map(|worker| worker.address()).collect()
    }

    /// Waits until these workers, and no others, run everything, each its share of the connectors and
    /// its share of the tasks, and one of them says so.
    pub(super) fn wait_balanced(&self, indices: &[usize]) -> Result<()> {
        let expected = self.addresses(indices);
        let rest = self.workers[indices[0]].rest();
        eventually(&format!("{expected:?} share the work"), || {
            let shares = Shares::of(&rest)?;
            let connectors: Vec<&String> = shares.connectors.values().collect();
            for owners in [connectors, shares.tasks.values().collect()] {
                let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
                for owner in &owners {
                    *counts.entry(owner).or_default() += 1;
                }
                ensure!(
                    counts.keys().all(|owner| expected.contains(*owner)),
                    "{counts:?}"
                );
                let (total, workers) = (owners.len(), expected.len());
                let fair = total / workers..=total.div_ceil(workers);
                for worker in &expected {
                    let count = counts.get(worker.as_str()).copied().unwrap_or(0);
                    ensure!(fair.contains(&count), "{counts:?} of {total}");
                }
            }
            Ok(())
        })
    }
}

/// Who runs what, where all of it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shares {
    /// The worker of each connector.
    pub(super) connectors: BTreeMap<String, String>,
    /// The worker of each task, by connector and number.
    pub(super) tasks: BTreeMap<(String, u64), String>,
}

impl Shares {
    /// As a worker tells it.
    ///
    /// # Errors
    ///
    /// Something does not run, or has no status yet.
    pub(super) fn of(rest: &RestClient) -> Result<Self> {
        let all = rest.get("/connectors?expand=status&expand=info")?;
        let mut shares = Self {
            connectors: BTreeMap::new(),
            tasks: BTreeMap::new(),
        };
        for (name, both) in all.as_object().context("no object")? {
            let status = &both["status"];
            let owner = owner(&status["connector"]).with_context(|| name.clone())?;
            shares.connectors.insert(name.clone(), owner);
            let tasks = status["tasks"].as_array().context("no tasks")?;
            let configured = both["info"]["tasks"].as_array().context("no tasks")?;
            ensure!(
                !tasks.is_empty() && tasks.len() == configured.len(),
                "{name} has {} tasks of {}",
                tasks.len(),
                configured.len()
            );
            for task in tasks {
                let id = task["id"].as_u64().context("a task without a number")?;
                let owner = self::owner(task).with_context(|| format!("{name}-{id}"))?;
                shares.tasks.insert((name.clone(), id), owner);
            }
        }
        Ok(shares)
    }
}

/// The worker of an instance that runs.
fn owner(instance: &Value) -> Result<String> {
    ensure!(instance["state"] == "RUNNING", "{instance}");
    let worker = instance["worker_id"].as_str();
    Ok(worker.context("no worker")?.to_owned())
}
