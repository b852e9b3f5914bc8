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
use tether_worker::config::{DistributedConfig, Mode, StorageTopic, WorkerConfig};
use tokio::time::Instant;

use crate::exit::Failure;
use crate::properties::WorkerProperties;
use crate::worker_process::{Parts, WorkerProcess};
use crate::{environment, logging, plugins, shutdown};

/// How long the worker waits for a broker before it gives up
/// (`default.api.timeout.ms` of the Java admin client).
const BROKER_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a single look at the group may take.
const GROUP_TIMEOUT: Duration = Duration::from_secs(10);

/// Runs a distributed worker until it is asked to stop.
///
/// # Errors
/// Why it could not start.
pub(crate) async fn run(file: Option<&Path>) -> Result<(), Failure> {
    let loggers = Arc::new(logging::init(|name| std::env::var(name).ok()));
    let properties = match file {
        Some(path) => WorkerProperties::from_file(path),
        None => WorkerProperties::resolve(&environment::properties(std::env::vars())),
    };
    let properties = properties.map_err(Failure::Startup)?;
    let config = WorkerConfig::distributed(properties.properties.clone())
        .context("The worker's configuration is wrong")
        .map_err(Failure::Startup)?;
    let clients = Arc::new(RdKafkaClients::new());
    let kafka_cluster_id = cluster_id(&config, clients.as_ref())
        .await
        .map_err(Failure::Startup)?;
    let parts =
        parts(config, properties, clients, kafka_cluster_id, loggers).map_err(Failure::Startup)?;
    let process = WorkerProcess::start(parts)
        .await
        .map_err(Failure::Services)?;
    let signal = shutdown::requested()
        .await
        .context("Could not wait for signals")
        .map_err(Failure::Usage)?;
    tracing::info!(signal, "Asked to stop");
    process.stop().await;
    Ok(())
}

/// Connects to Kafka, and makes sure that nobody else works for the group.
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
    if let Some(group) = config.group_id() {
        await_empty_group(admin.as_ref(), group, session_timeout(config)).await?;
    }
    Ok(id.unwrap_or_default())
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

fn parts(
    config: WorkerConfig,
    properties: WorkerProperties,
    clients: Arc<RdKafkaClients>,
    kafka_cluster_id: String,
    loggers: Arc<tether_worker::loggers::Loggers>,
) -> Result<Parts> {
    let Mode::Distributed(distributed) = &config.mode else {
        bail!("The worker is not a distributed one");
    };
    let DistributedConfig {
        config_topic,
        offset_topic,
        status_topic,
        ..
    } = distributed.as_ref();
    let policy = OverridePolicy::from_worker(&config.properties)?;
    let of = ClientProperties {
        worker: &config,
        kafka_cluster_id: &kafka_cluster_id,
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
        }
    };
    let admin = clients.admin(&of.shared_admin())?;
    let clients: Arc<dyn Clients> = clients;
    let configs = KafkaConfigStore::new(
        clients.clone(),
        admin.clone(),
        topic(config_topic, InternalTopic::Configs),
    );
    let offsets = KafkaOffsetStore::new(
        clients.clone(),
        admin.clone(),
        topic(offset_topic, InternalTopic::Offsets),
    );
    let statuses = KafkaStatusStore::new(
        clients.clone(),
        admin,
        topic(status_topic, InternalTopic::Statuses),
    );
    Ok(Parts {
        configs: Arc::new(configs),
        offsets: Arc::new(offsets),
        statuses: Arc::new(statuses),
        plugins: Arc::new(plugins::all()),
        loggers,
        clients,
        kafka_cluster_id,
        config,
        properties,
    })
}
