//! A worker that cannot reach the broker.

use anyhow::{Context, Result, ensure};
use tether_services::{Behind, Kafka, KafkaOptions, Listener, port};
use tether_tests::eventually::eventually;
use tether_tests::proxy::Proxy;
use tether_tests::topics::Topics;
use tether_tests::turns;

use super::group::{Group, Kind};
use super::usage::file_source;

const ASSIGNED: &str = "kafka_connect_connect_coordinator_metrics_assigned_tasks";

#[test]
fn a_worker_that_is_cut_off_says_so_and_comes_back() -> Result<()> {
    let _turn = turns::take();
    let port = port::free()?;
    let proxy = Proxy::start(port)?;
    let kafka = Kafka::start(KafkaOptions {
        listeners: vec![Listener {
            name: "WORKER".to_owned(),
            protocol: "PLAINTEXT".to_owned(),
            behind: Some(Behind {
                port,
                proxy: proxy.port(),
            }),
        }],
        ..KafkaOptions::default()
    })?;
    let topics = Topics::new(kafka.bootstrap());
    let folder = tempfile::tempdir()?;
    let mut group = Group::new("cut-off", &format!("127.0.0.1:{}", proxy.port()));
    let cut = group.add(Kind::Ours)?;
    for number in 0..2 {
        let name = format!("file-{number}");
        topics.create(&name, 1)?;
        cut.create(&name, &file_source(&folder.path().join(&name), &name))?;
    }
    group.wait_balanced(&[0])?;
    let assigned = || -> Result<String> {
        let metrics = cut.get("/metrics")?;
        let metrics = metrics.as_str().context("no metrics")?;
        let line = metrics.lines().find(|line| line.starts_with(ASSIGNED));
        let value = line.and_then(|line| line.rsplit_once(' '));
        Ok(value.context("no such metric")?.1.to_owned())
    };
    eventually("the metric counts the tasks", || {
        let assigned = assigned()?;
        ensure!(assigned == "2", "{assigned}");
        Ok(())
    })?;

    proxy.sever();
    eventually("the worker says that it is cut off", || {
        let health = cut.send("GET", "/health", "")?;
        ensure!(health.status == 500, "{}", health.body);
        let message = health.message();
        ensure!(
            message.contains("Worker cannot reach its group and runs nothing"),
            "{message}"
        );
        let assigned = assigned()?;
        ensure!(assigned == "0", "{assigned} tasks");
        let log = group.workers[0].log();
        ensure!(log.contains("has lost its place in the group"), "{log}");
        Ok(())
    })?;
    proxy.mend();
    eventually("the worker is well again", || {
        let health = cut.send("GET", "/health", "")?;
        ensure!(health.status == 200, "{}", health.body);
        Ok(())
    })?;
    group.wait_balanced(&[0])
}
