//! The consumer.

mod context;
mod headers;
mod positions;
mod records;
mod topics;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::rdkafka::ClientConfig;
use ::rdkafka::Offset;
use ::rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use ::rdkafka::error::{KafkaError as RdError, RDKafkaErrorCode};
use async_trait::async_trait;
use tether_api::offset::TopicPartition;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout_at};

use super::error::{failure, from_library, kind_of};
use super::events::{Events, LogTarget};
use super::partitions::{answers, check_topic, offset, with_offsets, without_offsets};
use super::tokens::TokenProvider;
use crate::pattern::TopicPattern;
use crate::properties::Translation;
use crate::{
    ConsumedRecord, Consumer, ConsumerEvent, KafkaError, KafkaErrorKind, Result, Subscription,
    TopicPartitionOffset,
};

use context::{Change, Decision, GroupContext};
use positions::{Assignment, Position, Reset, list_offsets, resolve};
use records::RecordReader;
use topics::{PatternSubscription, find, subscribe};

/// How often a waiting poll looks by itself. librdkafka wakes it as soon as
/// there is something, but counts the time since the last look against
/// `max.poll.interval.ms`.
const LOOK: Duration = Duration::from_secs(1);

/// How long a seek may take to reach the partition's fetcher.
const SEEK_PATIENCE: Duration = Duration::from_secs(30);

/// How soon a seek is tried again while the fetcher is not ready.
const SEEK_RETRY: Duration = Duration::from_millis(10);

/// A consumer on librdkafka; `None` after `close`.
pub(super) struct RdConsumer {
    shared: Mutex<Option<Arc<Shared>>>,
}

/// What calls that block take along to another thread.
struct Shared {
    consumer: BaseConsumer<GroupContext>,
    state: Mutex<State>,
    wake: Arc<Notify>,
    reset: Reset,
    look: Duration,
    exclude_internal_topics: bool,
    metadata_max_age: Duration,
}

#[derive(Default)]
struct State {
    in_group: bool,
    assignment: Assignment,
    reader: RecordReader,
    pattern: Option<PatternSubscription>,
    /// A change that was announced and not consented to yet.
    pending: Option<Decision>,
    /// An error that came after records of the same poll.
    error: Option<KafkaError>,
}

impl RdConsumer {
    pub(super) fn new(
        config: &ClientConfig,
        tokens: Option<Arc<TokenProvider>>,
        translation: &Translation,
    ) -> Result<Self> {
        let context = GroupContext::new(Events::new(LogTarget::Consumer, tokens));
        let mut consumer: BaseConsumer<_> =
            config.create_with_context(context).map_err(|error| {
                from_library(
                    "Failed to construct kafka consumer",
                    &error,
                    KafkaErrorKind::Invalid,
                )
            })?;
        let wake = Arc::new(Notify::new());
        let waker = Arc::clone(&wake);
        consumer.set_nonempty_callback(move || waker.notify_one());
        let max_poll_interval = config
            .get("max.poll.interval.ms")
            .and_then(|text| text.parse().ok())
            .map_or(LOOK, Duration::from_millis);
        Ok(Self {
            shared: Mutex::new(Some(Arc::new(Shared {
                consumer,
                state: Mutex::default(),
                wake,
                reset: Reset::of(config.get("auto.offset.reset")),
                look: LOOK.min(max_poll_interval / 3),
                exclude_internal_topics: translation.exclude_internal_topics,
                metadata_max_age: Duration::from_millis(translation.metadata_max_age_ms),
            }))),
        })
    }

    fn shared(&self) -> Result<Arc<Shared>> {
        self.lock().clone().ok_or_else(|| {
            KafkaError::new(
                KafkaErrorKind::Fatal,
                "This consumer has already been closed.",
            )
        })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Shared>>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a call that blocks where it may.
    async fn blocking<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Arc<Shared>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let shared = self.shared()?;
        tokio::task::spawn_blocking(move || call(&shared))
            .await
            .unwrap_or_else(|_| {
                Err(KafkaError::new(
                    KafkaErrorKind::Fatal,
                    "The call was given up",
                ))
            })
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // The state is whole after every statement that holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what librdkafka has, without waiting.
    fn take_event(&self, max_records: usize) -> Result<Option<ConsumerEvent>> {
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

    /// Records up to the next change of the assignment.
    fn take_records(&self, state: &mut State, max_records: usize) -> Result<Vec<ConsumedRecord>> {
        let context = self.consumer.context();
        let mut batch: Vec<ConsumedRecord> = Vec::new();
        let mut served = context.served_events();
        while batch.len() < max_records {
            let record = match self.consumer.poll(Duration::ZERO) {
                // An event was served, so there may be more.
                None if context.served_events() != served => {
                    served = context.served_events();
                    if context.has_decision() {
                        break;
                    }
                    continue;
                }
                None => break,
                Some(Ok(message)) => state.reader.read(&message),
                Some(Err(error)) => match self.serious(&error, state.in_group) {
                    None => continue,
                    Some(error) => Err(error),
                },
            };
            match record {
                Ok(record) => batch.push(record),
                Err(error) if batch.is_empty() => return Err(error),
                Err(error) => {
                    state.error = Some(error);
                    break;
                }
            }
        }
        state.advance(&batch);
        Ok(batch)
    }

    /// The error that a caller has to hear of. Others, which librdkafka deals
    /// with, are logged.
    fn serious(&self, error: &RdError, in_group: bool) -> Option<KafkaError> {
        let events = &self.consumer.context().events;
        let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail);
        let reason = events.take_last_error().unwrap_or_else(|| code.to_string());
        let fatal = matches!(error, RdError::MessageConsumptionFatal(_));
        // Without a group, librdkafka still asks for its coordinator.
        let of_group = code == RDKafkaErrorCode::GroupAuthorizationFailed && !in_group;
        match kind_of(code) {
            _ if fatal => Some(KafkaError::new(KafkaErrorKind::Fatal, reason)),
            KafkaErrorKind::Retriable | KafkaErrorKind::NotFound => {
                events.log_warning(&reason);
                None
            }
            _ if of_group => None,
            kind => Some(KafkaError::new(kind, reason)),
        }
    }

    /// Announces the next change, unless the last one still waits for consent.
    fn announce(&self, state: &mut State) -> Option<ConsumerEvent> {
        if state.pending.is_some() {
            return None;
        }
        let decision = self.consumer.context().take_decision()?;
        let partitions = decision.partitions.clone();
        let event = match decision.change {
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
    fn accept(&self, partitions: &[TopicPartition], assigned: bool) -> Result<()> {
        let mut state = self.state();
        let due = state
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
        due.accept(&self.consumer).map_err(|error| {
            from_library("The group has moved on", &error, KafkaErrorKind::Fenced)
        })?;
        for partition in partitions {
            if assigned {
                state.assignment.add(partition.clone(), Position::Committed);
            } else {
                state.assignment.remove(partition);
            }
        }
        drop(state);
        if assigned {
            // librdkafka remembers that a partition was paused long ago.
            self.resume(partitions)?;
        }
        Ok(())
    }

    fn pause(&self, partitions: &[TopicPartition]) -> Result<()> {
        self.consumer
            .pause(&without_offsets(partitions)?)
            .map_err(|error| from_library("Failed to pause", &error, KafkaErrorKind::Retriable))
    }

    fn resume(&self, partitions: &[TopicPartition]) -> Result<()> {
        self.consumer
            .resume(&without_offsets(partitions)?)
            .map_err(|error| from_library("Failed to resume", &error, KafkaErrorKind::Retriable))
    }

    /// Seeks; waits for fetchers that have not started yet.
    fn seek(&self, offsets: &[TopicPartitionOffset]) -> Result<()> {
        let deadline = std::time::Instant::now() + SEEK_PATIENCE;
        let mut rest = offsets.to_vec();
        while !rest.is_empty() {
            let list = with_offsets(
                rest.iter()
                    .map(|entry| (&entry.partition, offset(entry.offset))),
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
                    ) if std::time::Instant::now() < deadline => {}
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
        for entry in offsets {
            state
                .assignment
                .move_to(&entry.partition, Position::of(offset(entry.offset)));
        }
        Ok(())
    }

    /// Looks for the topics of a pattern if it is time. The look goes on when
    /// the caller has stopped waiting.
    fn refresh_topics(self: &Arc<Self>) {
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
    fn next_look(&self) -> Instant {
        let look = Instant::now() + self.look;
        let due = self
            .state()
            .pattern
            .as_ref()
            .and_then(PatternSubscription::due);
        due.map_or(look, |due| look.min(due.into()))
    }

    /// Makes librdkafka ready to leave the group: a change that still waits for
    /// consent would hold it up.
    fn prepare_close(&self) {
        self.consumer.context().close();
        let pending = self.state().pending.take();
        let queued = std::iter::from_fn(|| self.consumer.context().take_decision());
        for decision in pending.into_iter().chain(queued) {
            // Whether it still applies does not matter any more.
            let _ = decision.accept(&self.consumer);
        }
    }
}

impl State {
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

#[async_trait]
impl Consumer for RdConsumer {
    fn subscribe(&self, subscription: &Subscription) -> Result<()> {
        let shared = self.shared()?;
        let mut state = shared.state();
        state.in_group = true;
        match subscription {
            Subscription::Pattern(expression) => {
                state.pattern = Some(PatternSubscription::new(TopicPattern::new(expression)?));
                Ok(())
            }
            Subscription::Topics(names) => {
                state.pattern = None;
                for name in names {
                    check_topic(name)?;
                    // librdkafka would take it for a regular expression.
                    if name.starts_with('^') {
                        return Err(KafkaError::new(
                            KafkaErrorKind::Invalid,
                            format!("Topic name is invalid: {name}"),
                        ));
                    }
                }
                subscribe(&shared.consumer, names.iter().map(String::as_str))
            }
        }
    }

    fn assign(&self, partitions: &[TopicPartitionOffset]) -> Result<()> {
        let shared = self.shared()?;
        let list = with_offsets(
            partitions
                .iter()
                .map(|entry| (&entry.partition, offset(entry.offset))),
        )?;
        shared.consumer.assign(&list).map_err(|error| {
            from_library(
                "Failed to assign partitions",
                &error,
                KafkaErrorKind::Invalid,
            )
        })?;
        let mut state = shared.state();
        state.in_group = false;
        state.assignment.clear();
        for entry in partitions {
            let position = Position::of(offset(entry.offset));
            state.assignment.add(entry.partition.clone(), position);
        }
        Ok(())
    }

    async fn poll(&self, timeout: Duration, max_records: usize) -> Result<ConsumerEvent> {
        let shared = self.shared()?;
        let deadline = Instant::now() + timeout;
        loop {
            shared.refresh_topics();
            if let Some(event) = shared.take_event(max_records)? {
                return Ok(event);
            }
            if Instant::now() >= deadline {
                return Ok(ConsumerEvent::Records(Vec::new()));
            }
            let until = deadline.min(shared.next_look());
            // Woken or not, there may be something.
            let _ = timeout_at(until, shared.wake.notified()).await;
        }
    }

    fn accept_assignment(&self, partitions: &[TopicPartition]) -> Result<()> {
        self.shared()?.accept(partitions, true)
    }

    fn accept_revocation(&self, partitions: &[TopicPartition]) -> Result<()> {
        self.shared()?.accept(partitions, false)
    }

    fn assignment(&self) -> Vec<TopicPartition> {
        self.shared()
            .map(|shared| shared.state().assignment.partitions())
            .unwrap_or_default()
    }

    async fn positions(
        &self,
        partitions: &[TopicPartition],
        timeout: Duration,
    ) -> Result<Vec<TopicPartitionOffset>> {
        let positions = self.shared()?.state().assignment.positions(partitions)?;
        self.blocking(move |shared| {
            let (offsets, reset) = resolve(&shared.consumer, positions, shared.reset, timeout)?;
            shared.seek(&reset)?;
            Ok(offsets)
        })
        .await
    }

    async fn seek(&self, offsets: &[TopicPartitionOffset]) -> Result<()> {
        let partitions = offsets.iter().map(|entry| &entry.partition);
        self.shared()?.state().assignment.check(partitions)?;
        let offsets = offsets.to_vec();
        self.blocking(move |shared| shared.seek(&offsets)).await
    }

    fn pause(&self, partitions: &[TopicPartition]) -> Result<()> {
        let shared = self.shared()?;
        shared.state().assignment.check(partitions)?;
        shared.pause(partitions)
    }

    fn resume(&self, partitions: &[TopicPartition]) -> Result<()> {
        let shared = self.shared()?;
        shared.state().assignment.check(partitions)?;
        shared.resume(partitions)
    }

    async fn commit(&self, offsets: &[TopicPartitionOffset]) -> Result<()> {
        if offsets.is_empty() {
            return Ok(());
        }
        let list = with_offsets(
            offsets
                .iter()
                .map(|entry| (&entry.partition, Offset::Offset(entry.offset))),
        )?;
        let shared = self.shared()?;
        {
            let state = shared.state();
            if state.in_group {
                let partitions = offsets.iter().map(|entry| &entry.partition);
                state.assignment.check_owned(partitions)?;
                if shared.consumer.assignment_lost() {
                    return Err(failure(
                        "Offset commit cannot be completed",
                        RDKafkaErrorCode::AssignmentLost,
                    ));
                }
            }
        }
        self.blocking(move |shared| {
            shared
                .consumer
                .commit(&list, CommitMode::Sync)
                .map_err(|error| {
                    from_library(
                        "Offset commit cannot be completed",
                        &error,
                        KafkaErrorKind::Retriable,
                    )
                })
        })
        .await
    }

    async fn end_offsets(
        &self,
        partitions: &[TopicPartition],
        timeout: Duration,
    ) -> Result<Vec<TopicPartitionOffset>> {
        let entries: Vec<_> = partitions
            .iter()
            .map(|partition| (partition.clone(), Offset::End))
            .collect();
        self.blocking(move |shared| list_offsets(&shared.consumer, &entries, timeout))
            .await
    }

    async fn close(&self) {
        let Some(shared) = self.lock().take() else {
            return;
        };
        shared.prepare_close();
        // Calls that others have given up may still have a share for a while.
        while Arc::strong_count(&shared) > 1 {
            sleep(SEEK_RETRY).await;
        }
        // The end of the consumer leaves the group, and blocks until it has.
        let _ = tokio::task::spawn_blocking(move || drop(shared)).await;
    }
}

impl Drop for RdConsumer {
    fn drop(&mut self) {
        let Some(shared) = self.lock().take() else {
            return;
        };
        shared.prepare_close();
        // The end of the consumer blocks until it has left the group. Without a
        // thread for it, it has to happen here.
        let _ = std::thread::Builder::new()
            .name("kafka-close".to_owned())
            .spawn(move || drop(shared));
    }
}
