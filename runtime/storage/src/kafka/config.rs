//! Configurations in the config topic (`KafkaConfigBackingStore`).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tether_api::config::ConfigMap;
use tether_api::{ConnectError, Result};
use tether_kafka::{Admin, Clients, ConsumedRecord};
use tokio::sync::{OwnedMutexGuard, mpsc};
use tokio::time::{Instant, timeout, timeout_at};

use super::InternalTopic;
use super::leader::LeaderWriter;
use super::log::{KafkaBasedLog, LogParts};
use super::topic::Purpose;
use crate::config_bytes::{ConfigRecord, Rejected};
use crate::config_view::ConfigView;
use crate::{
    ConfigSnapshot, ConfigStore, ConfigUpdate, ConnectorLocks, RestartRequest, SessionKey,
    TargetState,
};

const PURPOSE: Purpose = Purpose {
    property: "config.storage.topic",
    content: "connector configurations",
};

/// What a write may take in all, reading back included
/// (`READ_WRITE_TOTAL_TIMEOUT_MS`).
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// The configuration store of a distributed worker.
///
/// # Faults
/// A write that is cut off anywhere, by `kill -9`, a timeout or a caller that
/// goes away, leaves a prefix of its records. Each prefix is a state that was
/// meant: an initial target state of a connector that does not exist; a deleted
/// connector with a target state, which the next one of that name takes over;
/// task records without commit, which have no effect until the next complete
/// set. Records that were sent before a timeout may still be written, but before
/// those of any later write, for the producer keeps the order.
///
/// With a leader's producer every group of records is a transaction: written
/// whole or not at all, and by nobody who has lost the right to write.
pub struct KafkaConfigStore {
    log: KafkaBasedLog,
    /// What a leader writes goes this way, if it is there.
    leader: Option<LeaderWriter>,
    view: Arc<ConfigView>,
    /// Held while several records are written about a connector: those of two
    /// writes must not mix. Writes about different connectors go on together, so
    /// that a thousand connectors do not wait for a thousand times the way to the
    /// broker and back.
    writing: ConnectorLocks,
}

impl KafkaConfigStore {
    /// A store on this topic. It is made with one partition, whatever `topic`
    /// says.
    pub fn new(clients: Arc<dyn Clients>, admin: Arc<dyn Admin>, topic: InternalTopic) -> Self {
        Self::on_log(clients, admin, topic, None)
    }

    /// The same for a worker whose leader writes in transactions, with a
    /// producer of these properties.
    pub fn with_transactional_leader(
        clients: Arc<dyn Clients>,
        admin: Arc<dyn Admin>,
        topic: InternalTopic,
        producer: ConfigMap,
    ) -> Self {
        let leader = LeaderWriter::new(clients.clone(), &topic.name, producer);
        Self::on_log(clients, admin, topic, Some(leader))
    }

    fn on_log(
        clients: Arc<dyn Clients>,
        admin: Arc<dyn Admin>,
        topic: InternalTopic,
        leader: Option<LeaderWriter>,
    ) -> Self {
        let view = Arc::new(ConfigView::default());
        let reader = view.clone();
        let log = KafkaBasedLog::new(LogParts {
            clients,
            admin,
            purpose: PURPOSE,
            single: true,
            producer: Some(topic.producer_properties(("delivery.timeout.ms", "2147483647"))),
            consumer: topic.consumer_properties(),
            topic,
            consumed: Arc::new(move |record| read(&reader, &record)),
        });
        Self {
            log,
            leader,
            view,
            writing: ConnectorLocks::default(),
        }
    }

    /// Writes records and waits until they are durable.
    async fn append(&self, records: impl IntoIterator<Item = ConfigRecord>) -> Result<()> {
        let mut receipts = Vec::new();
        for record in records {
            let (key, value) = record.encode();
            receipts.push(self.log.send(key.as_bytes(), value.as_deref()).await?);
        }
        for receipt in receipts {
            receipt.acknowledged().await?;
        }
        Ok(())
    }

    /// Writes records as the leader and waits until they are durable.
    async fn append_as_leader(
        &self,
        deadline: Instant,
        failure: &str,
        records: impl IntoIterator<Item = ConfigRecord>,
    ) -> Result<()> {
        let Some(leader) = &self.leader else {
            return within(deadline, failure, self.append(records)).await;
        };
        let records: Vec<_> = records.into_iter().map(|record| record.encode()).collect();
        if records.is_empty() {
            return Ok(());
        }
        leader.write(&records, deadline).await
    }

    /// Writes records about a connector as the leader and reads them back.
    async fn write_about(
        &self,
        connector: &str,
        failure: &str,
        records: impl IntoIterator<Item = ConfigRecord>,
    ) -> Result<()> {
        let deadline = Instant::now() + WRITE_TIMEOUT;
        let _writing = self.turn(connector, deadline, failure).await?;
        self.append_as_leader(deadline, failure, records).await?;
        within(deadline, failure, self.log.read_to_end()).await
    }

    /// Writes a record as the leader and reads it back.
    async fn write_as_leader(&self, failure: &str, record: ConfigRecord) -> Result<()> {
        let deadline = Instant::now() + WRITE_TIMEOUT;
        self.append_as_leader(deadline, failure, [record]).await?;
        within(deadline, failure, self.log.read_to_end()).await
    }

    /// Writes a record and reads it back.
    async fn write(&self, failure: &str, record: ConfigRecord) -> Result<()> {
        within(Instant::now() + WRITE_TIMEOUT, failure, async {
            self.append([record]).await?;
            self.log.read_to_end().await
        })
        .await
    }

    /// Waits until nobody else writes about this connector.
    async fn turn(
        &self,
        connector: &str,
        deadline: Instant,
        failure: &str,
    ) -> Result<OwnedMutexGuard<()>> {
        let turn = async { Ok(self.writing.lock(connector).await) };
        within(deadline, failure, turn).await
    }
}

/// Runs a part of a write; every error becomes this one.
async fn within<T>(
    deadline: Instant,
    failure: &str,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let cause = match timeout_at(deadline, work).await {
        Ok(Ok(done)) => return Ok(done),
        Ok(Err(error)) => error,
        Err(_) => ConnectError::retriable(format!(
            "Not done after {} seconds",
            WRITE_TIMEOUT.as_secs()
        )),
    };
    tracing::error!(error = %cause, "{failure}");
    Err(ConnectError::other(failure).caused_by(cause))
}

/// Takes a record of the topic in.
fn read(view: &ConfigView, record: &ConsumedRecord) {
    match ConfigRecord::decode(record.key.as_deref(), record.value.as_deref()) {
        Ok(decoded) => view.apply(record.offset, decoded),
        Err(rejected) => {
            let reason = match rejected {
                Rejected::Ignored(reason) => {
                    view.skip(record.offset);
                    reason
                }
                Rejected::Unreadable(reason) => format!("its value is {reason}"),
            };
            let key = record.key.as_deref().map(String::from_utf8_lossy);
            tracing::error!(
                topic = %record.topic,
                offset = record.offset,
                key = key.as_deref(),
                "ignoring a record of the config topic: {reason}"
            );
        }
    }
}

#[async_trait]
impl ConfigStore for KafkaConfigStore {
    async fn start(&self) -> Result<()> {
        self.log.start().await?;
        self.view.caught_up();
        Ok(())
    }

    async fn stop(&self) {
        self.log.stop().await;
    }

    fn snapshot(&self) -> Arc<ConfigSnapshot> {
        self.view.snapshot()
    }

    fn take_updates(&self) -> Option<mpsc::UnboundedReceiver<ConfigUpdate>> {
        self.view.take_updates()
    }

    async fn put_connector_config(
        &self,
        connector: &str,
        config: &ConfigMap,
        initial_state: Option<TargetState>,
    ) -> Result<()> {
        let records = ConfigRecord::connector(connector, config, initial_state);
        let failure = "Error writing connector configuration to Kafka";
        self.write_about(connector, failure, records).await
    }

    async fn remove_connector(&self, connector: &str) -> Result<()> {
        let records = ConfigRecord::removal(connector);
        let failure = "Error removing connector configuration from Kafka";
        self.write_about(connector, failure, records).await
    }

    async fn put_task_configs(&self, connector: &str, configs: &[ConfigMap]) -> Result<()> {
        const ROOT: &str = "Error writing root configuration to Kafka";
        const TASKS: &str = "Error writing task configurations to Kafka";
        let deadline = Instant::now() + WRITE_TIMEOUT;
        let (tasks, commit) = ConfigRecord::tasks(connector, configs)?;
        let _writing = self.turn(connector, deadline, ROOT).await?;
        // Whatever another leader wrote comes before.
        within(deadline, ROOT, self.log.read_to_end()).await?;
        self.append_as_leader(deadline, TASKS, tasks).await?;
        // All task records must be there before the commit is.
        if !configs.is_empty() {
            within(deadline, ROOT, self.log.read_to_end()).await?;
        }
        self.append_as_leader(deadline, ROOT, [commit]).await?;
        within(deadline, ROOT, self.log.read_to_end()).await
    }

    async fn put_target_state(&self, connector: &str, state: TargetState) -> Result<()> {
        let record = ConfigRecord::TargetState(connector.to_owned(), Some(state));
        self.write("Error writing target state to Kafka", record)
            .await
    }

    async fn put_restart_request(&self, request: &RestartRequest) -> Result<()> {
        let failure = format!("Error writing {request} to Kafka");
        self.write_as_leader(&failure, ConfigRecord::Restart(request.clone()))
            .await
    }

    async fn put_task_count_record(&self, connector: &str, tasks: usize) -> Result<()> {
        let record = ConfigRecord::task_count(connector, tasks)?;
        let failure = "Error writing task count record to Kafka";
        self.write_as_leader(failure, record).await
    }

    async fn put_session_key(&self, key: &SessionKey) -> Result<()> {
        let failure = "Error writing session key to Kafka";
        self.write_as_leader(failure, ConfigRecord::SessionKey(key.clone()))
            .await
    }

    async fn claim_write_privileges(&self) -> Result<()> {
        match &self.leader {
            Some(leader) => leader.claim().await,
            None => Ok(()),
        }
    }

    async fn put_logger_level(&self, logger: &str, level: &str) -> Result<()> {
        let record = ConfigRecord::LoggerLevel(logger.to_owned(), level.to_owned());
        self.write("Error writing logger level to Kafka", record)
            .await
    }

    async fn refresh(&self, limit: Duration) -> Result<()> {
        match timeout(limit, self.log.read_to_end()).await {
            Ok(result) => {
                result.map_err(|error| error.context("Error trying to read to end of config log"))
            }
            Err(_) => Err(ConnectError::retriable(format!(
                "Could not read to the end of the config topic within {} ms",
                limit.as_millis()
            ))),
        }
    }
}
