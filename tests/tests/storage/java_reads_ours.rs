//! The Java worker starts on what our stores wrote, and goes on from there.

use std::fs;
use std::sync::Arc;

use anyhow::{Result, ensure};
use serde_json::json;
use tether_api::offset::{OffsetMap, SourceOffset};
use tether_services::{ConnectOptions, ConnectWorker, shared};
use tether_storage::{
    ConfigStore, ConnectorStatus, OffsetStore, OffsetWriter, PartitionKeys, State, StatusStore,
    TargetState, TaskId, TaskStatus, TopicStatus,
};
use tether_tests::eventually::eventually;
use tether_tests::topics::Topics;
use tether_tests::worker::Worker as _;
use tether_tests::{names, turns};

use super::runtime::runtime;
use super::stores::{Stores, config};

const NAME: &str = "ours-ü";
const PATH: &str = "/connectors/ours-%C3%BC";

#[test]
fn the_java_worker_goes_on_from_our_topics() -> Result<()> {
    let _turn = turns::take();
    let bootstrap = shared::bootstrap()?;
    let stores = Stores::new(&bootstrap, &names::unique("ours"))?;
    let topic = stores.topic("lines");
    Topics::new(&bootstrap).create(&topic, 1)?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("lines");
    fs::write(&file, "read before\nnew\n")?;
    let file = file.display().to_string();
    let runtime = runtime()?;
    runtime.block_on(write(&stores, &topic, &file))?;

    let mut options = ConnectOptions::new(&bootstrap);
    for (name, value) in stores.worker_properties() {
        options = options.property(name, value);
    }
    let mut worker = ConnectWorker::distributed(options)?;
    let rest = worker.rest();
    assert_eq!(rest.connectors()?, [NAME, "paused", "stopped"]);
    rest.wait_for("ours-%C3%BC", "RUNNING[RUNNING]")?;
    rest.wait_for("paused", "PAUSED[PAUSED]")?;
    rest.wait_for("stopped", "STOPPED[]")?;
    let info = rest.get(PATH)?;
    assert_eq!(info["config"]["note"], "\"q\" \u{1} 😀");
    assert_eq!(info["tasks"], json!([{"connector": NAME, "task": 0}]));
    // The statuses of a connector that is not there were removed, the topics are known.
    assert_eq!(
        rest.send("GET", "/connectors/ghost/status", "")?.status,
        404
    );
    assert_eq!(
        rest.get(&format!("{PATH}/topics"))?[NAME]["topics"],
        json!([topic])
    );
    // It starts after the offset that we stored, under the same key.
    eventually("the new line is in the topic and its offset stored", || {
        let records = Topics::new(&bootstrap).records(&topic)?;
        let lines: Vec<String> = records.iter().map(|record| record.value_text()).collect();
        ensure!(lines.iter().any(|line| line.contains("new")), "{lines:?}");
        assert_eq!(lines.len(), 1, "{lines:?}");
        let offsets = rest.get(&format!("{PATH}/offsets"))?;
        let expected = json!([{"partition": {"filename": file}, "offset": {"position": 16}}]);
        ensure!(offsets["offsets"] == expected, "{offsets}");
        Ok(())
    })?;
    worker.stop()?;
    runtime.block_on(read_again(&stores))
}

async fn write(stores: &Stores, topic: &str, file: &str) -> Result<()> {
    let configs = stores.configs();
    configs.start().await?;
    let class = "org.apache.kafka.connect.file.FileStreamSourceConnector";
    let task = "org.apache.kafka.connect.file.FileStreamSourceTask";
    for (name, state) in [
        (NAME, None),
        ("paused", Some(TargetState::Paused)),
        ("stopped", Some(TargetState::Stopped)),
    ] {
        let file = if name == NAME { file } else { "/dev/null" };
        let connector = config([
            ("connector.class", class),
            ("tasks.max", "1"),
            ("topic", topic),
            ("file", file),
            ("note", "\"q\" \u{1} 😀"),
            ("name", name),
        ]);
        configs
            .put_connector_config(name, &connector, state)
            .await?;
        let mut tasks = connector.clone();
        tasks.insert("task.class".to_owned(), task.to_owned());
        let tasks = if name == "stopped" {
            vec![]
        } else {
            vec![tasks]
        };
        configs.put_task_configs(name, &tasks).await?;
    }
    configs.stop().await;

    let offsets = stores.offsets();
    offsets.start().await?;
    let writer = OffsetWriter::new(offsets.clone(), PartitionKeys::new(NAME));
    let partition = Arc::new(OffsetMap::new().with("filename", file));
    let offset: SourceOffset = Some(Arc::new(OffsetMap::new().with("position", 12i64)));
    writer.write([&(partition, offset)]).await?;
    offsets.stop().await;

    let statuses = stores.statuses();
    statuses.start().await?;
    for name in [NAME, "ghost"] {
        statuses.put_connector(ConnectorStatus {
            connector: name.to_owned(),
            state: State::Failed,
            trace: Some("from before".to_owned()),
            worker_id: "tether:8083".to_owned(),
            generation: 1,
            version: None,
        });
        statuses.put_task(TaskStatus {
            id: TaskId::new(name, 0),
            state: State::Unassigned,
            trace: None,
            worker_id: "tether:8083".to_owned(),
            generation: 1,
            version: Some("1".to_owned()),
        });
    }
    statuses.put_topic(TopicStatus {
        topic: topic.to_owned(),
        connector: NAME.to_owned(),
        task: 0,
        discovered: 1,
    });
    statuses.stop().await;
    Ok(())
}

/// What the Java worker left is what we go on with.
async fn read_again(stores: &Stores) -> Result<()> {
    let offsets = stores.offsets();
    offsets.start().await?;
    let entries = offsets.connector_entries(NAME).await?;
    assert_eq!(entries.len(), 1, "one key for one partition: {entries:?}");
    offsets.stop().await;
    let statuses = stores.statuses();
    statuses.start().await?;
    assert_eq!(statuses.connectors(), [NAME, "paused", "stopped"]);
    let status = statuses.connector(NAME);
    assert_eq!(status.map(|status| status.state), Some(State::Unassigned));
    statuses.stop().await;
    Ok(())
}
