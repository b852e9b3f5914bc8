//! Which properties each Kafka client of a worker gets: layers of defaults,
//! worker properties and a connector's overrides (spec section 2.3, `Worker`'s
//! `baseProducerConfigs`, `baseConsumerConfigs` and `adminConfigs`).
//!
//! All names and values are those of the Java clients. Top-level worker
//! properties such as `security.protocol` do not reach the producers and
//! consumers of tasks; there each prefix has to repeat them.

mod exactly_once;
mod offsets;
mod override_policy;

use tether_api::Result;
use tether_api::config::{ConfigMap, with_prefix};
use tether_storage::TaskId;

use crate::config::WorkerConfig;

pub use override_policy::OverridePolicy;

/// Overrides of a connector, by kind of client.
const PRODUCER_OVERRIDES: &str = "producer.override.";
const CONSUMER_OVERRIDES: &str = "consumer.override.";
const ADMIN_OVERRIDES: &str = "admin.override.";

const METRICS_CONTEXT: &str = "metrics.context.";

/// Worker properties that no client has. The reference hands them to its
/// clients, which ignore them; ours would warn about each.
const WORKER_ONLY: [&str; 26] = [
    "access.control.",
    "config.",
    "connect.protocol",
    "connector.client.config.override.",
    "exactly.once.",
    "group.id",
    "header.converter",
    "heartbeat.interval.ms",
    "inter.worker.",
    "internal.",
    "key.converter",
    "listeners",
    "offset.",
    "plugin.",
    "rebalance.timeout.ms",
    "response.http.",
    "rest.",
    "scheduled.rebalance.",
    "session.timeout.ms",
    "status.",
    "task.shutdown.",
    "topic.creation.",
    "topic.tracking.",
    "value.converter",
    "worker.",
    "admin.listeners",
];

/// A topic in which a distributed worker keeps its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum InternalTopic {
    Configs,
    Offsets,
    Statuses,
}

impl InternalTopic {
    /// The end of the client ids.
    fn name(self) -> &'static str {
        match self {
            Self::Configs => "configs",
            Self::Offsets => "offsets",
            Self::Statuses => "statuses",
        }
    }
}

/// Makes the properties of a worker's clients.
#[derive(Debug, Clone, Copy)]
pub struct ClientProperties<'a> {
    /// The worker.
    pub worker: &'a WorkerConfig,
    /// The id of the Kafka cluster.
    pub kafka_cluster_id: &'a str,
    /// What connectors may override.
    pub policy: &'a OverridePolicy,
}

impl ClientProperties<'_> {
    /// Of the producer of a source task. The worker waits for brokers as long
    /// as it takes: no record is given up while they are away, and one request
    /// at a time per connection keeps the order.
    ///
    /// # Errors
    /// Other, if the policy forbids one of the connector's overrides.
    pub fn source_producer(&self, id: &TaskId, connector: &ConfigMap) -> Result<ConfigMap> {
        self.producer(&format!("connector-producer-{id}"), connector)
    }

    /// Of the producer of a task's dead letters, which are written like the
    /// records of a source.
    ///
    /// # Errors
    /// Other, if the policy forbids one of the connector's overrides.
    pub fn dead_letter_producer(&self, id: &TaskId, connector: &ConfigMap) -> Result<ConfigMap> {
        self.producer(&format!("connector-dlq-producer-{id}"), connector)
    }

    fn producer(&self, client_id: &str, connector: &ConfigMap) -> Result<ConfigMap> {
        let mut properties = self.base(client_id);
        for (key, value) in [
            (
                "key.serializer",
                "org.apache.kafka.common.serialization.ByteArraySerializer",
            ),
            (
                "value.serializer",
                "org.apache.kafka.common.serialization.ByteArraySerializer",
            ),
            ("max.block.ms", "9223372036854775807"),
            ("enable.idempotence", "false"),
            ("acks", "all"),
            ("max.in.flight.requests.per.connection", "1"),
            ("delivery.timeout.ms", "2147483647"),
        ] {
            properties.insert(key.to_owned(), value.to_owned());
        }
        properties.extend(with_prefix(&self.worker.properties, "producer."));
        self.add_metrics_context(&mut properties);
        properties.extend(self.overrides(connector, PRODUCER_OVERRIDES)?);
        Ok(properties)
    }

    /// Of the consumer of a sink task.
    ///
    /// # Errors
    /// Other, if the policy forbids one of the connector's overrides.
    pub fn sink_consumer(&self, id: &TaskId, connector: &ConfigMap) -> Result<ConfigMap> {
        self.consumer(&id.to_string(), &id.connector, connector)
    }

    /// The consumer group of a sink connector, which may be overridden.
    ///
    /// # Errors
    /// Other, if the policy forbids one of the connector's overrides.
    pub fn sink_group(&self, name: &str, connector: &ConfigMap) -> Result<String> {
        let mut properties = self.consumer(name, name, connector)?;
        Ok(properties.shift_remove("group.id").unwrap_or_default())
    }

    fn consumer(&self, client: &str, name: &str, connector: &ConfigMap) -> Result<ConfigMap> {
        let mut properties = self.base(&format!("connector-consumer-{client}"));
        for (key, value) in [
            ("group.id", format!("connect-{name}").as_str()),
            ("enable.auto.commit", "false"),
            ("auto.offset.reset", "earliest"),
            (
                "key.deserializer",
                "org.apache.kafka.common.serialization.ByteArrayDeserializer",
            ),
            (
                "value.deserializer",
                "org.apache.kafka.common.serialization.ByteArrayDeserializer",
            ),
        ] {
            properties.insert(key.to_owned(), value.to_owned());
        }
        properties.extend(with_prefix(&self.worker.properties, "consumer."));
        self.add_metrics_context(&mut properties);
        properties.extend(self.overrides(connector, CONSUMER_OVERRIDES)?);
        Ok(properties)
    }

    /// Of the admin client of a task.
    ///
    /// # Errors
    /// Other, if the policy forbids one of the connector's overrides.
    pub fn task_admin(&self, id: &TaskId, connector: &ConfigMap) -> Result<ConfigMap> {
        self.connector_admin_with_id(&format!("connector-adminclient-{id}"), connector)
    }

    /// Of the admin client that creates the topic of a task's dead letters.
    ///
    /// # Errors
    /// Other, if the policy forbids one of the connector's overrides.
    pub fn dead_letter_admin(&self, id: &TaskId, connector: &ConfigMap) -> Result<ConfigMap> {
        self.connector_admin_with_id(&format!("connector-dlq-adminclient-{id}"), connector)
    }

    /// Of the admin client with which the worker manages what belongs to a
    /// connector, the offsets of its consumer group above all.
    ///
    /// # Errors
    /// Other, if the policy forbids one of the connector's overrides.
    pub fn connector_admin(&self, name: &str, connector: &ConfigMap) -> Result<ConfigMap> {
        self.connector_admin_with_id(&format!("connector-worker-adminclient-{name}"), connector)
    }

    /// What the clients of an internal topic have in common, `client.id`
    /// included; the store adds what it needs.
    pub fn internal_topic(&self, topic: InternalTopic) -> ConfigMap {
        self.internal(topic.name())
    }

    /// Of the connection to the broker that keeps the group of workers together.
    pub fn group_member(&self, client_id: &str) -> ConfigMap {
        let mut properties = self.shared_admin();
        properties.insert("client.id".to_owned(), client_id.to_owned());
        properties
    }

    /// Of the worker's own admin client.
    pub fn shared_admin(&self) -> ConfigMap {
        self.internal("shared-admin")
    }

    /// Of the admin client of a command that runs without a worker.
    pub fn command_admin(&self, client_id: &str) -> ConfigMap {
        let mut properties = self.shared_admin();
        properties.extend(with_prefix(&self.worker.properties, "admin."));
        properties.insert("client.id".to_owned(), client_id.to_owned());
        properties
    }

    /// Of a consumer without a group, for a command that runs without a worker.
    pub fn command_consumer(&self, client_id: &str) -> ConfigMap {
        let mut properties = self.base(client_id);
        properties.insert("enable.auto.commit".to_owned(), "false".to_owned());
        properties.insert("auto.offset.reset".to_owned(), "earliest".to_owned());
        properties.extend(with_prefix(&self.worker.properties, "consumer."));
        properties.shift_remove("group.id");
        properties
    }

    /// Of a producer, for a command that runs without a worker.
    pub fn command_producer(&self, client_id: &str) -> ConfigMap {
        let mut properties = self.base(client_id);
        properties.insert("acks".to_owned(), "all".to_owned());
        properties.extend(with_prefix(&self.worker.properties, "producer."));
        properties
    }

    fn base(&self, client_id: &str) -> ConfigMap {
        let mut properties = ConfigMap::new();
        properties.insert("bootstrap.servers".to_owned(), self.bootstrap_servers());
        properties.insert("client.id".to_owned(), client_id.to_owned());
        properties
    }

    fn bootstrap_servers(&self) -> String {
        self.worker
            .properties
            .get("bootstrap.servers")
            .map_or("", String::as_str)
            .split(',')
            .map(str::trim)
            .collect::<Vec<_>>()
            .join(",")
    }

    fn connector_admin_with_id(&self, client_id: &str, connector: &ConfigMap) -> Result<ConfigMap> {
        let mut properties = self.base(client_id);
        properties.extend(self.top_level());
        properties.extend(
            with_prefix(&self.worker.properties, "admin.")
                .into_iter()
                .filter(|(key, _)| key != "listeners" && !key.starts_with("listeners.")),
        );
        properties.extend(self.overrides(connector, ADMIN_OVERRIDES)?);
        self.add_metrics_context(&mut properties);
        Ok(properties)
    }

    fn internal(&self, suffix: &str) -> ConfigMap {
        let mut properties = ConfigMap::new();
        properties.extend(self.top_level());
        properties.insert("bootstrap.servers".to_owned(), self.bootstrap_servers());
        let group = self.worker.group_id().unwrap_or("connect");
        let client_id = match self.worker.properties.get("client.id") {
            Some(own) if !own.trim().is_empty() => format!("{group}-{own}-{suffix}"),
            _ => format!("{group}-{suffix}"),
        };
        properties.insert("client.id".to_owned(), client_id);
        self.add_metrics_context(&mut properties);
        properties
    }

    /// Worker properties that are for clients and carry no prefix of one.
    fn top_level(&self) -> impl Iterator<Item = (String, String)> {
        self.worker
            .properties
            .iter()
            .filter(|(key, _)| {
                !["bootstrap.servers", "producer.", "consumer.", "admin."]
                    .iter()
                    .chain(&WORKER_ONLY)
                    .any(|prefix| key.starts_with(prefix))
            })
            .map(|(key, value)| (key.clone(), value.clone()))
    }

    /// Where metrics come from (KIP-606).
    fn add_metrics_context(&self, properties: &mut ConfigMap) {
        for (key, value) in &self.worker.properties {
            if key.starts_with(METRICS_CONTEXT) {
                properties.insert(key.clone(), value.clone());
            }
        }
        properties.insert(
            format!("{METRICS_CONTEXT}connect.kafka.cluster.id"),
            self.kafka_cluster_id.to_owned(),
        );
        if let Some(group) = self.worker.group_id() {
            properties.insert(
                format!("{METRICS_CONTEXT}connect.group.id"),
                group.to_owned(),
            );
        }
    }

    fn overrides(&self, connector: &ConfigMap, prefix: &str) -> Result<ConfigMap> {
        let overrides = with_prefix(connector, prefix);
        self.policy.check(&overrides)?;
        Ok(overrides)
    }
}

#[cfg(test)]
mod tests;
