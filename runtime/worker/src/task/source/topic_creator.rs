//! Creates the topics of a source task before their first record
//! (`AbstractWorkerSourceTask.maybeCreateTopic`, spec section 5.5).

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tether_api::config::ConfigMap;
use tether_api::{ConnectError, Result};
use tether_kafka::{Admin, Clients, KafkaError, KafkaErrorKind, NewTopic};
use tether_storage::TaskId;

use crate::topic_creation::TopicCreation;

/// How long one call of the admin client may take: the `default.api.timeout.ms`
/// of the Java client.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Creates topics, and remembers which are there.
///
/// A topic that is deleted while the task runs is not created again before the
/// next start, as in the reference.
pub(in crate::task) struct TopicCreator {
    id: TaskId,
    groups: TopicCreation,
    admin: Arc<dyn Admin>,
    bootstrap_servers: String,
    known: HashSet<Arc<str>>,
    /// The topic of the record before: most records go where it went.
    last: Option<Arc<str>>,
}

impl TopicCreator {
    /// For a task; `admin` are the properties of its admin client.
    ///
    /// # Errors
    /// Config, if a property is wrong.
    pub(in crate::task) fn new(
        id: &TaskId,
        groups: TopicCreation,
        clients: &dyn Clients,
        admin: &ConfigMap,
    ) -> Result<Self> {
        Ok(Self {
            id: id.clone(),
            groups,
            bootstrap_servers: admin.get("bootstrap.servers").cloned().unwrap_or_default(),
            admin: clients.admin(admin)?,
            known: HashSet::new(),
            last: None,
        })
    }

    /// Whether the topic is known to exist.
    pub(super) fn knows(&mut self, topic: &Arc<str>) -> bool {
        if self
            .last
            .as_ref()
            .is_some_and(|last| Arc::ptr_eq(last, topic))
        {
            return true;
        }
        let known = self.known.contains(topic);
        if known {
            self.last = Some(topic.clone());
        }
        known
    }

    /// Creates the topic if it does not exist; it is known then.
    ///
    /// # Errors
    /// Retriable, if the brokers do not answer: the topic may be there when it
    /// is asked for again. Other, if the topic cannot be created.
    pub(super) async fn create(&mut self, topic: &Arc<str>) -> Result<()> {
        tracing::info!(
            task = %self.id,
            topic = &**topic,
            "The task will send records to topic for the first time. Checking whether topic exists"
        );
        if self.exists(topic).await? {
            tracing::info!(task = %self.id, topic = &**topic, "Topic already exists");
        } else {
            let (new, group) = self.groups.describe(topic);
            match self.admin.create_topic(&new, TIMEOUT).await {
                Ok(()) => tracing::info!(
                    task = %self.id,
                    topic = %shown(&new),
                    "Created topic using creation group {group}"
                ),
                Err(error) if error.kind == KafkaErrorKind::AlreadyExists => {
                    tracing::info!(task = %self.id, topic = &**topic, "Found existing topic");
                }
                Err(error) => return Err(refused(&new, error)),
            }
        }
        self.known.insert(topic.clone());
        Ok(())
    }

    async fn exists(&self, topic: &str) -> Result<bool> {
        let names = [topic.to_owned()];
        let servers = &self.bootstrap_servers;
        self.admin
            .topics(Some(&names), TIMEOUT)
            .await
            .map(|found| !found.is_empty())
            .map_err(|error| {
                match error.kind {
                    KafkaErrorKind::Retriable => ConnectError::retriable(format!(
                        "Timed out while describing topics '{topic}'"
                    )),
                    KafkaErrorKind::NotAuthorized => ConnectError::other(format!(
                        "Not authorized to describe topic(s) '{topic}' on the brokers {servers}"
                    )),
                    KafkaErrorKind::Unsupported => ConnectError::other(format!(
                        "Unable to describe topic(s) '{topic}' since the brokers at {servers} do not support \
                         the DescribeTopics API."
                    )),
                    _ => ConnectError::other(format!(
                        "Error while attempting to describe topics '{topic}'"
                    )),
                }
                .caused_by(ConnectError::from(error))
            })
    }
}

/// Why a topic could not be created.
fn refused(new: &NewTopic, error: KafkaError) -> ConnectError {
    let topic = &new.name;
    match error.kind {
        KafkaErrorKind::Retriable => ConnectError::retriable(format!(
            "Timed out while checking for or creating topic(s) '{topic}'. This could indicate a connectivity \
             issue, unavailable topic partitions, or if this is your first use of the topic it may have taken \
             too long to create."
        )),
        KafkaErrorKind::NotAuthorized | KafkaErrorKind::Unsupported => ConnectError::other(format!(
            "Task failed to create new topic {}. Ensure that the task is authorized to create topics or that \
             the topic exists and restart the task",
            shown(new)
        )),
        KafkaErrorKind::Invalid => {
            ConnectError::other(format!("Unable to create topic(s) '{topic}': {error}"))
        }
        _ => ConnectError::other(format!(
            "Error while attempting to create/find topic(s) '{topic}'"
        )),
    }
    .caused_by(ConnectError::from(error))
}

/// A topic as the reference shows it.
fn shown(new: &NewTopic) -> String {
    let settings: Vec<String> = new
        .config
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    format!(
        "(name={}, numPartitions={}, replicationFactor={}, replicasAssignments=null, configs={{{}}})",
        new.name,
        new.partitions,
        new.replication_factor,
        settings.join(", ")
    )
}
