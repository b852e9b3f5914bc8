//! The tether binary: command line, plugin list and demo.

pub mod cli;
mod cluster;
mod connector_file;
pub mod demo;
mod distributed;
mod dlq;
mod environment;
pub mod exit;
mod health;
mod logging;
mod plugins;
mod properties;
mod shutdown;
mod standalone;
mod traces;
mod validate;
mod worker_process;
mod worker_setting;

use std::io::Write;
use std::time::Duration;

use anyhow::Context;

use cli::Command;
use exit::Failure;
use tether_api::plugin::PluginDescriptor;

/// A record takes several pieces of memory, and this allocator is quicker at that
/// than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs a command until it is done or the process is asked to stop. A worker
/// has the plugins `more` beside those of every worker.
///
/// # Errors
/// Why the process ends without success.
pub fn run(command: Command, more: Vec<PluginDescriptor>) -> Result<(), Failure> {
    let plugins = plugins::with(more);
    // Every TLS connection of this process uses this library.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match command {
        Command::ConnectDistributed { properties } => {
            complete(distributed::run(properties.as_deref(), plugins))
        }
        Command::ConnectStandalone {
            properties,
            connectors,
        } => complete(standalone::run(&properties, &connectors, plugins)),
        Command::Demo { once, port } => complete(demo::run(once, port)),
        Command::Health { url } => complete(health::run(url)),
        Command::Dlq { command } => complete(dlq::run(command)),
        Command::Validate(arguments) => complete(validate::run(arguments)),
        Command::Plugins => std::io::stdout()
            .write_all(plugins::table(&plugins).as_bytes())
            .context("Could not write to standard output")
            .map_err(Failure::Usage),
    }
}

/// How long the end of the process waits for calls that cannot be cut off, such
/// as one of a Kafka client that waits for a broker which is not there.
const LEFTOVERS: Duration = Duration::from_secs(1);

/// Runs a future, and all that it has spawned, to its end.
fn complete(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("Could not start the threads of the worker")
        .map_err(Failure::Startup)?;
    let outcome = runtime.block_on(work);
    runtime.shutdown_timeout(LEFTOVERS);
    outcome
}
