//! A herder in memory: it keeps configurations and wishes, and runs nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use tether_api::config::{
    ConfigData, ConfigDef, ConfigKey, ConfigType, ConfigValue, Importance, Width,
};
use tether_api::plugin::{PluginDescriptor, PluginFactory};
use tether_api::{ConnectError, Result};
use tether_metrics::Metrics;
use tether_storage::{RestartRequest, SessionKey, State, TargetState, TaskId, TaskStatus};
use tether_worker::dead_letters::{DeadLetter, DeadLetters};
use tether_worker::herder::{
    self, ConfigInfo, ConfigInfos, ConnectorInfo, ConnectorKind, ConnectorOffset, ConnectorState,
    CreateConnector, Created, Health, Herder, InstanceState, InternalRequest, LoggerLevel,
    Membership, OffsetChange, RawConfig, TaskInfo,
};
use tether_worker::session::Verifier;
use tokio::sync::{Notify, watch};

#[derive(Clone)]
struct Connector {
    config: RawConfig,
    target: TargetState,
    offsets: Vec<ConnectorOffset>,
}

/// The herder. Its fields are what a test may set or look at.
pub(super) struct FakeHerder {
    connectors: Mutex<BTreeMap<String, Connector>>,
    pub(super) health: Mutex<Health>,
    pub(super) stage: Mutex<Option<String>>,
    pub(super) topic_tracking: Mutex<(bool, bool)>,
    pub(super) trace: Mutex<Option<String>>,
    /// While this is there, requests that are queued don't return before it
    /// tells them to.
    pub(super) gate: Mutex<Option<Arc<Notify>>>,
    pub(super) restarts: Mutex<Vec<String>>,
    pub(super) changes: Mutex<Vec<OffsetChange>>,
    pub(super) cluster_levels: Mutex<Vec<(String, String)>>,
    pub(super) worker_id: Mutex<String>,
    pub(super) letters: Mutex<Vec<DeadLetter>>,
    pub(super) membership: Mutex<Membership>,
    pub(super) metrics: Metrics,
    /// If this is there, another worker has to answer: the one with this URL, or
    /// nobody who is known.
    pub(super) elsewhere: Mutex<Option<Option<String>>>,
    /// How often it said so.
    pub(super) deferred: watch::Sender<usize>,
    /// How internal requests are verified; none are taken without.
    pub(super) session: Mutex<Option<(Verifier, Option<SessionKey>)>>,
    pub(super) task_configs: Mutex<Vec<(String, Vec<RawConfig>)>>,
    pub(super) fenced: Mutex<Vec<String>>,
}

impl Default for FakeHerder {
    fn default() -> Self {
        Self {
            connectors: Mutex::default(),
            health: Mutex::new(Health::Healthy),
            stage: Mutex::default(),
            topic_tracking: Mutex::new((true, true)),
            trace: Mutex::default(),
            gate: Mutex::default(),
            restarts: Mutex::default(),
            changes: Mutex::default(),
            cluster_levels: Mutex::default(),
            worker_id: Mutex::new("worker.example:8083".to_owned()),
            letters: Mutex::default(),
            membership: Mutex::new(Membership::Alone),
            metrics: Metrics::default(),
            elsewhere: Mutex::default(),
            deferred: watch::Sender::default(),
            session: Mutex::default(),
            task_configs: Mutex::default(),
            fenced: Mutex::default(),
        }
    }
}

impl FakeHerder {
    fn connectors(&self) -> MutexGuard<'_, BTreeMap<String, Connector>> {
        self.connectors.lock().unwrap()
    }

    fn find(&self, name: &str) -> Result<Connector> {
        self.connectors()
            .get(name)
            .cloned()
            .ok_or_else(|| ConnectError::not_found(format!("Connector {name} not found")))
    }

    /// What it was asked to begin a connector in.
    pub(super) fn target(&self, name: &str) -> TargetState {
        self.find(name).unwrap().target
    }

    /// The configuration of a connector, nulls and all.
    pub(super) fn raw_config(&self, name: &str) -> RawConfig {
        self.find(name).unwrap().config
    }

    fn info(&self, name: &str) -> Result<ConnectorInfo> {
        let connector = self.find(name)?;
        Ok(ConnectorInfo {
            name: name.to_owned(),
            config: connector
                .config
                .into_iter()
                .filter_map(|(key, value)| Some((key, value?)))
                .collect(),
            tasks: vec![TaskId::new(name, 0)],
            kind: ConnectorKind::Source,
        })
    }

    fn instance(&self, target: TargetState) -> InstanceState {
        InstanceState {
            state: match target {
                TargetState::Started => State::Running,
                TargetState::Paused => State::Paused,
                TargetState::Stopped => State::Stopped,
            },
            worker_id: "worker.example:8083".to_owned(),
            version: Some("1.0".to_owned()),
            trace: self.trace.lock().unwrap().clone(),
        }
    }

    fn here(&self) -> Result<()> {
        match &*self.elsewhere.lock().unwrap() {
            Some(url) => {
                self.deferred.send_modify(|deferred| *deferred += 1);
                Err(herder::elsewhere(url.as_deref()))
            }
            None => Ok(()),
        }
    }

    fn grouped(&self) -> Result<()> {
        match &*self.session.lock().unwrap() {
            Some(_) => Ok(()),
            None => Err(ConnectError::other("This worker runs alone")),
        }
    }

    async fn pass(&self) {
        let gate = self.gate.lock().unwrap().clone();
        if let Some(gate) = gate {
            gate.notified().await;
        }
    }
}

fn check(config: &RawConfig) -> Result<()> {
    if config.contains_key("connector.class") {
        return Ok(());
    }
    Err(ConnectError::config("contains no connector type"))
}

fn definition() -> Arc<ConfigDef> {
    Arc::new(
        ConfigDef::new()
            .define(
                ConfigKey::new("topic", ConfigType::String)
                    .importance(Importance::High)
                    .doc("Where to"),
            )
            .define(ConfigKey::new("hidden", ConfigType::String).internal())
            .define(
                ConfigKey::new("kinds", ConfigType::List)
                    .default_list(&["a", "b"])
                    .form("Group", 2, Width::Long, "Kinds")
                    .dependents(&["topic"]),
            ),
    )
}

fn plugin(class: &'static str, version: &'static str, factory: PluginFactory) -> PluginDescriptor {
    PluginDescriptor {
        class,
        aliases: &[],
        version,
        config_def: definition,
        factory,
    }
}

#[async_trait]
impl Herder for FakeHerder {
    fn worker_id(&self) -> String {
        self.worker_id.lock().unwrap().clone()
    }

    fn kafka_cluster_id(&self) -> String {
        "cluster".to_owned()
    }

    async fn health(&self) -> Health {
        self.pass().await;
        self.health.lock().unwrap().clone()
    }

    fn membership(&self) -> Membership {
        self.membership.lock().unwrap().clone()
    }

    fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    fn stage(&self) -> Option<String> {
        self.stage.lock().unwrap().clone()
    }

    fn connectors(&self) -> Vec<String> {
        self.connectors().keys().cloned().collect()
    }

    async fn connector_info(&self, connector: &str) -> Result<ConnectorInfo> {
        self.pass().await;
        self.info(connector)
    }

    fn connector_state(&self, connector: &str) -> Result<ConnectorState> {
        let found = self.find(connector).map_err(|_| {
            ConnectError::not_found(format!("No status found for connector {connector}"))
        })?;
        if found.config.contains_key("no.status") {
            return Err(ConnectError::not_found("no status"));
        }
        let instance = self.instance(found.target);
        let tasks = match found.target {
            TargetState::Stopped => Vec::new(),
            _ => vec![(1, instance.clone()), (0, instance.clone())],
        };
        Ok(ConnectorState {
            name: connector.to_owned(),
            connector: instance,
            tasks,
            kind: ConnectorKind::Source,
        })
    }

    fn task_state(&self, id: &TaskId) -> Result<TaskStatus> {
        match self.find(&id.connector) {
            Ok(found) if id.task == 0 => {
                let instance = self.instance(found.target);
                Ok(TaskStatus {
                    id: id.clone(),
                    state: instance.state,
                    trace: instance.trace,
                    worker_id: instance.worker_id,
                    generation: 0,
                    version: instance.version,
                })
            }
            _ => Err(ConnectError::not_found(format!(
                "No status found for task {id}"
            ))),
        }
    }

    async fn task_infos(&self, connector: &str) -> Result<Vec<TaskInfo>> {
        let info = self.info(connector)?;
        Ok(vec![TaskInfo {
            id: TaskId::new(connector, 0),
            config: info.config,
        }])
    }

    async fn create_connector(&self, request: CreateConnector) -> Result<ConnectorInfo> {
        check(&request.config)?;
        self.here()?;
        self.pass().await;
        if self.find(&request.name).is_ok() {
            return Err(ConnectError::already_exists(format!(
                "Connector {} already exists",
                request.name
            )));
        }
        let connector = Connector {
            config: request.config,
            target: request.initial_state.unwrap_or_default(),
            offsets: Vec::new(),
        };
        self.connectors().insert(request.name.clone(), connector);
        self.info(&request.name)
    }

    async fn put_connector_config(
        &self,
        connector: &str,
        config: RawConfig,
    ) -> Result<Created<ConnectorInfo>> {
        check(&config)?;
        self.here()?;
        let existing = self.find(connector).ok();
        let is_new = existing.is_none();
        let entry = Connector {
            config,
            target: existing.map(|entry| entry.target).unwrap_or_default(),
            offsets: Vec::new(),
        };
        self.connectors().insert(connector.to_owned(), entry);
        let info = self.info(connector)?;
        Ok(if is_new {
            Created::New(info)
        } else {
            Created::Existing(info)
        })
    }

    async fn patch_connector_config(
        &self,
        connector: &str,
        patch: RawConfig,
    ) -> Result<ConnectorInfo> {
        self.here()?;
        let mut entry = self.find(connector)?;
        for (key, value) in patch {
            match value {
                Some(value) => entry.config.insert(key, Some(value)),
                None => entry.config.shift_remove(&key),
            };
        }
        self.connectors().insert(connector.to_owned(), entry);
        self.info(connector)
    }

    async fn delete_connector(&self, connector: &str) -> Result<()> {
        self.here()?;
        self.find(connector)?;
        self.connectors().remove(connector);
        Ok(())
    }

    async fn set_target_state(&self, connector: &str, state: TargetState) -> Result<()> {
        if state == TargetState::Stopped {
            self.here()?;
        }
        let mut entry = self.find(connector)?;
        entry.target = state;
        self.connectors().insert(connector.to_owned(), entry);
        Ok(())
    }

    async fn restart_connector(&self, connector: &str) -> Result<()> {
        self.here()?;
        self.find(connector)?;
        self.restarts.lock().unwrap().push(connector.to_owned());
        Ok(())
    }

    async fn restart_connector_and_tasks(&self, request: RestartRequest) -> Result<ConnectorState> {
        self.here()?;
        let mut state = self.connector_state(&request.connector)?;
        self.restarts.lock().unwrap().push(format!(
            "{} failed={} tasks={}",
            request.connector, request.only_failed, request.include_tasks
        ));
        state.connector.state = State::Restarting;
        Ok(state)
    }

    async fn restart_task(&self, id: &TaskId) -> Result<()> {
        self.here()?;
        self.find(&id.connector)?;
        self.restarts.lock().unwrap().push(id.to_string());
        Ok(())
    }

    fn topics(&self, connector: &str) -> Result<Vec<String>> {
        Ok(self
            .find(connector)
            .map_or(Vec::new(), |_| vec!["t".to_owned()]))
    }

    fn reset_topics(&self, _: &str) -> Result<()> {
        Ok(())
    }

    fn topic_tracking(&self) -> (bool, bool) {
        *self.topic_tracking.lock().unwrap()
    }

    async fn connector_offsets(&self, connector: &str) -> Result<Vec<ConnectorOffset>> {
        Ok(self.find(connector)?.offsets)
    }

    async fn change_offsets(&self, connector: &str, change: OffsetChange) -> Result<String> {
        self.here()?;
        let mut entry = self.find(connector)?;
        self.changes.lock().unwrap().push(change.clone());
        entry.offsets = match change {
            OffsetChange::Alter(offsets) => offsets,
            OffsetChange::Reset => Vec::new(),
        };
        self.connectors().insert(connector.to_owned(), entry);
        Ok("done".to_owned())
    }

    async fn dead_letters(&self, connector: &str, most: usize) -> Result<DeadLetters> {
        self.find(connector)?;
        let letters = self.letters.lock().unwrap();
        Ok(DeadLetters {
            topic: "dlq".to_owned(),
            complete: true,
            letters: letters.iter().take(most).cloned().collect(),
        })
    }

    fn plugins(&self) -> Vec<PluginDescriptor> {
        let unused = || ConnectError::other("unused");
        let _ = unused;
        vec![
            plugin(
                "a.SinkConnector",
                "1.0",
                PluginFactory::Sink(|| unreachable!("no connector is made")),
            ),
            plugin(
                "a.SourceConnector",
                "undefined",
                PluginFactory::Source(|| unreachable!("no connector is made")),
            ),
            plugin(
                "a.Predicate",
                "1.0",
                PluginFactory::Predicate(|_| Err(ConnectError::other("unused"))),
            ),
        ]
    }

    fn plugin_config(&self, plugin: &str, version: Option<&str>) -> Result<Arc<ConfigDef>> {
        match (plugin, version) {
            ("Source", None | Some("1.0")) => Ok(definition()),
            ("Source", Some(_)) => Err(ConnectError::config("no such version")),
            _ => Err(ConnectError::not_found(format!("Unknown plugin {plugin}."))),
        }
    }

    async fn validate(&self, config: RawConfig) -> Result<ConfigInfos> {
        check(&config)?;
        let definition = definition();
        let mut wrong = ConfigValue::new("topic", ConfigData::Null);
        wrong.error("missing");
        let undefined = ConfigValue::new("other", ConfigData::String("x".to_owned()));
        Ok(ConfigInfos {
            name: config["connector.class"].clone().unwrap_or_default(),
            error_count: 1,
            groups: vec!["Group".to_owned()],
            configs: vec![
                ConfigInfo {
                    definition: definition.key("topic").cloned(),
                    value: Some(wrong),
                },
                ConfigInfo {
                    definition: definition.key("hidden").cloned(),
                    value: None,
                },
                ConfigInfo {
                    definition: None,
                    value: Some(undefined),
                },
            ],
        })
    }

    fn loggers(&self) -> Vec<(String, LoggerLevel)> {
        let level = |level: &str, last_modified| LoggerLevel {
            level: level.to_owned(),
            last_modified,
        };
        vec![
            ("a.b".to_owned(), level("DEBUG", Some(5))),
            ("root".to_owned(), level("INFO", None)),
        ]
    }

    fn logger(&self, name: &str) -> Option<LoggerLevel> {
        self.loggers()
            .into_iter()
            .find(|(known, _)| known == name)
            .map(|(_, level)| level)
    }

    fn set_logger_level(&self, name: &str, level: &str) -> Vec<String> {
        vec![name.to_owned(), level.to_owned()]
    }

    async fn set_cluster_logger_level(&self, name: &str, level: &str) -> Result<()> {
        let wish = (name.to_owned(), level.to_owned());
        self.cluster_levels.lock().unwrap().push(wish);
        Ok(())
    }

    fn verify_internal_request(&self, request: &InternalRequest) -> Result<()> {
        match &*self.session.lock().unwrap() {
            Some((verifier, key)) => verifier.verify(request, key.as_ref()),
            None if request.signature.is_some() => Ok(()),
            None => Err(ConnectError::config(
                "Internal request missing required signature",
            )),
        }
    }

    async fn put_task_configs(&self, connector: &str, configs: Vec<RawConfig>) -> Result<()> {
        self.grouped()?;
        self.here()?;
        let configs = (connector.to_owned(), configs);
        self.task_configs.lock().unwrap().push(configs);
        Ok(())
    }

    async fn fence_zombies(&self, connector: &str) -> Result<()> {
        self.grouped()?;
        self.here()?;
        self.fenced.lock().unwrap().push(connector.to_owned());
        Ok(())
    }
}
