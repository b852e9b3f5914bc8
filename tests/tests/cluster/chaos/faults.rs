//! Workers, the broker and the network between, and what can happen to them.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, ensure};
use tether_services::{Behind, Kafka, KafkaOptions, Listener, port};
use tether_tests::eventually::within;
use tether_tests::proxy::Proxy;
use tether_tests::rest_client::RestClient;
use tether_tests::worker::Worker;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

use super::load::{Load, PATIENCE};

/// What a test that fails shows of a worker's log.
const LOG_LINES: usize = 100;
pub(super) const GROUP: &str = "chaos";

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// `kill -9` of a worker, which comes back once others do its work.
    Kill,
    /// A worker stands still until others do its work, and goes on as if nothing had been.
    Freeze,
    /// A worker stops in order and comes back.
    Restart,
    /// A worker cannot reach the broker until others do its work.
    Cut,
    /// The broker stops in order and comes back.
    RestartBroker,
    /// `kill -9` of the broker, which comes back.
    KillBroker,
}

impl Fault {
    pub(super) const ALL: [Self; 6] = [
        Self::Kill,
        Self::Freeze,
        Self::Restart,
        Self::Cut,
        Self::RestartBroker,
        Self::KillBroker,
    ];
}

/// A fault that has been.
#[derive(Debug, Clone)]
pub(super) struct Struck {
    /// For the message of a test that fails.
    _fault: Fault,
    /// The address of the worker; `None` if it was the broker's.
    pub(super) worker: Option<String>,
    /// When it began and when it was over, in milliseconds since the epoch.
    pub(super) began: i64,
    pub(super) ended: i64,
}

/// A broker and workers, with a network that can be cut between it and each of them.
pub(super) struct Field {
    kafka: Kafka,
    bootstrap: String,
    proxies: Vec<Proxy>,
    workers: Vec<WorkerProcess>,
    struck: Vec<Struck>,
}

impl Field {
    pub(super) fn start(workers: usize) -> Result<Self> {
        let (mut listeners, mut proxies) = (Vec::new(), Vec::new());
        for number in 0..workers {
            let port = port::free()?;
            let proxy = Proxy::start(port)?;
            listeners.push(Listener {
                name: format!("WORKER{number}"),
                protocol: "PLAINTEXT".to_owned(),
                behind: Some(Behind {
                    port,
                    proxy: proxy.port(),
                }),
            });
            proxies.push(proxy);
        }
        let kafka = Kafka::start(KafkaOptions {
            listeners,
            ..KafkaOptions::default()
        })?;
        let workers = proxies.iter().map(|proxy| {
            let bootstrap = format!("127.0.0.1:{}", proxy.port());
            let options = WorkerOptions::new(GROUP, &bootstrap)?
                .property("scheduled.rebalance.max.delay.ms", "0")
                .property("session.timeout.ms", "6000")
                .property("heartbeat.interval.ms", "1000");
            WorkerProcess::distributed(&options)
        });
        Ok(Self {
            workers: workers.collect::<Result<_>>()?,
            bootstrap: kafka.bootstrap(),
            kafka,
            proxies,
            struck: Vec::new(),
        })
    }

    /// Where clients reach the broker that nothing happens to.
    pub(super) fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    pub(super) fn rest(&self, worker: usize) -> RestClient {
        self.workers[worker].rest()
    }

    /// What has been.
    pub(super) fn faults(&self) -> &[Struck] {
        &self.struck
    }

    /// Lets a fault happen, and its end. One that takes a worker away ends when the others do without.
    pub(super) fn strike(&mut self, fault: Fault, worker: usize, load: &Load) -> Result<()> {
        let began = now()?;
        match fault {
            Fault::Kill => {
                self.workers[worker].kill();
                load.wait_progress()?;
                self.workers[worker].restart()?;
            }
            Fault::Freeze => {
                self.workers[worker].pause()?;
                load.wait_progress()?;
                self.workers[worker].resume()?;
            }
            Fault::Restart => self.workers[worker].restart()?,
            Fault::Cut => {
                self.proxies[worker].sever();
                load.wait_progress()?;
                self.proxies[worker].mend();
            }
            Fault::RestartBroker => self.kafka.restart()?,
            Fault::KillBroker => {
                self.kafka.kill();
                self.kafka.restart()?;
            }
        }
        let is_brokers = matches!(fault, Fault::RestartBroker | Fault::KillBroker);
        self.struck.push(Struck {
            _fault: fault,
            worker: (!is_brokers).then(|| self.workers[worker].address()),
            began,
            ended: now()?,
        });
        Ok(())
    }

    /// What each worker says of the connectors, and the end of its log.
    pub(super) fn state(&self, load: &Load) -> String {
        let mut text = String::new();
        for worker in &self.workers {
            text.push_str(&format!("{}:\n", worker.address()));
            for (name, _) in load.connectors() {
                let status = worker.rest().get(&format!("/connectors/{name}/status"));
                let status = status.map_or_else(|error| format!("{error:#}"), |s| s.to_string());
                text.push_str(&format!("{name}: {status}\n"));
            }
            let log = worker.log();
            let lines: Vec<&str> = log.lines().collect();
            let end = &lines[lines.len().saturating_sub(LOG_LINES)..];
            text.push_str(&format!("{}\n", end.join("\n")));
        }
        text
    }

    /// Waits until every worker says that everything runs.
    pub(super) fn wait_all_run(&self, load: &Load) -> Result<()> {
        for worker in &self.workers {
            let rest = worker.rest();
            for (name, tasks) in load.connectors() {
                let states = format!("RUNNING[{}]", vec!["RUNNING"; tasks].join(","));
                within(PATIENCE, &format!("{name} runs"), || {
                    let now = rest.states(&name)?;
                    ensure!(now == states, "{now}\n{}", rest.traces(&name)?);
                    Ok(())
                })?;
            }
        }
        Ok(())
    }
}

fn now() -> Result<i64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(i64::try_from(since.as_millis())?)
}
