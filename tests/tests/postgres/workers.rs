//! Workers with the connector: the Java one with Debezium's, and ours.

use anyhow::Result;
use tether_services::jars::Jars;
use tether_services::java::Jvm;
use tether_services::{ConnectOptions, ConnectWorker};
use tether_tests::worker_process::WorkerOptions;

/// Enough for a connector with little to do.
const HEAP_MEBIBYTES: u32 = 512;

/// Starts a Java worker for a connector or a few.
pub(super) fn start_java(options: &WorkerOptions) -> Result<ConnectWorker> {
    ConnectWorker::distributed(java(options, HEAP_MEBIBYTES)?)
}

/// How the Java worker is set up that has Debezium besides the usual plugins.
pub(super) fn java(options: &WorkerOptions, heap_mebibytes: u32) -> Result<ConnectOptions> {
    let jars = Jars::fetch()?;
    let plugins = [jars.plugin_path(), jars.debezium_with_avro_path()?];
    let plugins = plugins.map(|path| path.display().to_string()).join(",");
    let mut options = options.for_java().property("plugin.path", plugins);
    options.jvm = Jvm::small(heap_mebibytes);
    Ok(options)
}
