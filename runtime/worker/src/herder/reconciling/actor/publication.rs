//! The configurations of the connector's tasks, committed by the leader of the
//! group.

use std::sync::Arc;
use std::time::Duration;

use tether_api::config::ConfigMap;
use tether_api::{ConnectError, Result};
use tether_storage::{ConnectorEntry, TargetState};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::super::actors::Actors;
use super::super::role::Leads;
use super::super::{MAX_RECONFIGURE_BACKOFF, MIN_RECONFIGURE_BACKOFF};
use super::{Actor, Command};
use crate::worker::TaskConfigsError;

/// Task configurations that are on their way to the leader. There is one at a
/// time: an earlier set must not arrive after a later one. It is called off when
/// this is dropped, as when the connector moves to another worker.
pub(super) struct Publication {
    giving: JoinHandle<()>,
    /// The connector has asked for new ones meanwhile.
    is_outdated: bool,
}

impl Drop for Publication {
    fn drop(&mut self) {
        self.giving.abort();
    }
}

impl Actor {
    /// Asks the connector for task configurations and has the leader commit them
    /// if anything changed.
    pub(super) async fn publish_tasks(&mut self, actors: &Actors) {
        self.publication_waits = false;
        let wait = self
            .retry
            .take()
            .map_or(MIN_RECONFIGURE_BACKOFF, |(_, wait)| wait);
        if let Some(publication) = &mut self.publication {
            publication.is_outdated = true;
            return;
        }
        let Some(entry) = self.shared.entry(&self.connector) else {
            return;
        };
        let context = &self.shared.context;
        if entry.target_state != TargetState::Started || !context.worker.is_running(&self.connector)
        {
            return;
        }
        let error = match context
            .worker
            .connector_task_configs(&self.connector, &entry.config)
            .await
        {
            Ok(configs) if unchanged(&entry, &configs) => return,
            Ok(configs) => match self.commit_tasks(configs, wait, actors).await {
                Ok(()) => return,
                Err(error) => error,
            },
            Err(TaskConfigsError::Final(error)) => {
                tracing::error!(connector = self.connector, %error, "The connector has no task configurations");
                return;
            }
            Err(TaskConfigsError::Repeat(error)) => error,
        };
        self.publish_again(&error, wait);
    }

    /// The leader was given task configurations, or could not be.
    pub(super) async fn publication_ended(
        &mut self,
        outcome: Result<()>,
        wait: Duration,
        actors: &Actors,
    ) {
        let publication = self.publication.take();
        match outcome {
            Err(error) => self.publish_again(&error, wait),
            Ok(()) if publication.is_some_and(|publication| publication.is_outdated) => {
                self.publish_tasks(actors).await;
            }
            Ok(()) => {}
        }
    }

    /// Plans another attempt.
    pub(super) fn publish_again(&mut self, error: &ConnectError, wait: Duration) {
        tracing::error!(
            connector = self.connector,
            %error,
            retry_in_ms = wait.as_millis() as u64,
            "Could not configure the tasks of the connector; trying again"
        );
        self.retry = Some((
            Instant::now() + wait,
            (wait * 2).min(MAX_RECONFIGURE_BACKOFF),
        ));
    }

    /// Commits task configurations if this worker leads. Else the leader is given
    /// them beside this actor: it may wait for a round that in turn waits for
    /// this worker's tasks to stop.
    async fn commit_tasks(
        &mut self,
        configs: Vec<ConfigMap>,
        wait: Duration,
        actors: &Actors,
    ) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        let leadership = match shared.role.leads(&*shared.context.configs) {
            Leads::Here(leadership) => leadership,
            Leads::There(leader) => {
                let (connector, actors) = (self.connector.clone(), actors.clone());
                let shared = Arc::clone(&self.shared);
                let giving = async move {
                    let given = shared.give_tasks(&leader, &connector, &configs).await;
                    actors.send(&connector, Command::PublicationEnded(given, wait));
                };
                self.publication = Some(Publication {
                    giving: tokio::spawn(giving.in_current_span()),
                    is_outdated: false,
                });
                return Ok(());
            }
            Leads::Unsettled => {
                self.publication_waits = true;
                return Ok(());
            }
        };
        leadership.claim_write_privileges().await?;
        if !shared.role.is_leading() {
            // That took longer than a round could wait.
            self.publication_waits = true;
            return Ok(());
        }
        shared
            .commit_tasks(&leadership, &self.connector, &configs)
            .await
    }
}

/// Whether a commit would change nothing. The connector's configuration counts
/// too: tasks may depend on it beyond their own.
fn unchanged(entry: &ConnectorEntry, configs: &[ConfigMap]) -> bool {
    !entry.inconsistent
        && entry.task_generation.is_some()
        && entry.applied_config.as_ref() == Some(&entry.config)
        && entry.tasks.len() == configs.len()
        && entry.tasks.values().eq(configs)
}
