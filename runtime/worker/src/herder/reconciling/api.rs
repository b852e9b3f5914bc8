//! The requests of the REST API.

use std::sync::Arc;

use async_trait::async_trait;
use tether_api::config::{ConfigDef, ConfigMap};
use tether_api::plugin::PluginDescriptor;
use tether_api::{ConnectError, Result};
use tether_group::member::MemberState;
use tether_group::protocol::Protocol;
use tether_metrics::Metrics;
use tether_storage::{ConnectorEntry, RestartRequest, State, TargetState, TaskId, TaskStatus};
use tokio::sync::oneshot;
use tracing::instrument;

use crate::config::Mode;
use crate::dead_letters::DeadLetters;
use crate::herder::{
    self, ConfigInfos, ConnectorInfo, ConnectorOffset, ConnectorState, CreateConnector, Created,
    Health, Herder, InstanceState, InternalRequest, LoggerLevel, Membership, OffsetChange,
    RawConfig, TaskInfo,
};
use crate::traces::TARGET;
use crate::validation::require_valid;

use super::actor::Command;
use super::role::Leadership;
use super::{ReconcilingHerder, dead_letters, fencing, offsets, restart, shutting_down, status};

impl ReconcilingHerder {
    fn info(&self, connector: &str, entry: &ConnectorEntry) -> ConnectorInfo {
        ConnectorInfo {
            name: connector.to_owned(),
            config: entry.config.clone(),
            tasks: entry
                .tasks
                .keys()
                .map(|task| TaskId::new(connector, *task))
                .collect(),
            kind: status::kind(
                &self.shared.context.plugins,
                entry.config.get("connector.class"),
            ),
        }
    }

    pub(super) fn found(&self, connector: &str) -> Result<Arc<ConnectorEntry>> {
        self.require(connector, || format!("Connector {connector} not found"))
    }

    /// Refuses a configuration that is wrong. That may take as long as the
    /// connector likes, so it is done before it is the request's turn.
    async fn validated(&self, raw: &RawConfig) -> Result<()> {
        let variables = &self.shared.context.variables;
        let infos = self.shared.validation.validate(variables, raw).await?;
        require_valid(&infos)
    }

    /// Stores a configuration that was found to be right.
    async fn store(
        &self,
        leader: Leadership<'_>,
        connector: &str,
        raw: &RawConfig,
        initial_state: Option<TargetState>,
    ) -> Result<ConfigMap> {
        let config = present(raw);
        let before = self.shared.entry(connector);
        leader
            .put_connector_config(connector, &config, initial_state)
            .await?;
        if before.is_some_and(|before| before.config == config) {
            self.actors.send(connector, Command::RetryFailed);
        }
        Ok(config)
    }

    /// The connector after its configuration was stored. A standalone worker
    /// answers with the tasks that it has made, or says why it could not start
    /// the connector.
    async fn stored(&self, connector: &str, config: ConfigMap) -> Result<ConnectorInfo> {
        if self.shared.context.config.group_id().is_none() {
            self.ask(connector, Command::Settle).await?;
        }
        // What is stored is what is shown, unless it is gone again already.
        let entry = self.shared.entry(connector).unwrap_or_else(|| {
            Arc::new(ConnectorEntry {
                config,
                ..ConnectorEntry::default()
            })
        });
        Ok(self.info(connector, &entry))
    }

    /// Waits, but not longer than the worker runs.
    async fn unless_stopping<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            () = self.shared.stopping.cancelled() => Err(shutting_down()),
            done = work => done,
        }
    }

    /// Sends a command to a connector's actor and waits for its answer.
    async fn ask(
        &self,
        connector: &str,
        command: impl FnOnce(oneshot::Sender<Result<()>>) -> Command,
    ) -> Result<()> {
        let (reply, answer) = oneshot::channel();
        self.actors.send(connector, command(reply));
        answer.await.unwrap_or_else(|_| {
            Err(if self.shared.stopping.is_cancelled() {
                shutting_down()
            } else {
                ConnectError::other("The worker failed at this request; its log says why")
            })
        })
    }
}

#[async_trait]
impl Herder for ReconcilingHerder {
    fn worker_id(&self) -> String {
        self.shared.context.worker_id.clone()
    }

    fn kafka_cluster_id(&self) -> String {
        self.shared.context.kafka_cluster_id.clone()
    }

    async fn health(&self) -> Health {
        if self.shared.stopping.is_cancelled() {
            return Health::Starting;
        }
        let member = self
            .member
            .get()
            .map(|member| member.state().borrow().clone());
        match member {
            Some(MemberState::Unreachable { reason }) => Health::Unreachable { reason },
            _ if *self.shared.started.borrow() => Health::Healthy,
            _ => Health::Starting,
        }
    }

    fn membership(&self) -> Membership {
        self.shared.role.membership()
    }

    fn metrics(&self) -> &Metrics {
        self.shared.context.worker.metrics()
    }

    fn stage(&self) -> Option<String> {
        if self.member.get().is_none() && !*self.shared.started.borrow() {
            return Some(
                "The worker is currently reading its config, offset and status topics.".to_owned(),
            );
        }
        let since = self.shared.role.unsettled_since()?;
        Some(format!(
            "The worker is currently ensuring membership in the cluster, which began at {since}."
        ))
    }

    fn connectors(&self) -> Vec<String> {
        self.shared
            .context
            .configs
            .snapshot()
            .connectors
            .keys()
            .cloned()
            .collect()
    }

    async fn connector_info(&self, connector: &str) -> Result<ConnectorInfo> {
        self.ready().await?;
        let entry = self.found(connector)?;
        Ok(self.info(connector, &entry))
    }

    fn connector_state(&self, connector: &str) -> Result<ConnectorState> {
        status::connector_state(&self.shared, connector)
    }

    fn task_state(&self, id: &TaskId) -> Result<TaskStatus> {
        self.shared
            .context
            .statuses
            .task(id)
            .ok_or_else(|| ConnectError::not_found(format!("No status found for task {id}")))
    }

    async fn task_infos(&self, connector: &str) -> Result<Vec<TaskInfo>> {
        self.ready().await?;
        let entry = self.found(connector)?;
        Ok(entry
            .tasks
            .iter()
            .map(|(task, config)| TaskInfo {
                id: TaskId::new(connector, *task),
                config: config.clone(),
            })
            .collect())
    }

    #[instrument(target = TARGET, name = "create connector", skip_all, fields(connector = request.name))]
    async fn create_connector(&self, request: CreateConnector) -> Result<ConnectorInfo> {
        self.ready().await?;
        let CreateConnector {
            name,
            config,
            initial_state,
        } = request;
        self.validated(&config).await?;
        let config = {
            let _turn = self.turn(&name).await?;
            let leader = self.shared.as_leader().await?;
            if self.shared.entry(&name).is_some() {
                return Err(ConnectError::already_exists(format!(
                    "Connector {name} already exists"
                )));
            }
            self.store(leader, &name, &config, initial_state).await?
        };
        self.stored(&name, config).await
    }

    #[instrument(target = TARGET, name = "configure connector", skip_all, fields(connector))]
    async fn put_connector_config(
        &self,
        connector: &str,
        config: RawConfig,
    ) -> Result<Created<ConnectorInfo>> {
        self.ready().await?;
        self.validated(&config).await?;
        let (existed, config) = {
            let _turn = self.turn(connector).await?;
            let leader = self.shared.as_leader().await?;
            let existed = self.shared.entry(connector).is_some();
            let config = self.store(leader, connector, &config, None).await?;
            (existed, config)
        };
        let info = self.stored(connector, config).await?;
        Ok(if existed {
            Created::Existing(info)
        } else {
            Created::New(info)
        })
    }

    #[instrument(target = TARGET, name = "configure connector", skip_all, fields(connector))]
    async fn patch_connector_config(
        &self,
        connector: &str,
        patch: RawConfig,
    ) -> Result<ConnectorInfo> {
        self.ready().await?;
        // Only the leader is sure to know the present configuration.
        drop(self.shared.as_leader().await?);
        let config = loop {
            let before = self.found(connector)?;
            let config = patched(&before.config, &patch);
            self.validated(&config).await?;
            let _turn = self.turn(connector).await?;
            let leader = self.shared.as_leader().await?;
            // What somebody else has changed meanwhile is patched, not undone.
            if self.found(connector)?.config == before.config {
                break self.store(leader, connector, &config, None).await?;
            }
        };
        self.stored(connector, config).await
    }

    #[instrument(target = TARGET, name = "delete connector", skip_all, fields(connector))]
    async fn delete_connector(&self, connector: &str) -> Result<()> {
        let _turn = self.turn(connector).await?;
        let leader = self.shared.as_leader().await?;
        self.found(connector)?;
        leader.remove_connector(connector).await
    }

    #[instrument(target = TARGET, name = "set target state", skip_all, fields(connector, state = ?state))]
    async fn set_target_state(&self, connector: &str, state: TargetState) -> Result<()> {
        let _turn = self.turn(connector).await?;
        let known = || self.require(connector, || format!("Unknown connector {connector}"));
        if state == TargetState::Stopped {
            let leader = self.shared.as_leader().await?;
            known()?;
            // Tasks first: an older reader that does not know STOPPED pauses a
            // connector that has none.
            leader.put_task_configs(connector, &[]).await?;
            return leader.put_target_state(connector, state).await;
        }
        known()?;
        let configs = &self.shared.context.configs;
        configs.put_target_state(connector, state).await
    }

    #[instrument(target = TARGET, name = "restart connector", skip_all, fields(connector))]
    async fn restart_connector(&self, connector: &str) -> Result<()> {
        self.ready().await?;
        self.require(connector, || format!("Unknown connector: {connector}"))?;
        self.unless_stopping(self.shared.role.own_connector(connector))
            .await?;
        self.ask(connector, Command::RestartConnector).await
    }

    #[instrument(target = TARGET, name = "restart connector", skip_all, fields(connector = request.connector))]
    async fn restart_connector_and_tasks(&self, request: RestartRequest) -> Result<ConnectorState> {
        self.ready().await?;
        let connector = request.connector.clone();
        let leader = self.shared.as_leader().await?;
        self.require(&connector, || format!("Unknown connector: {connector}"))?;
        let no_status =
            || ConnectError::not_found(format!("Status for connector {connector} not found"));
        let plan = restart::plan(&self.shared, &request).ok_or_else(no_status)?;
        let mut state =
            status::connector_state(&self.shared, &connector).map_err(|_| no_status())?;
        let mark = |instance: &mut InstanceState| instance.state = State::Restarting;
        if plan.connector.is_some() {
            mark(&mut state.connector);
        }
        for (task, instance) in &mut state.tasks {
            if plan.tasks.iter().any(|status| status.id.task == *task) {
                mark(instance);
            }
        }
        leader.put_restart_request(&request).await?;
        Ok(state)
    }

    #[instrument(target = TARGET, name = "restart task", skip_all, fields(connector = id.connector, task = id.task))]
    async fn restart_task(&self, id: &TaskId) -> Result<()> {
        self.ready().await?;
        let connector = &id.connector;
        let entry = self.require(connector, || format!("Unknown connector: {connector}"))?;
        if !entry.tasks.contains_key(&id.task) {
            return Err(ConnectError::not_found(format!("Unknown task: {id}")));
        }
        self.unless_stopping(self.shared.role.own_task(id)).await?;
        self.ask(&id.connector, |reply| Command::RestartTask(id.task, reply))
            .await
    }

    fn topics(&self, connector: &str) -> Result<Vec<String>> {
        Ok(self
            .shared
            .context
            .statuses
            .topics(connector)
            .into_iter()
            .map(|status| status.topic)
            .collect())
    }

    fn reset_topics(&self, connector: &str) -> Result<()> {
        self.shared.context.statuses.reset_topics(connector);
        Ok(())
    }

    fn topic_tracking(&self) -> (bool, bool) {
        let config = &self.shared.context.config;
        (config.topic_tracking, config.topic_tracking_reset)
    }

    async fn connector_offsets(&self, connector: &str) -> Result<Vec<ConnectorOffset>> {
        self.ready().await?;
        let entry = self.found(connector)?;
        offsets::read(self, connector, &entry.config).await
    }

    #[instrument(target = TARGET, name = "change offsets", skip_all, fields(connector))]
    async fn change_offsets(&self, connector: &str, change: OffsetChange) -> Result<String> {
        let _turn = self.turn(connector).await?;
        // Not kept: no round waits for a connector that changes its offsets.
        drop(self.shared.as_leader().await?);
        let entry = self.found(connector)?;
        if entry.target_state != TargetState::Stopped || !entry.tasks.is_empty() {
            return Err(ConnectError::config(format!(
                "Connectors must be in the STOPPED state before their offsets can be modified. This can be done \
                 for the specified connector by issuing a 'PUT' request to the '/connectors/{connector}/stop' \
                 endpoint"
            )));
        }
        offsets::change(self, connector, &entry.config, change).await
    }

    async fn dead_letters(&self, connector: &str, most: usize) -> Result<DeadLetters> {
        self.ready().await?;
        dead_letters::newest(self, connector, most).await
    }

    fn plugins(&self) -> Vec<PluginDescriptor> {
        self.shared.context.plugins.all().to_vec()
    }

    fn plugin_config(&self, plugin: &str, version: Option<&str>) -> Result<Arc<ConfigDef>> {
        self.shared.validation.plugin_config(plugin, version)
    }

    async fn validate(&self, config: RawConfig) -> Result<ConfigInfos> {
        self.shared
            .validation
            .validate(&self.shared.context.variables, &config)
            .await
    }

    fn loggers(&self) -> Vec<(String, LoggerLevel)> {
        self.shared.context.loggers.all()
    }

    fn logger(&self, name: &str) -> Option<LoggerLevel> {
        self.shared.context.loggers.get(name)
    }

    fn set_logger_level(&self, name: &str, level: &str) -> Vec<String> {
        self.shared.context.loggers.set(name, level)
    }

    fn verify_internal_request(&self, request: &InternalRequest) -> Result<()> {
        let Mode::Distributed(config) = &self.shared.context.config.mode else {
            return Err(herder::unexpected(request));
        };
        let protocol = self.shared.role.protocol();
        if protocol.is_some_and(|protocol| protocol != Protocol::Sessioned) {
            return Ok(());
        }
        let snapshot = self.shared.context.configs.snapshot();
        config
            .session
            .verifier
            .verify(request, snapshot.session_key.as_ref())
    }

    #[instrument(target = TARGET, name = "store tasks", skip_all, fields(connector))]
    async fn put_task_configs(&self, connector: &str, configs: Vec<RawConfig>) -> Result<()> {
        self.ready().await?;
        let leader = self.shared.as_leader().await?;
        self.found(connector)?;
        let configs: Vec<ConfigMap> = configs.iter().map(present).collect();
        self.shared.commit_tasks(&leader, connector, &configs).await
    }

    #[instrument(target = TARGET, name = "fence zombies", skip_all, fields(connector))]
    async fn fence_zombies(&self, connector: &str) -> Result<()> {
        self.ready().await?;
        drop(self.shared.as_leader().await?);
        fencing::fence_zombies(&self.shared, connector).await
    }

    async fn set_cluster_logger_level(&self, name: &str, level: &str) -> Result<()> {
        self.ready().await?;
        self.shared
            .context
            .configs
            .put_logger_level(name, level)
            .await
    }
}

/// A configuration without its nulls.
fn present(raw: &RawConfig) -> ConfigMap {
    raw.iter()
        .filter_map(|(key, value)| Some((key.clone(), value.clone()?)))
        .collect()
}

/// A configuration with some keys changed; null deletes one.
fn patched(config: &ConfigMap, patch: &RawConfig) -> RawConfig {
    let mut patched: RawConfig = config
        .iter()
        .map(|(key, value)| (key.clone(), Some(value.clone())))
        .collect();
    for (key, value) in patch {
        match value {
            Some(value) => {
                patched.insert(key.clone(), Some(value.clone()));
            }
            None => {
                patched.shift_remove(key);
            }
        }
    }
    patched
}
