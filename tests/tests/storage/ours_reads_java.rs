//! What the Java worker wrote is read by our stores, and written by them in the same bytes.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use serde_json::{Value, json};
use tether_api::config::ConfigMap;
use tether_services::{ConnectOptions, ConnectWorker, shared};
use tether_storage::{ConfigStore, OffsetStore, StatusStore, TargetState, TaskId, offset_bytes};
use tether_tests::eventually::eventually;
use tether_tests::rest_client::RestClient;
use tether_tests::topics::Topics;
use tether_tests::worker::Worker as _;
use tether_tests::{names, turns};

use super::runtime::runtime;
use super::stores::Stores;

const SOURCE: &str = "FileStreamSource";
const SINK: &str = "FileStreamSink";
/// Hyphens, a quote, something outside ASCII and something outside the basic plane.
const ODD: &str = "a-1-\"ü\"-😀";

struct Java {
    stores: Stores,
    bootstrap: String,
    worker: ConnectWorker,
    rest: RestClient,
}

impl Java {
    fn start(more: &[(&str, &str)]) -> Result<Self> {
        let bootstrap = shared::bootstrap()?;
        let stores = Stores::new(&bootstrap, &names::unique("java"))?;
        let mut options = ConnectOptions::new(&bootstrap);
        for (name, value) in stores.worker_properties() {
            options = options.property(name, value);
        }
        for (name, value) in more {
            options = options.property(*name, *value);
        }
        let worker = ConnectWorker::distributed(options)?;
        Ok(Self {
            stores,
            bootstrap,
            rest: worker.rest(),
            worker,
        })
    }
}

/// The latest value of each key of a topic; tombstones are left out.
fn latest(bootstrap: &str, topic: &str) -> Result<BTreeMap<Vec<u8>, Vec<u8>>> {
    let mut latest = BTreeMap::new();
    for record in Topics::new(bootstrap).records(topic)? {
        let key = record.key.context("a record without key")?;
        match record.value {
            Some(value) => latest.insert(key, value),
            None => latest.remove(&key),
        };
    }
    Ok(latest)
}

fn map(value: &Value) -> Result<ConfigMap> {
    Ok(serde_json::from_value(value.clone())?)
}

fn encoded(name: &str) -> String {
    let unreserved = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    name.bytes()
        .map(|byte| match unreserved(&byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect()
}

/// Connectors in every state, with tasks, offsets, statuses, a trace, used topics and a deletion.
fn fill(java: &Java, folder: &std::path::Path) -> Result<()> {
    let rest = &java.rest;
    let topic = java.stores.topic("lines");
    Topics::new(&java.bootstrap).create(&topic, 1)?;
    for name in ["one", "two"] {
        fs::write(folder.join(name), "alpha\nbeta\ngamma\n")?;
    }
    let source = |file: &str| {
        json!({
            "connector.class": SOURCE, "tasks.max": "1", "topic": topic,
            "file": folder.join(file).display().to_string(),
            "note": "tab\t \"quoted\" back\\slash ü 😀 \u{1}"
        })
    };
    let broken = json!({
        "connector.class": SINK, "tasks.max": "2", "topics": topic,
        "file": folder.join("missing/file").display().to_string()
    });
    rest.create(ODD, &source("one"))?;
    rest.create("paused", &source("two"))?;
    rest.create("broken", &broken)?;
    rest.create("gone", &source("two"))?;
    let stopped = json!({
        "name": "stopped", "config": source("two"), "initial_state": "STOPPED"
    });
    rest.expect(201, "POST", "/connectors", Some(&stopped))?;
    rest.wait_for(&encoded(ODD), "RUNNING[RUNNING]")?;
    rest.wait_for("gone", "RUNNING[RUNNING]")?;
    rest.wait_for("paused", "RUNNING[RUNNING]")?;
    rest.wait_for("broken", "RUNNING[FAILED,FAILED]")?;
    rest.wait_for("stopped", "STOPPED[]")?;
    rest.put("paused", "pause")?;
    rest.wait_for("paused", "PAUSED[PAUSED]")?;
    rest.expect(204, "DELETE", "/connectors/gone", None)?;
    // A second set of task configurations.
    let mut changed = source("one");
    changed["batch.size"] = json!("7");
    rest.expect(
        200,
        "PUT",
        &format!("/connectors/{}/config", encoded(ODD)),
        Some(&changed),
    )?;
    rest.restart("broken")?;
    rest.expect(
        204,
        "PUT",
        "/admin/loggers/org.apache.zookeeper?scope=cluster",
        Some(&json!({"level": "WARN"})),
    )?;
    eventually("the source's offset and topic are stored", || {
        let offsets = rest.get(&format!("/connectors/{}/offsets", encoded(ODD)))?;
        ensure!(
            offsets["offsets"][0]["offset"]["position"] == 17,
            "{offsets}"
        );
        let topics = rest.get(&format!("/connectors/{}/topics", encoded(ODD)))?;
        ensure!(topics[ODD]["topics"] == json!([topic]), "{topics}");
        let tasks = rest.get(&format!("/connectors/{}/tasks", encoded(ODD)))?;
        ensure!(tasks[0]["config"]["batch.size"] == "7", "{tasks}");
        Ok(())
    })?;
    rest.wait_for(&encoded(ODD), "RUNNING[RUNNING]")?;
    rest.wait_for("broken", "RUNNING[FAILED,FAILED]")
}

#[test]
fn topics_of_the_java_worker_are_read_and_written_alike() -> Result<()> {
    let _turn = turns::take();
    let folder = tempfile::tempdir()?;
    let mut java = Java::start(&[])?;
    fill(&java, folder.path())?;
    let runtime = runtime()?;
    // While the worker runs: what it shows is what we read.
    let expanded = java.rest.get("/connectors?expand=info&expand=status")?;
    runtime.block_on(configs(&java, &expanded))?;
    runtime.block_on(statuses(&java, &expanded))?;
    runtime.block_on(written_alike(&java))?;
    java.worker.stop()?;
    runtime.block_on(offsets(&java))
}

async fn configs(java: &Java, expanded: &Value) -> Result<()> {
    let store = java.stores.configs();
    store.start().await?;
    let snapshot = store.snapshot();
    let shown = expanded.as_object().context("no connectors")?;
    let names: Vec<&String> = snapshot.connectors.keys().collect();
    let mut expected: Vec<&String> = shown.keys().collect();
    expected.sort();
    assert_eq!(names, expected);
    for (name, connector) in shown {
        let entry = snapshot.connector(name).context("a connector")?;
        assert_eq!(entry.config, map(&connector["info"]["config"])?);
        assert!(!entry.inconsistent);
        let tasks = java
            .rest
            .get(&format!("/connectors/{}/tasks", encoded(name)))?;
        let tasks = tasks.as_array().context("no tasks")?;
        assert_eq!(snapshot.tasks(name).len(), tasks.len(), "{name}");
        for (number, task) in (0..).zip(tasks) {
            let id = TaskId::new(name, number);
            assert_eq!(snapshot.task_config(&id), Some(&map(&task["config"])?));
        }
        let state = match name.as_str() {
            "stopped" => TargetState::Stopped,
            "paused" => TargetState::Paused,
            _ => TargetState::Started,
        };
        assert_eq!(entry.target_state, state, "{name}");
    }
    assert!(snapshot.session_key.is_some());
    let end = Topics::new(&java.bootstrap)
        .records(&java.stores.topic("configs"))?
        .last()
        .context("no records")?
        .offset
        + 1;
    assert_eq!(snapshot.offset, end);
    store.stop().await;
    Ok(())
}

async fn statuses(java: &Java, expanded: &Value) -> Result<()> {
    let store = java.stores.statuses();
    store.start().await?;
    let shown = expanded.as_object().context("no connectors")?;
    let mut expected: Vec<&String> = shown.keys().collect();
    expected.sort();
    assert_eq!(store.connectors().iter().collect::<Vec<_>>(), expected);
    for (name, connector) in shown {
        let (of, status) = (&connector["status"], store.connector(name));
        let status = status.context("a status")?;
        assert_eq!(of["connector"]["state"], status.state.name(), "{name}");
        assert_eq!(of["connector"]["worker_id"], status.worker_id.as_str());
        assert_eq!(
            of["connector"]["version"].as_str(),
            status.version.as_deref()
        );
        let tasks = store.tasks(name);
        let shown = of["tasks"].as_array().context("no tasks")?;
        assert_eq!(tasks.len(), shown.len());
        for (status, of) in tasks.iter().zip(shown) {
            assert_eq!(of["id"], status.id.task);
            assert_eq!(of["state"], status.state.name());
            assert_eq!(of["trace"].as_str(), status.trace.as_deref());
        }
        let topics = java
            .rest
            .get(&format!("/connectors/{}/topics", encoded(name)))?;
        let used: Vec<String> = store
            .topics(name)
            .into_iter()
            .map(|status| status.topic)
            .collect();
        assert_eq!(topics[name]["topics"], json!(used));
    }
    assert!(store.tasks("gone").is_empty());
    store.stop().await;
    Ok(())
}

async fn offsets(java: &Java) -> Result<()> {
    let store = java.stores.offsets();
    store.start().await?;
    let entries = store.connector_entries(ODD).await?;
    let [(key, value)] = entries.as_slice() else {
        anyhow::bail!("{entries:?}");
    };
    let (name, partition) = offset_bytes::parse_key(key)?.context("no partition")?;
    let offset = offset_bytes::parse_value(value)?.context("no offset")?;
    assert_eq!(name, ODD);
    assert!(partition.get("filename").is_some());
    assert_eq!(
        offset.get("position").and_then(|value| value.as_i64()),
        Some(17)
    );
    assert_eq!(
        store.get(std::slice::from_ref(key)).await?,
        [Some(value.clone())]
    );
    store.stop().await;
    Ok(())
}

/// Everything that was read is written to other topics, with the same bytes.
async fn written_alike(java: &Java) -> Result<()> {
    let other = Stores::new(&java.bootstrap, &names::unique("again"))?;
    let (from, to) = (java.stores.configs(), other.configs());
    from.start().await?;
    to.start().await?;
    for (name, entry) in &from.snapshot().connectors {
        to.put_connector_config(name, &entry.config, Some(entry.target_state))
            .await?;
        let tasks: Vec<ConfigMap> = entry.tasks.values().cloned().collect();
        if entry.applied_config.is_some() {
            to.put_task_configs(name, &tasks).await?;
        }
    }
    let snapshot = from.snapshot();
    for (name, entry) in &to.snapshot().connectors {
        let original = snapshot.connector(name).context("a connector")?;
        assert_eq!(entry.config, original.config);
        assert_eq!(entry.tasks, original.tasks);
    }
    let (from, to) = (java.stores.statuses(), other.statuses());
    from.start().await?;
    to.start().await?;
    for name in from.connectors() {
        to.put_connector(from.connector(&name).context("a status")?);
        from.tasks(&name)
            .into_iter()
            .for_each(|task| to.put_task(task));
        from.topics(&name)
            .into_iter()
            .for_each(|topic| to.put_topic(topic));
    }
    to.flush().await;
    let (from, to) = (java.stores.offsets(), other.offsets());
    from.start().await?;
    to.start().await?;
    let mut entries = from.connector_entries(ODD).await?;
    entries.extend(from.connector_entries("paused").await?);
    for (key, value) in entries {
        let (name, partition) = offset_bytes::parse_key(&key)?.context("no partition")?;
        let offset = offset_bytes::parse_value(&value)?.context("no offset")?;
        let entry = (
            offset_bytes::key(&name, &partition)?,
            Some(offset_bytes::value(&offset)?),
        );
        to.set(vec![entry]).await?;
    }

    for kind in ["configs", "status", "offsets"] {
        let mut javas = latest(&java.bootstrap, &java.stores.topic(kind))?;
        // Events and keys of the workers among themselves; leftovers of deleted connectors.
        javas.retain(|key, _| {
            let key = String::from_utf8_lossy(key);
            let ours = [
                "connector-",
                "task-",
                "commit-",
                "target-state-",
                "status-",
                "[",
            ];
            ours.iter().any(|prefix| key.starts_with(prefix)) && !key.contains("gone")
        });
        let ours = latest(&java.bootstrap, &other.topic(kind))?;
        assert!(!javas.is_empty());
        for (key, value) in &javas {
            let key = Bytes::copy_from_slice(key);
            let value = Bytes::copy_from_slice(value);
            let found = ours.get(key.as_ref());
            assert_eq!(found, Some(&value.to_vec()), "{key:?} {value:?}");
        }
        // A target state that Java left to its default is the only other thing.
        for key in ours.keys().filter(|key| !javas.contains_key(*key)) {
            assert!(key.starts_with(b"target-state-"), "{}", key.escape_ascii());
        }
    }
    Ok(())
}

#[test]
fn a_topic_that_ends_with_a_transaction_is_read_to_its_end() -> Result<()> {
    let _turn = turns::take();
    let mut java = Java::start(&[("exactly.once.source.support", "enabled")])?;
    let folder = tempfile::tempdir()?;
    let topic = java.stores.topic("lines");
    Topics::new(&java.bootstrap).create(&topic, 1)?;
    let file = folder.path().join("one");
    fs::write(&file, "alpha\n")?;
    let config = json!({
        "connector.class": SOURCE, "topic": topic, "file": file.display().to_string()
    });
    java.rest.create("eos", &config)?;
    java.rest.wait_for("eos", "RUNNING[RUNNING]")?;
    eventually("the offset is stored", || {
        let offsets = java.rest.get("/connectors/eos/offsets")?;
        ensure!(
            offsets["offsets"][0]["offset"]["position"] == 6,
            "{offsets}"
        );
        Ok(())
    })?;
    let runtime = runtime()?;
    runtime.block_on(async {
        let store = java.stores.configs();
        store.start().await?;
        let entry = store.snapshot().connector("eos").context("eos")?.clone();
        assert_eq!(entry.task_count_record, Some(1));
        assert_eq!(entry.tasks.len(), 1);
        store.refresh(Duration::from_secs(30)).await?;
        store.stop().await;
        let store = java.stores.offsets();
        store.start().await?;
        assert_eq!(store.connector_entries("eos").await?.len(), 1);
        store.stop().await;
        anyhow::Ok(())
    })?;
    java.worker.stop()
}
