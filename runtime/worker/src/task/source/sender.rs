//! Sends the records of a batch: transformations, converters, producer.

use std::sync::Arc;

use tether_api::offset::{OffsetMap, SourceOffset};
use tether_api::record::{ConnectRecord, SourceRecord};
use tether_api::{ConnectError, Result};
use tether_kafka::{KafkaError, KafkaErrorKind, Producer};
use tether_storage::TaskId;

use super::deliveries::is_tolerable;
use super::encoder::{Encoding, RecordEncoder};
use super::failed_records::{Refused, SourceErrors};
use super::offset_committer::{Book, OffsetCommitter};
use super::topic_creator::TopicCreator;
use crate::conversion::Side;
use crate::task::MAX_PREPARATIONS;
use crate::task::error_handling::{Attempts, Failure, Verdict};
use crate::task::submitted_records::Outcome;
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
    errors: SourceErrors,
    /// Records are kept as they were before the transformations.
    keep_originals: bool,
    topics: Option<TopicCreator>,
    producer: Arc<dyn Producer>,
    limit: InFlightLimit,
    /// Of a producer that writes in transactions.
    offsets_topic: Option<Arc<str>>,
    rest: std::vec::IntoIter<SourceRecord>,
    /// A record that is transformed once more before the rest comes.
    again: Option<SourceRecord>,
    /// A record that a transformation refused.
    refused: Option<Refused>,
    next: Option<Next>,
    preparations: u32,
    /// Of the record that fails at present.
    attempts: Option<Attempts>,
}

/// The record that is next to be sent, after the transformations.
struct Next {
    record: ConnectRecord,
    /// Before the transformations, if that may be needed.
    original: Option<ConnectRecord>,
    partition: Arc<OffsetMap>,
    offset: SourceOffset,
    encoded: bool,
}

/// Why [`Sender::advance`] returned.
#[derive(Debug)]
pub(super) enum Turn {
    /// Everything has been handed to the producer.
    Sent,
    /// There is more; others should run first.
    Yield,
    /// Await [`Sender::prepare`].
    Unprepared(Side),
    /// Await [`Sender::create_topic`].
    NewTopic,
    /// The next record cannot be processed: await [`Sender::recover`].
    Failed(Failure),
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
        errors: SourceErrors,
        topics: Option<TopicCreator>,
        producer: Arc<dyn Producer>,
        limit: InFlightLimit,
    ) -> Self {
        Self {
            id: id.clone(),
            keep_originals: !chain.is_empty() && errors.need_originals(),
            chain,
            encoder,
            errors,
            topics,
            producer,
            limit,
            offsets_topic: None,
            rest: Vec::new().into_iter(),
            again: None,
            refused: None,
            next: None,
            preparations: 0,
            attempts: None,
        }
    }

    /// Prepares for a producer that writes in transactions, together with offsets
    /// for this topic. A record that Kafka refuses ends the task then, whatever
    /// is tolerated. So does a record for that topic: with one of them in an open
    /// transaction, a task that reads its offsets would wait for the end of that
    /// transaction, and the transaction for the task.
    pub(super) fn in_transactions(&mut self, offsets_topic: Arc<str>) {
        self.offsets_topic = Some(offsets_topic);
    }

    /// Takes a batch. The one before is sent.
    pub(super) fn load(&mut self, batch: Vec<SourceRecord>) {
        self.rest = batch.into_iter();
    }

    /// Whether everything has been sent.
    pub(super) fn is_empty(&self) -> bool {
        self.next.is_none()
            && self.again.is_none()
            && self.refused.is_none()
            && self.rest.len() == 0
    }

    /// Sends as much as is possible without waiting.
    ///
    /// A record that a transformation drops moves no offset: it comes again
    /// after a restart, and is dropped again, until a later record of its
    /// partition is through (as in the reference).
    ///
    /// # Errors
    /// If the producer will never take a record, or its timestamp or partition
    /// is wrong.
    pub(super) fn advance(&mut self, committer: &OffsetCommitter) -> Result<Turn> {
        let mut book = committer.book();
        for _ in 0..RECORDS_PER_TURN {
            if self.next.is_none() {
                match self.take_next() {
                    Ok(true) => {}
                    Ok(false) => {
                        self.encoder.end_batch();
                        return Ok(Turn::Sent);
                    }
                    Err(failure) => return Ok(Turn::Failed(failure)),
                }
            }
            // Records without a successor were dropped.
            let Some(next) = &mut self.next else {
                continue;
            };
            if !next.encoded {
                match self.encoder.encode(&next.record) {
                    Ok(Encoding::Ready) => {}
                    Ok(Encoding::Unprepared(side)) => return Ok(Turn::Unprepared(side)),
                    Err(failure) => return Ok(Turn::Failed(failure)),
                }
                self.encoder.finish(&next.record)?;
                next.encoded = true;
                self.preparations = 0;
                self.attempts = None;
            }
            if self.offsets_topic.as_ref() == Some(&next.record.topic) {
                return Err(ConnectError::other(
                    "Source tasks may not produce to their own offsets topics when exactly-once support is enabled",
                ));
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
    /// If it cannot: await [`Sender::recover`].
    pub(super) async fn prepare(&mut self, side: Side) -> Result<(), Failure> {
        let Some(next) = &self.next else {
            return Ok(());
        };
        self.preparations += 1;
        if self.preparations > MAX_PREPARATIONS {
            let error = ConnectError::other(format!(
                "The {side:?} converter is not ready although it prepared itself for the record's schema, \
                 which is a defect in the converter"
            ));
            return Err(self.encoder.failure(side, error));
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

    /// Deals with the record that failed. Afterwards it is gone, or next again;
    /// false if that is because the task is to stop.
    ///
    /// A record that is passed over moves no offset, like one that a
    /// transformation drops; unless it has a dead letter, which takes its place.
    ///
    /// # Errors
    /// If the failure ends the task.
    pub(super) async fn recover(
        &mut self,
        failure: Failure,
        committer: &OffsetCommitter,
    ) -> Result<bool> {
        // After another attempt the converters begin anew as well.
        self.preparations = 0;
        let refused = match (self.refused.take(), self.next.take()) {
            (Some(refused), _) => refused,
            (None, Some(next)) => next.into_refused(),
            (None, None) => return Ok(true),
        };
        let attempts = self.attempts.get_or_insert_default();
        let handled = self.errors.handle(failure, attempts, &refused, committer);
        let verdict = handled.await?;
        match verdict {
            Verdict::Again | Verdict::Stopped => self.again = Some(refused.into_source_record()),
            Verdict::Skip => self.attempts = None,
        }
        Ok(verdict != Verdict::Stopped)
    }

    /// Takes records from the batch until one passes the transformations; false
    /// at the end of the batch.
    fn take_next(&mut self) -> Result<bool, Failure> {
        while let Some(source) = self.again.take().or_else(|| self.rest.next()) {
            let SourceRecord {
                record,
                source_partition: partition,
                source_offset: offset,
            } = source;
            let topic = record.topic.clone();
            let original = self.keep_originals.then(|| record.clone());
            match self.chain.apply(record) {
                Ok(Some(record)) => {
                    self.next = Some(Next {
                        record,
                        original,
                        partition,
                        offset,
                        encoded: false,
                    });
                    return Ok(true);
                }
                Ok(None) => {}
                Err(failure) => {
                    self.refused = Some(Refused {
                        record: original.unwrap_or_else(|| ConnectRecord::new(topic)),
                        partition,
                        offset,
                    });
                    return Err(failure);
                }
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
            _ if self.offsets_topic.is_none()
                && self.errors.pass_over_refused()
                && is_tolerable(&error) =>
            {
                self.pass_over(next, error, book);
                Ok(None)
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

    /// Moves the offset over a record that the producer refuses for good.
    fn pass_over(&mut self, next: Next, error: KafkaError, book: &mut Book) {
        self.errors
            .passed_over(Some((&next.partition, &next.offset)), error);
        let token = book.submitted.submit(&next.partition, next.offset, 0);
        book.submitted.resolve(token, Outcome::PassedOver);
    }
}

impl Next {
    fn into_refused(self) -> Refused {
        Refused {
            record: self.original.unwrap_or(self.record),
            partition: self.partition,
            offset: self.offset,
        }
    }
}
