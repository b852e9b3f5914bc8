//! What to send now: batches that are full or have waited long enough, oldest
//! first, to the brokers that lead their partitions.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use super::batch::{Batch, Sequence, after};
use super::errors::writing;
use super::outcomes::Outcomes;
use super::settings::ProduceSettings;
use super::state::State;
use super::topics::{Gap, InTransaction, Partition, Place};
use crate::broker::messages::ProducerIdentity;
use crate::{KafkaError, KafkaErrorKind};

/// How long a record waits for a topic that brokers say does not exist. One that
/// was just created may take so long to be known to all of them.
const MISSING: Duration = Duration::from_secs(30);

/// What was found when looking for something to send.
pub(super) struct Found {
    /// For each broker, the partitions with a batch for it.
    pub(super) ready: BTreeMap<i32, Vec<Place>>,
    /// Partitions that are to be added to the transaction.
    pub(super) to_add: Vec<Place>,
    /// Partitions whose sequences have to begin anew.
    pub(super) gaps: Vec<Place>,
    /// Whether a leader is not known.
    pub(super) leader_missing: bool,
    /// When to look again, if nothing else happens.
    pub(super) next: Option<Instant>,
}

impl Found {
    fn look_at(&mut self, at: Instant) {
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }
}

impl State {
    /// Looks for what can be sent, and fails what has waited too long.
    pub(super) fn look(
        &mut self,
        now: Instant,
        settings: &ProduceSettings,
        outcomes: &mut Outcomes,
    ) -> Found {
        let mut found = Found {
            ready: BTreeMap::new(),
            to_add: Vec::new(),
            gaps: Vec::new(),
            leader_missing: false,
            next: None,
        };
        let all_due = self.flushing > 0 || self.starved;
        let all_due = all_due
            || self
                .transaction
                .as_ref()
                .is_some_and(|open| open.asking().is_some());
        let mut active = std::mem::take(&mut self.active);
        active.retain(|place| {
            self.expire(*place, now, settings, outcomes);
            let Some(partition) = self.topics.partition_mut(*place) else {
                return false;
            };
            look_at_partition(*place, partition, now, all_due, settings, &mut found);
            partition.active = !partition.is_empty() || partition.in_flight > 0;
            partition.active
        });
        self.active = active;
        self.expire_waiting(now, settings, &mut found, outcomes);
        found
    }

    /// Fails batches that have waited longer than `delivery.timeout.ms`.
    fn expire(
        &mut self,
        place: Place,
        now: Instant,
        settings: &ProduceSettings,
        outcomes: &mut Outcomes,
    ) {
        let timeout = settings.delivery_timeout;
        let is_late = |batch: &Batch| now.saturating_duration_since(batch.created) >= timeout;
        let Some(partition) = self.topics.partition_mut(place) else {
            return;
        };
        if partition.open.as_ref().is_some_and(is_late) {
            partition.close();
        }
        let mut late = Vec::new();
        while partition.queue.front().is_some_and(is_late) {
            late.extend(partition.queue.pop_front());
        }
        for batch in late {
            let name = self.topics.get(place.topic).map_or("", |topic| &topic.name);
            let error = expired(name, place.partition, &batch, timeout);
            self.give_up(place, batch, &error, outcomes);
        }
    }

    fn expire_waiting(
        &mut self,
        now: Instant,
        settings: &ProduceSettings,
        found: &mut Found,
        outcomes: &mut Outcomes,
    ) {
        for place in self.unknown.clone() {
            let Some(topic) = self.topics.get(place) else {
                continue;
            };
            let is_missing = |error: &KafkaError| error.kind == KafkaErrorKind::NotFound;
            let timeout = match topic.error.as_ref().is_some_and(is_missing) {
                true => settings.topic_timeout.min(MISSING),
                false => settings.topic_timeout,
            };
            let Some(first) = topic.waiting.front() else {
                continue;
            };
            let Some(end) = first.since.checked_add(timeout) else {
                continue;
            };
            if end > now {
                found.look_at(end);
                continue;
            }
            let error = topic.error.clone().unwrap_or_else(|| {
                KafkaError::new(
                    KafkaErrorKind::Retriable,
                    format!(
                        "Topic {} not present in metadata after {} ms.",
                        topic.name,
                        timeout.as_millis()
                    ),
                )
            });
            if let Some(transaction) = &mut self.transaction {
                transaction.fail(&error);
            }
            self.fail_waiting(place, &error, outcomes, |waiting| {
                now.saturating_duration_since(waiting.since) >= timeout
            });
        }
    }

    /// The records of a batch that is not under way will not be written, or
    /// nobody can tell.
    pub(super) fn give_up(
        &mut self,
        place: Place,
        mut batch: Batch,
        error: &KafkaError,
        outcomes: &mut Outcomes,
    ) {
        if batch.sequence.is_some() {
            if let Some(partition) = self.topics.partition_mut(place) {
                partition.gap = Gap::Possible;
            }
            if let Some(transaction) = &mut self.transaction {
                transaction.last = Some(error.clone());
            }
        }
        if let Some(transaction) = &mut self.transaction {
            transaction.fail(error);
        }
        outcomes.failed(&mut batch, error.clone());
        self.free(batch);
    }

    /// Takes the oldest batch of a partition, unless it has more bytes than are
    /// left. It counts as under way.
    pub(super) fn take_batch(
        &mut self,
        place: Place,
        most: usize,
        producer: Option<ProducerIdentity>,
    ) -> Option<Batch> {
        let partition = self.topics.partition_mut(place)?;
        if partition.queue.is_empty() {
            partition.close();
        }
        let first = partition.queue.front()?;
        if first.filling.len() > most {
            return None;
        }
        if let Some(producer) = producer
            && first.sequence.is_none()
        {
            partition.number_batch(producer);
        }
        let mut batch = partition.queue.pop_front()?;
        batch.attempts = batch.attempts.saturating_add(1);
        partition.in_flight += 1;
        Some(batch)
    }
}

impl Partition {
    /// Gives the oldest batch its sequence, with which it stays whatever
    /// happens, so that the broker can tell if it has it already.
    fn number_batch(&mut self, producer: ProducerIdentity) {
        if self.producer != Some(producer) {
            // Nothing of the other one is left, see `look_at_partition`.
            self.producer = Some(producer);
            self.next_sequence = 0;
            self.proven = false;
        }
        if let Some(batch) = self.queue.front_mut() {
            batch.sequence = Some(Sequence {
                producer,
                first: self.next_sequence,
            });
            self.next_sequence = after(self.next_sequence, batch.filling.count());
        }
    }

    /// How many batches may be under way. Until the broker has taken one, it
    /// takes any as the first.
    fn most_in_flight(&self, settings: &ProduceSettings) -> usize {
        match self.proven {
            true => settings.partition_in_flight(),
            false => 1,
        }
    }
}

fn look_at_partition(
    place: Place,
    partition: &mut Partition,
    now: Instant,
    all_due: bool,
    settings: &ProduceSettings,
    found: &mut Found,
) {
    let first_was_sent = |queue: &VecDeque<Batch>| {
        let first = queue.front();
        first.is_some_and(|first| first.sequence.is_some())
    };
    if partition.in_flight == 0
        && (partition.gap == Gap::Certain
            || (partition.gap == Gap::Possible && !first_was_sent(&partition.queue)))
    {
        found.gaps.push(place);
        return;
    }
    // The open batch is filled until it can be sent.
    let (created, due, is_retry) = match (partition.queue.front(), &partition.open) {
        (Some(first), _) => (first.created, now, first.sequence.is_some()),
        (None, Some(open)) if all_due => (open.created, now, false),
        (None, Some(open)) => (open.created, open.created + settings.linger, false),
        (None, None) => return,
    };
    if let Some(end) = created.checked_add(settings.delivery_timeout) {
        found.look_at(end);
    }
    if settings.transactional_id.is_some() && partition.in_transaction != InTransaction::Yes {
        if partition.in_transaction == InTransaction::No {
            found.to_add.push(place);
        }
        return;
    }
    if due > now {
        found.look_at(due);
        return;
    }
    // What has to be sent again goes by itself, in its turn.
    if (partition.gap != Gap::No && !is_retry)
        || partition.in_flight >= partition.most_in_flight(settings)
        || (is_retry && partition.in_flight > 0)
    {
        return;
    }
    if let Some(at) = partition.not_before.filter(|at| *at > now) {
        found.look_at(at);
        return;
    }
    match partition.leader {
        Some(leader) => found.ready.entry(leader).or_default().push(place),
        None => found.leader_missing = true,
    }
}

fn expired(topic: &str, partition: usize, batch: &Batch, timeout: Duration) -> KafkaError {
    let count = batch.filling.count();
    let milliseconds = timeout.as_millis();
    let why = match &batch.error {
        None => String::new(),
        Some(error) => format!("; the last attempt: {error}"),
    };
    KafkaError::new(
        KafkaErrorKind::Retriable,
        format!(
            "{}: Expiring {count} record(s) for {topic}-{partition}: {milliseconds} ms has \
             passed since batch creation{why}",
            writing(topic)
        ),
    )
}
