//! The worker with connectors that do what a test says.

mod refusals;

use std::collections::HashMap;
use std::sync::LazyLock;

use async_trait::async_trait;
use tether_api::config::ConfigDef;
use tether_api::connector::{Connector, ConnectorContext, Task};
use tether_api::plugin::PluginFactory;
use tether_api::record::SourceRecord;
use tether_api::source::{SourceTask, SourceTaskContext};
use tether_storage::State;

use super::*;
use crate::testing::{Log, Surroundings, map, plugin, surroundings};

/// Plugins are made by plain functions, so that scripts are found by the name
/// in the configuration.
static SCRIPTS: LazyLock<Mutex<HashMap<String, Script>>> = LazyLock::new(Mutex::default);

/// What the connector and the tasks of one test do.
#[derive(Clone, Default)]
struct Script {
    log: Log,
    start: Act,
    stop: Act,
    tasks: Vec<ConfigMap>,
    task_poll: Act,
    context: Arc<Mutex<Option<ConnectorContext>>>,
}

#[derive(Clone, Copy, Default)]
enum Act {
    #[default]
    Well,
    Fail,
    Panic,
    Hang,
}

/// Tells when a call is given up.
struct GivenUp(Log);

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.0.add("given up");
    }
}

impl Act {
    async fn play(self, log: &Log) -> Result<()> {
        match self {
            Self::Well => Ok(()),
            Self::Fail => Err(ConnectError::config("as told")),
            Self::Panic => panic!("boom"),
            Self::Hang => {
                let _guard = GivenUp(log.clone());
                std::future::pending().await
            }
        }
    }
}

#[derive(Default)]
struct Scripted {
    script: Script,
}

fn find(config: &ConfigMap) -> Script {
    SCRIPTS.lock().unwrap()[&config["script"]].clone()
}

#[async_trait]
impl Connector for Scripted {
    fn config_def(&self) -> Arc<ConfigDef> {
        Arc::new(ConfigDef::new())
    }

    async fn start(&mut self, context: ConnectorContext, config: ConfigMap) -> Result<()> {
        self.script = find(&config);
        self.script.log.add(format!(
            "start {}",
            config.get("secret").map_or("", String::as_str)
        ));
        *self.script.context.lock().unwrap() = Some(context);
        self.script.start.play(&self.script.log).await
    }

    async fn task_configs(&mut self, _max_tasks: usize) -> Result<Vec<ConfigMap>> {
        match self.script.tasks.as_slice() {
            [] => Err(ConnectError::other("cannot tell")),
            tasks => Ok(tasks.to_vec()),
        }
    }

    fn new_task(&self) -> Task {
        Task::Source(Box::new(Scripted::default()))
    }

    fn task_class(&self) -> &'static str {
        "t.SourceTask"
    }

    async fn stop(&mut self) -> Result<()> {
        self.script.log.add("stop");
        self.script.stop.play(&self.script.log).await
    }
}

#[async_trait]
impl SourceTask for Scripted {
    async fn start(&mut self, _context: SourceTaskContext, config: ConfigMap) -> Result<()> {
        self.script = find(&config);
        self.script.log.add(format!(
            "task {}",
            config.get("secret").map_or("", String::as_str)
        ));
        Ok(())
    }

    async fn poll(&mut self) -> Result<Vec<SourceRecord>> {
        self.script.task_poll.play(&self.script.log).await?;
        tokio::time::sleep(Duration::from_millis(50)).await;
        Ok(Vec::new())
    }
}

struct Bench {
    around: Surroundings,
    worker: Worker,
    script: Script,
    config: ConfigMap,
}

/// A worker, and the configuration of a connector `c` with this script.
fn bench(test: &str, script: Script, properties: &[(&str, &str)]) -> Bench {
    let scripted = plugin(
        "t.Scripted",
        PluginFactory::Source(|| Box::new(Scripted::default())),
    );
    let mut around = surroundings(vec![scripted], properties);
    SCRIPTS
        .lock()
        .unwrap()
        .insert(test.to_owned(), script.clone());
    let context = std::mem::replace(&mut around.context, surroundings(Vec::new(), &[]).context);
    Bench {
        around,
        worker: Worker::new(context).unwrap(),
        script,
        config: map(&[("connector.class", "t.Scripted"), ("script", test)]),
    }
}

impl Bench {
    async fn start(&self, state: TargetState) -> Result<()> {
        self.worker.start_connector("c", &self.config, state).await
    }

    fn statuses(&self) -> Vec<String> {
        self.around.statuses.log.lines()
    }

    fn trace(&self) -> String {
        let status = self.around.statuses.connector("c").unwrap();
        assert_eq!(status.state, State::Failed);
        status.trace.unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn a_connector_starts_and_stops() {
    let bench = bench("starts", Script::default(), &[]);
    bench.start(TargetState::Started).await.unwrap();
    assert!(bench.worker.is_running("c"));
    assert_eq!(bench.worker.connectors(), ["c"]);
    assert_eq!(
        bench.worker.connector_version("c").as_deref(),
        Some("1.2.3")
    );
    let again = bench.start(TargetState::Started).await.unwrap_err();
    assert_eq!(again.message(), "Connector with name c already exists");
    assert!(bench.worker.stop_connector("c").await);
    assert!(!bench.worker.stop_connector("c").await);
    assert_eq!(bench.script.log.lines(), ["start ", "stop"]);
    assert_eq!(bench.statuses(), ["c RUNNING", "c UNASSIGNED"]);
    let status = bench.around.statuses.connector("c").unwrap();
    assert_eq!((&*status.worker_id, status.generation), ("w:8083", 7));
    assert_eq!(status.version.as_deref(), Some("1.2.3"));
}

#[tokio::test(start_paused = true)]
async fn a_connector_follows_its_target_state() {
    let bench = bench("follows", Script::default(), &[]);
    bench.start(TargetState::Paused).await.unwrap();
    assert!(bench.script.log.lines().is_empty());
    for state in [
        TargetState::Started,
        TargetState::Started,
        TargetState::Paused,
        TargetState::Started,
        TargetState::Stopped,
    ] {
        bench.worker.set_target_state("c", state).await.unwrap();
        assert_eq!(bench.worker.is_running("c"), state == TargetState::Started);
    }
    assert_eq!(
        bench.statuses(),
        [
            "c PAUSED",
            "c RUNNING",
            "c PAUSED",
            "c RUNNING",
            "c STOPPED"
        ]
    );
    assert_eq!(
        bench.script.log.lines(),
        ["start ", "stop", "start ", "stop"]
    );
    bench
        .worker
        .set_target_state("nobody", TargetState::Paused)
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_connector_that_fails_to_start_can_only_be_stopped() {
    let script = Script {
        start: Act::Fail,
        ..Script::default()
    };
    let bench = bench("fails", script, &[]);
    let error = bench.start(TargetState::Started).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "Failed to transition connector c to state STARTED: as told"
    );
    assert_eq!(
        bench.trace(),
        "org.apache.kafka.common.config.ConfigException: as told\n"
    );
    assert_eq!(bench.worker.connectors(), ["c"]);
    let error = bench
        .worker
        .set_target_state("c", TargetState::Paused)
        .await
        .unwrap_err();
    assert_eq!(
        error.message(),
        "WorkerConnector{id=c} Cannot transition connector to PAUSED since it has failed"
    );
    bench
        .worker
        .set_target_state("c", TargetState::Stopped)
        .await
        .unwrap();
    assert_eq!(bench.statuses(), ["c FAILED", "c STOPPED"]);
    assert_eq!(bench.script.log.lines(), ["start ", "stop"]);
}

#[tokio::test(start_paused = true)]
async fn a_panic_fails_the_connector_only() {
    let script = Script {
        start: Act::Panic,
        ..Script::default()
    };
    let bench = bench("panics", script, &[]);
    assert!(bench.start(TargetState::Started).await.is_err());
    assert!(bench.trace().contains("boom"));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_class_fails_the_connector() {
    let mut bench = bench("unknown", Script::default(), &[]);
    bench.config = map(&[("connector.class", "t.Nothing")]);
    assert!(bench.start(TargetState::Started).await.is_err());
    assert!(bench.trace().contains("t.Nothing"));
    assert!(bench.worker.connectors().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_connector_may_ask_for_tasks_and_fail() {
    let mut bench = bench("asks", Script::default(), &[]);
    bench.start(TargetState::Started).await.unwrap();
    let context = bench.script.context.lock().unwrap().clone().unwrap();
    assert!(context.offsets().is_some());
    context.request_task_reconfiguration();
    assert_eq!(
        bench.around.requests.recv().await,
        Some(WorkerRequest::ReconfigureTasks("c".to_owned()))
    );
    context.raise_error(ConnectError::other("the source is gone"));
    context.raise_error(ConnectError::other("it still is"));
    bench.around.statuses.log.until_line("c FAILED").await;
    assert!(bench.trace().contains("the source is gone"));
    assert!(!bench.worker.is_running("c"));
    assert_eq!(bench.statuses(), ["c RUNNING", "c FAILED"]);
}

#[tokio::test(start_paused = true)]
async fn the_values_of_variables_reach_no_status() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("key"), "as told").unwrap();
    let properties = [
        ("config.providers", "dir"),
        ("config.providers.dir.class", "DirectoryConfigProvider"),
    ];
    let script = Script {
        start: Act::Fail,
        task_poll: Act::Fail,
        ..Script::default()
    };
    let mut bench = bench("redacted", script, &properties);
    let variable = format!("${{dir:{}:key}}", folder.path().display());
    bench.config.insert("secret".to_owned(), variable.clone());
    let error = bench.start(TargetState::Started).await.unwrap_err();
    let quoted = format!("state STARTED: {variable}");
    assert!(error.to_string().ends_with(&quoted), "{error}");
    assert!(bench.trace().contains(&variable), "{}", bench.trace());

    let id = TaskId::new("c", 0);
    let task = map(&[("script", "redacted"), ("secret", variable.as_str())]);
    bench
        .worker
        .start_task(&id, 1, &bench.config, &task, TargetState::Started, None)
        .await
        .unwrap();
    let trace = bench.around.trace(&id).await;
    assert!(trace.contains(&variable), "{trace}");
    assert!(!trace.contains("as told"), "{trace}");
}

#[tokio::test(start_paused = true)]
async fn a_connector_that_does_not_stop_is_abandoned() {
    let script = Script {
        stop: Act::Hang,
        ..Script::default()
    };
    let bench = bench("hangs", script, &[]);
    bench.start(TargetState::Started).await.unwrap();
    assert!(bench.worker.stop_connector("c").await);
    bench.script.log.until_line("given up").await;
    assert_eq!(bench.statuses(), ["c RUNNING", "c UNASSIGNED"]);
    assert!(bench.worker.connectors().is_empty());
}

#[tokio::test(start_paused = true)]
async fn secrets_are_resolved_for_plugins_and_put_back_for_the_store() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("key"), "hunter2").unwrap();
    let properties = [
        ("config.providers", "dir"),
        (
            "config.providers.dir.class",
            "org.apache.kafka.common.config.provider.DirectoryConfigProvider",
        ),
    ];
    let variable = format!("${{dir:{}:key}}", folder.path().display());
    let script = Script {
        tasks: vec![map(&[("secret", "hunter2"), ("script", "secrets")])],
        ..Script::default()
    };
    let mut bench = bench("secrets", script, &properties);
    bench.config.insert("secret".to_owned(), variable.clone());
    bench.start(TargetState::Started).await.unwrap();
    let configs = bench
        .worker
        .connector_task_configs("c", &bench.config)
        .await
        .unwrap();
    assert_eq!(
        configs,
        [map(&[
            ("secret", &variable),
            ("script", "secrets"),
            ("task.class", "t.SourceTask"),
        ])]
    );
    let id = TaskId::new("c", 0);
    bench
        .worker
        .start_task(
            &id,
            1,
            &bench.config,
            &configs[0],
            TargetState::Started,
            None,
        )
        .await
        .unwrap();
    bench.around.statuses.log.until_line("c-0 RUNNING").await;
    assert_eq!(bench.script.log.lines(), ["start hunter2", "task hunter2"]);
}

#[tokio::test(start_paused = true)]
async fn too_many_tasks_fail_the_connector() {
    let script = Script {
        tasks: vec![ConfigMap::new(); 2],
        ..Script::default()
    };
    let bench = bench("many", script, &[]);
    let configs = || bench.worker.connector_task_configs("c", &bench.config);
    assert!(matches!(configs().await, Err(TaskConfigsError::Final(_))));
    bench.start(TargetState::Started).await.unwrap();
    let Err(TaskConfigsError::Final(error)) = configs().await else {
        panic!("not final");
    };
    assert!(
        error
            .message()
            .starts_with("The connector c has generated 2 tasks")
    );
    assert!(bench.trace().starts_with(
        "org.apache.kafka.connect.runtime.TooManyTasksException: The connector c has generated"
    ));
    // A failed connector is not asked again.
    assert!(matches!(configs().await, Err(TaskConfigsError::Final(_))));
}

#[tokio::test(start_paused = true)]
async fn a_connector_that_cannot_tell_its_tasks_is_asked_again() {
    let bench = bench("silent", Script::default(), &[]);
    bench.start(TargetState::Started).await.unwrap();
    let configs = bench
        .worker
        .connector_task_configs("c", &bench.config)
        .await;
    assert!(matches!(configs, Err(TaskConfigsError::Repeat(_))));
    assert!(bench.worker.is_running("c"));
}

#[tokio::test(start_paused = true)]
async fn tasks_run_pause_and_stop() {
    let bench = bench("tasks", Script::default(), &[]);
    let ids = [TaskId::new("c", 0), TaskId::new("c", 1)];
    for id in &ids {
        bench
            .worker
            .start_task(
                id,
                1,
                &bench.config,
                &bench.config,
                TargetState::Started,
                None,
            )
            .await
            .unwrap();
    }
    let again = bench
        .worker
        .start_task(
            &ids[0],
            1,
            &bench.config,
            &bench.config,
            TargetState::Started,
            None,
        )
        .await;
    assert_eq!(
        again.unwrap_err().message(),
        "Task already exists in this worker: c-0"
    );
    assert_eq!(bench.worker.tasks(), ids);
    assert_eq!(bench.worker.task_version(&ids[1]).as_deref(), Some("1.2.3"));
    let log = &bench.around.statuses.log;
    for id in &ids {
        log.until_line(&format!("{id} RUNNING")).await;
    }
    bench
        .worker
        .set_target_state("c", TargetState::Paused)
        .await
        .unwrap();
    for id in &ids {
        log.until_line(&format!("{id} PAUSED")).await;
    }
    bench
        .worker
        .stop_tasks(&[ids[0].clone(), TaskId::new("nobody", 3)])
        .await;
    assert_eq!(bench.worker.tasks(), [ids[1].clone()]);
    assert_eq!(bench.statuses().last().unwrap(), "c-0 UNASSIGNED");
    bench.worker.shutdown().await;
    assert!(bench.worker.tasks().is_empty());
    assert_eq!(bench.statuses().last().unwrap(), "c-1 UNASSIGNED");
}

#[tokio::test(start_paused = true)]
async fn tasks_that_do_not_stop_are_abandoned_together() {
    let script = Script {
        task_poll: Act::Hang,
        ..Script::default()
    };
    let bench = bench("tasks hang", script, &[]);
    let ids = [TaskId::new("c", 0), TaskId::new("c", 1)];
    for id in &ids {
        bench
            .worker
            .start_task(
                id,
                1,
                &bench.config,
                &bench.config,
                TargetState::Started,
                None,
            )
            .await
            .unwrap();
        bench
            .around
            .statuses
            .log
            .until_line(&format!("{id} RUNNING"))
            .await;
    }
    bench.worker.stop_tasks(&ids).await;
    bench
        .script
        .log
        .until(|lines| lines.iter().filter(|line| *line == "given up").count() == 2)
        .await;
    assert_eq!(bench.statuses(), ["c-0 RUNNING", "c-1 RUNNING"]);
    assert!(bench.worker.tasks().is_empty());
}

#[tokio::test(start_paused = true)]
async fn shutdown_stops_everything() {
    let bench = bench("shutdown", Script::default(), &[]);
    bench.start(TargetState::Started).await.unwrap();
    let id = TaskId::new("c", 0);
    bench
        .worker
        .start_task(
            &id,
            1,
            &bench.config,
            &bench.config,
            TargetState::Started,
            None,
        )
        .await
        .unwrap();
    bench.around.statuses.log.until_line("c-0 RUNNING").await;
    bench.worker.shutdown().await;
    assert!(bench.worker.connectors().is_empty());
    assert_eq!(
        bench.statuses(),
        ["c RUNNING", "c-0 RUNNING", "c UNASSIGNED", "c-0 UNASSIGNED"]
    );
}

#[test]
fn a_converter_sees_the_keys_of_whoever_names_it_only() {
    use std::sync::OnceLock;

    use crate::conversion::Converters;

    static SEEN: OnceLock<Mutex<Vec<ConfigMap>>> = OnceLock::new();
    let spy = plugin(
        "t.Spy",
        PluginFactory::Converter(|config, _| {
            SEEN.get_or_init(Mutex::default)
                .lock()
                .unwrap()
                .push(config.clone());
            Err(ConnectError::config("seen enough"))
        }),
    );
    let around = surroundings(
        vec![spy],
        &[
            ("key.converter", "t.Spy"),
            ("key.converter.url", "worker"),
            ("key.converter.user", "worker"),
        ],
    );
    let plugins = &around.context.plugins;
    let make = |connector: &ConfigMap| {
        Converters::new(plugins, &around.context.config, connector)
            .err()
            .unwrap();
    };
    make(&map(&[
        ("key.converter", "t.Spy"),
        ("key.converter.url", "mine"),
    ]));
    make(&map(&[("key.converter.url", "mine")]));
    assert_eq!(
        *SEEN.get().unwrap().lock().unwrap(),
        [
            map(&[("url", "mine")]),
            map(&[("url", "worker"), ("user", "worker")]),
        ]
    );
}
