//! Properties of the clients with which a source connector's own offsets are
//! stored (`offsets.storage.topic`).

use tether_api::Result;
use tether_api::config::ConfigMap;

use super::ClientProperties;
use super::exactly_once::ensure;

const ISOLATION: &str = "isolation.level";
const READ_COMMITTED: &str = "read_committed";

impl ClientProperties<'_> {
    /// Of the producer with which the offsets of a stopped connector are
    /// changed.
    ///
    /// # Errors
    /// Other, if the policy forbids one of the connector's overrides.
    pub fn offsets_producer(&self, name: &str, connector: &ConfigMap) -> Result<ConfigMap> {
        self.producer(&format!("connector-offset-producer-{name}"), connector)
    }

    /// Of the consumer that reads offsets. `client` is the name of a connector
    /// or of a task. What was written in a transaction that failed never
    /// counts, unless sources are not exactly-once and the user says so.
    ///
    /// # Errors
    /// Other, if the policy forbids one of the connector's overrides.
    pub fn offsets_consumer(
        &self,
        client: &str,
        name: &str,
        connector: &ConfigMap,
    ) -> Result<ConfigMap> {
        let mut properties = self.consumer(client, name, connector)?;
        if self.worker.exactly_once_sources() {
            ensure(
                &mut properties,
                ISOLATION,
                READ_COMMITTED,
                "for source connectors' offset consumers when exactly-once source support is enabled",
            );
        } else {
            properties
                .entry(ISOLATION.to_owned())
                .or_insert_with(|| READ_COMMITTED.to_owned());
        }
        Ok(properties)
    }

    /// Of the admin client that makes the topic of offsets. `client` is the name
    /// of a connector or of a task.
    ///
    /// # Errors
    /// Other, if the policy forbids one of the connector's overrides.
    pub fn offsets_admin(&self, client: &str, connector: &ConfigMap) -> Result<ConfigMap> {
        self.connector_admin_with_id(&format!("connector-adminclient-{client}"), connector)
    }
}
