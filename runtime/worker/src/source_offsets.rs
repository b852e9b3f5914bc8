//! Where the offsets of a source connector are: in the worker's store, or in a
//! topic of the connector's own (`Worker.offsetStoreFor…`).

use std::collections::BTreeSet;
use std::sync::Arc;

use tether_api::Result;
use tether_api::config::ConfigMap;
use tether_kafka::Clients;
use tether_storage::{
    ConnectorClients, ConnectorOffsetStore, InternalTopic, KafkaOffsetStore, OffsetStore, TaskId,
};

use crate::client_properties::ClientProperties;
use crate::config::{Mode, StorageTopic};

/// Makes the offset stores of source connectors.
pub(crate) struct SourceOffsets<'a> {
    pub(crate) properties: ClientProperties<'a>,
    pub(crate) clients: &'a Arc<dyn Clients>,
    /// The worker's store; started.
    pub(crate) worker_store: &'a Arc<dyn OffsetStore>,
}

/// The offsets of one source connector.
#[derive(Clone)]
pub(crate) enum SourceOffsetStore {
    /// In the worker's store.
    Worker(Arc<dyn OffsetStore>),
    /// In a topic that clients of the connector read and write.
    Own(Arc<ConnectorOffsetStore>),
}

impl SourceOffsetStore {
    /// The store to read from and to write to.
    pub(crate) fn store(&self) -> Arc<dyn OffsetStore> {
        match self {
            Self::Worker(store) => store.clone(),
            Self::Own(store) => store.clone(),
        }
    }

    /// Reads a topic of the connector's own to its end.
    ///
    /// # Errors
    /// If it must not be used as it is, or cannot be read.
    pub(crate) async fn start(&self) -> Result<()> {
        match self {
            Self::Worker(_) => Ok(()),
            Self::Own(store) => store.start().await,
        }
    }

    /// Ends what was started.
    pub(crate) async fn stop(&self) {
        if let Self::Own(store) = self {
            store.stop().await;
        }
    }
}

impl SourceOffsets<'_> {
    /// The offsets of a connector, for reading.
    ///
    /// # Errors
    /// What is wrong with its client properties.
    pub(crate) fn read(&self, name: &str, connector: &ConfigMap) -> Result<SourceOffsetStore> {
        self.of(name, name, connector, None)
    }

    /// The offsets of a connector, for changes while it is stopped.
    ///
    /// # Errors
    /// As above.
    pub(crate) fn change(&self, name: &str, connector: &ConfigMap) -> Result<SourceOffsetStore> {
        let producer = self.properties.offsets_producer(name, connector)?;
        self.of(name, name, connector, Some(producer))
    }

    /// The offsets of a task whose producer has these properties.
    ///
    /// # Errors
    /// As above.
    pub(crate) fn task(
        &self,
        id: &TaskId,
        connector: &ConfigMap,
        producer: &ConfigMap,
    ) -> Result<SourceOffsetStore> {
        self.of(
            &id.to_string(),
            &id.connector,
            connector,
            Some(producer.clone()),
        )
    }

    fn of(
        &self,
        client: &str,
        name: &str,
        connector: &ConfigMap,
        producer: Option<ConfigMap>,
    ) -> Result<SourceOffsetStore> {
        let (Mode::Distributed(worker), Some(topic)) = (
            &self.properties.worker.mode,
            connector.get("offsets.storage.topic"),
        ) else {
            return Ok(SourceOffsetStore::Worker(self.worker_store.clone()));
        };
        let own = self.own_store(
            &worker.offset_topic,
            topic.trim(),
            (client, name),
            connector,
            producer,
        )?;
        Ok(SourceOffsetStore::Own(Arc::new(own)))
    }

    /// A store on a topic with a connector's clients. The worker's store stands
    /// behind it, unless it is on the same topic.
    fn own_store(
        &self,
        worker: &StorageTopic,
        topic: &str,
        (client, name): (&str, &str),
        connector: &ConfigMap,
        producer: Option<ConfigMap>,
    ) -> Result<ConnectorOffsetStore> {
        let properties = &self.properties;
        let brokers = match &producer {
            Some(producer) => producer.get("bootstrap.servers").cloned(),
            None => properties
                .offsets_producer(name, connector)?
                .shift_remove("bootstrap.servers"),
        };
        let admin = properties.offsets_admin(client, connector)?;
        let store = KafkaOffsetStore::of_connector(
            self.clients.clone(),
            self.clients.admin(&admin)?,
            InternalTopic {
                name: topic.to_owned(),
                partitions: worker.partitions,
                replication_factor: worker.replication_factor,
                settings: worker.settings.clone().into_iter().collect(),
                client_id: client.to_owned(),
                properties: admin,
                read_committed: true,
            },
            ConnectorClients {
                connector: name.to_owned(),
                producer,
                consumer: properties.offsets_consumer(client, name, connector)?,
            },
        );
        let same = topic == worker.name
            && servers(brokers.as_ref())
                == servers(properties.worker.properties.get("bootstrap.servers"));
        let behind = (!same).then(|| self.worker_store.clone());
        Ok(ConnectorOffsetStore::new(Arc::new(store), behind))
    }
}

/// The servers of `bootstrap.servers`, in whatever order they stand there.
fn servers(property: Option<&String>) -> BTreeSet<&str> {
    property
        .map_or("", String::as_str)
        .split(',')
        .map(str::trim)
        .collect()
}
