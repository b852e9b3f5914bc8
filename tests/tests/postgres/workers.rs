//! Workers with the connector: the Java one with Debezium's, and ours.

use anyhow::Result;
use tether_services::ConnectOptions;
use tether_services::jars::Jars;
use tether_services::java::Jvm;
use tether_tests::worker_process::WorkerOptions;

/// How the Java worker is set up that has Debezium besides the usual plugins.
pub(super) fn java(options: &WorkerOptions, heap_mebibytes: u32) -> Result<ConnectOptions> {
    let jars = Jars::fetch()?;
    let plugins = [jars.plugin_path(), jars.debezium_path()];
    let plugins = plugins.map(|path| path.display().to_string()).join(",");
    let mut options = options.for_java().property("plugin.path", plugins);
    options.jvm = Jvm::small(heap_mebibytes);
    Ok(options)
}
