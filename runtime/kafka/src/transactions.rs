//! Writing records in transactions.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::{self, TryStreamExt as _};
use tether_api::config::ConfigMap;

use crate::{
    Clients, DeliveryHandler, KafkaError, KafkaErrorKind, Producer, RecordMetadata, Result,
};

/// A producer with a `transactional.id`. Readers with
/// `isolation.level=read_committed` see its records once their transaction is
/// committed, all of them or none.
///
/// Of all producers with one id only the one that called
/// [`TransactionalProducer::init_transactions`] last can write; calls of the
/// others fail as `Fenced`, and what they had not committed is never seen.
///
/// Calls that end as `Retriable` go on in the background: the same call, made
/// again, waits for the same outcome. So does one whose future was dropped.
#[async_trait]
pub trait TransactionalProducer: Producer {
    /// Takes the transactional id over. What another producer had committed is
    /// complete afterwards, and what it had not is gone. Comes before
    /// everything else.
    ///
    /// # Errors
    /// Retriable after `timeout`; `Fenced`, `NotAuthorized`, `Fatal`.
    async fn init_transactions(&self, timeout: Duration) -> Result<()>;

    /// Begins a transaction. Records can be sent within one only.
    ///
    /// # Errors
    /// `Fenced`, `Fatal`.
    fn begin_transaction(&self) -> Result<()>;

    /// Waits until all records of the transaction are written, and commits it.
    ///
    /// # Errors
    /// Retriable after `timeout`, and then nobody knows yet whether it is
    /// committed; `Abortable` and all others, if it is not and will not be, or
    /// if another producer was told about the outcome.
    async fn commit_transaction(&self, timeout: Duration) -> Result<()>;

    /// Aborts the transaction; records that wait to be written never are.
    ///
    /// # Errors
    /// Retriable after `timeout`; `Fenced`, `Fatal`.
    async fn abort_transaction(&self, timeout: Duration) -> Result<()>;
}

/// How many producers are fenced at the same time. Each takes a client of its
/// own for a moment.
const FENCED_AT_ONCE: usize = 8;

/// Makes sure that present producers with these transactional ids write nothing
/// any more (`Admin.fenceProducers`): each id is taken over by a producer that
/// goes at once. `properties` say how to connect.
///
/// # Errors
/// The first one of [`TransactionalProducer::init_transactions`]. Other ids may
/// or may not be fenced then.
pub async fn fence_producers(
    clients: &dyn Clients,
    properties: &ConfigMap,
    transactional_ids: Vec<String>,
    timeout: Duration,
) -> Result<()> {
    stream::iter(transactional_ids.into_iter().map(Ok))
        .try_for_each_concurrent(FENCED_AT_ONCE, |id| async move {
            let mut properties = properties.clone();
            properties.insert("transactional.id".to_owned(), id.clone());
            properties.insert("enable.idempotence".to_owned(), "true".to_owned());
            properties.insert("acks".to_owned(), "all".to_owned());
            let producer = clients.transactional_producer(&properties, Arc::new(Unheard))?;
            producer.init_transactions(timeout).await.map_err(|error| {
                KafkaError::new(
                    error.kind,
                    format!("Cannot fence the producer {id}: {error}"),
                )
            })
        })
        .await
}

/// For producers that send nothing.
struct Unheard;

impl DeliveryHandler for Unheard {
    fn delivered(&self, _token: usize, _outcome: Result<RecordMetadata>) {}
}

/// The error of a producer that has to have an id.
pub(crate) fn no_transactional_id() -> KafkaError {
    KafkaError::new(
        KafkaErrorKind::Invalid,
        "Transactional method invoked on a non-transactional producer: set transactional.id.",
    )
}
