//! A worker that has nothing but the variables of the usual containers.

use anyhow::{Context, Result};
use tether_services::{port, shared};
use tether_tests::names::unique;
use tether_tests::topics::Topics;
use tether_tests::worker::Worker;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

#[test]
fn it_takes_the_variables_of_confluents_containers() -> Result<()> {
    let name = unique("environment");
    let bootstrap = shared::bootstrap()?;
    let listener = format!("http://127.0.0.1:{}", port::free()?);
    let options = WorkerOptions::new(&name, &bootstrap)?
        .property("listeners", &listener)
        .property("rest.advertised.host.name", "connect")
        .variable("CONNECT_LOG4J_ROOT_LOGLEVEL", "DEBUG");
    let mut worker = WorkerProcess::from_environment(&options.as_variables(), &listener)?;
    let root = worker.rest().get("/")?;
    let version = root["version"].as_str().context("a version")?;
    assert!(version.starts_with("4.3.0"), "{version}");
    assert_eq!(worker.rest().get("/admin/loggers/root")?["level"], "DEBUG");
    check_topics(&bootstrap, &name)?;
    worker.stop()
}

#[test]
fn it_takes_the_variables_of_debeziums_containers() -> Result<()> {
    let name = unique("environment");
    let bootstrap = shared::bootstrap()?;
    let listener = format!("http://127.0.0.1:{}", port::free()?);
    let variables = [
        ("BOOTSTRAP_SERVERS", bootstrap.clone()),
        ("GROUP_ID", name.clone()),
        ("CONFIG_STORAGE_TOPIC", format!("{name}-configs")),
        ("OFFSET_STORAGE_TOPIC", format!("{name}-offsets")),
        ("STATUS_STORAGE_TOPIC", format!("{name}-status")),
        ("CONNECT_LISTENERS", listener.clone()),
        ("LOG_LEVEL", "WARN".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value));
    let mut worker = WorkerProcess::from_environment(&variables, &listener)?;
    assert_eq!(worker.rest().get("/admin/loggers/root")?["level"], "WARN");
    check_topics(&bootstrap, &name)?;
    worker.stop()
}

fn check_topics(bootstrap: &str, name: &str) -> Result<()> {
    let topics = Topics::new(bootstrap);
    for topic in ["configs", "offsets", "status"] {
        assert!(topics.exists(&format!("{name}-{topic}"))?, "{topic}");
    }
    Ok(())
}
