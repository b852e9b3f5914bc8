//! The producer.

mod reports;
mod topics;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::rdkafka::ClientConfig;
use ::rdkafka::Message;
use ::rdkafka::error::{KafkaError as RdError, RDKafkaErrorCode};
use ::rdkafka::message::DeliveryResult;
use ::rdkafka::producer::{BaseProducer, Producer as _, ProducerContext, PurgeConfig};
use async_trait::async_trait;
use tokio::sync::Notify;

use super::error::{failure, from_library, kind_of};
use super::events::{Events, LogTarget, delegate_events};
use super::tokens::TokenProvider;
use crate::{
    DeliveryHandler, KafkaError, KafkaErrorKind, OutgoingRecord, Producer, RecordMetadata, Result,
};
use reports::Reports;
use topics::Topics;

/// A producer on librdkafka. It takes no memory per record besides librdkafka's
/// own: the token travels as the record's opaque pointer.
pub(super) struct RdProducer {
    // Before the producer, whose end they must not see.
    topics: Mutex<Topics>,
    reports: Reports,
    /// Whether the handler may take reports itself. Where tokens have to be
    /// fetched it may not: that blocks, and comes the same way.
    shares_reports: bool,
    pub(super) producer: Arc<BaseProducer<DeliveryContext>>,
}

/// Passes delivery reports on.
pub(super) struct DeliveryContext {
    events: Events,
    deliveries: Arc<dyn DeliveryHandler>,
    /// Records whose report has not been passed on.
    outstanding: AtomicUsize,
    drained: Notify,
}

impl DeliveryContext {
    /// Only a consumer has to know that an event was served.
    fn served(&self) {}

    fn forget_one(&self) {
        if self.outstanding.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.drained.notify_waiters();
        }
    }
}

delegate_events!(DeliveryContext);

impl ProducerContext for DeliveryContext {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, token: usize) {
        let outcome = match result {
            Ok(message) => Ok(RecordMetadata {
                partition: message.partition(),
                // Without acknowledgements (`acks=0`) there is no offset.
                offset: message.offset().max(-1),
            }),
            Err((error, message)) => Err(delivery_failure(error, message.topic())),
        };
        self.deliveries.delivered(token, outcome);
        self.forget_one();
    }
}

fn delivery_failure(error: &RdError, topic: &str) -> KafkaError {
    let doing = format!("Failed to write a record to topic {topic}");
    from_library(&doing, error, KafkaErrorKind::Fatal)
}

/// Why the producer can do nothing any more, if that is so. Every call fails
/// then, with an error that hides the one that it began with.
pub(super) fn fatal_failure(
    doing: &str,
    producer: &BaseProducer<DeliveryContext>,
) -> Option<KafkaError> {
    let (code, text) = producer.client().fatal_error()?;
    let kind = match kind_of(code) {
        kind @ (KafkaErrorKind::Fenced | KafkaErrorKind::NotAuthorized) => kind,
        _ => KafkaErrorKind::Fatal,
    };
    Some(KafkaError::new(kind, format!("{doing}: {text}")))
}

impl RdProducer {
    pub(super) fn new(
        config: &ClientConfig,
        tokens: Option<Arc<TokenProvider>>,
        deliveries: Arc<dyn DeliveryHandler>,
    ) -> Result<Self> {
        let shares_reports = tokens.is_none();
        let handler = shares_reports.then(|| Arc::clone(&deliveries));
        let context = DeliveryContext {
            events: Events::new(LogTarget::Producer, tokens),
            deliveries,
            outstanding: AtomicUsize::new(0),
            drained: Notify::new(),
        };
        let producer: BaseProducer<_> = config.create_with_context(context).map_err(|error| {
            from_library(
                "Failed to construct kafka producer",
                &error,
                KafkaErrorKind::Invalid,
            )
        })?;
        let producer = Arc::new(producer);
        Ok(Self {
            topics: Mutex::default(),
            reports: Reports::start(Arc::clone(&producer), handler)?,
            shares_reports,
            producer,
        })
    }

    /// Why the brokers do not accept this client, if they do not.
    pub(super) fn refusal(&self) -> Option<KafkaError> {
        self.producer.context().events.refusal()
    }
}

#[async_trait]
impl Producer for RdProducer {
    fn send(&self, record: &OutgoingRecord<'_>, token: usize) -> Result<()> {
        if let Some(timestamp) = record.timestamp.filter(|timestamp| *timestamp < 0) {
            return Err(KafkaError::new(
                KafkaErrorKind::Invalid,
                format!(
                    "Invalid timestamp: {timestamp}. Timestamp should always be non-negative or \
                     null."
                ),
            ));
        }
        let context = self.producer.context();
        if let Some(refusal) = context.events.refusal() {
            return Err(refusal);
        }
        context.outstanding.fetch_add(1, Ordering::AcqRel);
        let sent = self
            .topics
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .produce(self.producer.client(), record, token);
        sent.map_err(|error| {
            context.forget_one();
            match error {
                RdError::MessageProduction(RDKafkaErrorCode::QueueFull) => {
                    KafkaError::new(KafkaErrorKind::QueueFull, "The producer's queue is full")
                }
                // Only a transaction can be in the wrong state for a record.
                RdError::MessageProduction(RDKafkaErrorCode::State) => KafkaError::new(
                    KafkaErrorKind::Abortable,
                    format!(
                        "Failed to write a record to topic {}: no transaction is open, or it has failed",
                        record.topic
                    ),
                ),
                error => fatal_failure(
                    &format!("Failed to write a record to topic {}", record.topic),
                    &self.producer,
                )
                .unwrap_or_else(|| delivery_failure(&error, record.topic)),
            }
        })
    }

    fn serve(&self) {
        if self.shares_reports {
            self.reports.take(&self.producer);
        }
    }

    async fn flush(&self, timeout: Duration) -> Result<()> {
        let context = self.producer.context();
        let drained = async {
            loop {
                let notified = context.drained.notified();
                tokio::pin!(notified);
                // Enlisted before the look, so that no change goes unseen.
                notified.as_mut().enable();
                if context.outstanding.load(Ordering::Acquire) == 0 {
                    return;
                }
                // Sends at once what waits for `linger.ms`. It returns an error
                // as long as records wait, which is known already.
                let _ = self.producer.flush(Duration::ZERO);
                notified.await;
            }
        };
        tokio::time::timeout(timeout, drained).await.map_err(|_| {
            context.events.refusal().unwrap_or_else(|| {
                failure(
                    "Records are still queued",
                    RDKafkaErrorCode::OperationTimedOut,
                )
            })
        })
    }

    fn purge(&self) {
        self.producer
            .purge(PurgeConfig::default().queue().inflight());
    }
}

impl Drop for RdProducer {
    fn drop(&mut self) {
        // The thread reports these as failed before it ends.
        self.purge();
    }
}
