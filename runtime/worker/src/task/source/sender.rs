//! Sends the records of a batch: transformations, converters, producer.

use std::sync::Arc;

use tether_api::offset::{OffsetMap, SourceOffset};
use tether_api::record::{ConnectRecord, SourceRecord};
use tether_api::{ConnectError, Result};
use tether_kafka::{KafkaError, KafkaErrorKind, Producer, Refusal};
use tether_storage::TaskId;
use tracing::Span;

use super::deliveries::is_tolerable;
use super::encoder::{EncodedRecord, Encoding, RecordEncoder};
use super::failed_records::{Refused, SourceErrors};
use super::offset_committer::{Book, OffsetCommitter};
use super::topic_creator::TopicCreator;
use crate::conversion::Side;
use crate::task::MAX_PREPARATIONS;
use crate::task::error_handling::{Attempts, Failure, Verdict};
use crate::task::spans::SourceSteps;
use crate::task::submitted_records::Outcome;
use crate::task::transformation_chain::TransformationChain;

/// After this many runs the task lets others run.
const RUNS_PER_TURN: usize = 4;

/// The most records that the producer is given at once.
const RUN_RECORDS: usize = 128;

/// After so many bytes it is given what there is: they are still in the
/// processor's cache when it copies them.
const RUN_BYTES: usize = 32 * 1024;

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
    /// Records that are given to the producer together, which costs less per
    /// record. Behind the encoded ones there may be the one that is next. Records
    /// come here from the batch and stay, as they are large.
    run: Vec<Transformed>,
    /// The first records of the run.
    encoded: Vec<EncodedRecord>,
    /// Of the records of the run that are being sent.
    tokens: Vec<usize>,
    /// Why no more records were added to the run, which had to be sent first.
    then: Option<Result<Turn>>,
    preparations: u32,
    /// Records that transformations have dropped and nobody has counted yet.
    dropped: usize,
    /// Of the record that fails at present.
    attempts: Option<Attempts>,
    /// The spans of the batch.
    steps: SourceSteps,
}

/// A record after the transformations.
struct Transformed {
    record: ConnectRecord,
    /// Before the transformations, if that may be needed.
    original: Option<Box<ConnectRecord>>,
    partition: Arc<OffsetMap>,
    offset: SourceOffset,
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
            run: Vec::new(),
            encoded: Vec::new(),
            tokens: Vec::new(),
            then: None,
            preparations: 0,
            dropped: 0,
            attempts: None,
            steps: SourceSteps::none(),
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

    /// Takes a batch, or a part of one, and its span. The one before is sent.
    pub(super) fn load(&mut self, batch: Vec<SourceRecord>, span: &Span) {
        self.steps = SourceSteps::of(span, batch.len());
        self.rest = batch.into_iter();
    }

    /// Whether everything has been sent.
    pub(super) fn is_empty(&self) -> bool {
        self.run.is_empty()
            && self.then.is_none()
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
        let turn = self.advance_runs(&mut book);
        book.note_dropped(std::mem::take(&mut self.dropped));
        turn
    }

    fn advance_runs(&mut self, book: &mut Book) -> Result<Turn> {
        for _ in 0..RUNS_PER_TURN {
            let then = match self.then.take() {
                Some(then) => then,
                None => {
                    let _busy = self.steps.convert.clone().entered();
                    self.fill_run()
                }
            };
            if let Some(turn) = self.send_run(book)? {
                self.then = Some(then);
                return Ok(turn);
            }
            match then {
                Ok(Turn::Yield) => {}
                then => {
                    self.encoder.end_batch();
                    if matches!(then, Ok(Turn::Sent)) {
                        self.steps = SourceSteps::none();
                    }
                    return then;
                }
            }
        }
        Ok(Turn::Yield)
    }

    /// Encodes records for the run, which is empty. Returns what comes once it
    /// has been sent.
    fn fill_run(&mut self) -> Result<Turn> {
        while self.encoded.len() < RUN_RECORDS && self.encoder.size() < RUN_BYTES {
            if self.next().is_none() {
                match self.take_next() {
                    Ok(true) => {}
                    Ok(false) => return Ok(Turn::Sent),
                    Err(failure) => return Ok(Turn::Failed(failure)),
                }
            }
            let Some(Transformed { record, .. }) = self.run.get(self.encoded.len()) else {
                continue;
            };
            let mut encoded = match self.encoder.encode(record) {
                Ok(Encoding::Ready(encoded)) => encoded,
                Ok(Encoding::Unprepared(side)) => return Ok(Turn::Unprepared(side)),
                Err(failure) => return Ok(Turn::Failed(failure)),
            };
            RecordEncoder::finish(record, &mut encoded)?;
            self.preparations = 0;
            self.attempts = None;
            if self.offsets_topic.as_ref() == Some(&record.topic) {
                return Err(ConnectError::other(
                    "Source tasks may not produce to their own offsets topics when exactly-once support is enabled",
                ));
            }
            if let Some(topics) = &mut self.topics
                && !topics.knows(&record.topic)
            {
                return Ok(Turn::NewTopic);
            }
            self.encoded.push(encoded);
        }
        Ok(Turn::Yield)
    }

    /// Lets the converter of the next record get ready.
    ///
    /// # Errors
    /// If it cannot: await [`Sender::recover`].
    pub(super) async fn prepare(&mut self, side: Side) -> Result<(), Failure> {
        let Some(Transformed { record, .. }) = self.run.get(self.encoded.len()) else {
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
        self.encoder.prepare(side, record).await
    }

    /// The record that is to be encoded, once it has been transformed.
    fn next(&self) -> Option<&Transformed> {
        self.run.get(self.encoded.len())
    }

    /// Sees to it that the topic of the next record exists; false if that has
    /// to be tried again a little later.
    ///
    /// # Errors
    /// If the topic cannot be created.
    pub(super) async fn create_topic(&mut self) -> Result<bool> {
        let next = self.run.get(self.encoded.len());
        let (Some(topics), Some(Transformed { record, .. })) = (&mut self.topics, next) else {
            return Ok(true);
        };
        let Err(error) = topics.create(&record.topic).await else {
            return Ok(true);
        };
        if !error.is_retriable() {
            return Err(error);
        }
        self.log_refusal(record, &error);
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
        let refused = match self.refused.take() {
            Some(refused) => refused,
            // What was encoded before it has been sent.
            None => match self.run.pop() {
                Some(next) => next.into_refused(),
                None => return Ok(true),
            },
        };
        let attempts = self.attempts.get_or_insert_default();
        let handled = self.errors.handle(failure, attempts, &refused, committer);
        let verdict = handled.await?;
        match verdict {
            Verdict::Again | Verdict::Stopped => self.again = Some(refused.into_source_record()),
            Verdict::Skip => {
                self.attempts = None;
                // With a dead letter it is done once that is in Kafka.
                if !self.errors.writes_letters() {
                    committer.book().note_dropped(1);
                }
            }
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
            if self.chain.is_empty() {
                self.run.push(Transformed {
                    record,
                    original: None,
                    partition,
                    offset,
                });
                return Ok(true);
            }
            let topic = record.topic.clone();
            let original = self.keep_originals.then(|| Box::new(record.clone()));
            match self.chain.apply(record) {
                Ok(Some(record)) => {
                    self.run.push(Transformed {
                        record,
                        original,
                        partition,
                        offset,
                    });
                    return Ok(true);
                }
                Ok(None) => self.dropped += 1,
                Err(failure) => {
                    self.refused = Some(Refused {
                        record: original
                            .map_or_else(|| ConnectRecord::new(topic), |original| *original),
                        partition,
                        offset,
                    });
                    return Err(failure);
                }
            }
        }
        Ok(false)
    }

    /// Hands the run to the producer; says what to wait for if that does not
    /// take all of it.
    fn send_run(&mut self, book: &mut Book) -> Result<Option<Turn>> {
        let _busy = self.steps.produce.clone().entered();
        while !self.encoded.is_empty() {
            self.submit_run(book);
            if self.tokens.is_empty() {
                return Ok(Some(Turn::Full));
            }
            let sent = self.produce_run();
            let taken = match &sent {
                Ok(()) => self.tokens.len(),
                Err(refusal) => refusal.taken.min(self.tokens.len()),
            };
            for token in self.tokens.drain(taken..).rev() {
                book.submitted.withdraw(token);
                book.topics.withdrawn(token);
            }
            book.note_sent(taken);
            self.run.drain(..taken);
            self.encoded.drain(..taken);
            if let Err(refusal) = sent
                && let Some(turn) = self.not_taken(refusal.error, book)?
            {
                return Ok(Some(turn));
            }
        }
        self.encoder.clear();
        Ok(None)
    }

    /// Enters as many records of the run as may be on their way. That comes
    /// before they are sent, because their acknowledgement may be here before
    /// the producer's call returns.
    fn submit_run(&mut self, book: &mut Book) {
        self.tokens.clear();
        for (transformed, encoded) in self.run.iter().zip(&self.encoded) {
            if !self.limit.has_room(book, encoded.size) {
                break;
            }
            let token = book.submitted.submit(
                &transformed.partition,
                transformed.offset.clone(),
                encoded.size,
            );
            book.topics.submitted(&transformed.record.topic, token);
            self.tokens.push(token);
        }
    }

    /// Hands the records that were entered to the producer.
    fn produce_run(&self) -> std::result::Result<(), Refusal> {
        let records = self.run.iter().map(|transformed| &transformed.record);
        let encoded = records.zip(&self.encoded);
        let headers = self.encoder.header_pairs(encoded.clone());
        let run: Vec<_> = encoded
            .zip(&self.tokens)
            .map(|((record, encoded), token)| {
                let record = self.encoder.outgoing(record, encoded, &headers);
                (record, *token)
            })
            .collect();
        self.producer.send_run(&run)
    }

    /// Deals with the first record of the run, which the producer did not take;
    /// says what to wait for before it is sent again.
    fn not_taken(&mut self, error: KafkaError, book: &mut Book) -> Result<Option<Turn>> {
        match error.kind {
            KafkaErrorKind::QueueFull => Ok(Some(Turn::Full)),
            KafkaErrorKind::Retriable => {
                if let Some(first) = self.run.first() {
                    self.log_refusal(&first.record, &error);
                }
                Ok(Some(Turn::Refused))
            }
            _ if self.offsets_topic.is_none()
                && self.errors.pass_over_refused()
                && is_tolerable(&error) =>
            {
                if !self.encoded.is_empty() {
                    self.encoded.remove(0);
                    let first = self.run.remove(0);
                    self.pass_over(first, error, book);
                }
                Ok(None)
            }
            _ => Err(
                ConnectError::other("Unrecoverable exception trying to send")
                    .caused_by(ConnectError::from(error)),
            ),
        }
    }

    fn log_refusal(&self, record: &ConnectRecord, error: &dyn std::fmt::Display) {
        tracing::warn!(
            task = %self.id,
            topic = &*record.topic,
            partition = record.partition,
            %error,
            "Failed to send record. Backing off before retrying"
        );
    }

    /// Moves the offset over a record that the producer refuses for good.
    fn pass_over(&self, record: Transformed, error: KafkaError, book: &mut Book) {
        self.errors
            .passed_over(Some((&record.partition, &record.offset)), error);
        let token = book.submitted.submit(&record.partition, record.offset, 0);
        book.submitted.resolve(token, Outcome::PassedOver);
        book.note_dropped(1);
    }
}

impl Transformed {
    fn into_refused(self) -> Refused {
        Refused {
            record: self.original.map_or(self.record, |original| *original),
            partition: self.partition,
            offset: self.offset,
        }
    }
}
