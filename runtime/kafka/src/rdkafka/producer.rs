//! The producer.

mod event;
mod partitioner;
mod reports;
mod topics;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::rdkafka::Message;
use ::rdkafka::error::{KafkaError as RdError, RDKafkaErrorCode};
use ::rdkafka::message::DeliveryResult;
use ::rdkafka::producer::{BaseProducer, Producer as _, ProducerContext, PurgeConfig};
use ::rdkafka::{ClientConfig, ClientContext};
use async_trait::async_trait;
use tokio::sync::Notify;

use super::error::{failure, from_library, kind_of};
use super::events::{Events, LogTarget, delegate_events};
use crate::tokens::TokenProvider;
use crate::{
    DeliveryHandler, KafkaError, KafkaErrorKind, OutgoingRecord, Producer, RecordMetadata, Refusal,
    Result,
};
use event::{Event, Kind};
use partitioner::Partitioner;
use reports::Reports;
use topics::Topics;

/// The most records that librdkafka is given in one call.
const MAX_BATCH: usize = 1024;

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
    /// Here because the library keeps the context until librdkafka's client is
    /// gone.
    partitioner: Partitioner,
}

impl DeliveryContext {
    /// Only a consumer has to know that an event was served.
    fn served(&self) {}

    /// Passes an event on.
    fn happened(&self, mut event: Event) {
        match event.kind() {
            Kind::Deliveries => {
                let mut count = 0;
                let mut deliveries = event.deliveries().inspect(|_| count += 1);
                self.deliveries.all_delivered(&mut deliveries);
                // Whatever a handler leaves has been reported as well.
                deliveries.for_each(drop);
                self.forget(count);
            }
            Kind::Error(error, reason) => ClientContext::error(self, error, &reason),
            Kind::Log(level, facility, text) => ClientContext::log(self, level, &facility, &text),
            Kind::Other => {}
        }
    }

    /// So many records more are on their way.
    fn expect(&self, count: usize) {
        self.outstanding.fetch_add(count, Ordering::AcqRel);
    }

    /// So many records have been reported or were not taken.
    fn forget(&self, count: usize) {
        if self.outstanding.fetch_sub(count, Ordering::AcqRel) == count {
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
        self.forget(1);
    }
}

/// How many records, from the first on, librdkafka takes in one call: those for
/// the same topic and partition without headers and timestamps. Zero if that is
/// not worth the call.
fn length_of_batch(run: &[(OutgoingRecord<'_>, usize)]) -> usize {
    let Some((first, _)) = run.first() else {
        return 0;
    };
    let length = run
        .iter()
        .take(MAX_BATCH)
        .take_while(|(record, _)| {
            record.headers.is_empty()
                && record.timestamp.is_none()
                && record.partition.is_none_or(|partition| partition >= 0)
                && record.partition == first.partition
                && record.topic == first.topic
        })
        .count();
    if length > 1 { length } else { 0 }
}

/// Why librdkafka does not take a record.
fn send_failure(
    error: &RdError,
    topic: &str,
    producer: &BaseProducer<DeliveryContext>,
) -> KafkaError {
    match error {
        RdError::MessageProduction(RDKafkaErrorCode::QueueFull) => {
            KafkaError::new(KafkaErrorKind::QueueFull, "The producer's queue is full")
        }
        // Only a transaction can be in the wrong state for a record.
        RdError::MessageProduction(RDKafkaErrorCode::State) => KafkaError::new(
            KafkaErrorKind::Abortable,
            format!(
                "Failed to write a record to topic {topic}: no transaction is open, or it has failed"
            ),
        ),
        error => {
            let doing = format!("Failed to write a record to topic {topic}");
            fatal_failure(&doing, producer).unwrap_or_else(|| delivery_failure(error, topic))
        }
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
            partitioner: Partitioner::new(config.get("partitioner") == Some("random")),
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

    /// Queues one record, whatever it has.
    fn produce(
        &self,
        topics: &mut Topics,
        entry: &(OutgoingRecord<'_>, usize),
    ) -> std::result::Result<usize, Refusal> {
        let (record, _) = entry;
        if let Some(timestamp) = record.timestamp.filter(|timestamp| *timestamp < 0) {
            let error = KafkaError::new(
                KafkaErrorKind::Invalid,
                format!(
                    "Invalid timestamp: {timestamp}. Timestamp should always be non-negative or \
                     null."
                ),
            );
            return Err(Refusal { taken: 0, error });
        }
        let context = self.producer.context();
        context.expect(1);
        match topics.produce(self.producer.client(), &context.partitioner, entry) {
            Ok(()) => Ok(1),
            Err(error) => {
                context.forget(1);
                let error = send_failure(&error, record.topic, &self.producer);
                Err(Refusal { taken: 0, error })
            }
        }
    }

    /// Queues records that librdkafka takes in one call.
    fn produce_batch(
        &self,
        topics: &mut Topics,
        batch: &[(OutgoingRecord<'_>, usize)],
    ) -> std::result::Result<usize, Refusal> {
        let context = self.producer.context();
        context.expect(batch.len());
        let topic = batch.first().map_or("", |(record, _)| record.topic);
        let client = self.producer.client();
        let produced = topics.produce_batch(client, &context.partitioner, batch, |token, error| {
            let error = send_failure(&error, topic, &self.producer);
            context.deliveries.delivered(token, Err(error));
            context.forget(1);
        });
        match produced {
            (taken, None) => Ok(taken),
            (taken, Some(error)) => {
                context.forget(batch.len() - taken);
                let error = send_failure(&error, topic, &self.producer);
                Err(Refusal { taken, error })
            }
        }
    }

    /// Why the brokers do not accept this client, if they do not.
    pub(super) fn refusal(&self) -> Option<KafkaError> {
        self.producer.context().events.refusal()
    }
}

#[async_trait]
impl Producer for RdProducer {
    fn send(&self, record: &OutgoingRecord<'_>, token: usize) -> Result<()> {
        self.send_run(&[(*record, token)])
            .map_err(|refusal| refusal.error)
    }

    fn send_run(&self, run: &[(OutgoingRecord<'_>, usize)]) -> std::result::Result<(), Refusal> {
        let context = self.producer.context();
        if let Some(error) = context.events.refusal() {
            return Err(Refusal { taken: 0, error });
        }
        context.partitioner.tick();
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = 0;
        while taken < run.len() {
            let rest = &run[taken..];
            taken += match length_of_batch(rest) {
                0 => self.produce(&mut topics, &rest[0]),
                length => self.produce_batch(&mut topics, &rest[..length]),
            }
            .map_err(|refusal| Refusal {
                taken: taken + refusal.taken,
                ..refusal
            })?;
        }
        Ok(())
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
