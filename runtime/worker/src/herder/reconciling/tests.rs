//! The herder with stores in memory and connectors that do as they are told.

mod automatic_restart;
mod fencing;
mod internal;
mod process;
mod races;
mod rounds;
mod variables;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use indexmap::IndexMap;
use tether_api::config::{ConfigDef, ConfigKey, ConfigMap, ConfigType, ConfigValue, Validator};
use tether_api::connector::{Connector, ConnectorContext, Task};
use tether_api::plugin::{PluginDescriptor, PluginFactory};
use tether_api::record::SourceRecord;
use tether_api::source::{SourceTask, SourceTaskContext};
use tether_api::{ConnectError, ErrorKind, Result};
use tether_storage::{
    ConfigStore, MemoryConfigStore, RestartRequest, State, StatusStore, TargetState, TaskId,
};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::UnboundedReceiver;

use super::{GroupContext, HerderContext, ReconcilingHerder};
use crate::herder::{ConnectorOffset, CreateConnector, Created, Herder, OffsetChange, RawConfig};
use crate::loggers::Loggers;
use crate::testing::{Surroundings, map, surroundings};
use crate::worker::{Worker, WorkerRequest};

/// Lets validations and starts go on, by the value of their `gate` or
/// `start.gate`.
static GATES: LazyLock<Mutex<HashMap<String, Arc<Semaphore>>>> = LazyLock::new(Mutex::default);

fn gate(name: &str) -> Arc<Semaphore> {
    let mut gates = GATES.lock().unwrap();
    gates
        .entry(name.to_owned())
        .or_insert_with(|| Arc::new(Semaphore::new(0)))
        .clone()
}

/// Makes `count` tasks that do nothing; fails to start with `fail=true`, or as
/// long as there is no file of that name, and never comes back from its start
/// with `fail=hang`.
#[derive(Default)]
struct Obedient {
    count: usize,
    needs: Option<String>,
}

#[async_trait]
impl Connector for Obedient {
    fn config_def(&self) -> Arc<ConfigDef> {
        obedient_keys()
    }

    async fn start(&mut self, _: ConnectorContext, config: ConfigMap) -> Result<()> {
        self.count = config
            .get("count")
            .map_or(1, |count| count.parse().unwrap());
        self.needs = config.get("needs").cloned();
        if let Some(name) = config.get("start.gate") {
            gate(name).acquire().await.unwrap().forget();
        }
        match config.get("fail").map(String::as_str) {
            None => Ok(()),
            Some("hang") => std::future::pending().await,
            Some(file) if std::path::Path::new(file).exists() => Ok(()),
            Some(_) => Err(ConnectError::other("told to fail")),
        }
    }

    async fn validate(&self, config: &ConfigMap) -> Vec<ConfigValue> {
        if let Some(name) = config.get("gate") {
            gate(name).acquire().await.unwrap().forget();
        }
        self.config_def().validate(config)
    }

    async fn task_configs(&mut self, _: usize) -> Result<Vec<ConfigMap>> {
        Ok((0..self.count)
            .map(|number| {
                let mut config = map(&[("number", &number.to_string())]);
                config.extend(self.needs.clone().map(|file| ("needs".to_owned(), file)));
                config
            })
            .collect())
    }

    fn new_task(&self) -> Task {
        Task::Source(Box::<Idle>::default())
    }

    fn task_class(&self) -> &'static str {
        "t.IdleTask"
    }
}

fn obedient_keys() -> Arc<ConfigDef> {
    let count = ConfigKey::new("count", ConfigType::Int)
        .default_int(1)
        .validator(Validator::AtLeast(0));
    Arc::new(ConfigDef::new().define(count))
}

/// Does nothing; fails in `poll` as long as there is no file of the name in
/// `needs`.
#[derive(Default)]
struct Idle {
    context: Option<SourceTaskContext>,
    needs: Option<String>,
}

#[async_trait]
impl SourceTask for Idle {
    async fn start(&mut self, context: SourceTaskContext, config: ConfigMap) -> Result<()> {
        self.context = Some(context);
        self.needs = config.get("needs").cloned();
        Ok(())
    }

    async fn poll(&mut self) -> Result<Vec<SourceRecord>> {
        if let Some(file) = &self.needs
            && !std::path::Path::new(file).exists()
        {
            return Err(ConnectError::other("something is missing"));
        }
        if let Some(context) = &self.context {
            // Returns now and then, as a task has to so that it can be paused.
            let _ =
                tokio::time::timeout(Duration::from_millis(5), context.stopping.cancelled()).await;
        }
        Ok(Vec::new())
    }
}

struct Fixture {
    herder: Arc<ReconcilingHerder>,
    worker: Arc<Worker>,
    around: Surroundings,
}

/// A herder over this config store; another one over the same store is the
/// process started again.
async fn herder(configs: &Arc<MemoryConfigStore>) -> Fixture {
    herder_with(configs, &[]).await
}

/// The same with more properties of the worker.
async fn herder_with(configs: &Arc<MemoryConfigStore>, properties: &[(&str, &str)]) -> Fixture {
    let (fixture, requests) = idle_herder(configs.clone(), properties, None);
    fixture.herder.start(requests).await.unwrap();
    fixture
}

/// A herder that is not started, and what its worker asks of it.
fn idle_herder(
    configs: Arc<dyn ConfigStore>,
    properties: &[(&str, &str)],
    group: Option<GroupContext>,
) -> (Fixture, UnboundedReceiver<WorkerRequest>) {
    let plugin = PluginDescriptor {
        class: "t.Obedient",
        aliases: &[],
        version: "1.2.3",
        config_def: obedient_keys,
        factory: PluginFactory::Source(|| Box::<Obedient>::default()),
    };
    let mut around = surroundings(vec![plugin], properties);
    let context = &around.context;
    let (_, unused) = tokio::sync::mpsc::unbounded_channel();
    let requests = std::mem::replace(&mut around.requests, unused);
    let worker = Worker::new(crate::worker::WorkerContext {
        worker_id: context.worker_id.clone(),
        config: context.config.clone(),
        kafka_cluster_id: context.kafka_cluster_id.clone(),
        plugins: context.plugins.clone(),
        variables: context.variables.clone(),
        clients: context.clients.clone(),
        offsets: context.offsets.clone(),
        statuses: context.statuses.clone(),
        generation: context.generation.clone(),
        requests: context.requests.clone(),
    })
    .unwrap();
    let worker = Arc::new(worker);
    let herder = ReconcilingHerder::new(HerderContext {
        worker_id: context.worker_id.clone(),
        kafka_cluster_id: context.kafka_cluster_id.clone(),
        config: context.config.clone(),
        plugins: context.plugins.clone(),
        variables: context.variables.clone(),
        clients: context.clients.clone(),
        configs,
        offsets: context.offsets.clone(),
        statuses: context.statuses.clone(),
        worker: worker.clone(),
        loggers: Arc::new(Loggers::new([], Box::new(|_| {}))),
        group,
    })
    .unwrap();
    let fixture = Fixture {
        herder: Arc::new(herder),
        worker,
        around,
    };
    (fixture, requests)
}

fn config(name: &str, more: &[(&str, &str)]) -> RawConfig {
    let mut config = IndexMap::new();
    for (key, value) in [
        ("name", name),
        ("connector.class", "t.Obedient"),
        ("tasks.max", "3"),
    ]
    .iter()
    .chain(more)
    {
        config.insert((*key).to_owned(), Some((*value).to_owned()));
    }
    config
}

impl Fixture {
    async fn create(&self, name: &str, more: &[(&str, &str)], state: Option<TargetState>) {
        let request = CreateConnector {
            name: name.to_owned(),
            config: config(name, more),
            initial_state: state,
        };
        self.herder.create_connector(request).await.unwrap();
    }

    /// Waits until the connector and its tasks are in these states.
    async fn until(&self, name: &str, connector: State, tasks: &[State]) {
        let reached = async {
            loop {
                if let Ok(state) = self.herder.connector_state(name)
                    && state.connector.state == connector
                    && state
                        .tasks
                        .iter()
                        .map(|(_, task)| task.state)
                        .eq(tasks.iter().copied())
                {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        if tokio::time::timeout(Duration::from_secs(30), reached)
            .await
            .is_err()
        {
            panic!("{name} is {:?}", self.herder.connector_state(name));
        }
    }
}

#[tokio::test]
async fn a_connector_lives_and_dies() {
    let fixture = herder(&Arc::new(MemoryConfigStore::new())).await;
    let herder = &fixture.herder;
    assert_eq!(
        herder.connector_state("a").unwrap_err().kind(),
        ErrorKind::NotFound
    );
    fixture.create("a", &[("count", "2")], None).await;
    fixture
        .until("a", State::Running, &[State::Running; 2])
        .await;
    assert_eq!(herder.connector_info("a").await.unwrap().tasks.len(), 2);

    let again = CreateConnector {
        name: "a".to_owned(),
        config: config("a", &[]),
        initial_state: None,
    };
    assert_eq!(
        herder.create_connector(again).await.unwrap_err().kind(),
        ErrorKind::AlreadyExists
    );

    let changed = herder
        .put_connector_config("a", config("a", &[("count", "1")]))
        .await
        .unwrap();
    assert!(matches!(changed, Created::Existing(_)));
    fixture.until("a", State::Running, &[State::Running]).await;
    let patch = IndexMap::from([
        ("count".to_owned(), Some("3".to_owned())),
        ("x".to_owned(), None),
    ]);
    herder.patch_connector_config("a", patch).await.unwrap();
    fixture
        .until("a", State::Running, &[State::Running; 3])
        .await;

    herder.delete_connector("a").await.unwrap();
    while herder.connector_state("a").is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(herder.connectors().is_empty());
    assert_eq!(
        herder.delete_connector("a").await.unwrap_err().message(),
        "Connector a not found"
    );
    herder.stop().await;
}

#[tokio::test]
async fn a_wrong_configuration_is_refused_with_all_its_errors() {
    let fixture = herder(&Arc::new(MemoryConfigStore::new())).await;
    let wrong = config("a", &[("count", "-1"), ("tasks.max", "x")]);
    let error = fixture
        .herder
        .put_connector_config("a", wrong)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(
        error.message(),
        "Connector configuration is invalid and contains the following 3 error(s):\n\
         Invalid value x for configuration tasks.max: Not a number of type INT\n\
         Invalid value null for configuration tasks.max: Value must be non-null\n\
         Invalid value -1 for configuration count: Value must be at least 0\n\
         You can also find the above list of errors at the endpoint \
         `/connector-plugins/{connectorType}/config/validate`"
    );
    assert!(fixture.herder.connectors().is_empty());
}

#[tokio::test]
async fn wishes_are_followed() {
    let fixture = herder(&Arc::new(MemoryConfigStore::new())).await;
    let herder = &fixture.herder;
    fixture.create("a", &[], None).await;
    fixture.until("a", State::Running, &[State::Running]).await;
    herder
        .set_target_state("a", TargetState::Paused)
        .await
        .unwrap();
    fixture.until("a", State::Paused, &[State::Paused]).await;
    herder
        .set_target_state("a", TargetState::Started)
        .await
        .unwrap();
    fixture.until("a", State::Running, &[State::Running]).await;
    let alter = OffsetChange::Alter(vec![ConnectorOffset {
        partition: None,
        offset: None,
    }]);
    let refused = herder.change_offsets("a", alter).await.unwrap_err();
    assert!(
        refused
            .message()
            .starts_with("Connectors must be in the STOPPED state")
    );
    herder
        .set_target_state("a", TargetState::Stopped)
        .await
        .unwrap();
    fixture.until("a", State::Stopped, &[]).await;
    let message = herder
        .change_offsets("a", OffsetChange::Reset)
        .await
        .unwrap();
    assert!(message.contains("have been reset successfully"));
    herder
        .set_target_state("a", TargetState::Started)
        .await
        .unwrap();
    fixture.until("a", State::Running, &[State::Running]).await;
    let unknown = herder
        .set_target_state("b", TargetState::Paused)
        .await
        .unwrap_err();
    assert_eq!(
        (unknown.kind(), unknown.message()),
        (ErrorKind::NotFound, "Unknown connector b")
    );
}

#[tokio::test]
async fn restarts_reach_what_failed() {
    let fixture = herder(&Arc::new(MemoryConfigStore::new())).await;
    let herder = &fixture.herder;
    let failing = CreateConnector {
        name: "a".to_owned(),
        config: config("a", &[("fail", "true")]),
        initial_state: None,
    };
    let error = herder.create_connector(failing).await.unwrap_err();
    assert_eq!(
        error.message(),
        "Failed to transition connector a to state STARTED: told to fail"
    );
    fixture.until("a", State::Failed, &[]).await;
    assert!(
        herder
            .restart_connector("a")
            .await
            .unwrap_err()
            .to_string()
            .contains("told to fail")
    );
    herder
        .put_connector_config("a", config("a", &[]))
        .await
        .unwrap();
    fixture.until("a", State::Running, &[State::Running]).await;

    herder.restart_connector("a").await.unwrap();
    herder.restart_task(&TaskId::new("a", 0)).await.unwrap();
    let unknown = herder.restart_task(&TaskId::new("a", 1)).await.unwrap_err();
    assert_eq!(unknown.message(), "Unknown task: a-1");
    fixture.until("a", State::Running, &[State::Running]).await;

    let request = RestartRequest {
        connector: "a".to_owned(),
        only_failed: false,
        include_tasks: true,
    };
    let state = herder.restart_connector_and_tasks(request).await.unwrap();
    assert_eq!(state.connector.state, State::Restarting);
    assert_eq!(state.tasks[0].1.state, State::Restarting);
    fixture.until("a", State::Running, &[State::Running]).await;
    let request = RestartRequest {
        connector: "a".to_owned(),
        only_failed: true,
        include_tasks: true,
    };
    let state = herder.restart_connector_and_tasks(request).await.unwrap();
    assert_eq!(state.connector.state, State::Running);
}

#[tokio::test]
async fn writing_the_same_again_starts_what_failed() {
    let fixture = herder(&Arc::new(MemoryConfigStore::new())).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("now");
    let config = config("a", &[("fail", &file.to_string_lossy())]);
    let herder = &fixture.herder;
    for _ in 0..2 {
        let error = herder.put_connector_config("a", config.clone()).await;
        assert!(error.is_err());
    }
    fixture.until("a", State::Failed, &[]).await;
    std::fs::write(file, "").unwrap();
    herder.put_connector_config("a", config).await.unwrap();
    fixture.until("a", State::Running, &[State::Running]).await;
}

#[tokio::test]
async fn a_slow_validation_holds_up_nobody() {
    let fixture = herder(&Arc::new(MemoryConfigStore::new())).await;
    fixture.create("a", &[], None).await;
    let slow = {
        let herder = fixture.herder.clone();
        let patch = RawConfig::from([
            ("gate".to_owned(), Some("slow".to_owned())),
            ("mine".to_owned(), Some("1".to_owned())),
        ]);
        tokio::spawn(async move { herder.patch_connector_config("a", patch).await })
    };
    fixture.create("b", &[], None).await;
    // The same connector, too: what was changed meanwhile is not undone.
    let theirs = config("a", &[("theirs", "2")]);
    fixture
        .herder
        .put_connector_config("a", theirs)
        .await
        .unwrap();
    assert!(!slow.is_finished());
    gate("slow").add_permits(2);
    let info = slow.await.unwrap().unwrap();
    assert_eq!(info.config["mine"], "1");
    assert_eq!(info.config["theirs"], "2");
}

#[tokio::test]
async fn a_pause_that_comes_with_a_configuration_reaches_the_tasks() {
    let fixture = herder(&Arc::new(MemoryConfigStore::new())).await;
    fixture.create("a", &[], None).await;
    fixture.until("a", State::Running, &[State::Running]).await;
    // The second configuration comes while the instance starts with the first.
    for second in ["", "1"] {
        let herder = fixture.herder.clone();
        let config = config("a", &[("start.gate", "paused"), ("second", second)]);
        tokio::spawn(async move { herder.put_connector_config("a", config.clone()).await });
        let herder = &fixture.herder;
        let stored = async || {
            herder
                .connector_info("a")
                .await
                .unwrap()
                .config
                .get("second")
                .cloned()
        };
        while stored().await.as_deref() != Some(second) {
            tokio::task::yield_now().await;
        }
    }
    fixture
        .herder
        .set_target_state("a", TargetState::Paused)
        .await
        .unwrap();
    gate("paused").add_permits(2);
    fixture.until("a", State::Paused, &[State::Paused]).await;
}

#[tokio::test(start_paused = true)]
async fn what_hangs_does_not_keep_the_worker() {
    let fixture = herder(&Arc::new(MemoryConfigStore::new())).await;
    fixture.create("a", &[], None).await;
    for (name, extra) in [("hangs", ("fail", "hang")), ("slow", ("gate", "never"))] {
        let herder = fixture.herder.clone();
        let config = config(name, &[extra]);
        tokio::spawn(async move { herder.put_connector_config(name, config).await });
    }
    while !fixture.herder.connectors().contains(&"hangs".to_owned()) {
        tokio::task::yield_now().await;
    }
    fixture.herder.stop().await;
    let state = fixture.herder.connector_state("a").unwrap();
    assert_eq!(state.connector.state, State::Unassigned);
    assert_eq!(state.tasks[0].1.state, State::Unassigned);
    let late = fixture.herder.delete_connector("a").await.unwrap_err();
    assert_eq!(late.message(), "Worker is shutting down");
}

#[tokio::test]
async fn values_of_variables_stay_secret() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("key"), "hunter2").unwrap();
    let provider = "org.apache.kafka.common.config.provider.DirectoryConfigProvider";
    let fixture = herder_with(
        &Arc::new(MemoryConfigStore::new()),
        &[
            ("config.providers", "dir"),
            ("config.providers.dir.class", provider),
        ],
    )
    .await;
    let variable = format!("${{dir:{}:key}}", folder.path().display());
    let herder = &fixture.herder;
    let wrong = config("a", &[("count", &variable), ("tasks.max", &variable)]);
    let error = herder
        .put_connector_config("a", wrong.clone())
        .await
        .unwrap_err();
    let expected =
        format!("Invalid value {variable} for configuration count: Not a number of type INT");
    assert!(error.message().contains(&expected), "{error}");
    assert!(!error.to_string().contains("hunter2"), "{error}");

    let readable = config("a", &[("errors.deadletterqueue.topic.name", &variable)]);
    for config in [wrong, readable] {
        let infos = herder.validate(config).await.unwrap();
        for value in infos.configs.iter().filter_map(|info| info.value.as_ref()) {
            assert!(!format!("{value:?}").contains("hunter2"), "{value:?}");
        }
    }
    let unknown = config("a", &[("connector.class", &variable)]);
    let error = herder.validate(unknown).await.map(|_| ()).unwrap_err();
    assert!(!error.to_string().contains("hunter2"), "{error}");

    let missing = config("a", &[("x", "${dir:/no/such/folder:key}")]);
    assert!(herder.validate(missing).await.is_ok());
}
