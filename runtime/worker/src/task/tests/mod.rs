//! Task loops against an in-memory Kafka and stores that fail as told.

mod sink;
mod source;

use std::sync::Arc;
use std::time::Duration;

use tether_api::Result;
use tether_api::config::ConfigMap;
use tether_api::connector::Task;
use tether_api::plugin::PluginFactory;
use tether_kafka::ConsumedRecord;
use tether_metrics::prometheus;
use tether_storage::{TargetState, TaskId};
use tokio::time::Instant;

use super::{TaskHandle, TaskSetup, start};
use crate::client_properties::OverridePolicy;
use crate::conversion::Converters;
use crate::metrics::TaskPlugins;
use crate::preflight::Preflight;
use crate::statuses::{InstanceStatuses, StatusOrigin};
use crate::testing::{PATIENCE, Surroundings, plugin};

fn id() -> TaskId {
    TaskId::new("c", 0)
}

/// Starts task 0 of connector `c`.
fn launch(
    surroundings: &Surroundings,
    task: Task,
    connector: &ConfigMap,
    state: TargetState,
) -> TaskHandle {
    try_launch(None, surroundings, task, connector, state).unwrap()
}

/// The same for a task that asks before it starts, or that cannot start.
fn try_launch(
    preflight: Option<Arc<dyn Preflight>>,
    surroundings: &Surroundings,
    task: Task,
    connector: &ConfigMap,
    state: TargetState,
) -> Result<TaskHandle> {
    let context = &surroundings.context;
    let origin = StatusOrigin {
        statuses: context.statuses.clone(),
        worker_id: context.worker_id.clone(),
        generation: context.generation.clone(),
    };
    let converters = Converters::new(&context.plugins, &context.config, connector).unwrap();
    start(
        task,
        TaskSetup {
            context,
            policy: &OverridePolicy::All,
            metrics: &surroundings.metrics,
            plugins: TaskPlugins::new(
                &context.plugins,
                &plugin("t.Connector", PluginFactory::Source(|| panic!("not made"))),
                "t.Task",
                converters.classes,
            ),
            id: &id(),
            connector,
            config: connector.clone(),
            converters: Arc::new(converters),
            state,
            preflight,
            statuses: Arc::new(InstanceStatuses::task(origin, &id(), Some("1.2.3"))),
            redaction: Arc::default(),
        },
    )
}

/// A metric of the task; `group` is such as `task_error`.
fn measured(surroundings: &Surroundings, group: &str, name: &str) -> f64 {
    let text = prometheus::render(surroundings.metrics.registry());
    let name = format!("kafka_connect_{group}_{}", name.replace('-', "_"));
    let read = prometheus::reader::read(&text).unwrap();
    read.value(&name, &[("connector", "c"), ("task", "0")])
        .unwrap()
}

/// Waits until a metric has this value.
async fn until_measured(surroundings: &Surroundings, group: &str, name: &str, value: f64) {
    // Nothing tells that a metric has changed.
    let mut looks = tokio::time::interval(Duration::from_millis(50));
    let reached = async {
        while measured(surroundings, group, name) != value {
            looks.tick().await;
        }
    };
    if tokio::time::timeout(PATIENCE, reached).await.is_err() {
        panic!("{name} is {}", measured(surroundings, group, name));
    }
}

/// The names of the task's metrics that have this label.
fn labelled(surroundings: &Surroundings, label: &str, value: &str) -> Vec<String> {
    let text = prometheus::render(surroundings.metrics.registry());
    let read = prometheus::reader::read(&text).unwrap();
    read.samples
        .into_keys()
        .filter(|(_, labels)| labels.get(label).is_some_and(|known| known == value))
        .map(|(name, _)| name)
        .collect()
}

/// A counter of the task's errors.
fn counted(surroundings: &Surroundings, name: &str) -> u64 {
    measured(surroundings, "task_error", name) as u64
}

/// The headers of a record as text, those of dead letters without their common
/// beginning.
fn header_texts(record: &ConsumedRecord) -> Vec<(String, String)> {
    let texts = record.headers.iter().map(|(name, value)| {
        let value = String::from_utf8(value.clone().unwrap_or_default().to_vec());
        let name = name.strip_prefix("__connect.errors.").unwrap_or(name);
        (name.to_owned(), value.unwrap())
    });
    texts.collect()
}

/// Stops a task as the worker does; false if it had to be abandoned.
async fn stop(mut task: TaskHandle, surroundings: &Surroundings) -> bool {
    task.request_stop();
    let deadline = Instant::now() + surroundings.context.config.task_shutdown_timeout;
    let ended = task.ended(deadline).await;
    if !ended {
        task.abandon();
    }
    ended
}
