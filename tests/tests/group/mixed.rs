//! The Java worker and a member of ours in one group.

use std::fs;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tether_group::Work;
use tether_group::member::Configured;
use tether_services::folders::RunFolder;
use tether_services::{ConnectWorker, shared};
use tether_storage::TaskId;
use tether_tests::eventually::{PATIENCE, within_async};
use tether_tests::rest_client::RestClient;
use tether_tests::worker_process::WorkerOptions;
use tether_tests::{names, turns};

use super::worker::Worker;

const CONNECTORS: [&str; 4] = ["one", "two", "three", "four"];

/// What there is to run: each connector has one task.
fn work() -> Work {
    Work {
        connectors: CONNECTORS.map(str::to_owned).into(),
        tasks: CONNECTORS.map(|name| TaskId::new(name, 0)).into(),
    }
}

/// What the Java worker is to run, by its log: the statuses of what it gave away are ours to write.
fn runs(java: &ConnectWorker) -> Result<Work> {
    let log = java.log();
    let mut rounds = log.lines().rev();
    let round = rounds
        .find(|line| line.contains("got assignment:"))
        .context("it is no member yet")?;
    let names = |list: &str| -> Result<Vec<String>> {
        let (_, after) = round.split_once(list).context("it says nothing")?;
        let (names, _) = after.split_once(']').context("it says nothing")?;
        let names = names.split(", ").filter(|name| !name.is_empty());
        Ok(names.map(str::to_owned).collect())
    };
    Ok(Work {
        connectors: names(" connectorIds=[")?.into_iter().collect(),
        tasks: names(" taskIds=[")?
            .iter()
            .filter_map(|task| task.rsplit_once('-'))
            .map(|(connector, task)| Ok(TaskId::new(connector, task.parse()?)))
            .collect::<Result<_>>()?,
    })
}

/// Waits until the two have half of the work each, and returns the half of ours.
async fn halves(what: &str, java: &ConnectWorker, ours: &Worker) -> Result<Work> {
    within_async(PATIENCE, what, async || {
        let left = ours.runs();
        ensure!(ours.is_settled(), "a round is formed");
        ensure!(
            left.connectors.len() == 2 && left.tasks.len() == 2,
            "ours runs {left:?}"
        );
        let right = runs(java)?;
        let mut both = left.clone();
        both.add(&right);
        ensure!(
            left.common(&right).is_empty() && both == work(),
            "ours runs {left:?}, theirs {right:?}"
        );
        Ok(left)
    })
    .await
}

#[test]
fn either_leads_the_other() -> Result<()> {
    let _turn = turns::take();
    tokio::runtime::Runtime::new()?.block_on(lead_each_other())
}

async fn lead_each_other() -> Result<()> {
    let bootstrap = shared::bootstrap()?;
    let group = names::unique("mixed");
    let folder = RunFolder::create("mixed")?;
    let options = WorkerOptions::new(&group, &bootstrap)?
        .property("scheduled.rebalance.max.delay.ms", "0")
        .property("session.timeout.ms", "6000")
        .property("heartbeat.interval.ms", "1000");
    let mut java = ConnectWorker::distributed(options.for_java())?;
    let rest = RestClient::new(java.url());
    for name in CONNECTORS {
        let file = folder.path().join(name);
        fs::write(&file, "")?;
        let config = json!({
            "connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector",
            "tasks.max": "1",
            "topic": format!("{group}-{name}"),
            "file": file.display().to_string(),
        });
        rest.create(name, &config)?;
        rest.wait_for(name, "RUNNING[RUNNING]")?;
    }

    // It has read no configurations, so what it is told is all that it knows.
    let configurations = Arc::new(Mutex::new(Configured {
        config_offset: 0,
        work: Work::default(),
    }));
    let ours = Worker::start(&bootstrap, &group, "http://ours:8083", &configurations)?;
    halves("theirs gives half away", &java, &ours).await?;
    let told = ours.assigned().context("an assignment")?;
    assert_eq!(told.leader_url, format!("{}/", java.url()));
    assert_eq!(told.owners, None);
    assert!(told.config_offset > 0);

    if let Ok(mut configurations) = configurations.lock() {
        *configurations = Configured {
            config_offset: told.config_offset,
            work: work(),
        };
    }
    java.stop()?;
    within_async(PATIENCE, "ours runs all", async || {
        let runs = ours.runs();
        ensure!(ours.is_settled() && runs == work(), "{runs:?}");
        Ok(())
    })
    .await?;
    java.restart()?;
    let half = halves("ours gives half away", &java, &ours).await?;
    let told = ours.assigned().context("an assignment")?;
    assert_eq!(told.leader_id, told.member_id);
    let owners = told.owners.context("the leader knows who runs what")?;
    for name in CONNECTORS {
        let ours = owners.connector(name) == Some("http://ours:8083");
        assert_eq!(ours, half.connectors.contains(name), "{owners:?}");
    }

    ours.member.close().await;
    within_async(PATIENCE, "theirs runs all", async || {
        let runs = runs(&java)?;
        ensure!(runs == work(), "{runs:?}");
        Ok(())
    })
    .await
}
