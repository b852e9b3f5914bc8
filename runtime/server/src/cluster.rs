//! The connection to Kafka that every worker begins with.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tether_kafka::{Admin, Clients};
use tether_worker::client_properties::{ClientProperties, OverridePolicy};
use tether_worker::config::WorkerConfig;

/// How long the worker waits for a broker before it gives up
/// (`default.api.timeout.ms` of the Java admin client).
const BROKER_TIMEOUT: Duration = Duration::from_secs(60);

/// How often it says that it waits.
const REMINDER: Duration = Duration::from_secs(10);

/// A Kafka cluster that answers.
pub(crate) struct Cluster {
    /// Its id; empty if the brokers have none.
    pub(crate) id: String,
    /// A client with the worker's own properties.
    pub(crate) admin: Arc<dyn Admin>,
}

/// Connects to the worker's cluster.
///
/// # Errors
/// If a client property is wrong, the brokers refuse the worker or none answers
/// within a minute.
pub(crate) async fn connect(config: &WorkerConfig, clients: &dyn Clients) -> Result<Cluster> {
    let policy = OverridePolicy::from_worker(&config.properties)?;
    let properties = ClientProperties {
        worker: config,
        kafka_cluster_id: "",
        policy: &policy,
    }
    .shared_admin();
    let servers = properties
        .get("bootstrap.servers")
        .cloned()
        .unwrap_or_default();
    let admin = clients.admin(&properties)?;
    let id = answer(admin.as_ref(), &servers).await.with_context(|| {
        format!(
            "Failed to connect to and describe Kafka cluster. Check worker's broker connection and security \
             properties (bootstrap.servers={servers})"
        )
    })?;
    Ok(Cluster {
        id: id.unwrap_or_default(),
        admin,
    })
}

/// Waits for the cluster's id, and says now and then that it does.
async fn answer(admin: &dyn Admin, servers: &str) -> tether_kafka::Result<Option<String>> {
    tracing::info!(bootstrap.servers = servers, "Connecting to Kafka");
    let lookup = admin.cluster_id(BROKER_TIMEOUT);
    tokio::pin!(lookup);
    let mut reminder = tokio::time::interval(REMINDER);
    reminder.tick().await;
    loop {
        tokio::select! {
            id = &mut lookup => return id,
            _ = reminder.tick() => tracing::warn!(
                bootstrap.servers = servers,
                "Waiting for Kafka, which has not answered yet; the worker gives up after {} s",
                BROKER_TIMEOUT.as_secs()
            ),
        }
    }
}
