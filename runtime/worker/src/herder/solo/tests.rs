//! The herder with stores in memory and connectors that do as they are told.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use indexmap::IndexMap;
use tether_api::config::{ConfigDef, ConfigKey, ConfigMap, ConfigType, Validator};
use tether_api::connector::{Connector, ConnectorContext, Task};
use tether_api::plugin::{PluginDescriptor, PluginFactory};
use tether_api::record::SourceRecord;
use tether_api::source::{SourceTask, SourceTaskContext};
use tether_api::{ConnectError, ErrorKind, Result};
use tether_storage::{
    ConfigStore, MemoryConfigStore, RestartRequest, State, StatusStore, TargetState, TaskId,
};

use super::{SoloContext, SoloHerder};
use crate::herder::{ConnectorOffset, CreateConnector, Created, Herder, OffsetChange, RawConfig};
use crate::loggers::Loggers;
use crate::testing::{Surroundings, map, surroundings};
use crate::worker::Worker;

/// Makes `count` tasks that do nothing; fails to start with `fail=true`.
#[derive(Default)]
struct Obedient {
    count: usize,
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
        if config.get("fail").is_some_and(|fail| fail == "true") {
            return Err(ConnectError::other("told to fail"));
        }
        Ok(())
    }

    async fn task_configs(&mut self, _: usize) -> Result<Vec<ConfigMap>> {
        Ok((0..self.count)
            .map(|number| map(&[("number", &number.to_string())]))
            .collect())
    }

    fn new_task(&self) -> Task {
        Task::Source(Box::new(Idle(None)))
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

struct Idle(Option<SourceTaskContext>);

#[async_trait]
impl SourceTask for Idle {
    async fn start(&mut self, context: SourceTaskContext, _: ConfigMap) -> Result<()> {
        self.0 = Some(context);
        Ok(())
    }

    async fn poll(&mut self) -> Result<Vec<SourceRecord>> {
        if let Some(context) = &self.0 {
            // Returns now and then, as a task has to so that it can be paused.
            let _ =
                tokio::time::timeout(Duration::from_millis(5), context.stopping.cancelled()).await;
        }
        Ok(Vec::new())
    }
}

struct Fixture {
    herder: SoloHerder,
    around: Surroundings,
}

/// A herder over this config store; another one over the same store is the
/// process started again.
async fn herder(configs: &Arc<MemoryConfigStore>) -> Fixture {
    let plugin = PluginDescriptor {
        class: "t.Obedient",
        aliases: &[],
        version: "1.2.3",
        config_def: obedient_keys,
        factory: PluginFactory::Source(|| Box::<Obedient>::default()),
    };
    let mut around = surroundings(vec![plugin], &[]);
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
    let herder = SoloHerder::new(SoloContext {
        worker_id: context.worker_id.clone(),
        kafka_cluster_id: context.kafka_cluster_id.clone(),
        config: context.config.clone(),
        plugins: context.plugins.clone(),
        variables: context.variables.clone(),
        clients: context.clients.clone(),
        configs: configs.clone(),
        offsets: context.offsets.clone(),
        statuses: context.statuses.clone(),
        worker: Arc::new(worker),
        loggers: Arc::new(Loggers::new([], Box::new(|_| {}))),
    })
    .unwrap();
    herder.start(requests).await.unwrap();
    Fixture { herder, around }
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
    fixture.create("a", &[("fail", "true")], None).await;
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
async fn a_new_process_finds_everything_as_it_was() {
    let configs = Arc::new(MemoryConfigStore::new());
    let first = herder(&configs).await;
    first.create("running", &[("count", "2")], None).await;
    first.create("paused", &[], Some(TargetState::Paused)).await;
    first
        .create("stopped", &[], Some(TargetState::Stopped))
        .await;
    first
        .until("running", State::Running, &[State::Running; 2])
        .await;
    first.until("paused", State::Paused, &[]).await;
    first.until("stopped", State::Stopped, &[]).await;
    first.herder.stop().await;
    assert_eq!(
        first
            .around
            .statuses
            .task(&TaskId::new("running", 0))
            .unwrap()
            .state,
        State::Unassigned
    );

    let second = herder(&reopened(&configs).await).await;
    second
        .until("running", State::Running, &[State::Running; 2])
        .await;
    second.until("paused", State::Paused, &[]).await;
    second.until("stopped", State::Stopped, &[]).await;
}

/// A store with the same records.
async fn reopened(configs: &MemoryConfigStore) -> Arc<MemoryConfigStore> {
    let copy = MemoryConfigStore::new();
    for (name, entry) in &configs.snapshot().connectors {
        copy.put_connector_config(name, &entry.config, Some(entry.target_state))
            .await
            .unwrap();
        let tasks: Vec<ConfigMap> = entry.tasks.values().cloned().collect();
        if entry.task_generation.is_some() {
            copy.put_task_configs(name, &tasks).await.unwrap();
        }
    }
    Arc::new(copy)
}
