//! What polls and calls that block have in common.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::rdkafka::consumer::{BaseConsumer, Consumer};
use ::rdkafka::error::{KafkaError as RdError, RDKafkaErrorCode};
use tether_api::offset::TopicPartition;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::context::{Change, Decision, GroupContext};
use super::place::LookUps;
use super::positions::{Assignment, Position, Reset};
use super::topics::{PatternSubscription, find};
use crate::fetch::Fetcher;
use crate::rdkafka::error::{from_library, kind_of};
use crate::rdkafka::events::is_interruption;
use crate::{ConsumerEvent, KafkaError, KafkaErrorKind, Result};

/// With so many bytes of keys and values a poll ends, whatever the number of its
/// records: those of a thousand large ones would fill the memory.
const ENOUGH_BYTES: usize = 2 * 1024 * 1024;

/// A consumer and what is known of it.
pub(super) struct Shared {
    pub(super) consumer: Arc<BaseConsumer<GroupContext>>,
    pub(super) fetcher: Fetcher,
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
    pub(super) look_ups: LookUps,
    /// A change that was announced and not consented to yet.
    pending: Option<Decision>,
    /// An error that the next poll returns.
    pub(super) error: Option<KafkaError>,
}

impl Shared {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // The state is whole after every statement that holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what there is, without waiting.
    pub(super) fn take_event(&self, max_records: usize) -> Result<Option<ConsumerEvent>> {
        let mut state = self.state();
        if let Some(error) = state.error.take() {
            return Err(error);
        }
        self.take_events(&state)?;
        // None of an assignment that is to change, which whoever polls next
        // hears of: what it has read is what it commits before it consents.
        if state.pending.is_none() && !self.consumer.context().has_decisions() {
            let records = self.fetcher.read(max_records, ENOUGH_BYTES)?;
            if !records.is_empty() {
                return Ok(Some(ConsumerEvent::Records(records)));
            }
        }
        Ok(self.announce(&mut state))
    }

    /// Serves the events of librdkafka that are there.
    fn take_events(&self, state: &State) -> Result<()> {
        let context = self.consumer.context();
        let mut served = context.served_events();
        loop {
            match self.consumer.poll(Duration::ZERO) {
                // An event was served, so there may be more.
                None if context.served_events() != served => served = context.served_events(),
                None => return Ok(()),
                // It fetches nothing.
                Some(Ok(_)) => {}
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

    /// Consents to the pending change. What was fetched of partitions that are
    /// given up is dropped before others may read them.
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
        if !assigned {
            for partition in partitions {
                self.fetcher.remove(partition);
            }
        }
        decision.accept(&self.consumer).map_err(|error| {
            from_library("The group has moved on", &error, KafkaErrorKind::Fenced)
        })?;
        for partition in partitions {
            match assigned {
                true => self.read(&mut state, partition.clone(), Position::Committed),
                false => state.assignment.remove(partition),
            }
        }
        // A poll that waits has them placed.
        self.wake.notify_one();
        Ok(())
    }

    /// Reads a partition from this position on.
    pub(super) fn read(&self, state: &mut State, partition: TopicPartition, position: Position) {
        self.fetcher.add(partition.clone());
        if let Position::At(offset) = position {
            self.fetcher.seek(&partition, offset);
        }
        state.assignment.add(partition, position);
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
        let own = Instant::now() + self.look;
        [pattern, state.look_ups.due()]
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
        let known = state.pending.take();
        let queued = std::iter::from_fn(|| self.consumer.context().take_decision());
        for decision in known.into_iter().chain(queued) {
            // Whether it still applies does not matter any more.
            let _ = decision.accept(&self.consumer);
        }
    }
}
