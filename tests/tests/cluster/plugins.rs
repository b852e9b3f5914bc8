//! Our worker and Java's in one group, each with a connector class that the other does not have.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tether_services::jars::Jars;
use tether_services::{Kafka, KafkaOptions, java};
use tether_tests::eventually::eventually;
use tether_tests::rest_client::RestClient;
use tether_tests::topics::Topics;
use tether_tests::turns;
use tether_tests::users_api::{UsersApi, user};

use super::group::{Group, Kind};
use crate::faults::flow::Flow;

const JAVA: usize = 0;
const OURS: usize = 1;

/// The class that only one of the workers has.
const CLASSES: [&str; 2] = [
    "tether.bench.Generator",
    "com.example.kafka.connect.RestSourceConnector",
];

/// Connectors of such a class, of one task each. They are more than those of the flow, so that each worker
/// gets connectors and tasks of its own class and of the other's.
const CONNECTORS: usize = 4;

fn name(owner: usize, number: usize) -> String {
    format!("{}{number}", prefix(owner))
}

fn prefix(owner: usize) -> String {
    format!("only-{owner}-")
}

struct Scene {
    group: Group,
    flow: Flow,
    users: UsersApi,
    _plugins: tempfile::TempDir,
    _kafka: Kafka,
}

/// An instance of a connector (without a number) or task.
type Instance = (String, Option<u64>);

impl Scene {
    /// Java, alone, runs the flow and connectors that only it can run. Then ours comes.
    fn start() -> Result<Self> {
        let kafka = Kafka::start(KafkaOptions::default())?;
        Topics::new(kafka.bootstrap()).create("users", 1)?;
        let plugins = tempfile::tempdir()?;
        let mut group = Group::new("plugins", &kafka.bootstrap());
        group.add_java_plugins(generator(plugins.path())?);
        group.add(Kind::Java)?;
        let mut scene = Self {
            group,
            flow: Flow::start(&kafka, None)?,
            users: UsersApi::start(vec![user(1, 1)])?,
            _plugins: plugins,
            _kafka: kafka,
        };
        scene.flow.connect(&scene.rest(JAVA))?;
        scene.create(JAVA)?;
        scene.group.wait_balanced(&[JAVA])?;
        scene.group.add(Kind::Ours)?;
        Ok(scene)
    }

    fn rest(&self, worker: usize) -> RestClient {
        self.group.workers[worker].rest()
    }

    /// Creates the connectors of the class that only this worker has, at that worker: who is asked
    /// refuses a class that is not known to it, and so does who leads.
    fn create(&self, owner: usize) -> Result<()> {
        let mut config = match owner {
            JAVA => json!({"topic": "none", "records": "0", "batch.size": "1", "text.length": "1"}),
            _ => json!({"topic": "users", "rest.endpoint": self.users.url()}),
        };
        config["connector.class"] = CLASSES[owner].into();
        config["tasks.max"] = "1".into();
        (0..CONNECTORS)
            .try_for_each(|number| self.rest(owner).create(&name(owner, number), &config))
    }

    /// Waits until these workers share the work, everything runs that is on a worker which has its
    /// class, and everything else has failed. Returns what has failed.
    fn wait_settled(&self, workers: &[usize]) -> Result<BTreeSet<Instance>> {
        let rest = self.rest(workers[0]);
        let addresses = [JAVA, OURS].map(|worker| self.group.workers[worker].address());
        eventually(&format!("{workers:?} have what they can run"), || {
            let all = rest.get("/connectors?expand=status&expand=info")?;
            let mut failed = BTreeSet::new();
            let mut counts: BTreeMap<(bool, usize), usize> = BTreeMap::new();
            for (connector, both) in all.as_object().context("no object")? {
                let class = &both["info"]["config"]["connector.class"];
                for (task, status) in instances(&both["status"])? {
                    let is_owner = |address: &String| status["worker_id"] == **address;
                    let worker = addresses.iter().position(is_owner);
                    let worker = worker.context("another worker")?;
                    let is_foreign = *class == CLASSES[1 - worker];
                    let expected = if is_foreign { "FAILED" } else { "RUNNING" };
                    ensure!(
                        status["state"] == expected,
                        "{connector} {task:?}: {status}"
                    );
                    *counts.entry((task.is_some(), worker)).or_default() += 1;
                    if is_foreign {
                        failed.insert((connector.clone(), task));
                    }
                }
            }
            let connectors = rest.connectors()?.len();
            for is_task in [false, true] {
                let counts = [JAVA, OURS]
                    .map(|worker| counts.get(&(is_task, worker)).copied().unwrap_or_default());
                ensure!(
                    counts.iter().sum::<usize>() == connectors,
                    "{counts:?} of {connectors}"
                );
                let fair = connectors / workers.len()..=connectors.div_ceil(workers.len());
                for worker in [JAVA, OURS] {
                    let is_fair = fair.contains(&counts[worker]);
                    ensure!(is_fair == workers.contains(&worker), "{counts:?}");
                }
            }
            Ok(failed)
        })
    }

    /// What has failed says why, in the same words at both workers, and can be restarted through
    /// both, in vain. Returns the connectors whose instance has failed.
    fn fails_everywhere(&self, failed: &BTreeSet<Instance>, owner: usize) -> Result<Vec<String>> {
        for (connector, task) in failed {
            for worker in [JAVA, OURS] {
                eventually("the worker has the trace", || {
                    let path = format!("/connectors/{connector}/status");
                    let status = self.rest(worker).get(&path)?;
                    let (_, found) = instances(&status)?
                        .into_iter()
                        .find(|(number, _)| number == task)
                        .context("no status")?;
                    check_trace(found["trace"].as_str().unwrap_or_default(), owner, *task)
                })?;
            }
        }
        let connectors = failed.iter().filter(|(_, task)| task.is_none());
        let connectors: Vec<String> = connectors.map(|(connector, _)| connector.clone()).collect();
        ensure!(
            !connectors.is_empty() && connectors.len() < failed.len(),
            "{failed:?}"
        );
        for worker in [JAVA, OURS] {
            let (rest, connector) = (self.rest(worker), &connectors[0]);
            let path = format!("/connectors/{connector}/restart");
            let answer = rest.expect(500, "POST", &path, None)?;
            let message = answer["message"].as_str().unwrap_or_default();
            let start = format!("Failed to start connector: {connector}");
            ensure!(message.starts_with(&start), "{answer}");
            // Java leaves a task that it cannot start at RESTARTING.
            let tasks = owner == JAVA;
            let path = format!("{path}?onlyFailed=true&includeTasks={tasks}");
            rest.expect(202, "POST", &path, None)?;
            ensure!(
                self.wait_settled(&[JAVA, OURS])? == *failed,
                "something else has failed"
            );
        }
        Ok(connectors)
    }

    /// Deletes a connector through a worker.
    fn delete(&self, worker: usize, connector: &str) -> Result<()> {
        let path = format!("/connectors/{connector}");
        self.rest(worker).expect(204, "DELETE", &path, None)?;
        Ok(())
    }

    /// Waits until nothing is left of a connector.
    fn wait_deleted(&self, workers: &[usize], connector: &str) -> Result<()> {
        for worker in workers {
            eventually(&format!("{connector} is deleted"), || {
                for path in ["", "/status"] {
                    let path = format!("/connectors/{connector}{path}");
                    let answer = self.rest(*worker).send("GET", &path, "")?;
                    ensure!(answer.status == 404, "{}", answer.body);
                }
                Ok(())
            })?;
        }
        Ok(())
    }
}

/// Checks the trace of what failed because only this worker has its class. Java says less of tasks.
fn check_trace(trace: &str, owner: usize, task: Option<u64>) -> Result<()> {
    let is_told = if owner == OURS && task.is_some() {
        trace.contains("since it is not a recognizable type (source or sink)")
    } else {
        let reason = format!(
            "Failed to find any class that implements Connector and which name matches {}, available connectors \
             are: PluginDesc{{",
            CLASSES[owner]
        );
        trace.contains(&reason) && trace.contains("FileStreamSourceConnector")
    };
    let is_exception =
        trace.starts_with("org.apache.kafka.connect.errors.ConnectException: Failed to ");
    ensure!(is_exception && is_told, "{trace}");
    Ok(())
}

/// The instance of a connector and its tasks, with the status of each.
fn instances(status: &Value) -> Result<Vec<(Option<u64>, &Value)>> {
    let tasks = status["tasks"].as_array().context("no tasks")?;
    let tasks = tasks.iter().map(|task| (task["id"].as_u64(), task));
    Ok([(None, &status["connector"])]
        .into_iter()
        .chain(tasks)
        .collect())
}

/// A `plugin.path` of the generator of the benchmarks, below this folder.
fn generator(folder: &Path) -> Result<PathBuf> {
    let classes = java::bench_classes(&Jars::fetch()?.kafka_class_path())?;
    let path = folder.join("plugins");
    fs::create_dir(&path)?;
    symlink(classes, path.join("bench"))?;
    Ok(path)
}

#[test]
fn a_class_that_only_one_kind_of_worker_has_fails_on_the_other_alone() -> Result<()> {
    let _turn = turns::take();
    let mut scene = Scene::start()?;
    let failed = scene.wait_settled(&[JAVA, OURS])?;
    scene.flow.wait_progress(0)?;
    let foreign = scene.fails_everywhere(&failed, JAVA)?;
    let kind = |worker: usize| -> Result<Value> {
        let info = scene
            .rest(worker)
            .get(&format!("/connectors/{}", foreign[0]))?;
        Ok(info["type"].clone())
    };
    assert_eq!(
        (kind(JAVA)?, kind(OURS)?),
        ("source".into(), "unknown".into())
    );
    scene.delete(JAVA, &foreign[0])?;
    scene.wait_deleted(&[JAVA, OURS], &foreign[0])?;
    scene.wait_settled(&[JAVA, OURS])?;
    scene.flow.wait_progress(0)?;

    // Ours does not know yet that there is another leader, and a request waits until it does.
    scene.group.workers[JAVA].kill();
    let mut left = scene.rest(OURS).connectors()?;
    left.retain(|connector| connector.starts_with(&prefix(JAVA)));
    for connector in left {
        scene.delete(OURS, &connector)?;
        scene.wait_deleted(&[OURS], &connector)?;
    }
    scene.create(OURS)?;
    scene.wait_settled(&[OURS])?;
    scene.flow.wait_progress(0)?;

    // The other way round: ours leads, and Java has no such class.
    scene.group.workers[JAVA].restart()?;
    let failed = scene.wait_settled(&[JAVA, OURS])?;
    let foreign = scene.fails_everywhere(&failed, OURS)?;
    for (worker, connector) in [JAVA, OURS].into_iter().zip(&foreign) {
        scene.delete(worker, connector)?;
        scene.wait_deleted(&[JAVA, OURS], connector)?;
    }
    scene.wait_settled(&[JAVA, OURS])?;
    scene.flow.wait_progress(0)?;
    scene.flow.finish()
}
