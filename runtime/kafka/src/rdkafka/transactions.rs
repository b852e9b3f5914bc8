//! Transactions of a producer.
//!
//! librdkafka's calls block, so they run on threads for that, in slices: a call
//! that nobody waits for any more lets go of its thread soon. A call whose time
//! is up goes on within librdkafka, and the next one of its kind takes it up
//! where it is.

use std::sync::Arc;
use std::time::Duration;

use ::rdkafka::error::{KafkaError as RdError, KafkaResult, RDKafkaErrorCode as Code};
use ::rdkafka::producer::{BaseProducer, Producer as _};
use async_trait::async_trait;
use tokio::time::{Instant, sleep};

use super::error::{failure, from_library, kind_of};
use super::producer::{DeliveryContext, RdProducer, fatal_failure};
use crate::{KafkaError, KafkaErrorKind, Producer as _, Result, TransactionalProducer};

/// How long one call holds a thread.
const SLICE: Duration = Duration::from_millis(500);

/// The pause after a call that could not be made now.
const BACKOFF: Duration = Duration::from_millis(50);

type Native = BaseProducer<DeliveryContext>;

impl RdProducer {
    /// Repeats a call until it has an outcome.
    async fn until_done(
        &self,
        doing: &str,
        timeout: Duration,
        call: fn(&Native, Duration) -> KafkaResult<()>,
    ) -> Result<()> {
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(refusal) = self.refusal() {
                return Err(refusal);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let producer = Arc::clone(&self.producer);
            let begun = Instant::now();
            let called = tokio::task::spawn_blocking(move || call(&producer, left.min(SLICE)));
            let error = match called.await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => transaction_failure(doing, &error, &self.producer),
                Err(_) => failure(doing, Code::Fail),
            };
            if error.kind != KafkaErrorKind::Retriable || Instant::now() >= deadline {
                return Err(error);
            }
            tracing::debug!(%error, "The transaction's call goes on");
            if begun.elapsed() < BACKOFF {
                sleep(BACKOFF).await;
            }
        }
    }
}

#[async_trait]
impl TransactionalProducer for RdProducer {
    async fn init_transactions(&self, timeout: Duration) -> Result<()> {
        let doing = "Failed to initialize transactions";
        self.until_done(doing, timeout, |producer, slice| {
            producer.init_transactions(slice)
        })
        .await
    }

    fn begin_transaction(&self) -> Result<()> {
        // It asks nobody but librdkafka itself.
        self.producer.begin_transaction().map_err(|error| {
            transaction_failure("Failed to begin a transaction", &error, &self.producer)
        })
    }

    async fn commit_transaction(&self, timeout: Duration) -> Result<()> {
        let deadline = Instant::now() + timeout;
        // The event thread takes the reports, so nothing has to block for them.
        self.flush(timeout).await?;
        let left = deadline.saturating_duration_since(Instant::now());
        let doing = "Failed to commit the transaction";
        self.until_done(doing, left, |producer, slice| {
            producer.commit_transaction(slice)
        })
        .await
    }

    async fn abort_transaction(&self, timeout: Duration) -> Result<()> {
        let doing = "Failed to abort the transaction";
        self.until_done(doing, timeout, |producer, slice| {
            producer.abort_transaction(slice)
        })
        .await
    }
}

/// What a failed call means.
fn transaction_failure(doing: &str, error: &RdError, producer: &Native) -> KafkaError {
    if let Some(fatal) = fatal_failure(doing, producer) {
        return fatal;
    }
    let RdError::Transaction(native) = error else {
        return from_library(doing, error, KafkaErrorKind::Fatal);
    };
    let kind = match kind_of(native.code()) {
        kind @ (KafkaErrorKind::Fenced
        | KafkaErrorKind::NotAuthorized
        | KafkaErrorKind::Unsupported) => kind,
        _ if native.is_fatal() => KafkaErrorKind::Fatal,
        _ if native.txn_requires_abort() => KafkaErrorKind::Abortable,
        _ if native.is_retriable() => KafkaErrorKind::Retriable,
        // The same call, given up by its caller, still has the client.
        _ if native.code() == Code::PreviousInProgress => KafkaErrorKind::Retriable,
        // A call out of turn.
        _ if native.code() == Code::State => KafkaErrorKind::Invalid,
        KafkaErrorKind::Invalid => KafkaErrorKind::Invalid,
        _ => KafkaErrorKind::Fatal,
    };
    KafkaError::new(kind, format!("{doing}: {}", native.string()))
}
