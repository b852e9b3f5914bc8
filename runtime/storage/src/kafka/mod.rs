//! Stores on Kafka's compacted topics, byte-compatible with the JVM worker's.

mod acknowledgements;
mod config;
mod leader;
mod log;
mod offset;
mod status;
mod tail;
mod topic;

use std::collections::BTreeMap;

use tether_api::config::ConfigMap;

pub use config::KafkaConfigStore;
pub use offset::{ConnectorClients, KafkaOffsetStore};
pub use status::KafkaStatusStore;

/// What a store on Kafka is told about its topic and its clients.
#[derive(Clone)]
pub struct InternalTopic {
    /// The topic: `config.storage.topic` and the like.
    pub name: String,
    /// How many partitions it is made with, -1 for the broker's default:
    /// `offset.storage.partitions` and the like. The config topic has one.
    pub partitions: i32,
    /// How many replicas it is made with, -1 for the broker's default.
    pub replication_factor: i16,
    /// More settings that it is made with: `offset.storage.*` without what is
    /// above. `cleanup.policy` among them is ignored.
    pub settings: BTreeMap<String, String>,
    /// The properties of producer and consumer: the worker's top-level ones,
    /// neither `producer.` nor `consumer.` ones (spec section 2.3). What a store
    /// needs is set on top.
    pub properties: ConfigMap,
    /// `<group.id>-[<client.id>-]configs` and the like.
    pub client_id: String,
    /// Whether records are read only once their transaction is committed, as it
    /// must be where sources are exactly-once.
    pub read_committed: bool,
}

impl InternalTopic {
    /// The properties of the producer, with one of the store's own (spec section
    /// 3.1).
    fn producer_properties(&self, (name, value): (&str, &str)) -> ConfigMap {
        let mut properties = self.client_properties();
        for (name, value) in [
            ("acks", "all"),
            ("max.in.flight.requests.per.connection", "1"),
            ("enable.idempotence", "false"),
            (name, value),
        ] {
            properties.insert(name.to_owned(), value.to_owned());
        }
        properties
    }

    /// The properties of the consumer (spec section 3.1). It is assigned its
    /// partitions, so it needs no group; the worker's `group.id` is that of the
    /// workers among themselves.
    fn consumer_properties(&self) -> ConfigMap {
        let mut properties = self.client_properties();
        properties.shift_remove("group.id");
        for (name, value) in [
            ("auto.offset.reset", "earliest"),
            ("enable.auto.commit", "false"),
        ] {
            properties.insert(name.to_owned(), value.to_owned());
        }
        if self.read_committed {
            properties.insert("isolation.level".to_owned(), "read_committed".to_owned());
        }
        properties
    }

    fn client_properties(&self) -> ConfigMap {
        let mut properties = self.properties.clone();
        properties.insert("client.id".to_owned(), self.client_id.clone());
        properties
    }
}

#[cfg(test)]
mod tests;
