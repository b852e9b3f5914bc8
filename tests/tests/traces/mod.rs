//! Traces for OpenTelemetry.

mod batches;
mod collector;
mod requests;
mod unreachable;

use std::path::Path;

use anyhow::Result;
use serde_json::json;
use tether_services::shared;
use tether_tests::rest_client::RestClient;
use tether_tests::topics::Topics;
use tether_tests::worker_process::WorkerOptions;

use collector::Collector;

/// A worker of the group `name` that sends its traces to this collector, without much delay.
fn options(name: &str, collector: &Collector) -> Result<WorkerOptions> {
    Ok(WorkerOptions::new(name, &shared::bootstrap()?)?
        .variable("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url())
        .variable("OTEL_BSP_SCHEDULE_DELAY", "100"))
}

/// Lines of `<folder>/in` go through a topic into `<folder>/out`.
struct Pipeline {
    source: String,
    sink: String,
}

impl Pipeline {
    fn create(rest: &RestClient, name: &str, folder: &Path) -> Result<Self> {
        Topics::new(&shared::bootstrap()?).create(name, 1)?;
        let pipeline = Self {
            source: format!("{name}-in"),
            sink: format!("{name}-out"),
        };
        let source = json!({
            "connector.class": "FileStreamSource", "file": folder.join("in"), "topic": name,
        });
        let sink = json!({
            "connector.class": "FileStreamSink", "file": folder.join("out"), "topics": name,
        });
        rest.create(&pipeline.source, &source)?;
        rest.create(&pipeline.sink, &sink)?;
        rest.wait_for(&pipeline.source, "RUNNING[RUNNING]")?;
        rest.wait_for(&pipeline.sink, "RUNNING[RUNNING]")?;
        Ok(pipeline)
    }
}
