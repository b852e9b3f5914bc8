//! A worker with its REST API, put together from its parts.

use std::sync::Arc;
use std::sync::atomic::AtomicI32;
use std::time::Duration;

use anyhow::{Context, Result};
use tether_kafka::Clients;
use tether_rest::{RestConfig, RestServer, RestUrl, RunningServer};
use tether_storage::{ConfigStore, OffsetStore, StatusStore};
use tether_worker::config::WorkerConfig;
use tether_worker::herder::Herder;
use tether_worker::herder::solo::{SoloContext, SoloHerder};
use tether_worker::loggers::Loggers;
use tether_worker::plugins::Plugins;
use tether_worker::worker::{Worker, WorkerContext};
use tokio::sync::mpsc;

use crate::properties::WorkerProperties;

/// How long requests may take to end after the process was asked to stop.
const REST_STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// What a worker is made of.
pub(crate) struct Parts {
    /// The worker's configuration.
    pub(crate) config: WorkerConfig,
    /// Its properties and variables.
    pub(crate) properties: WorkerProperties,
    /// The plugins.
    pub(crate) plugins: Arc<Plugins>,
    /// The loggers.
    pub(crate) loggers: Arc<Loggers>,
    /// Makes Kafka clients.
    pub(crate) clients: Arc<dyn Clients>,
    /// The id of the Kafka cluster.
    pub(crate) kafka_cluster_id: String,
    /// The configurations.
    pub(crate) configs: Arc<dyn ConfigStore>,
    /// The source offsets.
    pub(crate) offsets: Arc<dyn OffsetStore>,
    /// The statuses.
    pub(crate) statuses: Arc<dyn StatusStore>,
}

/// A running worker.
pub(crate) struct WorkerProcess {
    herder: Arc<SoloHerder>,
    rest: RunningServer,
    url: RestUrl,
}

impl WorkerProcess {
    /// Opens the REST API, then reads the stores and starts the connectors that
    /// they know. Requests that come before that is done wait.
    ///
    /// # Errors
    /// If an address is taken, or a store cannot be opened or must not be used
    /// as it is.
    pub(crate) async fn start(parts: Parts) -> Result<Self> {
        let java_options = std::env::var("KAFKA_OPTS").ok();
        let rest_config = RestConfig::new(&parts.properties.properties, java_options.as_deref())?;
        let server = RestServer::bind(rest_config).await?;
        let url = server.url().clone();
        let worker_id = url.worker_id();
        let (requests, receiver) = mpsc::unbounded_channel();
        let worker = Worker::new(WorkerContext {
            worker_id: worker_id.clone(),
            config: parts.config.clone(),
            kafka_cluster_id: parts.kafka_cluster_id.clone(),
            plugins: Arc::clone(&parts.plugins),
            variables: Arc::clone(&parts.properties.variables),
            clients: Arc::clone(&parts.clients),
            offsets: Arc::clone(&parts.offsets),
            statuses: Arc::clone(&parts.statuses),
            generation: Arc::new(AtomicI32::new(0)),
            requests,
        })?;
        let herder = Arc::new(SoloHerder::new(SoloContext {
            worker_id,
            kafka_cluster_id: parts.kafka_cluster_id,
            config: parts.config,
            plugins: parts.plugins,
            variables: parts.properties.variables,
            clients: parts.clients,
            configs: parts.configs,
            offsets: parts.offsets,
            statuses: parts.statuses,
            worker: Arc::new(worker),
            loggers: parts.loggers,
        })?);
        let rest = server.serve(Arc::clone(&herder) as Arc<dyn Herder>);
        let process = Self { herder, rest, url };
        if let Err(error) = process.herder.start(receiver).await {
            process.stop().await;
            return Err(error).context("Could not start the worker");
        }
        tracing::info!(url = %process.url, "Kafka Connect started");
        Ok(process)
    }

    /// The herder, for requests from within the process.
    pub(crate) fn herder(&self) -> &Arc<SoloHerder> {
        &self.herder
    }

    /// Where the REST API is.
    pub(crate) fn url(&self) -> &RestUrl {
        &self.url
    }

    /// Answers the requests that are there, drains the tasks, commits their
    /// offsets, writes their statuses and leaves.
    pub(crate) async fn stop(self) {
        self.rest.stop(REST_STOP_TIMEOUT).await;
        self.herder.stop().await;
        tracing::info!("Kafka Connect stopped");
    }
}
