//! The two workers, each alone with the connector of one case.

use anyhow::Result;
use tether_services::jars::Jars;
use tether_services::java;
use tether_tests::bench_worker::{BenchWorker, JavaSide, Kind};

use crate::case::Format;

/// Starts a worker; returns once its REST API answers.
pub(crate) fn start(
    kind: Kind,
    format: Format,
    bootstrap: &str,
    registry: &str,
) -> Result<BenchWorker> {
    let mut properties = vec![(
        "key.converter",
        "org.apache.kafka.connect.storage.StringConverter".to_owned(),
    )];
    properties.extend(format.converter(registry));
    BenchWorker::start(kind, bootstrap, &properties, &java_side()?)
}

/// The Java worker has the generator and the null sink on its class path.
fn java_side() -> Result<JavaSide> {
    let jars = Jars::fetch()?;
    let kafka = jars.kafka_class_path();
    let classes = java::bench_classes(&kafka)?;
    Ok(JavaSide {
        class_path: format!("{}:{kafka}", classes.display()),
        plugin_path: jars.plugin_path().display().to_string(),
    })
}
