//! `tether connect-standalone`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use tether_kafka::{Clients, RdKafkaClients};
use tether_storage::{FileOffsetStore, MemoryConfigStore, MemoryStatusStore, TargetState};
use tether_worker::config::{Mode, WorkerConfig};
use tether_worker::herder::{CreateConnector, Herder};
use tether_worker::loggers::Loggers;
use tether_worker::plugins::Plugins;

use crate::cluster::{self, Cluster};
use crate::connector_file::{self, ConnectorFile};
use crate::exit::Failure;
use crate::logging;
use crate::properties::WorkerProperties;
use crate::shutdown::Shutdown;
use crate::worker_process::{Parts, WorkerProcess};

/// Runs a standalone worker with these connectors until it is asked to stop.
///
/// # Errors
/// Why it could not start.
pub(crate) async fn run(
    file: &Path,
    connectors: &[PathBuf],
    plugins: Plugins,
) -> Result<(), Failure> {
    let (loggers, traces) = logging::init(|name| std::env::var(name).ok());
    let work = until_stopped(file, connectors, plugins, loggers);
    traces.flushed_after(work).await
}

async fn until_stopped(
    file: &Path,
    connectors: &[PathBuf],
    plugins: Plugins,
    loggers: Arc<Loggers>,
) -> Result<(), Failure> {
    let shutdown = Shutdown::install()?;
    let process = tokio::select! {
        biased;
        // Nothing runs yet that would have to be brought to an end.
        () = shutdown.requested() => return Ok(()),
        process = start(file, plugins, loggers) => process?,
    };
    let created = tokio::select! {
        biased;
        () = shutdown.requested() => Ok(()),
        created = create_all(&process, connectors) => created,
    };
    if created.is_ok() {
        shutdown.requested().await;
    }
    process.stop().await;
    created.map_err(Failure::Services)
}

async fn start(
    file: &Path,
    plugins: Plugins,
    loggers: Arc<Loggers>,
) -> Result<WorkerProcess, Failure> {
    let parts = parts(file, plugins, loggers)
        .await
        .map_err(Failure::Startup)?;
    WorkerProcess::start(parts).await
}

/// Reads the configuration and connects to Kafka.
async fn parts(file: &Path, plugins: Plugins, loggers: Arc<Loggers>) -> Result<Parts> {
    let properties = WorkerProperties::from_file(file)?;
    let plugins = Arc::new(plugins);
    let configs = properties.configs(&plugins, WorkerConfig::standalone)?;
    let Mode::Standalone { offset_file } = &configs.worker.mode else {
        bail!("The worker is not a standalone one");
    };
    let clients: Arc<dyn Clients> = Arc::new(RdKafkaClients::new());
    let Cluster { id, .. } = cluster::connect(&configs.worker, clients.as_ref())
        .await
        .map_err(|error| properties.redacted(error))?;
    Ok(Parts {
        config_store: Arc::new(MemoryConfigStore::new()),
        offset_store: Arc::new(FileOffsetStore::new(offset_file)),
        status_store: Arc::new(MemoryStatusStore::new()),
        plugins,
        loggers,
        kafka_cluster_id: id,
        clients,
        variables: properties.variables,
        configs,
    })
}

async fn create_all(process: &WorkerProcess, files: &[PathBuf]) -> Result<()> {
    for file in files {
        create(process, file).await?;
    }
    Ok(())
}

async fn create(process: &WorkerProcess, path: &Path) -> Result<()> {
    let ConnectorFile {
        name,
        config,
        initial_state,
    } = connector_file::read(path)?;
    let initial_state = match initial_state
        .as_deref()
        .map(str::to_ascii_uppercase)
        .as_deref()
    {
        None => None,
        Some("RUNNING") => Some(TargetState::Started),
        Some("PAUSED") => Some(TargetState::Paused),
        Some("STOPPED") => Some(TargetState::Stopped),
        Some(other) => {
            return Err(anyhow!(
                "Connector file {}: initial_state is {other}; it can be RUNNING, PAUSED or STOPPED",
                path.display()
            ));
        }
    };
    let config = config
        .into_iter()
        .map(|(key, value)| (key, Some(value)))
        .collect();
    process
        .herder()
        .create_connector(CreateConnector {
            name: name.clone(),
            config,
            initial_state,
        })
        .await
        .with_context(|| format!("Failed to create connector {name} of {}", path.display()))?;
    tracing::info!(connector = name, "Created connector");
    Ok(())
}
