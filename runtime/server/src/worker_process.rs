//! A worker with its REST API, put together from its parts.

use std::sync::Arc;
use std::sync::atomic::AtomicI32;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use tether_api::ConnectError;
use tether_kafka::Clients;
use tether_kafka::broker::NetworkBrokers;
use tether_metrics::{Group, Metrics};
use tether_rest::{RestServer, RestUrl, RunningServer};
use tether_storage::{ConfigStore, OffsetStore, StatusStore};
use tether_worker::client_properties::{ClientProperties, OverridePolicy};
use tether_worker::config::{Mode, WorkerConfig};
use tether_worker::config_provider::VariableResolver;
use tether_worker::herder::reconciling::{GroupContext, HerderContext, ReconcilingHerder};
use tether_worker::herder::{Herder, Peers};
use tether_worker::loggers::Loggers;
use tether_worker::plugins::Plugins;
use tether_worker::worker::{Worker, WorkerContext};
use tokio::sync::mpsc;

use crate::exit::Failure;
use crate::properties::Configs;

/// How long requests may take to end after the process was asked to stop.
const REST_STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// What a worker is made of.
pub(crate) struct Parts {
    /// The configurations of the worker and of its REST API.
    pub(crate) configs: Configs,
    /// Resolves variables.
    pub(crate) variables: Arc<VariableResolver>,
    /// The plugins.
    pub(crate) plugins: Arc<Plugins>,
    /// The loggers.
    pub(crate) loggers: Arc<Loggers>,
    /// Makes Kafka clients.
    pub(crate) clients: Arc<dyn Clients>,
    /// The id of the Kafka cluster.
    pub(crate) kafka_cluster_id: String,
    /// Where configurations are stored.
    pub(crate) config_store: Arc<dyn ConfigStore>,
    /// Where source offsets are stored.
    pub(crate) offset_store: Arc<dyn OffsetStore>,
    /// Where statuses are stored.
    pub(crate) status_store: Arc<dyn StatusStore>,
}

/// A running worker.
pub(crate) struct WorkerProcess {
    herder: Arc<ReconcilingHerder>,
    rest: RunningServer,
    url: RestUrl,
    _app_info: Group,
}

impl WorkerProcess {
    /// Opens the REST API, then reads the stores and starts the connectors that
    /// they know. Requests that come before that is done wait.
    ///
    /// # Errors
    /// Startup, if an address is taken; services, if a store cannot be opened or
    /// must not be used as it is.
    pub(crate) async fn start(parts: Parts) -> Result<Self, Failure> {
        let startup = |error: ConnectError| Failure::Startup(error.into());
        let Configs {
            worker: config,
            rest,
        } = parts.configs;
        let server = RestServer::bind(rest).await.map_err(startup)?;
        let url = server.url().clone();
        let worker_id = url.worker_id();
        let (requests, receiver) = mpsc::unbounded_channel();
        let worker = Worker::new(WorkerContext {
            worker_id: worker_id.clone(),
            config: config.clone(),
            kafka_cluster_id: parts.kafka_cluster_id.clone(),
            plugins: Arc::clone(&parts.plugins),
            variables: Arc::clone(&parts.variables),
            clients: Arc::clone(&parts.clients),
            offsets: Arc::clone(&parts.offset_store),
            statuses: Arc::clone(&parts.status_store),
            generation: Arc::new(AtomicI32::new(0)),
            requests,
        })
        .map_err(startup)?;
        let app_info = app_info(worker.metrics(), &worker_id);
        let group =
            group(&config, &parts.kafka_cluster_id, &url, server.peers()).map_err(startup)?;
        let herder = ReconcilingHerder::new(HerderContext {
            worker_id,
            kafka_cluster_id: parts.kafka_cluster_id,
            config,
            plugins: parts.plugins,
            variables: parts.variables,
            clients: parts.clients,
            configs: parts.config_store,
            offsets: parts.offset_store,
            statuses: parts.status_store,
            worker: Arc::new(worker),
            loggers: parts.loggers,
            group,
        });
        let herder = Arc::new(herder.map_err(startup)?);
        let rest = server.serve(Arc::clone(&herder) as Arc<dyn Herder>);
        let process = Self {
            herder,
            rest,
            url,
            _app_info: app_info,
        };
        if let Err(error) = process.herder.start(receiver).await {
            process.stop().await;
            let error = Err(error).context("Could not start the worker");
            return error.map_err(Failure::Services);
        }
        tracing::info!(url = %process.url, "Kafka Connect started");
        Ok(process)
    }

    /// The herder, for requests from within the process.
    pub(crate) fn herder(&self) -> &Arc<ReconcilingHerder> {
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

/// What makes a distributed worker a member of its group; `None` for others.
fn group(
    config: &WorkerConfig,
    kafka_cluster_id: &str,
    url: &RestUrl,
    peers: Arc<dyn Peers>,
) -> Result<Option<GroupContext>, ConnectError> {
    let Mode::Distributed(distributed) = &config.mode else {
        return Ok(None);
    };
    let policy = OverridePolicy::from_worker(&config.properties)?;
    let properties = ClientProperties {
        worker: config,
        kafka_cluster_id,
        policy: &policy,
    };
    let mut settings = distributed.group.clone();
    settings.url = url.to_string();
    if settings.client_id.is_empty() {
        settings.client_id = format!("connect-{}", url.worker_id());
    }
    let brokers = NetworkBrokers::new(&properties.group_member(&settings.client_id))?;
    Ok(Some(GroupContext {
        settings,
        brokers: Arc::new(brokers),
        peers,
    }))
}

/// Registers which version this is (`AppInfoParser`).
fn app_info(metrics: &Metrics, worker_id: &str) -> Group {
    let mut group = metrics.group("kafka.connect", "app-info");
    group.tag("client-id", worker_id);
    group.text(
        "version",
        "The version of the worker.",
        tether_rest::VERSION,
    );
    group.text(
        "commit-id",
        "The commit of the worker.",
        tether_rest::commit(),
    );
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.unwrap_or_default().as_millis().to_string();
    group.text(
        "start-time-ms",
        "When the worker was started, in milliseconds since the epoch.",
        now,
    );
    group.register()
}
