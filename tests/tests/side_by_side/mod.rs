//! The Java worker and ours side by side on one Kafka: the same connector configurations leave the same
//! behind. Each worker's connectors, topics and files have a name of its own in theirs; it is taken out
//! before they are compared.

mod connect_client;
mod dead_letters;
mod java_client;
mod kafka_connect_py;
mod kcctl;
mod topic_creation;
mod topic_tracking;
mod transforms;

use std::fs;

use anyhow::Result;
use serde_json::Value;
use tether_services::folders::RunFolder;
use tether_services::{ConnectWorker, shared};
use tether_tests::names;
use tether_tests::rest_client::RestClient;
use tether_tests::topics::Topics;
use tether_tests::turns;
use tether_tests::worker::Worker;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

/// What stands for the names of a side.
const NAME: &str = "{name}";
/// What stands for its folder.
const FILES: &str = "{files}";

/// One of the two workers, and what its connectors work with.
struct Side {
    _worker: Box<dyn Worker>,
    rest: RestClient,
    address: String,
    topics: Topics,
    name: String,
    folder: RunFolder,
}

/// Runs the same on a Java worker and on ours, both with these properties, and compares what it returns.
fn compare<T: PartialEq + std::fmt::Debug>(
    properties: &[(&str, &str)],
    run: impl Fn(&Side) -> Result<T>,
) -> Result<T> {
    let _turn = turns::take();
    let bootstrap = shared::bootstrap()?;
    let options = |name: &str| {
        let options = WorkerOptions::new(name, &bootstrap)?;
        let properties = properties.iter();
        Ok::<_, anyhow::Error>(properties.fold(options, |options, (key, value)| {
            options.property(key, *value)
        }))
    };
    let name = names::unique("java");
    let java = ConnectWorker::distributed(options(&name)?.for_java())?;
    let reference = run(&Side::new(Box::new(java), name, &bootstrap)?)?;
    let name = names::unique("ours");
    let ours = WorkerProcess::distributed(&options(&name)?)?;
    let ours = run(&Side::new(Box::new(ours), name, &bootstrap)?)?;
    assert_eq!(ours, reference, "ours is left, the reference right");
    Ok(ours)
}

impl Side {
    fn new(worker: Box<dyn Worker>, name: String, bootstrap: &str) -> Result<Self> {
        Ok(Self {
            rest: worker.rest(),
            address: worker.address(),
            _worker: worker,
            topics: Topics::new(bootstrap),
            name,
            folder: RunFolder::create("side")?,
        })
    }

    /// Writes a file of the side.
    fn write(&self, file: &str, text: &str) -> Result<()> {
        Ok(fs::write(self.folder.path().join(file), text)?)
    }

    /// Puts the names of this side into a text.
    fn fill(&self, text: &str) -> String {
        text.replace(NAME, &self.name)
            .replace(FILES, &self.folder.path().display().to_string())
    }

    /// Takes the names of this side out of a text.
    fn plain(&self, text: &str) -> String {
        text.replace(&self.folder.path().display().to_string(), FILES)
            .replace(&self.name, NAME)
    }

    /// Creates a connector with this configuration, which may have placeholders; returns its name.
    fn create(&self, connector: &str, config: &Value) -> Result<String> {
        let name = format!("{}-{connector}", self.name);
        let config = serde_json::from_str(&self.fill(&config.to_string()))?;
        self.rest.create(&name, &config)?;
        Ok(name)
    }
}
