//! Where the offsets of a source connector are: in the worker's store, or in a
//! topic of the connector's own (`Worker.offsetStoreFor…`).

mod transactional;

use std::collections::BTreeSet;
use std::sync::Arc;

use tether_api::config::ConfigMap;
use tether_api::{ConnectError, Result};
use tether_kafka::Clients;
use tether_storage::{
    ConnectorClients, ConnectorOffsetStore, InternalTopic, KafkaOffsetStore, OffsetStore, TaskId,
};

use crate::client_properties::ClientProperties;
use crate::config::{Mode, StorageTopic};

use transactional::TransactionalOffsets;

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
    Own(Arc<dyn OffsetStore>),
}

/// The offsets of an exactly-once connector, which are written with the records of
/// a task.
#[derive(Clone)]
pub(crate) struct ExactlyOnceOffsets {
    /// Reads them; deletes and makes copies for the worker's store.
    pub(crate) store: Arc<ConnectorOffsetStore>,
    /// Where they are written.
    pub(crate) topic: Arc<str>,
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
        let producer = self.properties.offsets_producer(name, connector)?;
        self.of(Names::connector(name), connector, &producer, Access::Read)
    }

    /// The offsets of a connector, for changes while it is stopped.
    ///
    /// # Errors
    /// As above.
    pub(crate) fn change(&self, name: &str, connector: &ConfigMap) -> Result<SourceOffsetStore> {
        if self.properties.worker.exactly_once_sources() {
            let first = TaskId::new(name, 0);
            let producer = self.properties.exactly_once_producer(&first, connector)?;
            let names = Names::connector(name);
            return Ok(SourceOffsetStore::Own(Arc::new(TransactionalOffsets {
                offsets: self.exactly_once(names, connector, &producer)?,
                clients: self.clients.clone(),
                producer,
            })));
        }
        let producer = self.properties.offsets_producer(name, connector)?;
        self.of(Names::connector(name), connector, &producer, Access::Write)
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
        self.of(Names::task(id), connector, producer, Access::Write)
    }

    /// The offsets of an exactly-once task whose producer has these properties.
    ///
    /// # Errors
    /// As above; also on a standalone worker, which has no such tasks.
    pub(crate) fn exactly_once_task(
        &self,
        id: &TaskId,
        connector: &ConfigMap,
        producer: &ConfigMap,
    ) -> Result<ExactlyOnceOffsets> {
        self.exactly_once(Names::task(id), connector, producer)
    }

    fn of(
        &self,
        names: Names<'_>,
        connector: &ConfigMap,
        producer: &ConfigMap,
        access: Access,
    ) -> Result<SourceOffsetStore> {
        let own = connector.get("offsets.storage.topic");
        let worker = &self.properties.worker;
        match &worker.mode {
            // Its producers are not the worker's, so neither are its offsets.
            Mode::Distributed(_) if worker.exactly_once_sources() => {
                let offsets = self.exactly_once(names, connector, producer)?;
                Ok(SourceOffsetStore::Own(offsets.store))
            }
            Mode::Distributed(worker) if let Some(topic) = own => {
                let topic = (topic.trim(), &worker.offset_topic);
                let store = self.own_store(topic, names, connector, producer, access)?;
                Ok(SourceOffsetStore::Own(Arc::new(store)))
            }
            _ => Ok(SourceOffsetStore::Worker(self.worker_store.clone())),
        }
    }

    fn exactly_once(
        &self,
        names: Names<'_>,
        connector: &ConfigMap,
        producer: &ConfigMap,
    ) -> Result<ExactlyOnceOffsets> {
        let Mode::Distributed(worker) = &self.properties.worker.mode else {
            return Err(ConnectError::illegal_state(
                "A standalone worker has no exactly-once sources",
            ));
        };
        let worker = &worker.offset_topic;
        let topic = connector
            .get("offsets.storage.topic")
            .map_or(&*worker.name, |topic| topic.trim());
        let store = self.own_store((topic, worker), names, connector, producer, Access::Read)?;
        Ok(ExactlyOnceOffsets {
            store: Arc::new(store),
            topic: topic.into(),
        })
    }

    /// A store on a topic with a connector's clients. The worker's store stands
    /// behind it, unless it is on the same topic.
    fn own_store(
        &self,
        (topic, worker): (&str, &StorageTopic),
        names: Names<'_>,
        connector: &ConfigMap,
        producer: &ConfigMap,
        access: Access,
    ) -> Result<ConnectorOffsetStore> {
        let properties = &self.properties;
        let Names {
            client,
            connector: name,
        } = names;
        let admin = properties.offsets_admin(&client, connector)?;
        let store = KafkaOffsetStore::of_connector(
            self.clients.clone(),
            self.clients.admin(&admin)?,
            InternalTopic {
                name: topic.to_owned(),
                partitions: worker.partitions,
                replication_factor: worker.replication_factor,
                settings: worker.settings.clone().into_iter().collect(),
                client_id: client.clone(),
                properties: admin,
                read_committed: true,
            },
            ConnectorClients {
                connector: name.to_owned(),
                producer: (access == Access::Write).then(|| producer.clone()),
                consumer: properties.offsets_consumer(&client, name, connector)?,
            },
        );
        let same =
            topic == worker.name && servers(producer) == servers(&properties.worker.properties);
        let behind = (!same).then(|| self.worker_store.clone());
        Ok(ConnectorOffsetStore::new(Arc::new(store), behind))
    }
}

/// Whose clients a store has.
struct Names<'a> {
    /// The connector or the task, as it stands in client ids.
    client: String,
    connector: &'a str,
}

impl<'a> Names<'a> {
    fn connector(name: &'a str) -> Self {
        Self {
            client: name.to_owned(),
            connector: name,
        }
    }

    fn task(id: &'a TaskId) -> Self {
        Self {
            client: id.to_string(),
            connector: &id.connector,
        }
    }
}

/// What a store does with its topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    /// It reads; what is written goes another way.
    Read,
    Write,
}

/// The servers of a client, in whatever order they stand there.
fn servers(properties: &ConfigMap) -> BTreeSet<&str> {
    properties
        .get("bootstrap.servers")
        .map_or("", String::as_str)
        .split(',')
        .map(str::trim)
        .collect()
}
