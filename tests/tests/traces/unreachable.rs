//! A collector that is not there harms nobody.

use anyhow::{Result, ensure};
use tether_tests::eventually::eventually;
use tether_tests::names::unique;
use tether_tests::worker::Worker;
use tether_tests::worker_process::WorkerProcess;

use super::collector::Collector;
use super::{Pipeline, options};

const WARNING: &str = "Traces cannot be sent";

#[test]
fn a_worker_goes_on_without_its_collector() -> Result<()> {
    let name = unique("unreachable");
    let collector = Collector::start()?;
    let address = collector.address();
    let options = options(&name, &collector)?;
    let mut worker = WorkerProcess::distributed(&options)?;
    collector.wait_for("a span", |_| true)?;
    drop(collector);

    let folder = tempfile::tempdir()?;
    Pipeline::create(&worker.rest(), &name, folder.path())?;
    let warned = |worker: &WorkerProcess| worker.log().matches(WARNING).count();
    eventually("a warning", || {
        worker.rest().get("/")?;
        ensure!(warned(&worker) > 0);
        Ok(())
    })?;
    let log = worker.log();
    ensure!(
        log.contains(&format!("endpoint=\"http://{address}/v1/traces\"")),
        "{log}"
    );

    let collector = Collector::start_at(address)?;
    eventually("a span after that", || {
        worker.rest().get("/connectors")?;
        ensure!(!collector.spans().is_empty());
        Ok(())
    })?;
    eventually("the log says so", || {
        ensure!(worker.log().contains("Traces are sent again"));
        Ok(())
    })?;
    assert_eq!(warned(&worker), 1, "{}", worker.log());
    drop(collector);
    worker.rest().get("/connectors")?;
    worker.stop()
}

#[test]
fn what_cannot_be_used_is_told() -> Result<()> {
    let name = unique("untraceable");
    let collector = Collector::start()?;
    let options = options(&name, &collector)?.variable("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    let mut worker = WorkerProcess::distributed(&options)?;
    worker.stop()?;
    let log = worker.log();
    let told = "No traces are sent: OTEL_EXPORTER_OTLP_PROTOCOL is \"grpc\"";
    ensure!(log.contains(told), "{log}");
    assert_eq!(collector.spans(), []);
    Ok(())
}
