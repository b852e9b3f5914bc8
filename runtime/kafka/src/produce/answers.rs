//! Taking what leaders answer.

use std::time::Duration;

use tokio::time::Instant;

use super::LOG;
use super::batch::Batch;
use super::errors::{Cure, cure, failure, writing};
use super::node::Flying;
use super::outcomes::Outcomes;
use super::settings::ProduceSettings;
use super::state::State;
use super::topics::{Gap, Place};
use crate::broker::messages::{
    DUPLICATE_SEQUENCE_NUMBER, ErrorCode, INVALID_PRODUCER_EPOCH, INVALID_PRODUCER_ID_MAPPING,
    MESSAGE_TOO_LARGE, NETWORK_EXCEPTION, OUT_OF_ORDER_SEQUENCE_NUMBER, PRODUCER_FENCED,
    ProduceAnswer, Produced, UNKNOWN_PRODUCER_ID,
};
use crate::{KafkaError, KafkaErrorKind, RecordMetadata};

/// What an answer comes to.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    /// Whether a leader may not be the one that is known.
    pub(super) leaders_moved: bool,
    /// Whether the brokers do not take this producer's epoch any more.
    pub(super) producer_lost: bool,
}

impl State {
    /// Takes the answer to a request.
    pub(super) fn take_answer(
        &mut self,
        answer: &ProduceAnswer,
        batches: Vec<Flying>,
        settings: &ProduceSettings,
        outcomes: &mut Outcomes,
    ) -> Taken {
        let mut taken = Taken::default();
        for flying in batches {
            let topic = self.topics.get(flying.place.topic);
            let name = topic.map_or("", |topic| &*topic.name);
            let produced = answer.partitions.iter().find(|produced| {
                usize::try_from(produced.partition) == Ok(flying.place.partition)
                    && produced.topic == name
            });
            let (place, batch) = self.take_back(flying);
            match produced {
                Some(produced) if matches!(produced.error, 0 | DUPLICATE_SEQUENCE_NUMBER) => {
                    self.written(place, batch, produced.base_offset, outcomes);
                }
                Some(produced) => {
                    self.not_written(place, batch, produced, settings, outcomes, &mut taken);
                }
                // Nobody can tell.
                None => {
                    let lost = lost(NETWORK_EXCEPTION, "the broker's answer leaves it out");
                    self.not_written(place, batch, &lost, settings, outcomes, &mut taken);
                }
            }
        }
        taken
    }

    /// No answer will come to these.
    pub(super) fn take_silence(
        &mut self,
        batches: Vec<Flying>,
        why: &str,
        settings: &ProduceSettings,
        outcomes: &mut Outcomes,
    ) {
        let mut taken = Taken::default();
        let lost = lost(NETWORK_EXCEPTION, why);
        for flying in batches {
            let (place, batch) = self.take_back(flying);
            self.not_written(place, batch, &lost, settings, outcomes, &mut taken);
        }
    }

    /// These were sent, and no answer is wanted.
    pub(super) fn take_unanswered(&mut self, batches: Vec<Flying>, outcomes: &mut Outcomes) {
        for flying in batches {
            let (place, batch) = self.take_back(flying);
            self.written(place, batch, -1, outcomes);
        }
    }

    /// A batch of this partition is not under way any more.
    pub(super) fn landed(&mut self, place: Place) {
        if let Some(partition) = self.topics.partition_mut(place) {
            partition.in_flight = partition.in_flight.saturating_sub(1);
        }
    }

    fn take_back(&mut self, flying: Flying) -> (Place, Batch) {
        let Flying {
            place,
            mut batch,
            bytes,
        } = flying;
        batch.filling.give_back(bytes);
        self.landed(place);
        (place, batch)
    }

    fn written(&mut self, place: Place, mut batch: Batch, offset: i64, outcomes: &mut Outcomes) {
        if let Some(partition) = self.topics.partition_mut(place) {
            partition.not_before = None;
            if batch
                .sequence
                .is_some_and(|sequence| partition.producer == Some(sequence.producer))
            {
                // The broker takes nothing before it has what comes before.
                partition.proven = true;
                partition.gap = Gap::No;
            }
        }
        let first = RecordMetadata {
            partition: i32::try_from(place.partition).unwrap_or(i32::MAX),
            offset: offset.max(-1),
        };
        outcomes.written(&mut batch, first);
        self.free(batch);
    }

    fn not_written(
        &mut self,
        place: Place,
        mut batch: Batch,
        produced: &Produced,
        settings: &ProduceSettings,
        outcomes: &mut Outcomes,
        taken: &mut Taken,
    ) {
        let error = produced.error;
        let cure = self.cure(place, &batch, error);
        let topic = self.topics.get(place.topic);
        let name = topic.map_or_else(String::new, |topic| topic.name.to_string());
        let why = failure(&writing(&name), error, produced.message.as_deref());
        if cure == Cure::FindLeader {
            taken.leaders_moved = true;
            if error != NETWORK_EXCEPTION
                && let Some(partition) = self.topics.partition_mut(place)
            {
                partition.leader = None;
            }
        }
        if matches!(error, INVALID_PRODUCER_EPOCH | INVALID_PRODUCER_ID_MAPPING) {
            taken.producer_lost = true;
        }
        if matches!(error, PRODUCER_FENCED | INVALID_PRODUCER_EPOCH) && self.transaction.is_some() {
            self.fatal.get_or_insert_with(|| why.clone());
        }
        if error == MESSAGE_TOO_LARGE && batch.filling.count() > 1 && !batch.abandoned {
            self.send_halves(place, batch, &why, outcomes);
            return;
        }
        let may_try = batch.attempts <= settings.retries && !batch.abandoned;
        if cure == Cure::None || !may_try {
            let refused = |index: i32| {
                let mut refused = produced.refused.iter();
                refused.find(|(refused, _)| *refused == index)
            };
            if produced.refused.is_empty() {
                self.give_up(place, batch, &why, outcomes);
                return;
            }
            // Each hears why it is refused itself, or that another one is.
            for (index, token) in std::mem::take(&mut batch.tokens).into_iter().enumerate() {
                let found = i32::try_from(index).ok().and_then(refused);
                let message = match found {
                    Some((_, message)) => message.as_deref().or(produced.message.as_deref()),
                    None => Some("Another record of the same batch is refused"),
                };
                let error = failure(&writing(&name), error, message);
                outcomes.tokens_failed(vec![token], error);
            }
            self.give_up(place, batch, &why, outcomes);
            return;
        }
        tracing::debug!(
            target: LOG,
            topic = name,
            partition = place.partition,
            attempts = batch.attempts,
            error = %why,
            "A batch has to be sent again"
        );
        batch.error = Some(why);
        let delay = settings.backoff.random_after(batch.attempts - 1);
        self.send_again(place, batch, delay);
    }

    /// What to do about an error (`TransactionManager.canRetry`).
    ///
    /// A gap in the sequences is one of the batches before this one, as long as
    /// any of them is under way or waits to be sent again: this one follows it.
    /// Where there is none, the broker does not know what it has taken: a
    /// producer without transactions goes on with a new epoch, in which nothing
    /// of this partition was written before, and so neither twice nor out of
    /// turn: the batch itself was refused. In a transaction records may be gone
    /// that were written before, so it has to be aborted.
    fn cure(&mut self, place: Place, batch: &Batch, error: ErrorCode) -> Cure {
        if !matches!(error, OUT_OF_ORDER_SEQUENCE_NUMBER | UNKNOWN_PRODUCER_ID) {
            return cure(error);
        }
        let is_transactional = self.transaction.is_some();
        let Some(partition) = self.topics.partition_mut(place) else {
            return Cure::None;
        };
        let waits = |queued: &Batch| queued.sequence.is_some() && queued.order < batch.order;
        if partition.in_flight > 0 || partition.queue.iter().any(waits) {
            return Cure::Again;
        }
        if is_transactional {
            return Cure::None;
        }
        partition.gap = Gap::Certain;
        Cure::Again
    }

    fn send_again(&mut self, place: Place, batch: Batch, delay: Duration) {
        if let Some(partition) = self.topics.partition_mut(place) {
            partition.not_before = Some(Instant::now() + delay);
            partition.put_back(batch);
            if !partition.active {
                partition.active = true;
                self.active.push(place);
            }
        }
    }

    /// The broker takes batches of this size no more than larger ones: it may
    /// take each half.
    fn send_halves(
        &mut self,
        place: Place,
        batch: Batch,
        why: &KafkaError,
        outcomes: &mut Outcomes,
    ) {
        tracing::warn!(
            target: LOG,
            records = batch.filling.count(),
            "A batch is too large for the broker, and is sent in halves; set batch.size to no more \
             than max.message.bytes of the topic"
        );
        self.used = self.used.saturating_sub(batch.charged);
        let tokens = batch.tokens.clone();
        match batch.split() {
            Ok([first, second]) => {
                for half in [second, first] {
                    self.used += half.charged;
                    self.send_again(place, half, Duration::ZERO);
                }
            }
            // It was made here, so that does not happen.
            Err(damage) => {
                let message = format!("{why}; it cannot be split: {damage}");
                let error = KafkaError::new(KafkaErrorKind::Fatal, message);
                outcomes.tokens_failed(tokens, error);
            }
        }
    }
}

fn lost(error: ErrorCode, why: &str) -> Produced {
    Produced {
        topic: String::new(),
        partition: 0,
        error,
        base_offset: -1,
        log_start_offset: -1,
        message: Some(why.to_owned()),
        refused: Vec::new(),
    }
}
