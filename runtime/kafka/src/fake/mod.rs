//! An in-memory Kafka for tests of what is written against the traits.
//!
//! [`FakeKafka`] is the cluster and a [`Clients`] at once. It keeps topics,
//! groups and committed offsets, and plays faults that a real broker cannot
//! produce on demand: see [`Fault`] and [`Operation`]. Everything happens in
//! the tokio runtime of the test and waits by notification, so paused time
//! works.

mod admin;
mod consumer;
mod faults;
mod group;
mod log;
mod producer;
mod transactions;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tether_api::config::ConfigMap;
use tether_api::offset::TopicPartition;
use tokio::sync::watch;

use crate::{
    Admin, Clients, ConsumedRecord, Consumer, DeliveryHandler, KafkaError, KafkaErrorKind,
    NewTopic, Producer, Result, TransactionalProducer,
};

pub use faults::{Fault, Operation};

use crate::transactions::no_transactional_id;
use consumer::FakeConsumer;
use faults::Faults;
use group::Group;
use log::Topic;
use producer::FakeProducer;
use transactions::FakeTransactionalProducer;

/// How long [`FakeKafka::until`] waits; far more than any test takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A cluster in memory. Clones share it.
#[derive(Clone)]
pub struct FakeKafka {
    state: Arc<Mutex<State>>,
    changed: watch::Sender<()>,
    faults: Faults,
}

/// What the cluster knows.
struct State {
    topics: BTreeMap<Arc<str>, Topic>,
    groups: BTreeMap<String, Group>,
    clients: Vec<ConfigMap>,
    auto_create: Option<i32>,
    queue_limit: usize,
    calls: HashMap<Operation, usize>,
    next_member: u64,
    /// How often each transactional id was taken.
    epochs: HashMap<String, u64>,
}

impl Default for FakeKafka {
    fn default() -> Self {
        Self::new()
    }
}

impl FakeKafka {
    /// An empty cluster that creates missing topics with one partition and
    /// takes 10000 records per producer before its queue is full.
    pub fn new() -> Self {
        Self {
            state: Arc::new(Mutex::new(State {
                topics: BTreeMap::new(),
                groups: BTreeMap::new(),
                clients: Vec::new(),
                auto_create: Some(1),
                queue_limit: 10_000,
                calls: HashMap::new(),
                next_member: 0,
                epochs: HashMap::new(),
            })),
            changed: watch::Sender::new(()),
            faults: Faults::default(),
        }
    }

    /// Creates a topic, or does nothing if it exists.
    pub fn add_topic(&self, name: &str, partitions: i32) {
        self.update(|state| {
            state.topic_or_create(name, partitions, BTreeMap::new());
            state.metadata_changed();
        });
    }

    /// Sets the partitions of topics that are created by a first record;
    /// `None` refuses such records.
    pub fn auto_create_topics(&self, partitions: Option<i32>) {
        self.update(|state| state.auto_create = partitions);
    }

    /// Sets how many records may wait in one producer's queue.
    pub fn limit_queue(&self, records: usize) {
        self.update(|state| state.queue_limit = records);
    }

    /// Appends a record; the topic is created if it is missing. Topic,
    /// partition and offset of the record are set. Returns the offset.
    pub fn append(&self, topic: &str, partition: i32, record: ConsumedRecord) -> i64 {
        self.update(|state| {
            let topic = state.topic_or_create(topic, partition + 1, BTreeMap::new());
            let offset = topic.append(partition, record);
            state.metadata_changed();
            offset
        })
    }

    /// Appends a record of key and value. Returns the offset.
    pub fn append_text(&self, topic: &str, partition: i32, key: &str, value: &str) -> i64 {
        self.append(topic, partition, log::text_record(key, value))
    }

    /// Deletes the records of a partition before this offset, as retention
    /// does.
    pub fn truncate_before(&self, topic: &str, partition: i32, offset: i64) {
        self.update(|state| {
            if let Some(topic) = state.topics.get_mut(topic) {
                topic.truncate_before(partition, offset);
            }
        });
    }

    /// The records of a topic: partition by partition, in order.
    pub fn records(&self, topic: &str) -> Vec<ConsumedRecord> {
        self.read(|state| state.topics.get(topic).map(Topic::records))
            .unwrap_or_default()
    }

    /// The topic as it was created.
    pub fn topic(&self, name: &str) -> Option<NewTopic> {
        self.read(|state| state.topics.get(name).map(Topic::description))
    }

    /// The committed offsets of a group.
    pub fn committed(&self, group: &str) -> BTreeMap<TopicPartition, i64> {
        self.read(|state| state.groups.get(group).map(|group| group.offsets.clone()))
            .unwrap_or_default()
    }

    /// Sets a committed offset of a group.
    pub fn set_committed(&self, group: &str, partition: TopicPartition, offset: i64) {
        self.update(|state| state.group(group).offsets.insert(partition, offset));
    }

    /// The number of members of a group.
    pub fn members(&self, group: &str) -> usize {
        self.read(|state| state.groups.get(group).map_or(0, Group::size))
    }

    /// The properties of every client that was made, in order.
    pub fn clients(&self) -> Vec<ConfigMap> {
        self.read(|state| state.clients.clone())
    }

    /// How often an operation was called, faults included.
    pub fn calls(&self, operation: Operation) -> usize {
        self.read(|state| state.calls.get(&operation).copied().unwrap_or(0))
    }

    /// How often a transactional id was taken.
    pub fn epoch(&self, transactional_id: &str) -> u64 {
        self.read(|state| state.epochs.get(transactional_id).copied().unwrap_or(0))
    }

    /// Makes all members of a group give up everything and shares it out anew.
    pub fn rebalance(&self, group: &str) {
        self.update(|state| state.rebalance(group));
    }

    /// Announces to their owners that these partitions are to be given up.
    /// Nobody gets them before [`FakeKafka::assign`] or a rebalance.
    pub fn revoke(&self, group: &str, partitions: &[TopicPartition]) {
        self.update(|state| state.group(group).revoke(partitions));
    }

    /// Takes these partitions away from their owners, which learn it at the
    /// next poll and cannot commit them any more.
    pub fn lose(&self, group: &str, partitions: &[TopicPartition]) {
        self.update(|state| state.group(group).lose(partitions));
    }

    /// Gives these partitions to the oldest member of a group.
    pub fn assign(&self, group: &str, partitions: &[TopicPartition]) {
        self.update(|state| state.group(group).assign_to_oldest(partitions));
    }

    /// Lets the next calls of an operation meet these faults, one each.
    pub fn script(&self, operation: Operation, faults: impl IntoIterator<Item = Fault>) {
        self.faults.script(operation, faults);
    }

    /// Lets every call of an operation that has no scripted fault left meet
    /// this one.
    pub fn always(&self, operation: Operation, fault: Fault) {
        self.faults.always(operation, fault);
    }

    /// Removes the faults of an operation. What is held stays held.
    pub fn clear(&self, operation: Operation) {
        self.faults.clear(operation);
    }

    /// The number of calls (or of acknowledgements, for [`Operation::Send`])
    /// that are held.
    pub fn held(&self, operation: Operation) -> usize {
        self.faults.held(operation)
    }

    /// Lets everything go that is held, in order.
    pub fn release(&self, operation: Operation) {
        self.faults.release(operation, usize::MAX, &Ok(()));
        self.notify();
    }

    /// Lets the oldest one go that is held.
    pub fn release_one(&self, operation: Operation) {
        self.faults.release(operation, 1, &Ok(()));
        self.notify();
    }

    /// Lets everything that is held fail. Its effect took place already.
    pub fn fail_held(&self, operation: Operation, error: KafkaError) {
        self.faults.release(operation, usize::MAX, &Err(error));
        self.notify();
    }

    /// Waits until a condition on the cluster holds.
    ///
    /// # Errors
    /// Retriable, if it does not within 30 seconds.
    pub async fn until(&self, condition: impl Fn(&Self) -> bool) -> Result<()> {
        let mut changed = self.changed.subscribe();
        let wait = async {
            while !condition(self) {
                if changed.changed().await.is_err() {
                    return;
                }
            }
        };
        tokio::time::timeout(PATIENCE, wait)
            .await
            .map_err(|_| timed_out("the condition did not become true"))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs while the lock is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.lock())
    }

    fn update<T>(&self, update: impl FnOnce(&mut State) -> T) -> T {
        let result = update(&mut self.lock());
        self.notify();
        result
    }

    fn notify(&self) {
        self.changed.send_replace(());
    }

    fn count(&self, operation: Operation) {
        self.update(|state| *state.calls.entry(operation).or_default() += 1);
    }

    /// Runs an operation under the next fault of its script.
    async fn perform<T>(
        &self,
        operation: Operation,
        effect: impl FnOnce(&mut State) -> Result<T>,
    ) -> Result<T> {
        self.count(operation);
        match self.faults.next(operation) {
            Fault::Pass => self.update(effect),
            Fault::Reject(error) | Fault::Lose(error) => Err(error),
            Fault::FailAfter(error) => self.update(effect).and(Err(error)),
            Fault::Slow(delay) => {
                tokio::time::sleep(delay).await;
                self.update(effect)
            }
            Fault::Hold => {
                let result = self.update(effect);
                let released = self.faults.hold(operation);
                self.notify();
                released.await?;
                result
            }
        }
    }

    /// Like [`Self::perform`] for a call that cannot wait.
    fn perform_now<T>(
        &self,
        operation: Operation,
        effect: impl FnOnce(&mut State) -> Result<T>,
    ) -> Result<T> {
        self.count(operation);
        match self.faults.next(operation) {
            Fault::Reject(error) | Fault::Lose(error) => Err(error),
            Fault::FailAfter(error) => self.update(effect).and(Err(error)),
            Fault::Pass | Fault::Slow(_) | Fault::Hold => self.update(effect),
        }
    }
}

impl State {
    fn topic_or_create(
        &mut self,
        name: &str,
        partitions: i32,
        config: BTreeMap<String, String>,
    ) -> &mut Topic {
        self.topics
            .entry(Arc::from(name))
            .or_insert_with_key(|name| Topic::new(name.clone(), partitions, config))
    }

    fn group(&mut self, name: &str) -> &mut Group {
        self.groups.entry(name.to_owned()).or_default()
    }

    fn rebalance(&mut self, group: &str) {
        if let Some(group) = self.groups.get_mut(group) {
            group.rebalance(&self.topics);
        }
    }

    /// Lets groups see new topics.
    fn metadata_changed(&mut self) {
        for group in self.groups.values_mut() {
            group.metadata_changed(&self.topics);
        }
    }
}

impl Clients for FakeKafka {
    /// Has to be called within a tokio runtime.
    fn producer(
        &self,
        properties: &ConfigMap,
        deliveries: Arc<dyn DeliveryHandler>,
    ) -> Result<Arc<dyn Producer>> {
        self.perform_now(Operation::CreateProducer, |state| {
            state.clients.push(properties.clone());
            Ok(())
        })?;
        Ok(Arc::new(FakeProducer::new(self.clone(), deliveries, None)))
    }

    /// As above.
    fn transactional_producer(
        &self,
        properties: &ConfigMap,
        deliveries: Arc<dyn DeliveryHandler>,
    ) -> Result<Arc<dyn TransactionalProducer>> {
        let id = properties
            .get("transactional.id")
            .ok_or_else(no_transactional_id)?;
        self.perform_now(Operation::CreateProducer, |state| {
            state.clients.push(properties.clone());
            Ok(())
        })?;
        let producer = FakeTransactionalProducer::new(self.clone(), id, deliveries);
        Ok(Arc::new(producer))
    }

    fn consumer(&self, properties: &ConfigMap) -> Result<Arc<dyn Consumer>> {
        let member = self.perform_now(Operation::CreateConsumer, |state| {
            state.clients.push(properties.clone());
            state.next_member += 1;
            Ok(state.next_member)
        })?;
        Ok(Arc::new(FakeConsumer::new(
            self.clone(),
            member,
            properties,
        )))
    }

    fn admin(&self, properties: &ConfigMap) -> Result<Arc<dyn Admin>> {
        self.perform_now(Operation::CreateAdmin, |state| {
            state.clients.push(properties.clone());
            Ok(())
        })?;
        Ok(Arc::new(self.clone()))
    }
}

/// The error of a call that ran out of time.
fn timed_out(what: &str) -> KafkaError {
    KafkaError::new(KafkaErrorKind::Retriable, format!("Timed out: {what}"))
}

#[cfg(test)]
mod tests;
