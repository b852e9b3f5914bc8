//! Fencing of zombies: producers of source tasks that run on somewhere although
//! a later set of tasks has taken their place (KIP-618).
//!
//! The config topic says how many producers may exist (`tasks-fencing-…`). Each
//! commit of task configurations makes that count outdated; before the first
//! task of the new set starts, that many producers are fenced and the new count
//! is written. A worker that dies in between leaves the count outdated, and the
//! next one fences again.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tether_api::{ConnectError, Result};
use tether_storage::{ConnectorEntry, TaskId};
use tokio::time::timeout;

use crate::config::Mode;
use crate::herder::ConnectorKind;
use crate::preflight::Preflight;

use super::role::Standing;
use super::{Shared, status};

/// How long to wait before a leader that did not begin to fence is asked again.
const LEADER_RETRY: Duration = Duration::from_secs(1);

/// For as long as it takes, unless the task is stopped.
const NO_LIMIT: Duration = Duration::from_secs(365 * 24 * 3600);

/// Fences the producers of earlier sets of a connector's tasks, if that is not
/// done yet (`DistributedHerder.fenceZombieSourceTasks`).
///
/// # Errors
/// `NotFound` or config, if there is no such source; illegal state, if its tasks
/// were configured anew meanwhile; else, if a producer may still write.
pub(super) async fn fence_zombies(shared: &Shared, connector: &str) -> Result<()> {
    // Who comes while one is under way finds nothing left to do.
    let _under_way = shared.fencings.lock(connector).await;
    refresh(
        shared,
        "Failed to read to end of config topic before performing zombie fencing",
    )
    .await?;
    let entry = source(shared, connector)?;
    if !entry.pending_fencing {
        return Ok(());
    }
    match entry.task_count_record {
        // Nobody has ever written in transactions.
        None => {}
        // The new task fences the old one by itself.
        Some(1) if entry.task_count == 1 => {}
        Some(producers) => {
            let worker = &shared.context.worker;
            worker
                .fence_producers(connector, producers, &entry.config)
                .await?;
            refresh(shared, "Failed to read to end of config topic").await?;
            if source(shared, connector)?.task_generation > entry.task_generation {
                return Err(ConnectError::illegal_state(
                    "Fencing failed because new task configurations were generated for the connector",
                ));
            }
        }
    }
    let configs = shared.as_leader().await?;
    configs
        .put_task_count_record(connector, entry.task_count)
        .await
}

/// The same, done by the leader of the group, whoever it is.
async fn have_zombies_fenced(shared: &Shared, connector: &str) -> Result<()> {
    let mut standing = shared.role.standing();
    loop {
        let leader = match standing.wait_for(Standing::is_settled).await.as_deref() {
            Ok(Standing::Follower(leader)) => Some(leader.clone()),
            _ => None,
        };
        standing.mark_unchanged();
        let fenced = match leader {
            Some(leader) => match shared.have_fenced(&leader, connector).await {
                // It is gone, stops or starts: who leads then does it.
                Err(error) if error.is_retriable() => {
                    tracing::info!(connector, %error, "Waiting for a leader that fences zombies");
                    let _ = timeout(LEADER_RETRY, standing.changed()).await;
                    continue;
                }
                fenced => fenced,
            },
            None => fence_zombies(shared, connector).await,
        };
        // Who led may lead no more.
        let leads_no_more = fenced.is_err() && standing.has_changed().unwrap_or(false);
        if !leads_no_more {
            return fenced;
        }
    }
}

fn source(shared: &Shared, connector: &str) -> Result<Arc<ConnectorEntry>> {
    let entry = shared
        .entry(connector)
        .ok_or_else(|| ConnectError::not_found(format!("Connector {connector} not found")))?;
    let class = entry.config.get("connector.class");
    // A class that is unknown here is one of a worker that has it and asks for this.
    if status::kind(&shared.context.plugins, class) == ConnectorKind::Sink {
        return Err(ConnectError::config(format!(
            "Connector {connector} is not a source connector"
        )));
    }
    Ok(entry)
}

async fn refresh(shared: &Shared, failure: &str) -> Result<()> {
    let limit = match &shared.context.config.mode {
        Mode::Distributed(config) => config.sync_timeout,
        Mode::Standalone { .. } => NO_LIMIT,
    };
    let refreshed = shared.context.configs.refresh(limit).await;
    refreshed.map_err(|error| ConnectError::other(failure).caused_by(error))
}

/// The start of one task of one set of task configurations.
pub(super) struct TaskPreflight {
    shared: Arc<Shared>,
    id: TaskId,
    generation: Option<u64>,
}

impl TaskPreflight {
    /// For a task of the set in this entry, if sources are exactly-once.
    pub(super) fn of(
        shared: &Arc<Shared>,
        id: &TaskId,
        entry: &ConnectorEntry,
    ) -> Option<Arc<dyn Preflight>> {
        shared.context.config.exactly_once_sources().then(|| {
            Arc::new(Self {
                shared: Arc::clone(shared),
                id: id.clone(),
                generation: entry.task_generation,
            }) as Arc<dyn Preflight>
        })
    }
}

#[async_trait]
impl Preflight for TaskPreflight {
    async fn fence_zombies(&self) -> Result<()> {
        have_zombies_fenced(&self.shared, &self.id.connector)
            .await
            .map_err(|error| {
                ConnectError::other("Failed to perform round of zombie fencing").caused_by(error)
            })
    }

    async fn verify(&self) -> Result<()> {
        let configs = &self.shared.context.configs;
        configs.refresh(NO_LIMIT).await.map_err(|error| {
            ConnectError::other("Failed to read to end of config topic").caused_by(error)
        })?;
        let id = &self.id;
        let entry = self.shared.entry(&id.connector);
        let generation = entry.as_ref().and_then(|entry| entry.task_generation);
        if entry.is_some() && generation != self.generation {
            return Err(ConnectError::other(format!(
                "Cannot start source task {id} with exactly-once support as the connector has already generated a \
                 new set of task configs"
            )));
        }
        let share = self.shared.role.share();
        let is_here = |entry: &ConnectorEntry| share.tasks(&id.connector, entry).contains(&id.task);
        if !entry.is_some_and(|entry| is_here(&entry)) {
            return Err(ConnectError::other(format!(
                "Cannot start source task {id} as it has already been revoked from this worker"
            )));
        }
        Ok(())
    }
}
