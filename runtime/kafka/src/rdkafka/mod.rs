//! Clients on librdkafka. Only this folder knows it.
//!
//! librdkafka does the work on threads of its own, a few per client. What it
//! has to say comes as events: an admin client has a thread that takes them
//! ([`events::EventThread`]), a consumer takes them where it is polled. Records do
//! not go through it: see [`crate::fetch`] and [`crate::produce`].

mod admin;
mod consumer;
mod error;
mod events;
mod partitions;

use std::sync::Arc;

use ::rdkafka::ClientConfig;
use ::rdkafka::config::RDKafkaLogLevel;
use tether_api::config::ConfigMap;

use crate::broker::NetworkBrokers;
use crate::produce::NetworkProducer;
use crate::properties::{ClientKind, Translation, fetch_settings, produce_settings, translate};
use crate::tokens::TokenProviders;
use crate::transactions::no_transactional_id;
use crate::{Admin, Clients, Consumer, DeliveryHandler, Producer, Result, TransactionalProducer};

use admin::RdAdmin;
use consumer::RdConsumer;
use events::LogTarget;

/// Makes clients that talk to Kafka.
#[derive(Default)]
pub struct RdKafkaClients {
    tokens: TokenProviders,
}

impl RdKafkaClients {
    /// No clients yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn translate(&self, kind: ClientKind, properties: &ConfigMap) -> Result<Translation> {
        let translation = translate(kind, properties)?;
        let target = LogTarget::of(kind);
        for warning in &translation.warnings {
            target.warn(warning);
        }
        if !translation.unknown.is_empty() {
            target.info(&format!(
                "These configurations '[{}]' were supplied but are not used yet.",
                translation.unknown.join(", ")
            ));
        }
        Ok(translation)
    }

    fn new_producer(
        &self,
        properties: &ConfigMap,
        deliveries: Arc<dyn DeliveryHandler>,
    ) -> Result<NetworkProducer> {
        self.translate(ClientKind::Producer, properties)?;
        let brokers = NetworkBrokers::of(ClientKind::Producer, properties, &self.tokens)?;
        let settings = produce_settings(properties)?;
        Ok(NetworkProducer::new(
            Arc::new(brokers),
            settings,
            deliveries,
        ))
    }
}

/// librdkafka's configuration. It must not be shown: it has secrets, and its
/// `Debug` does not hide them all.
fn native_config(translation: &Translation) -> ClientConfig {
    let mut config = ClientConfig::new();
    for (name, value) in &translation.properties {
        config.set(*name, value);
    }
    config.set_log_level(RDKafkaLogLevel::Info);
    config
}

impl Clients for RdKafkaClients {
    fn producer(
        &self,
        properties: &ConfigMap,
        deliveries: Arc<dyn DeliveryHandler>,
    ) -> Result<Arc<dyn Producer>> {
        Ok(Arc::new(self.new_producer(properties, deliveries)?))
    }

    fn transactional_producer(
        &self,
        properties: &ConfigMap,
        deliveries: Arc<dyn DeliveryHandler>,
    ) -> Result<Arc<dyn TransactionalProducer>> {
        if !properties.contains_key("transactional.id") {
            return Err(no_transactional_id());
        }
        Ok(Arc::new(self.new_producer(properties, deliveries)?))
    }

    fn consumer(&self, properties: &ConfigMap) -> Result<Arc<dyn Consumer>> {
        let translation = self.translate(ClientKind::Consumer, properties)?;
        let tokens = self.tokens.provider(translation.token_source.as_ref())?;
        let brokers = NetworkBrokers::of(ClientKind::Consumer, properties, &self.tokens)?;
        let fetches = (Arc::new(brokers) as _, fetch_settings(properties)?);
        let native = native_config(&translation);
        let consumer = RdConsumer::new(&native, tokens, &translation, fetches)?;
        Ok(Arc::new(consumer))
    }

    fn admin(&self, properties: &ConfigMap) -> Result<Arc<dyn Admin>> {
        let translation = self.translate(ClientKind::Admin, properties)?;
        let tokens = self.tokens.provider(translation.token_source.as_ref())?;
        Ok(Arc::new(RdAdmin::new(
            &native_config(&translation),
            tokens,
        )?))
    }
}

#[cfg(test)]
mod tests;
