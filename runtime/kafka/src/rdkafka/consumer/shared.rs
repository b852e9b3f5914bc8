//! What polls and calls that block have in common.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::rdkafka::Offset;
use ::rdkafka::consumer::{BaseConsumer, Consumer};
use ::rdkafka::error::{KafkaError as RdError, RDKafkaErrorCode};
use tether_api::offset::TopicPartition;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::context::{Change, Decision, GroupContext};
use super::fetched::{FetchQueue, Message};
use super::positions::{Assignment, Position, Reset, absolute};
use super::records::RecordReader;
use super::start::Start;
use super::topics::{PatternSubscription, find};
use crate::rdkafka::error::{failure, from_library, kind_of};
use crate::rdkafka::events::is_interruption;
use crate::rdkafka::partitions::{answers, with_offsets, without_offsets};
use crate::{
    ConsumedRecord, ConsumerEvent, KafkaError, KafkaErrorKind, Result, TopicPartitionOffset,
};

/// How long a seek may take to reach the partition's fetcher.
const SEEK_PATIENCE: Duration = Duration::from_secs(30);

/// How soon a seek is tried again while the fetcher is not ready.
const SEEK_RETRY: Duration = Duration::from_millis(10);

/// The most messages that are taken from librdkafka at once.
const TAKEN_AT_ONCE: usize = 250;

/// With so many bytes of keys and values a poll ends, whatever the number of its
/// records: those of a thousand large ones would fill the memory.
const ENOUGH_BYTES: usize = 2 * 1024 * 1024;

/// A consumer and what is known of it.
pub(super) struct Shared {
    // Before the consumer, whose end it must not see.
    pub(super) fetched: FetchQueue,
    pub(super) consumer: BaseConsumer<GroupContext>,
    pub(super) state: Mutex<State>,
    /// Tells a waiting poll that there is something.
    pub(super) wake: Arc<Notify>,
    pub(super) reset: Reset,
    /// How often a waiting poll looks by itself.
    pub(super) look: Duration,
    pub(super) exclude_internal_topics: bool,
    pub(super) metadata_max_age: Duration,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) in_group: bool,
    pub(super) assignment: Assignment,
    pub(super) pattern: Option<PatternSubscription>,
    /// Partitions whose start is not known yet.
    pub(super) start: Option<Start>,
    /// An assignment that can be announced.
    pub(super) ready: Option<Decision>,
    /// A change that was announced and not consented to yet.
    pending: Option<Decision>,
    /// An error that the next poll returns.
    pub(super) error: Option<KafkaError>,
    reader: RecordReader,
    starts: u64,
}

impl Shared {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // The state is whole after every statement that holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what librdkafka has, without waiting.
    pub(super) fn take_event(&self, max_records: usize) -> Result<Option<ConsumerEvent>> {
        let mut state = self.state();
        if let Some(error) = state.error.take() {
            return Err(error);
        }
        let batch = self.take_records(&mut state, max_records)?;
        if !batch.is_empty() {
            return Ok(Some(ConsumerEvent::Records(batch)));
        }
        Ok(self.announce(&mut state))
    }

    /// Takes events and then records. librdkafka gives no records of an
    /// assignment that is to change.
    fn take_records(&self, state: &mut State, max_records: usize) -> Result<Vec<ConsumedRecord>> {
        let mut batch = Vec::new();
        self.take_events(state, &mut batch)?;
        let mut bytes = 0;
        while bytes < ENOUGH_BYTES && batch.len() < max_records && state.error.is_none() {
            let count = TAKEN_AT_ONCE.min(max_records - batch.len());
            let first = batch.len();
            let taken = self.read_messages(state, count, &mut batch);
            if taken < count {
                break;
            }
            bytes += batch.iter().skip(first).map(size).sum::<usize>();
        }
        state.advance(&batch);
        match state.error.take_if(|_| batch.is_empty()) {
            Some(error) => Err(error),
            None => Ok(batch),
        }
    }

    /// Reads so many messages, or as many as there are; returns how many there
    /// were. At an error it stops, and keeps that.
    fn read_messages(
        &self,
        state: &mut State,
        count: usize,
        batch: &mut Vec<ConsumedRecord>,
    ) -> usize {
        let messages = self.fetched.take(count);
        let taken = messages.len();
        batch.reserve(taken);
        state.reader.begin_batch();
        for message in messages {
            let read = match message.message() {
                Ok(message) => state.reader.read(&message, batch),
                Err(error) => match self.serious(&error, state.in_group) {
                    None => continue,
                    Some(error) => Err(error),
                },
            };
            // The records before it are returned first. Those after it are not:
            // whoever hears of this error does not go on.
            if let Err(error) = read {
                state.error = Some(error);
                break;
            }
        }
        taken
    }

    /// Serves the events that are there. Records of partitions that have no
    /// place in the other queue come this way too.
    fn take_events(&self, state: &mut State, batch: &mut Vec<ConsumedRecord>) -> Result<()> {
        let context = self.consumer.context();
        let mut served = context.served_events();
        loop {
            match self.consumer.poll(Duration::ZERO) {
                // An event was served, so there may be more.
                None if context.served_events() != served => served = context.served_events(),
                None => return Ok(()),
                Some(Ok(message)) => {
                    state.reader.begin_batch();
                    return state.reader.read(&Message::of(&message), batch);
                }
                Some(Err(error)) => {
                    if let Some(error) = self.serious(&error, state.in_group) {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// The error that a caller has to hear of. Others, which librdkafka deals
    /// with, are logged.
    fn serious(&self, error: &RdError, in_group: bool) -> Option<KafkaError> {
        let events = &self.consumer.context().events;
        let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail);
        let reason = events.take_last_error().unwrap_or_else(|| code.to_string());
        let fatal = matches!(error, RdError::MessageConsumptionFatal(_));
        // Without a group, librdkafka still asks for its coordinator.
        if code == RDKafkaErrorCode::PollExceeded {
            self.consumer.context().expel();
        }
        let of_group = code == RDKafkaErrorCode::GroupAuthorizationFailed && !in_group;
        let interrupted = is_interruption(code, &reason);
        match kind_of(code) {
            _ if fatal => Some(KafkaError::new(KafkaErrorKind::Fatal, reason)),
            KafkaErrorKind::Retriable | KafkaErrorKind::NotFound => {
                events.log_warning(&reason);
                None
            }
            KafkaErrorKind::NotAuthorized if of_group || interrupted => None,
            kind => Some(KafkaError::new(kind, reason)),
        }
    }

    /// Announces the next change, unless the last one still waits for consent.
    fn announce(&self, state: &mut State) -> Option<ConsumerEvent> {
        if state.pending.is_some() || state.start.is_some() {
            return None;
        }
        let decision = match state.ready.take() {
            Some(decision) => decision,
            None => self.consumer.context().take_decision()?,
        };
        let partitions = decision.partitions.clone();
        let event = match decision.change {
            Change::Assigned if decision.list().elements().iter().any(is_unresolved) => {
                let number = state.next_start();
                state.start = Some(Start::of_group(number, decision));
                self.wake.notify_one();
                return None;
            }
            Change::Assigned => ConsumerEvent::Assigned(partitions),
            Change::Revoked => ConsumerEvent::Revoked(partitions),
            Change::Lost => {
                state.assignment.lose(&partitions);
                ConsumerEvent::Lost(partitions)
            }
        };
        state.pending = Some(decision);
        Some(event)
    }

    /// Consents to the pending change.
    pub(super) fn accept(&self, partitions: &[TopicPartition], assigned: bool) -> Result<()> {
        let mut state = self.state();
        let decision = state
            .pending
            .take_if(|decision| {
                (decision.change == Change::Assigned) == assigned
                    && decision.partitions.len() == partitions.len()
                    && partitions.iter().all(|p| decision.partitions.contains(p))
            })
            .ok_or_else(|| {
                KafkaError::new(
                    KafkaErrorKind::Fenced,
                    "There is no such change of the assignment to consent to",
                )
            })?;
        self.fetched
            .collect(self.consumer.client(), decision.list());
        decision.accept(&self.consumer).map_err(|error| {
            from_library("The group has moved on", &error, KafkaErrorKind::Fenced)
        })?;
        if !assigned {
            for partition in partitions {
                state.assignment.remove(partition);
            }
            return Ok(());
        }
        for (partition, outcome) in answers(decision.list()) {
            let position = outcome.map_or(Position::Committed, Position::of);
            state.assignment.add(partition, position);
        }
        // librdkafka remembers that a partition was paused long ago.
        self.resume(partitions)
    }

    pub(super) fn pause(&self, partitions: &[TopicPartition]) -> Result<()> {
        self.consumer
            .pause(&without_offsets(partitions)?)
            .map_err(|error| from_library("Failed to pause", &error, KafkaErrorKind::Retriable))
    }

    pub(super) fn resume(&self, partitions: &[TopicPartition]) -> Result<()> {
        self.consumer
            .resume(&without_offsets(partitions)?)
            .map_err(|error| from_library("Failed to resume", &error, KafkaErrorKind::Retriable))
    }

    /// Seeks; waits for fetchers that have not started yet. Blocks.
    pub(super) fn seek(&self, offsets: &[(TopicPartition, Offset)]) -> Result<()> {
        self.start_now(SEEK_PATIENCE)?;
        let offsets = absolute(&self.consumer, offsets, SEEK_PATIENCE)?;
        let deadline = Instant::now() + SEEK_PATIENCE;
        let mut rest: Vec<&TopicPartitionOffset> = offsets.iter().collect();
        while !rest.is_empty() {
            let list = with_offsets(
                rest.iter()
                    .map(|entry| (&entry.partition, Offset::Offset(entry.offset))),
            )?;
            let list = self
                .consumer
                .seek_partitions(list, SEEK_PATIENCE)
                .map_err(|error| {
                    from_library("Failed to seek", &error, KafkaErrorKind::Retriable)
                })?;
            for (partition, outcome) in answers(&list) {
                match outcome {
                    Ok(_) => rest.retain(|entry| entry.partition != partition),
                    // The fetcher is about to start or to stop.
                    Err(
                        RDKafkaErrorCode::State
                        | RDKafkaErrorCode::UnknownPartition
                        | RDKafkaErrorCode::PreviousInProgress
                        | RDKafkaErrorCode::InProgress,
                    ) if Instant::now() < deadline => {}
                    Err(code) => {
                        return Err(failure(
                            &format!("Failed to seek partition {partition}"),
                            code,
                        ));
                    }
                }
            }
            if !rest.is_empty() {
                std::thread::sleep(SEEK_RETRY);
            }
        }
        let mut state = self.state();
        for entry in &offsets {
            state
                .assignment
                .move_to(&entry.partition, Position::At(entry.offset));
        }
        Ok(())
    }

    /// Looks for the topics of a pattern if it is time. The look goes on when
    /// the caller has stopped waiting.
    pub(super) fn refresh_topics(self: &Arc<Self>) {
        let pattern = {
            let mut state = self.state();
            let Some(subscription) = state.pattern.as_mut() else {
                return;
            };
            if !subscription.take_due() {
                return;
            }
            subscription.pattern.clone()
        };
        let shared = Arc::clone(self);
        tokio::task::spawn_blocking(move || {
            let found = find(&shared.consumer, &pattern, shared.exclude_internal_topics);
            let refreshed = match shared.state().pattern.as_mut() {
                Some(subscription) => {
                    subscription.refreshed(&shared.consumer, found, shared.metadata_max_age)
                }
                None => Ok(()),
            };
            if let Err(error) = refreshed {
                shared.consumer.context().events.log_warning(&error.message);
            }
            shared.wake.notify_one();
        });
    }

    /// When a waiting poll looks next.
    pub(super) fn next_look(&self) -> Instant {
        let state = self.state();
        let pattern = state.pattern.as_ref().and_then(PatternSubscription::due);
        let start = state.start.as_ref().and_then(Start::due);
        let own = Instant::now() + self.look;
        [pattern, start]
            .into_iter()
            .flatten()
            .map(Instant::from)
            .fold(own, Instant::min)
    }

    /// Makes librdkafka ready to leave the group: a change that still waits for
    /// consent would hold it up.
    pub(super) fn prepare_close(&self) {
        self.consumer.context().close();
        let mut state = self.state();
        let started = state.start.take().and_then(|start| start.decision);
        let known = [started, state.ready.take(), state.pending.take()];
        let queued = std::iter::from_fn(|| self.consumer.context().take_decision());
        for decision in known.into_iter().flatten().chain(queued) {
            // Whether it still applies does not matter any more.
            let _ = decision.accept(&self.consumer);
        }
    }
}

/// The bytes of a record's key and value.
fn size(record: &ConsumedRecord) -> usize {
    let length = |part: &Option<bytes::Bytes>| part.as_ref().map_or(0, bytes::Bytes::len);
    length(&record.key) + length(&record.value)
}

/// Whether the start of a partition has not been looked up yet.
fn is_unresolved(element: &::rdkafka::topic_partition_list::TopicPartitionListElem<'_>) -> bool {
    element.offset() == Offset::Invalid
}

impl State {
    pub(super) fn next_start(&mut self) -> u64 {
        self.starts += 1;
        self.starts
    }

    /// Moves the positions past the records.
    fn advance(&mut self, batch: &[ConsumedRecord]) {
        let runs = batch.chunk_by(|left, right| {
            left.partition == right.partition && Arc::ptr_eq(&left.topic, &right.topic)
        });
        for last in runs.filter_map(<[ConsumedRecord]>::last) {
            let partition = TopicPartition::new(Arc::clone(&last.topic), last.partition);
            self.assignment
                .move_to(&partition, Position::At(last.offset + 1));
        }
    }
}
