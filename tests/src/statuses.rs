//! Who runs what, as the status topic tells it.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::Message as _;
use rdkafka::{Offset, TopicPartitionList};
use serde::Deserialize;

const POLL: Duration = Duration::from_millis(50);
const CONNECTOR: &str = "status-connector-";
const TASK: &str = "status-task-";

/// Reads the status topic of one partition on and on.
pub struct Statuses {
    consumer: BaseConsumer,
    connectors: BTreeMap<String, Status>,
    tasks: BTreeMap<String, Status>,
    generation: i64,
}

/// The latest status of an instance.
struct Status {
    value: Value,
    /// Milliseconds since the epoch.
    written: i64,
}

#[derive(Deserialize)]
struct Value {
    state: String,
    worker_id: String,
    generation: i64,
}

impl Statuses {
    /// From the beginning of this topic, which is there.
    ///
    /// # Errors
    ///
    /// The client cannot be made.
    pub fn read(bootstrap: &str, topic: &str) -> Result<Self> {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", bootstrap)
            // Only assigned, never subscribed: no group is made.
            .set("group.id", "bench")
            .set("enable.auto.commit", "false")
            .create()?;
        let mut assignment = TopicPartitionList::new();
        assignment.add_partition_offset(topic, 0, Offset::Beginning)?;
        consumer.assign(&assignment)?;
        Ok(Self {
            consumer,
            connectors: BTreeMap::new(),
            tasks: BTreeMap::new(),
            generation: 0,
        })
    }

    /// The number of the latest round of the group in which something was started or stopped.
    pub fn generation(&self) -> i64 {
        self.generation
    }

    /// Waits until so many connectors with one task each run, evenly spread over exactly these workers,
    /// and returns when the last of them was started, in milliseconds since the epoch.
    ///
    /// # Errors
    ///
    /// That does not happen within `patience`.
    pub fn wait_balanced(
        &mut self,
        workers: &BTreeSet<String>,
        connectors: usize,
        patience: Duration,
    ) -> Result<i64> {
        let deadline = Instant::now() + patience;
        loop {
            if !self.take_all()? {
                let all = [&self.connectors, &self.tasks];
                let states = all.map(|instances| state(instances, workers, connectors));
                match states {
                    [Ok(one), Ok(other)] => return Ok(one.max(other)),
                    [one, other] if Instant::now() > deadline => {
                        let lines = [one, other].map(|state| state.err().unwrap_or_default());
                        bail!("no balance: {}", lines.join("; "))
                    }
                    _ => thread::sleep(POLL),
                }
            }
        }
    }

    /// Takes in what has come; whether there was anything.
    fn take_all(&mut self) -> Result<bool> {
        let mut is_any = false;
        while let Some(message) = self.consumer.poll(POLL) {
            let message = message?;
            is_any = true;
            let key = String::from_utf8_lossy(message.key().unwrap_or_default());
            let (instances, name) = if let Some(name) = key.strip_prefix(CONNECTOR) {
                (&mut self.connectors, name)
            } else if let Some(name) = key.strip_prefix(TASK) {
                (&mut self.tasks, name)
            } else {
                continue;
            };
            let Some(value) = message.payload() else {
                instances.remove(name);
                continue;
            };
            let value: Value = serde_json::from_slice(value)?;
            self.generation = self.generation.max(value.generation);
            let written = message.timestamp().to_millis().context("no timestamp")?;
            instances.insert(name.to_owned(), Status { value, written });
        }
        Ok(is_any)
    }
}

/// When the last of these instances was started, or what there is instead of balance.
fn state(
    instances: &BTreeMap<String, Status>,
    workers: &BTreeSet<String>,
    count: usize,
) -> Result<i64, String> {
    let mut shares: BTreeMap<&str, usize> = workers.iter().map(|id| (id.as_str(), 0)).collect();
    let mut last = 0;
    let mut states: BTreeMap<&str, usize> = BTreeMap::new();
    for Status { value, written } in instances.values() {
        *states.entry(&value.state).or_default() += 1;
        *shares.entry(&value.worker_id).or_default() += 1;
        last = last.max(*written);
    }
    let fair = count / workers.len()..=count.div_ceil(workers.len());
    let is_balanced = states.get("RUNNING") == Some(&count)
        && instances.len() == count
        && shares.len() == workers.len()
        && shares.values().all(|share| fair.contains(share));
    if is_balanced {
        Ok(last)
    } else {
        Err(format!("{states:?} of {count} on {shares:?}"))
    }
}
