//! Task loops against an in-memory Kafka and stores that fail as told.

mod sink;
mod source;

use std::sync::Arc;

use tether_api::Result;
use tether_api::config::ConfigMap;
use tether_api::connector::Task;
use tether_kafka::ConsumedRecord;
use tether_metrics::Metrics;
use tether_storage::{TargetState, TaskId};
use tokio::time::Instant;

use super::{TaskHandle, TaskSetup, start};
use crate::client_properties::OverridePolicy;
use crate::conversion::Converters;
use crate::preflight::Preflight;
use crate::statuses::{InstanceStatuses, StatusOrigin};
use crate::testing::Surroundings;

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
    start(
        task,
        TaskSetup {
            context,
            policy: &OverridePolicy::All,
            metrics: &Metrics::default(),
            id: &id(),
            connector,
            config: connector.clone(),
            converters: Arc::new(
                Converters::new(&context.plugins, &context.config, connector).unwrap(),
            ),
            state,
            preflight,
            statuses: Arc::new(InstanceStatuses::task(origin, &id(), Some("1.2.3"))),
            redaction: Arc::default(),
        },
    )
}

/// A counter of a task.
fn counted(task: &TaskHandle, name: &str) -> u64 {
    let values = task.errors().values();
    let value = values.iter().find(|(known, _)| *known == name);
    value.unwrap().1
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
