//! `tether connect-distributed`.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use tether_kafka::{Clients, RdKafkaClients};
use tether_storage::{
    InternalTopic as StoreTopic, KafkaConfigStore, KafkaOffsetStore, KafkaStatusStore,
};
use tether_worker::client_properties::{ClientProperties, InternalTopic, OverridePolicy};
use tether_worker::config::{
    DistributedConfig, ExactlyOnceSupport, Mode, StorageTopic, WorkerConfig,
};
use tether_worker::loggers::Loggers;
use tether_worker::plugins::Plugins;

use crate::cluster::{self, Cluster};
use crate::exit::Failure;
use crate::properties::WorkerProperties;
use crate::shutdown::Shutdown;
use crate::worker_process::{Parts, WorkerProcess};
use crate::{environment, logging};

/// Runs a distributed worker until it is asked to stop.
///
/// # Errors
/// Why it could not start.
pub(crate) async fn run(file: Option<&Path>, plugins: Plugins) -> Result<(), Failure> {
    let (loggers, traces) = logging::init(|name| std::env::var(name).ok());
    let work = until_stopped(file, plugins, loggers);
    traces.flushed_after(work).await
}

async fn until_stopped(
    file: Option<&Path>,
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
    shutdown.requested().await;
    process.stop().await;
    Ok(())
}

async fn start(
    file: Option<&Path>,
    plugins: Plugins,
    loggers: Arc<Loggers>,
) -> Result<WorkerProcess, Failure> {
    let parts = parts(file, plugins, loggers)
        .await
        .map_err(Failure::Startup)?;
    WorkerProcess::start(parts).await
}

/// Reads the configuration and connects to Kafka.
async fn parts(file: Option<&Path>, plugins: Plugins, loggers: Arc<Loggers>) -> Result<Parts> {
    let properties = match file {
        Some(path) => WorkerProperties::from_file(path)?,
        None => WorkerProperties::resolve(&environment::worker_properties())?,
    };
    let plugins = Arc::new(plugins);
    let configs = properties.configs(&plugins, WorkerConfig::distributed);
    let configs = match file {
        Some(_) => configs?,
        None => configs.with_context(|| environment::HINT)?,
    };
    let config = &configs.worker;
    let Mode::Distributed(distributed) = &config.mode else {
        bail!("The worker is not a distributed one");
    };
    let clients: Arc<dyn Clients> = Arc::new(RdKafkaClients::new());
    let Cluster { id, admin } = cluster::connect(config, clients.as_ref())
        .await
        .map_err(|error| properties.redacted(error))?;
    let DistributedConfig {
        config_topic,
        offset_topic,
        status_topic,
        ..
    } = distributed.as_ref();
    let policy = OverridePolicy::from_worker(&config.properties)?;
    let of = ClientProperties {
        worker: config,
        kafka_cluster_id: &id,
        policy: &policy,
    };
    let topic = |topic: &StorageTopic, kind: InternalTopic| {
        let properties = of.internal_topic(kind);
        StoreTopic {
            name: topic.name.clone(),
            partitions: topic.partitions,
            replication_factor: topic.replication_factor,
            settings: topic.settings.clone().into_iter().collect(),
            client_id: properties.get("client.id").cloned().unwrap_or_default(),
            properties,
            // Statuses are never written in transactions.
            read_committed: config.exactly_once_sources() && kind != InternalTopic::Statuses,
        }
    };
    let (store_clients, store_admin) = (clients.clone(), admin.clone());
    let config_topic = topic(config_topic, InternalTopic::Configs);
    let config_store = match config.exactly_once() {
        ExactlyOnceSupport::Disabled => {
            KafkaConfigStore::new(store_clients, store_admin, config_topic)
        }
        ExactlyOnceSupport::Preparing | ExactlyOnceSupport::Enabled => {
            let leader = of.config_leader();
            KafkaConfigStore::with_transactional_leader(
                store_clients,
                store_admin,
                config_topic,
                leader,
            )
        }
    };
    let offset_store = KafkaOffsetStore::new(
        clients.clone(),
        admin.clone(),
        topic(offset_topic, InternalTopic::Offsets),
    );
    let status_store = KafkaStatusStore::new(
        clients.clone(),
        admin,
        topic(status_topic, InternalTopic::Statuses),
    );
    Ok(Parts {
        config_store: Arc::new(config_store),
        offset_store: Arc::new(offset_store),
        status_store: Arc::new(status_store),
        plugins,
        loggers,
        clients,
        kafka_cluster_id: id,
        variables: properties.variables,
        configs,
    })
}
