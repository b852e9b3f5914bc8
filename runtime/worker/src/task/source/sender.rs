//! Sends the records of a batch: transformations, converters, producer.

use std::sync::Arc;

use tether_api::offset::{OffsetMap, SourceOffset};
use tether_api::record::{ConnectRecord, SourceRecord};
use tether_api::{ConnectError, Result};
use tether_kafka::{KafkaErrorKind, Producer};
use tether_storage::TaskId;

use super::encoder::{Encoding, RecordEncoder, position};
use super::offset_committer::{Book, OffsetCommitter};
use super::topic_creator::TopicCreator;
use crate::conversion::Side;
use crate::task::MAX_PREPARATIONS;
use crate::task::error_handling::{ErrorHandling, Stage};
use crate::task::transformation_chain::TransformationChain;

/// After this many records the task lets others run.
const RECORDS_PER_TURN: usize = 512;

/// How much may be on its way to Kafka: what the producer has taken and not
/// reported yet. It bounds the memory of a task whose brokers are slow.
#[derive(Debug, Clone, Copy)]
pub(super) struct InFlightLimit {
    /// Records.
    pub(super) records: usize,
    /// Bytes of keys, values and headers.
    pub(super) bytes: usize,
}

impl InFlightLimit {
    /// There is always room for a first record, however large.
    fn has_room(&self, book: &Book, bytes: usize) -> bool {
        let submitted = &book.submitted;
        submitted.in_flight() == 0
            || (submitted.in_flight() < self.records
                && submitted.in_flight_bytes().saturating_add(bytes) <= self.bytes)
    }
}

/// Holds the records of a batch that are not sent yet and sends them in order.
pub(super) struct Sender {
    id: TaskId,
    chain: TransformationChain,
    encoder: RecordEncoder,
    errors: ErrorHandling,
    topics: Option<TopicCreator>,
    producer: Arc<dyn Producer>,
    limit: InFlightLimit,
    rest: std::vec::IntoIter<SourceRecord>,
    next: Option<Next>,
    preparations: u32,
}

/// The record that is next to be sent, after the transformations.
struct Next {
    record: ConnectRecord,
    partition: Arc<OffsetMap>,
    offset: SourceOffset,
    encoded: bool,
}

/// Why [`Sender::advance`] returned.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Everything has been handed to the producer.
    Sent,
    /// There is more; others should run first.
    Yield,
    /// Await [`Sender::prepare`].
    Unprepared(Side),
    /// Await [`Sender::create_topic`].
    NewTopic,
    /// Too much is on its way: wait for deliveries.
    Full,
    /// The producer refused the next record for now: wait a little.
    Refused,
}

impl Sender {
    pub(super) fn new(
        id: &TaskId,
        chain: TransformationChain,
        encoder: RecordEncoder,
        errors: ErrorHandling,
        topics: Option<TopicCreator>,
        producer: Arc<dyn Producer>,
        limit: InFlightLimit,
    ) -> Self {
        Self {
            id: id.clone(),
            chain,
            encoder,
            errors,
            topics,
            producer,
            limit,
            rest: Vec::new().into_iter(),
            next: None,
            preparations: 0,
        }
    }

    /// Takes a batch. The one before is sent.
    pub(super) fn load(&mut self, batch: Vec<SourceRecord>) {
        self.rest = batch.into_iter();
    }

    /// Whether everything has been sent.
    pub(super) fn is_empty(&self) -> bool {
        self.next.is_none() && self.rest.len() == 0
    }

    /// Sends as much as is possible without waiting.
    ///
    /// A record that a transformation drops moves no offset: it comes again
    /// after a restart, and is dropped again, until a later record of its
    /// partition is through (as in the reference).
    ///
    /// # Errors
    /// If a record cannot be processed, or if the producer will never take it.
    pub(super) fn advance(&mut self, committer: &OffsetCommitter) -> Result<Turn> {
        let mut book = committer.book();
        for _ in 0..RECORDS_PER_TURN {
            if self.next.is_none() && !self.take_next()? {
                self.encoder.end_batch();
                return Ok(Turn::Sent);
            }
            // Records without a successor were dropped.
            let Some(next) = &mut self.next else {
                continue;
            };
            if !next.encoded {
                if let Encoding::Unprepared(side) = self.encoder.encode(&next.record)? {
                    return Ok(Turn::Unprepared(side));
                }
                next.encoded = true;
                self.preparations = 0;
            }
            if let Some(topics) = &mut self.topics
                && !topics.knows(&next.record.topic)
            {
                return Ok(Turn::NewTopic);
            }
            if !self.limit.has_room(&book, self.encoder.size()) {
                return Ok(Turn::Full);
            }
            if let Some(turn) = self.send(&mut book)? {
                return Ok(turn);
            }
        }
        Ok(Turn::Yield)
    }

    /// Lets the converter of the next record get ready.
    ///
    /// # Errors
    /// If it cannot.
    pub(super) async fn prepare(&mut self, side: Side) -> Result<()> {
        let Some(next) = &self.next else {
            return Ok(());
        };
        self.preparations += 1;
        if self.preparations > MAX_PREPARATIONS {
            return Err(ConnectError::other(format!(
                "The {side:?} converter is not ready for a record {} although it prepared itself for its \
                 schema, which is a defect in the converter",
                position(&next.record)
            )));
        }
        self.encoder.prepare(side, &next.record).await
    }

    /// Sees to it that the topic of the next record exists; false if that has
    /// to be tried again a little later.
    ///
    /// # Errors
    /// If the topic cannot be created.
    pub(super) async fn create_topic(&mut self) -> Result<bool> {
        let (Some(topics), Some(next)) = (&mut self.topics, &self.next) else {
            return Ok(true);
        };
        let Err(error) = topics.create(&next.record.topic).await else {
            return Ok(true);
        };
        if !error.is_retriable() {
            return Err(error);
        }
        self.log_refusal(&error);
        Ok(false)
    }

    /// Takes records from the batch until one passes the transformations; false
    /// at the end of the batch.
    fn take_next(&mut self) -> Result<bool> {
        for source in self.rest.by_ref() {
            let topic = source.record.topic.clone();
            let transformed = self.chain.apply(source.record).map_err(|error| {
                self.errors
                    .fail(Stage::Transformation, error, format!("for topic '{topic}'"))
            })?;
            if let Some(record) = transformed {
                self.next = Some(Next {
                    record,
                    partition: source.source_partition,
                    offset: source.source_offset,
                    encoded: false,
                });
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Hands the next record to the producer; says what to wait for if that
    /// does not take it.
    fn send(&mut self, book: &mut Book) -> Result<Option<Turn>> {
        let Some(next) = self.next.take() else {
            return Ok(None);
        };
        let size = self.encoder.size();
        // Before the record is sent, because its acknowledgement may be here
        // before `send` returns.
        let token = book
            .submitted
            .submit(&next.partition, next.offset.clone(), size);
        book.topics.submitted(&next.record.topic, token);
        let sent = self
            .encoder
            .with_outgoing(&next.record, |outgoing| self.producer.send(outgoing, token));
        let Err(error) = sent else {
            return Ok(None);
        };
        book.submitted.withdraw(token);
        book.topics.withdrawn(token);
        match error.kind {
            KafkaErrorKind::QueueFull => {
                self.next = Some(next);
                Ok(Some(Turn::Full))
            }
            KafkaErrorKind::Retriable => {
                self.next = Some(next);
                self.log_refusal(&error);
                Ok(Some(Turn::Refused))
            }
            _ => Err(
                ConnectError::other("Unrecoverable exception trying to send")
                    .caused_by(ConnectError::from(error)),
            ),
        }
    }

    fn log_refusal(&self, error: &dyn std::fmt::Display) {
        let Some(next) = &self.next else {
            return;
        };
        tracing::warn!(
            task = %self.id,
            topic = &*next.record.topic,
            partition = next.record.partition,
            %error,
            "Failed to send record. Backing off before retrying"
        );
    }
}
