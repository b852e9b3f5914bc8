//! `tether connect-standalone`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use tether_kafka::{Clients, RdKafkaClients};
use tether_storage::{FileOffsetStore, MemoryConfigStore, MemoryStatusStore, TargetState};
use tether_worker::client_properties::{ClientProperties, OverridePolicy};
use tether_worker::config::{Mode, WorkerConfig};
use tether_worker::herder::{CreateConnector, Herder};

use crate::connector_file::{self, ConnectorFile};
use crate::exit::Failure;
use crate::properties::WorkerProperties;
use crate::worker_process::{Parts, WorkerProcess};
use crate::{logging, plugins, shutdown};

/// How long the worker waits for a broker before it gives up.
const BROKER_TIMEOUT: Duration = Duration::from_secs(60);

/// Runs a standalone worker with these connectors until it is asked to stop.
///
/// # Errors
/// Why it could not start.
pub(crate) async fn run(file: &Path, connectors: &[PathBuf]) -> Result<(), Failure> {
    let loggers = Arc::new(logging::init(|name| std::env::var(name).ok()));
    let properties = WorkerProperties::from_file(file).map_err(Failure::Startup)?;
    let config = WorkerConfig::standalone(properties.properties.clone())
        .context("The worker's configuration is wrong")
        .map_err(Failure::Startup)?;
    let Mode::Standalone { offset_file } = &config.mode else {
        return Err(Failure::Startup(anyhow!(
            "The worker is not a standalone one"
        )));
    };
    let clients: Arc<dyn Clients> = Arc::new(RdKafkaClients::new());
    let parts = Parts {
        configs: Arc::new(MemoryConfigStore::new()),
        offsets: Arc::new(FileOffsetStore::new(offset_file)),
        statuses: Arc::new(MemoryStatusStore::new()),
        plugins: Arc::new(plugins::all()),
        loggers,
        kafka_cluster_id: cluster_id(&config, clients.as_ref())
            .await
            .map_err(Failure::Startup)?,
        clients,
        config,
        properties,
    };
    let process = WorkerProcess::start(parts)
        .await
        .map_err(Failure::Services)?;
    for path in connectors {
        if let Err(error) = create(&process, path).await {
            process.stop().await;
            return Err(Failure::Services(error));
        }
    }
    let signal = shutdown::requested()
        .await
        .context("Could not wait for signals")
        .map_err(Failure::Usage)?;
    tracing::info!(signal, "Asked to stop");
    process.stop().await;
    Ok(())
}

async fn cluster_id(config: &WorkerConfig, clients: &dyn Clients) -> Result<String> {
    let policy = OverridePolicy::from_worker(&config.properties)?;
    let properties = ClientProperties {
        worker: config,
        kafka_cluster_id: "",
        policy: &policy,
    };
    let admin = clients.admin(&properties.shared_admin())?;
    let id = admin.cluster_id(BROKER_TIMEOUT).await.context(
        "Failed to connect to and describe Kafka cluster. Check worker's broker connection and security properties.",
    )?;
    Ok(id.unwrap_or_default())
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
