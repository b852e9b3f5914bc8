//! Statuses as REST shows them.

use tether_api::plugin::PluginKind;
use tether_api::{ConnectError, Result};
use tether_storage::State;

use crate::herder::{ConnectorKind, ConnectorState, InstanceState};
use crate::plugins::Plugins;

use super::Shared;

/// Which way the records of a connector class go.
pub(super) fn kind(plugins: &Plugins, class: Option<&String>) -> ConnectorKind {
    let found =
        class.and_then(|class| plugins.find(&[PluginKind::Sink, PluginKind::Source], class));
    match found.map(|plugin| plugin.kind()) {
        Some(PluginKind::Sink) => ConnectorKind::Sink,
        Some(_) => ConnectorKind::Source,
        None => ConnectorKind::Unknown,
    }
}

/// The statuses of a connector and its tasks.
///
/// A RUNNING connector always lists its tasks: clients take one without tasks
/// for unhealthy (clients-and-metrics.md, rule 6). So a new connector has no
/// status before its tasks are known, which is also what the reference answers
/// in that moment, and a task that has been configured but has not written a
/// status yet is UNASSIGNED.
pub(super) fn connector_state(shared: &Shared, connector: &str) -> Result<ConnectorState> {
    let not_found =
        || ConnectError::not_found(format!("No status found for connector {connector}"));
    let statuses = &shared.context.statuses;
    let status = statuses.connector(connector).ok_or_else(not_found)?;
    let entry = shared.entry(connector);
    let mut tasks: Vec<(u32, InstanceState)> = statuses
        .tasks(connector)
        .into_iter()
        .map(|task| (task.id.task, task.into()))
        .collect();
    if let Some(entry) = &entry {
        if entry.task_generation.is_none() && status.state == State::Running {
            return Err(not_found());
        }
        for task in entry.tasks.keys() {
            if !tasks.iter().any(|(known, _)| known == task) {
                tasks.push((
                    *task,
                    InstanceState {
                        state: State::Unassigned,
                        worker_id: status.worker_id.clone(),
                        version: status.version.clone(),
                        trace: None,
                    },
                ));
            }
        }
        tasks.sort_by_key(|(task, _)| *task);
    }
    let class = entry
        .as_ref()
        .and_then(|entry| entry.config.get("connector.class"));
    Ok(ConnectorState {
        name: connector.to_owned(),
        kind: kind(&shared.context.plugins, class),
        connector: status.into(),
        tasks,
    })
}
