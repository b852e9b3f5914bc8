//! Properties of the producers that write in transactions (KIP-618).

use tether_api::Result;
use tether_api::config::ConfigMap;
use tether_storage::TaskId;

use super::{ClientProperties, InternalTopic, PRODUCER_OVERRIDES};

const IDEMPOTENCE: &str = "enable.idempotence";
const TRANSACTIONAL_ID: &str = "transactional.id";

impl ClientProperties<'_> {
    /// Of the producer of an exactly-once source task. Whatever the user says,
    /// it is idempotent and has the task's transactional id: a task of the same
    /// name on any worker of the group fences it.
    ///
    /// # Errors
    /// Other, if the policy forbids one of the connector's overrides.
    pub fn exactly_once_producer(&self, id: &TaskId, connector: &ConfigMap) -> Result<ConfigMap> {
        let mut properties = self.source_producer(id, connector)?;
        let configured = connector.contains_key(&format!("{PRODUCER_OVERRIDES}{IDEMPOTENCE}"))
            || self
                .worker
                .properties
                .contains_key(&format!("producer.{IDEMPOTENCE}"));
        if !configured {
            // The default of other source tasks, which nobody asked for.
            properties.shift_remove(IDEMPOTENCE);
        }
        let reason = "for connectors when exactly-once source support is enabled";
        ensure(&mut properties, IDEMPOTENCE, "true", reason);
        let transactional_id = self.transactional_id(id);
        ensure(&mut properties, TRANSACTIONAL_ID, &transactional_id, reason);
        Ok(properties)
    }

    /// The transactional id of a task's producer, `<group.id>-<connector>-<task>`.
    pub fn transactional_id(&self, id: &TaskId) -> String {
        format!("{}-{id}", self.worker.group_id().unwrap_or_default())
    }

    /// Of the producer with which the leader of the group writes to the config
    /// topic.
    pub fn config_leader(&self) -> ConfigMap {
        let mut properties = self.internal_topic(InternalTopic::Configs);
        let client_id = properties.get("client.id").cloned().unwrap_or_default();
        for (key, value) in [
            ("client.id", format!("{client_id}-leader").as_str()),
            ("acks", "all"),
            ("max.in.flight.requests.per.connection", "5"),
            ("delivery.timeout.ms", "2147483647"),
        ] {
            properties.insert(key.to_owned(), value.to_owned());
        }
        let reason = "for the worker's config topic producer when exactly-once source support is \
                      enabled or in preparation to be enabled";
        ensure(&mut properties, IDEMPOTENCE, "true", reason);
        let group = self.worker.group_id().unwrap_or_default();
        let id = format!("connect-cluster-{group}");
        ensure(&mut properties, TRANSACTIONAL_ID, &id, reason);
        properties
    }
}

/// Sets a property; warns if it had another value (`ConnectUtils.ensureProperty`).
pub(super) fn ensure(properties: &mut ConfigMap, key: &str, value: &str, reason: &str) {
    let before = properties.insert(key.to_owned(), value.to_owned());
    if let Some(before) = before.filter(|before| !before.trim().eq_ignore_ascii_case(value)) {
        tracing::warn!(
            "The value '{before}' for the '{key}' property will be ignored as it cannot be overridden {reason}. \
             The value '{value}' will be used instead."
        );
    }
}
