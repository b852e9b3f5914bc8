//! A producer whose records wait in memory for the commit of their transaction.
//!
//! Readers here have `isolation.level=read_committed`: a record gets into its
//! topic, and its offset, with the commit.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::producer::FakeProducer;
use super::{FakeKafka, Operation, State};
use crate::{
    ConsumedRecord, DeliveryHandler, KafkaError, KafkaErrorKind, OutgoingRecord, Producer, Result,
    TransactionalProducer,
};

/// Where a producer is with its transactions.
pub(super) struct Transaction {
    kafka: FakeKafka,
    id: String,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Which of the id's producers it is; `None` before the start.
    epoch: Option<u64>,
    open: bool,
    /// Why it can only be aborted.
    spoilt: Option<KafkaError>,
    staged: Vec<(String, i32, ConsumedRecord)>,
}

impl Inner {
    /// Empties it; the producer stays who it is.
    fn end(&mut self) -> Vec<(String, i32, ConsumedRecord)> {
        self.open = false;
        self.spoilt = None;
        std::mem::take(&mut self.staged)
    }
}

impl Transaction {
    fn new(kafka: FakeKafka, id: &str) -> Self {
        Self {
            kafka,
            id: id.to_owned(),
            inner: Mutex::default(),
        }
    }

    /// Keeps a record for the commit.
    pub(super) fn stage(&self, topic: &str, partition: i32, record: ConsumedRecord) -> Result<()> {
        self.kafka.read(|state| self.check_epoch(state))?;
        self.inner()
            .staged
            .push((topic.to_owned(), partition, record));
        Ok(())
    }

    /// Leaves an abort as the only way on.
    pub(super) fn spoil(&self, error: &KafkaError) {
        self.inner().spoilt.get_or_insert_with(|| error.clone());
    }

    /// Whether records can be sent.
    pub(super) fn check_open(&self) -> Result<()> {
        self.kafka.read(|state| self.check_epoch(state))?;
        let inner = self.inner();
        if inner.open && inner.spoilt.is_none() {
            return Ok(());
        }
        Err(KafkaError::new(
            KafkaErrorKind::Abortable,
            "no transaction is open, or it has failed",
        ))
    }

    fn check_epoch(&self, state: &State) -> Result<()> {
        let current = state.epochs.get(&self.id).copied();
        if current.is_some() && current == self.inner().epoch {
            return Ok(());
        }
        Err(KafkaError::new(
            KafkaErrorKind::Fenced,
            format!(
                "There is a newer producer with the same transactionalId {}",
                self.id
            ),
        ))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // No code that can panic runs while the lock is held.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes in transactions.
pub(super) struct FakeTransactionalProducer {
    producer: FakeProducer,
    transaction: Arc<Transaction>,
}

impl FakeTransactionalProducer {
    pub(super) fn new(kafka: FakeKafka, id: &str, deliveries: Arc<dyn DeliveryHandler>) -> Self {
        let transaction = Arc::new(Transaction::new(kafka.clone(), id));
        Self {
            producer: FakeProducer::new(kafka, deliveries, Some(Arc::clone(&transaction))),
            transaction,
        }
    }
}

#[async_trait]
impl Producer for FakeTransactionalProducer {
    fn send(&self, record: &OutgoingRecord<'_>, token: usize) -> Result<()> {
        self.producer.send(record, token)
    }

    async fn flush(&self, timeout: Duration) -> Result<()> {
        self.producer.flush(timeout).await
    }

    fn purge(&self) {
        self.producer.purge();
    }
}

#[async_trait]
impl TransactionalProducer for FakeTransactionalProducer {
    async fn init_transactions(&self, _timeout: Duration) -> Result<()> {
        let Transaction { kafka, id, .. } = &*self.transaction;
        kafka
            .perform(Operation::InitTransactions, |state| {
                let epoch = state.epochs.entry(id.clone()).or_default();
                *epoch += 1;
                self.transaction.inner().epoch = Some(*epoch);
                Ok(())
            })
            .await
    }

    fn begin_transaction(&self) -> Result<()> {
        let kafka = &self.transaction.kafka;
        kafka.perform_now(Operation::BeginTransaction, |state| {
            self.transaction.check_epoch(state)?;
            self.transaction.inner().open = true;
            Ok(())
        })
    }

    async fn commit_transaction(&self, timeout: Duration) -> Result<()> {
        self.producer.drained(timeout).await?;
        let kafka = &self.transaction.kafka;
        kafka
            .perform(Operation::CommitTransaction, |state| {
                self.transaction.check_epoch(state)?;
                let mut inner = self.transaction.inner();
                if let Some(error) = &inner.spoilt {
                    return Err(KafkaError::new(
                        KafkaErrorKind::Abortable,
                        error.message.clone(),
                    ));
                }
                for (topic, partition, record) in inner.end() {
                    state
                        .topic_or_create(&topic, partition + 1, Default::default())
                        .append(partition, record);
                }
                state.metadata_changed();
                Ok(())
            })
            .await
    }

    async fn abort_transaction(&self, _timeout: Duration) -> Result<()> {
        self.producer.purge();
        let kafka = &self.transaction.kafka;
        kafka
            .perform(Operation::AbortTransaction, |state| {
                self.transaction.check_epoch(state)?;
                self.transaction.inner().end();
                Ok(())
            })
            .await
    }
}
