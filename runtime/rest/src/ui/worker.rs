//! `/ui/data/worker`: what a worker and its tasks do, in numbers.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use tether_metrics::{Metrics, ProcessUsage};

use crate::api::Api;
use crate::error::RestError;
use crate::json::Json;
use crate::version;

/// The numbers of one worker at one moment. `GET /metrics` has all of them and
/// many more, in a text of some kilobytes for each task; a page that looks every
/// few seconds needs less.
#[derive(Serialize)]
pub(super) struct WorkerFigures {
    worker: String,
    version: &'static str,
    /// The worker's clock, in milliseconds since the epoch.
    at: u64,
    process: ProcessFigures,
    connectors: u64,
    tasks: Vec<TaskFigures>,
}

/// What is not known is null.
#[derive(Serialize)]
struct ProcessFigures {
    started_seconds: Option<f64>,
    cpu_seconds: Option<f64>,
    resident_bytes: Option<f64>,
    threads: Option<f64>,
}

/// Counters begin anew when the task does.
#[derive(Serialize)]
struct TaskFigures {
    connector: String,
    task: String,
    /// Records that a source has given to Kafka, or a sink was given.
    records: u64,
    /// Records that a sink has not read yet; null for a source, and before the
    /// first fetch.
    lag: Option<u64>,
    /// Records that could not be processed.
    errors: u64,
    /// Steps that were tried again.
    retries: u64,
}

/// `GET /ui/data/worker`
pub(crate) async fn figures(State(api): State<Api>) -> Result<Json<WorkerFigures>, RestError> {
    own(&api).await.map(Json)
}

/// The numbers of this worker.
pub(super) async fn own(api: &Api) -> Result<WorkerFigures, RestError> {
    let worker = api.herder().worker_id();
    let metrics = api.herder().metrics().clone();
    // It reads files.
    let read = tokio::task::spawn_blocking(move || WorkerFigures::read(worker, &metrics));
    read.await
        .map_err(|_| RestError::of_status(StatusCode::INTERNAL_SERVER_ERROR))
}

impl WorkerFigures {
    fn read(worker: String, metrics: &Metrics) -> Self {
        let usage = ProcessUsage::now();
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let connectors = metrics.numbers::<0>(CONNECT, "connector-metrics", []);
        Self {
            worker,
            version: version::VERSION,
            at: u64::try_from(now.unwrap_or_default().as_millis()).unwrap_or(u64::MAX),
            process: ProcessFigures {
                started_seconds: usage.start_seconds,
                cpu_seconds: usage.cpu_seconds,
                resident_bytes: usage.resident_bytes,
                threads: usage.threads,
            },
            connectors: connectors.len() as u64,
            tasks: tasks(metrics),
        }
    }
}

const CONNECT: &str = "kafka.connect";

fn tasks(metrics: &Metrics) -> Vec<TaskFigures> {
    let lags = lags(metrics);
    let mut errors: HashMap<(String, String), [u64; 2]> = HashMap::new();
    for group in metrics.numbers(
        CONNECT,
        "task-error-metrics",
        ["total-record-errors", "total-retries"],
    ) {
        let task = (
            group.tag("connector").to_owned(),
            group.tag("task").to_owned(),
        );
        errors.insert(task, group.values.map(count));
    }
    let sources = metrics.numbers(
        CONNECT,
        "source-task-metrics",
        ["source-record-write-total"],
    );
    let sinks = metrics.numbers(CONNECT, "sink-task-metrics", ["sink-record-send-total"]);
    sources
        .iter()
        .chain(&sinks)
        .map(|group| {
            let (connector, task) = (group.tag("connector"), group.tag("task"));
            let [records] = group.values.map(count);
            let own = (connector.to_owned(), task.to_owned());
            let [errors, retries] = errors.get(&own).copied().unwrap_or_default();
            // A sink that names its client otherwise shows no lag.
            let client = format!("connector-consumer-{connector}-{task}");
            TaskFigures {
                lag: lags.get(&client).copied(),
                connector: own.0,
                task: own.1,
                records,
                errors,
                retries,
            }
        })
        .collect()
}

/// How far each consumer is behind in all of its partitions that it has fetched
/// from.
fn lags(metrics: &Metrics) -> HashMap<String, u64> {
    let mut lags = HashMap::new();
    let partitions = metrics.numbers(
        "kafka.consumer",
        "consumer-fetch-manager-metrics",
        ["records-lag"],
    );
    for group in partitions {
        if let [Some(lag)] = group.values {
            *lags.entry(group.tag("client-id").to_owned()).or_default() += lag as u64;
        }
    }
    lags
}

fn count(value: Option<f64>) -> u64 {
    value.map_or(0, |value| value as u64)
}
