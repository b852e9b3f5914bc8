//! `tether connect-distributed`.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tether_kafka::{Admin, Clients, KafkaErrorKind, RdKafkaClients};
use tether_storage::{
    InternalTopic as StoreTopic, KafkaConfigStore, KafkaOffsetStore, KafkaStatusStore,
};
use tether_worker::client_properties::{ClientProperties, InternalTopic, OverridePolicy};
use tether_worker::config::{
    DistributedConfig, ExactlyOnceSupport, Mode, StorageTopic, WorkerConfig,
};
use tether_worker::loggers::Loggers;
use tether_worker::plugins::Plugins;
use tokio::time::Instant;

use crate::cluster::{self, Cluster};
use crate::exit::Failure;
use crate::properties::WorkerProperties;
use crate::shutdown::Shutdown;
use crate::worker_process::{Parts, WorkerProcess};
use crate::{environment, logging};

/// How long a single look at the group may take.
const GROUP_TIMEOUT: Duration = Duration::from_secs(10);

/// Runs a distributed worker until it is asked to stop.
///
/// # Errors
/// Why it could not start.
pub(crate) async fn run(file: Option<&Path>, plugins: Plugins) -> Result<(), Failure> {
    let loggers = Arc::new(logging::init(|name| std::env::var(name).ok()));
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

fn session_timeout(config: &WorkerConfig) -> Duration {
    let millis = config
        .properties
        .get("session.timeout.ms")
        .and_then(|text| text.trim().parse().ok());
    Duration::from_millis(millis.unwrap_or(10_000))
}

/// Waits for the members of the group to leave. This worker takes all the work
/// of its group, so it must not run beside another. One that was killed stays
/// a member until its session ends.
async fn await_empty_group(admin: &dyn Admin, group: &str, session: Duration) -> Result<()> {
    let deadline = Instant::now() + session + Duration::from_secs(5);
    let mut pause = tokio::time::interval(Duration::from_millis(100));
    let mut told = false;
    loop {
        pause.tick().await;
        let members = match admin.group(group, GROUP_TIMEOUT).await {
            Ok(found) => found.map_or(0, |found| found.members),
            // The coordinator of a group that nobody has used yet is being made.
            Err(error) if error.kind == KafkaErrorKind::Retriable && Instant::now() < deadline => {
                continue;
            }
            Err(error) => {
                // Without the right to look there is nothing to wait for.
                tracing::warn!(group, %error, "Could not see whether other workers are in the group");
                0
            }
        };
        if members == 0 {
            return Ok(());
        }
        if Instant::now() >= deadline {
            bail!(
                "The group '{group}' (group.id) has {members} other worker(s). This version runs the whole work of \
                 its group alone: stop the other workers, or choose another group.id with topics of its own."
            );
        }
        if !told {
            tracing::info!(
                group,
                members,
                "Waiting for the other workers of the group to leave"
            );
            told = true;
        }
    }
}

/// Reads the configuration, connects to Kafka and makes sure that nobody else
/// works for the group.
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
    await_empty_group(
        admin.as_ref(),
        &distributed.group_id,
        session_timeout(config),
    )
    .await?;
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
