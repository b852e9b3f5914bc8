//! Making clients from Java-style properties.

use std::sync::Arc;

use tether_api::config::ConfigMap;

use crate::{Admin, Consumer, DeliveryHandler, Producer, Result, TransactionalProducer};

/// Makes Kafka clients. The properties are those of the Java clients, prefixes
/// removed and layers merged (spec section 2.3); the implementation translates
/// them and warns about those that it has no counterpart for.
pub trait Clients: Send + Sync {
    /// A producer that reports to this handler.
    ///
    /// # Errors
    /// Invalid, if a property is wrong; the message names it.
    fn producer(
        &self,
        properties: &ConfigMap,
        deliveries: Arc<dyn DeliveryHandler>,
    ) -> Result<Arc<dyn Producer>>;

    /// A producer with `transactional.id` that reports to this handler.
    ///
    /// # Errors
    /// Invalid, if there is no such id or a property is wrong; the message names
    /// it.
    fn transactional_producer(
        &self,
        properties: &ConfigMap,
        deliveries: Arc<dyn DeliveryHandler>,
    ) -> Result<Arc<dyn TransactionalProducer>>;

    /// A consumer; with `group.id` if it is to join a group.
    ///
    /// # Errors
    /// Invalid, if a property is wrong; the message names it.
    fn consumer(&self, properties: &ConfigMap) -> Result<Arc<dyn Consumer>>;

    /// An admin client.
    ///
    /// # Errors
    /// Invalid, if a property is wrong; the message names it.
    fn admin(&self, properties: &ConfigMap) -> Result<Arc<dyn Admin>>;
}
