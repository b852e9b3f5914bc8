//! Our stores on a broker, for tests that are plain blocking code elsewhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;
use tether_api::config::ConfigMap;
use tether_kafka::{Admin, Clients, RdKafkaClients};
use tether_storage::{InternalTopic, KafkaConfigStore, KafkaOffsetStore, KafkaStatusStore};

/// Makes stores on a broker, on topics whose names begin alike.
pub(super) struct Stores {
    prefix: String,
    properties: ConfigMap,
    clients: Arc<RdKafkaClients>,
    admin: Arc<dyn Admin>,
}

impl Stores {
    /// Stores on the topics `<prefix>-configs`, `-offsets` and `-status`.
    pub(super) fn new(bootstrap: &str, prefix: &str) -> Result<Self> {
        let properties: ConfigMap = [
            ("bootstrap.servers", bootstrap),
            ("group.id", prefix),
            ("reconnect.backoff.max.ms", "500"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let clients = Arc::new(RdKafkaClients::new());
        let admin = clients.admin(&properties)?;
        Ok(Self {
            prefix: prefix.to_owned(),
            properties,
            clients,
            admin,
        })
    }

    /// The name of a topic of these stores.
    pub(super) fn topic(&self, kind: &str) -> String {
        format!("{}-{kind}", self.prefix)
    }

    fn internal(&self, kind: &str, partitions: i32) -> InternalTopic {
        InternalTopic {
            name: self.topic(kind),
            partitions,
            replication_factor: 1,
            settings: BTreeMap::new(),
            properties: self.properties.clone(),
            client_id: self.topic(kind),
            read_committed: false,
        }
    }

    pub(super) fn configs(&self) -> Arc<KafkaConfigStore> {
        let topic = self.internal("configs", 1);
        Arc::new(KafkaConfigStore::new(
            self.clients.clone(),
            self.admin.clone(),
            topic,
        ))
    }

    pub(super) fn offsets(&self) -> Arc<KafkaOffsetStore> {
        let topic = self.internal("offsets", 3);
        Arc::new(KafkaOffsetStore::new(
            self.clients.clone(),
            self.admin.clone(),
            topic,
        ))
    }

    pub(super) fn statuses(&self) -> Arc<KafkaStatusStore> {
        let topic = self.internal("status", 2);
        Arc::new(KafkaStatusStore::new(
            self.clients.clone(),
            self.admin.clone(),
            topic,
        ))
    }

    /// Properties that let a Java worker use the same topics.
    pub(super) fn worker_properties(&self) -> [(&'static str, String); 5] {
        [
            ("group.id", self.prefix.clone()),
            ("config.storage.topic", self.topic("configs")),
            ("offset.storage.topic", self.topic("offsets")),
            ("status.storage.topic", self.topic("status")),
            ("offset.flush.interval.ms", "500".to_owned()),
        ]
    }
}

/// A configuration of these entries.
pub(super) fn config<const N: usize>(entries: [(&str, &str); N]) -> ConfigMap {
    entries
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}
