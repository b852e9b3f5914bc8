//! How many requests a worker answers, and how fast.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tether_tests::all_at_once::all_at_once;
use tether_tests::idle_connectors;
use tether_tests::process_usage::{kibibytes, processor_time};
use tether_tests::worker::Worker;

use crate::keep_alive::KeepAlive;
use crate::measure::Answered;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    /// The names of all connectors.
    Names,
    /// All connectors with statuses and configurations, as pages and tools ask for them.
    Expanded,
    /// The status of one.
    Status,
    /// Whether a configuration is valid.
    Validate,
}

/// How much is asked at once, and how long.
pub(crate) struct Load {
    pub(crate) clients: usize,
    /// As long again before, which does not count.
    pub(crate) time: Duration,
}

impl Request {
    /// All.
    pub(crate) const ALL: [Self; 4] = [Self::Names, Self::Expanded, Self::Status, Self::Validate];

    /// The name in the report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Names => "get-connectors",
            Self::Expanded => "get-connectors-expanded",
            Self::Status => "get-connector-status",
            Self::Validate => "validate-config",
        }
    }

    /// Connects a client that asks this; `config` is the configuration of the first connector.
    fn connect(self, address: &str, config: &Value) -> Result<KeepAlive> {
        let first = idle_connectors::name(0);
        let (method, path, body) = match self {
            Self::Names => ("GET", "/connectors".to_owned(), String::new()),
            Self::Expanded => {
                let path = "/connectors?expand=status&expand=info";
                ("GET", path.to_owned(), String::new())
            }
            Self::Status => ("GET", format!("/connectors/{first}/status"), String::new()),
            Self::Validate => {
                let mut config = config.clone();
                config["name"] = json!(first);
                let path = "/connector-plugins/FileStreamSource/config/validate";
                ("PUT", path.to_owned(), config.to_string())
            }
        };
        KeepAlive::connect(address, method, &path, &body)
    }
}

impl Load {
    /// Asks a worker.
    pub(crate) fn measure(
        &self,
        worker: &dyn Worker,
        request: Request,
        config: &Value,
    ) -> Result<Answered> {
        let (address, pid) = (worker.address(), worker.pid());
        self.ask(&address, request, config)?;
        let (start, cpu) = (Instant::now(), processor_time(pid)?);
        let mut latencies: Vec<Duration> = self.ask(&address, request, config)?;
        let (elapsed, cpu) = (start.elapsed(), processor_time(pid)? - cpu);
        latencies.sort_unstable();
        let part = |percent| {
            let latency = latencies.get(latencies.len() * percent / 100);
            latency.map(|latency: &Duration| latency.as_secs_f64() * 1000.0)
        };
        Ok(Answered {
            requests: u64::try_from(latencies.len())?,
            seconds: elapsed.as_secs_f64(),
            cpu_seconds: cpu.as_secs_f64(),
            p50_latency: part(50).context("nothing was answered")?,
            p99_latency: part(99).context("nothing was answered")?,
            resident_kib: kibibytes(pid, "status", "VmRSS:")?,
        })
    }

    /// How long each answer took.
    fn ask(&self, address: &str, request: Request, config: &Value) -> Result<Vec<Duration>> {
        let latencies = all_at_once(0..self.clients, |_| {
            let mut client = request.connect(address, config)?;
            let (start, mut latencies) = (Instant::now(), Vec::new());
            while start.elapsed() < self.time {
                let asked = Instant::now();
                client.ask()?;
                latencies.push(asked.elapsed());
            }
            Ok(latencies)
        })?;
        Ok(latencies.concat())
    }
}
