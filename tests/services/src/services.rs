//! One of each service, started together.

use std::thread;

use anyhow::{Context, Result, anyhow};

use crate::jars::Jars;
use crate::shared::{
    BOOTSTRAP, CONNECT_CLASSPATH, CONNECT_URL, PLUGIN_PATH, POSTGRES_JDBC_URL, POSTGRES_URL,
    REGISTRY_URL,
};
use crate::{ConnectOptions, ConnectWorker, Kafka, KafkaOptions, Postgres, Registry};

/// Which services are started besides the usual ones.
#[derive(Debug, Clone, Default)]
pub struct ServicesOptions {
    /// Also a Java Kafka Connect worker (distributed).
    pub connect: bool,
}

/// Kafka, PostgreSQL and a schema registry. All end when this is dropped.
#[derive(Debug)]
pub struct Services {
    connect: Option<ConnectWorker>,
    registry: Registry,
    postgres: Postgres,
    kafka: Kafka,
    jars: Jars,
}

impl Services {
    /// Starts them at the same time; returns once all are ready.
    pub fn start(options: &ServicesOptions) -> Result<Self> {
        let jars = Jars::fetch()?;
        let (kafka, postgres, registry) = thread::scope(|scope| {
            let kafka =
                scope.spawn(|| Kafka::start(KafkaOptions::default()).context("cannot start Kafka"));
            let postgres = scope.spawn(|| Postgres::start().context("cannot start PostgreSQL"));
            let registry =
                scope.spawn(|| Registry::start().context("cannot start the schema registry"));
            (kafka.join(), postgres.join(), registry.join())
        });
        let panicked = |_| anyhow!("starting a service panicked");
        let kafka = kafka.map_err(panicked)??;
        let postgres = postgres.map_err(panicked)??;
        let registry = registry.map_err(panicked)??;
        let connect = options
            .connect
            .then(|| ConnectWorker::distributed(ConnectOptions::new(kafka.bootstrap())))
            .transpose()
            .context("cannot start Kafka Connect")?;
        Ok(Self {
            connect,
            registry,
            postgres,
            kafka,
            jars,
        })
    }

    /// What tests find in their environment: see [`crate::shared`].
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let mut environment = vec![
            (BOOTSTRAP, self.kafka.bootstrap()),
            (POSTGRES_URL, self.postgres.url()),
            (POSTGRES_JDBC_URL, self.postgres.jdbc_url()),
            (REGISTRY_URL, self.registry.url()),
            (CONNECT_CLASSPATH, self.jars.kafka_class_path()),
            (PLUGIN_PATH, self.jars.plugin_path().display().to_string()),
        ];
        if let Some(connect) = &self.connect {
            environment.push((CONNECT_URL, connect.url().to_owned()));
        }
        environment
    }

    /// Stops all in order, clients before what they talk to.
    pub fn stop(mut self) -> Result<()> {
        let connect = self.connect.as_mut().map_or(Ok(()), ConnectWorker::stop);
        let registry = self.registry.stop();
        let postgres = self.postgres.stop();
        let kafka = self.kafka.stop();
        connect.and(registry).and(postgres).and(kafka)
    }
}
