//! A look at what a connector has put aside.

use tether_api::{ConnectError, Result};

use crate::client_properties::{ClientProperties, OverridePolicy};
use crate::dead_letters::{self, DeadLetters};
use crate::source_dead_letters;

use super::ReconcilingHerder;

/// The `client.id` of the clients.
const CLIENT_ID: &str = "dead-letters";

/// The newest letters of a connector.
pub(super) async fn newest(
    herder: &ReconcilingHerder,
    connector: &str,
    most: usize,
) -> Result<DeadLetters> {
    let context = &herder.shared.context;
    let config = herder.resolved(&herder.found(connector)?.config)?;
    let topic = ["errors.deadletterqueue.", source_dead_letters::PREFIX]
        .iter()
        .filter_map(|prefix| config.get(&format!("{prefix}topic.name")))
        .map(|topic| topic.trim())
        .find(|topic| !topic.is_empty());
    let topic = topic.ok_or_else(|| {
        ConnectError::not_found(format!(
            "Connector {connector} has no dead letter topic; errors.deadletterqueue.topic.name names one"
        ))
    })?;
    let policy = OverridePolicy::from_worker(&context.config.properties)?;
    let properties = ClientProperties {
        worker: &context.config,
        kafka_cluster_id: &context.kafka_cluster_id,
        policy: &policy,
    };
    dead_letters::newest(
        context.clients.as_ref(),
        &properties.command_admin(CLIENT_ID),
        &properties.command_consumer(CLIENT_ID),
        topic,
        most,
    )
    .await
}
